/** What a replica persists in its life, in small: well-formed batches, statements, certificates and executions. */
import { sha256 } from '../../src/crypto/hash.js';
import { computeHeaderDigest } from '../../src/ledger/header-codec.js';
import type { Completion } from '../../src/ports/key-value-store.js';
import type { ClientTableRow, ExecutionWrite, ReplicaStore } from '../../src/ports/replica-store.js';
import type { CheckpointCertificate, CommitCertificate, PreparedCertificate } from '../../src/protocol/certificates.js';
import { replicaId, sequence, view } from '../../src/protocol/identifiers.js';
import type { BegunView, LogRecord } from '../../src/protocol/log-record.js';
import type {
  EncodedBatch,
  NewView,
  PrePrepare,
  ProtocolMessage,
  Signed,
  Verified,
  ViewChange,
} from '../../src/protocol/messages.js';
import type { RecoveryOptions } from '../../src/storage/log-reading.js';
import { defined } from '../../src/util/assert.js';
import { utf8 } from '../../src/util/bytes.js';
import { type ClientId, clientIdOf, type Digest } from '../../src/util/digest.js';
import { decodeBatch, encodeBatch } from '../../src/wire/batch-codec.js';
import { encodeEnvelope } from '../../src/wire/envelope.js';
import { encodePayload } from '../../src/wire/message-codec.js';
import { decodeRequest, encodeRequestPayload } from '../../src/wire/request-codec.js';

/** A small cluster of four. */
export const OPTIONS: RecoveryOptions = {
  hash: sha256,
  genesisDigest: sha256(utf8('genesis')),
  limits: {
    replicaCount: 4,
    windowSize: 8,
    checkpointInterval: 4,
    batchOperationsMax: 100,
    batchBytesMax: 1 << 21,
    requestBytesMax: 1 << 20,
  },
};

/** K of that cluster. */
const INTERVAL = OPTIONS.limits.checkpointInterval;

/** A client's id. */
export const CLIENT: ClientId = defined(clientIdOf(new Uint8Array(32).fill(7)), '32 bytes are an id');

/** A signed message, with a signature that nobody checks. */
function signed<M extends ProtocolMessage>(message: M, sender: number): Verified<Signed<M>> {
  const payload = encodePayload(message);
  return { message, sender: replicaId(sender), payload, signature: utf8(`signed by ${sender}`) } as Verified<Signed<M>>;
}

/** A batch with one request of this number. */
export function batchOf(number: number, sizeBytes = 20): EncodedBatch {
  const content = {
    clientId: CLIENT,
    number,
    acknowledged: 0,
    operations: [new Uint8Array(sizeBytes).fill(number % 256)],
  };
  const envelope = encodeEnvelope({
    type: 'request',
    sender: { kind: 'client', clientId: CLIENT },
    payload: encodeRequestPayload(content),
    signature: utf8('by the client'),
  });
  const request = decodeRequest(envelope, OPTIONS.limits, sha256);
  if (!request.ok) {
    throw new Error(`${request.error.field} ${request.error.description}`);
  }
  const batch = decodeBatch(encodeBatch(number, [request.value.request]), OPTIONS.limits, sha256);
  if (!batch.ok) {
    throw new Error(`${batch.error.field} ${batch.error.description}`);
  }
  return batch.value.batch;
}

/** The pre-prepare of a batch by the primary of the view. */
export function prePrepareOf(batch: EncodedBatch, at: number, inView = 0): Verified<Signed<PrePrepare>> {
  const message = {
    type: 'prePrepare',
    view: view(inView),
    sequence: sequence(at),
    batchDigest: batch.digest,
  } as const;
  return signed(message, inView % 4);
}

/** A backup's record of an accepted batch. */
export function acceptedRecord(batch: EncodedBatch, at: number, inView = 0): LogRecord {
  const prePrepare = prePrepareOf(batch, at, inView);
  return { kind: 'accepted', prePrepare: prePrepare.message, signed: prePrepare, batch };
}

/** The certificate that a batch prepared. */
export function preparedCertificateOf(batch: EncodedBatch, at: number, inView = 0): PreparedCertificate {
  const prePrepare = prePrepareOf(batch, at, inView);
  const prepares = [1, 2].map((backup) =>
    signed({ ...prePrepare.message, type: 'prepare' as const }, (prePrepare.sender + backup) % 4),
  );
  return { prePrepare, prepares };
}

/** The certificate that a batch is committed. */
function commitCertificateOf(batch: EncodedBatch, at: number, inView = 0): CommitCertificate {
  const message = { type: 'commit', view: view(inView), sequence: sequence(at), batchDigest: batch.digest } as const;
  return { commits: [0, 1, 2].map((sender) => signed(message, sender)) };
}

/** The certificate of a stable checkpoint. */
export function checkpointCertificateOf(at: number, headerDigest: Digest): CheckpointCertificate {
  const message = { type: 'checkpoint', sequence: sequence(at), headerDigest } as const;
  return { checkpoints: [0, 1, 3].map((sender) => signed(message, sender)) };
}

/** The ViewChange of a replica for a view: it prepared a batch in the view before. */
export function viewChangeOf(inView: number, sender = 2): Verified<Signed<ViewChange>> {
  const message: ViewChange = {
    type: 'viewChange',
    newView: view(inView),
    stableCheckpoint: sequence(0),
    checkpointCertificate: [],
    prepared: [preparedCertificateOf(batchOf(inView), 1, inView - 1)],
  };
  return signed(message, sender);
}

/** What began a view. */
export function begunViewOf(inView: number): BegunView {
  const viewChanges = [0, 1, 2].map((sender) => viewChangeOf(inView, sender));
  const message: NewView = {
    type: 'newView',
    newView: view(inView),
    viewChanges: viewChanges.map(({ sender, payload }) => ({ replica: sender, digest: sha256(payload) })),
    prePrepares: [prePrepareOf(batchOf(inView), 1, inView)],
  };
  return { newView: signed(message, inView % 4), viewChanges };
}

/** The record of a view that was begun. */
export function newViewRecord(inView: number): LogRecord {
  return { kind: 'newView', begun: begunViewOf(inView) };
}

/** Two pre-prepares of one replica for one sequence. */
export function evidenceRecord(at: number): LogRecord {
  const first = prePrepareOf(batchOf(at), at);
  const second = prePrepareOf(batchOf(at + 1000), at);
  return { kind: 'evidence', evidence: { replica: replicaId(0), kind: 'prePrepare', first, second } };
}

/** A client table row of a batch. */
export function rowOf(at: number): ClientTableRow {
  return {
    clientId: CLIENT,
    number: at,
    requestDigest: sha256(utf8(`request ${at}`)),
    outcome: 1,
    sequence: at,
    leafIndex: 0,
    path: [sha256(utf8('sibling'))],
    resultsDigest: sha256(utf8(`results ${at}`)),
    results: [utf8(`result ${at}`)],
  };
}

/** The execution of a batch after the header with this digest: it counts sequences under one key of the application. */
export function executionOf(batch: EncodedBatch, at: number, previousHeaderDigest: Digest): ExecutionWrite {
  const header = {
    sequence: at,
    previousHeaderDigest,
    batchDigest: batch.digest,
    resultsRoot: sha256(utf8(`root ${at}`)),
    writesDigest: sha256(utf8(`writes ${at}`)),
    timestampMs: 1_000 + at,
  };
  return {
    header,
    headerDigest: computeHeaderDigest(header, sha256),
    certificate: commitCertificateOf(batch, at),
    application: [
      { type: 'put', key: utf8('count'), value: utf8(`${at}`) },
      { type: 'put', key: utf8(`key ${at}`), value: utf8(`value ${at}`) },
    ],
    clients: [{ clientId: CLIENT, acknowledged: Math.max(0, at - 5) }],
    rowsPut: [rowOf(at)],
    rowsDeleted: at > 5 ? [{ clientId: CLIENT, number: at - 5 }] : [],
  };
}

/** One call of the store. */
export interface Action {
  /** Whether it is durable when it completes. */
  readonly isDurable: boolean;
  readonly run: (store: ReplicaStore, done: Completion<void>) => void;
}

/** A replica's life up to a sequence: each batch accepted, prepared, executed; checkpoints, discards, a few odd ends. */
export function lifeUpTo(last: number, batchBytes = 20): readonly Action[] {
  const actions: Action[] = [];
  let headerDigest = OPTIONS.genesisDigest;
  for (let at = 1; at <= last; at++) {
    const batch = batchOf(at, batchBytes);
    const execution = executionOf(batch, at, headerDigest);
    headerDigest = execution.headerDigest;
    const records: LogRecord[] = at % 3 === 0 ? [acceptedRecord(batchOf(at + 500), at, 0)] : [];
    actions.push(appending(...records, acceptedRecord(batch, at, 1)));
    actions.push(appending({ kind: 'prepared', certificate: preparedCertificateOf(batch, at, 1) }));
    actions.push({ isDurable: false, run: (store, done) => store.commitExecution([execution], done) });
    actions.push(...checkpointActions(at, headerDigest));
  }
  actions.push(appending(acceptedRecord(batchOf(last + 1), last + 1, 1)));
  return actions;
}

function appending(...records: readonly LogRecord[]): Action {
  return { isDurable: true, run: (store, done) => store.append(records, done) };
}

function checkpointActions(at: number, headerDigest: Digest): readonly Action[] {
  if (at === 2) {
    return [appending(newViewRecord(1), evidenceRecord(2))];
  }
  if (at % INTERVAL !== 0) {
    return [];
  }
  const checkpoint = { type: 'checkpoint', sequence: sequence(at), headerDigest } as const;
  return [
    appending({ kind: 'ownCheckpoint', checkpoint }),
    appending({ kind: 'stableCheckpoint', certificate: checkpointCertificateOf(at, headerDigest) }),
    { isDurable: false, run: (store, done) => store.discard(sequence(at), done) },
  ];
}
