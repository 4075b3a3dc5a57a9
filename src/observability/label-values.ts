/**
 * The closed sets that label values come from (RX-04). What is in no set is counted as `other`: whatever a peer or a
 * caller sends, the number of series stays what the sets allow. The code's names are shown in snake case (children.ts).
 *
 * The sets of unions are written as records over the union, so that a new member does not compile until it stands here.
 */
import type {
  CertificateKind,
  ConnectionClosing,
  FetchKind,
  FetchResult,
  LinkResetReason,
  Phase,
  PortName,
  QueueLane,
  RejectedType,
  RejectionReason,
  StorageOperation,
  ThrottleReason,
} from '../ports/metrics.js';
import type { BufferClass, LeavingTimer, ViewChangeCause } from '../protocol/explanation.js';
import type { Evidence } from '../protocol/log-record.js';
import type { TimerName } from '../protocol/timers.js';

/** Where a value goes that is in no set. */
export const OTHER = 'other';

/** The members of a union, given as a record so that none is left out. */
function membersOf<T extends string>(members: Readonly<Record<T, true>>): readonly string[] {
  return Object.keys(members);
}

/** What is rejected: the core's inputs and what never gets as far as the core. */
export const REJECTED_TYPES = membersOf<RejectedType>({
  prePrepare: true,
  prepare: true,
  commit: true,
  checkpoint: true,
  status: true,
  request: true,
  committedBatch: true,
  checkpointCertificate: true,
  viewChange: true,
  newView: true,
  evidence: true,
  ledger: true,
  fetch: true,
  fetchAnswer: true,
  frame: true,
});

/** Why: the core's codes and those of ingress. */
export const REJECTION_REASONS = membersOf<RejectionReason>({
  oldView: true,
  futureView: true,
  notActive: true,
  belowWindow: true,
  aboveWindow: true,
  duplicate: true,
  late: true,
  contradiction: true,
  notPrimary: true,
  fromPrimary: true,
  contradictsExecuted: true,
  badBatch: true,
  tooCostly: true,
  notCheckpoint: true,
  badCertificate: true,
  quota: true,
  stale: true,
  starting: true,
  notAddressee: true,
  belowNewView: true,
  badViewChange: true,
  badNewView: true,
  noContradiction: true,
  diverged: true,
  malformed: true,
  misplaced: true,
  relayed: true,
  own: true,
  digest: true,
  signature: true,
  requestSignature: true,
  unasked: true,
  settled: true,
  beyondWindow: true,
});

/** What two contradicting statements of one replica are about. */
export const EVIDENCE_KINDS = membersOf<Evidence['kind']>({
  prePrepare: true,
  prepare: true,
  commit: true,
  checkpoint: true,
  status: true,
  viewChange: true,
  newView: true,
});

/** What made this replica leave its view. */
export const VIEW_CHANGE_CAUSES = membersOf<ViewChangeCause>({
  requestTimeout: true,
  newViewTimeout: true,
  joined: true,
  primaryLeft: true,
  evidence: true,
  badNewView: true,
});

/** The timers of the core, and those at whose end a replica leaves its view. */
export const TIMERS = membersOf<TimerName>({
  batchDelay: true,
  delayedProposal: true,
  newView: true,
  request: true,
  status: true,
});
export const LEAVING_TIMERS = membersOf<LeavingTimer['name']>({ request: true, newView: true });

/** What a replica keeps of others until its time comes. */
export const BUFFERS = membersOf<BufferClass>({
  viewChange: true,
  newView: true,
  futureVote: true,
  futureProposal: true,
  delayedProposal: true,
});

/** The lanes of the event queue; those of all peers are one label value. */
export const QUEUE_LANES = membersOf<QueueLane>({ local: true, peer: true, client: true });

/** Why a link was closed or refused. */
export const LINK_RESET_REASONS = membersOf<LinkResetReason>({
  closed: true,
  conflict: true,
  handshake: true,
  identity: true,
  malformed: true,
  mismatch: true,
  oversized: true,
  replaced: true,
  stopped: true,
  throttled: true,
  timeout: true,
  unreachable: true,
});

/** Why a caller was sent away. */
export const THROTTLE_REASONS = membersOf<ThrottleReason>({
  answer_memory: true,
  answers_unread: true,
  calls: true,
  notReady: true,
  queueFull: true,
});

/** The ports of a replica, and why a connection was closed at their doors. */
export const PORT_NAMES = membersOf<PortName>({ client: true, http: true, peer: true });
export const CONNECTION_CLOSINGS = membersOf<ConnectionClosing>({
  accept_failed: true,
  displaced: true,
  refused: true,
  silent: true,
});

/** What is fetched from peers, and how it ended. */
export const FETCH_KINDS = membersOf<FetchKind>({
  batch: true,
  ledger: true,
  checkpointCertificate: true,
  viewChange: true,
});
export const FETCH_RESULTS = membersOf<FetchResult>({ ok: true, not_found: true, wrong: true, timeout: true });

/** What the store was asked for when it failed. */
export const STORAGE_OPERATIONS = membersOf<StorageOperation>({
  recover: true,
  append: true,
  execute: true,
  discard: true,
  read: true,
  reserve: true,
  close: true,
});

/** The certificates whose expiry is told. */
export const CERTIFICATES = membersOf<CertificateKind>({ peer: true, client: true, authority: true });

/** The steps that a batch's latency is made of. */
export const PHASES = membersOf<Phase>({ prepare: true, commit: true, execute: true });

/** The methods of the services for callers and operators. */
export const CALL_METHODS: readonly string[] = [
  'KeyValueService/Put',
  'KeyValueService/Get',
  'KeyValueService/Delete',
  'KeyValueService/CompareAndSwap',
  'KeyValueService/Range',
  'ClientService/Submit',
  'AdminService/GetStatus',
  'Health/Check',
  'Health/List',
  'Health/Watch',
];

/** The status codes of gRPC. */
export const CALL_CODES: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];
