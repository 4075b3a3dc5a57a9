/** What a replica says of itself, and when it serves. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import type { LinkState } from '../../../../src/ports/transport.js';
import type { CoreView } from '../../../../src/protocol/core.js';
import type { Explanation } from '../../../../src/protocol/explanation.js';
import { replicaId, sequence, view } from '../../../../src/protocol/identifiers.js';
import { computeQuorumSizes } from '../../../../src/protocol/quorum.js';
import type { ReplicaIdentity } from '../../../../src/runtime/replica-runtime-options.js';
import { missingText, nameById } from '../../../../src/runtime/report/explanation-text.js';
import {
  computeNotReadableReasons,
  computeNotReadyReasons,
  computeReadyRemarks,
  computeReplicaStatus,
  type StatusSources,
} from '../../../../src/runtime/report/replica-status.js';
import { utf8 } from '../../../../src/util/bytes.js';
import type { ClientId } from '../../../../src/util/digest.js';

const IDENTITY: ReplicaIdentity = {
  replica: replicaId(1),
  names: ['Apple', 'MS', 'Google', 'IBM'],
  clusterId: sha256(utf8('cluster')),
  sizes: computeQuorumSizes(4),
  checkpointInterval: 128,
  requestTimeoutMs: 2_000,
  storageEngine: 'memory',
};

const CORE: CoreView = {
  view: view(4),
  active: true,
  primary: replicaId(0),
  lowWatermark: sequence(128),
  lastExecuted: sequence(130),
  lastHeaderDigest: sha256(utf8('header 130')),
  highestExecutedElsewhere: sequence(131),
  waitingRequests: 0,
  oldestWaitMs: 0,
  diverged: false,
  mayVote: true,
  viewOfOthers: undefined,
  answeredBy: [replicaId(0), replicaId(3)],
  serveFrom: sequence(130),
  evidence: [],
  peerExecuted: new Map([
    [replicaId(0), sequence(131)],
    [replicaId(3), sequence(0)],
  ]),
};

const WAITING: Explanation = {
  timeoutMs: 2_000,
  timer: undefined,
  oldestRequest: undefined,
  left: undefined,
  viewChanges: [],
  missing: [],
};

function link(peer: number, connected: boolean): LinkState {
  return {
    peer: replicaId(peer),
    connected,
    lastError: connected ? '' : 'refused',
    queuedMessages: 0,
    queuedBytes: 0,
    roomBytes: 1,
  };
}

function sources(changes: Partial<StatusSources> = {}, core: Partial<CoreView> = {}): StatusSources {
  return {
    core: { ...CORE, ...core },
    links: [link(0, true), link(2, true), link(3, false)],
    isStopping: false,
    fatal: undefined,
    agreedTimeMs: 1_700_000_000_000,
    ...changes,
  };
}

/** What peers say that they executed. */
function claims(...executed: readonly number[]): Partial<CoreView> {
  return { peerExecuted: new Map(executed.map((last, peer) => [replicaId(peer + 10), sequence(last)])) };
}

const reasons = (...of: Parameters<typeof sources>) => computeNotReadyReasons(IDENTITY, sources(...of));

describe('readiness', () => {
  it('is there with a quorum connected, itself included, and with what peers have executed', () => {
    assert.deepEqual(reasons(), []);
  });

  it('names how many replicas are missing', () => {
    assert.deepEqual(reasons({ links: [link(0, true), link(2, false), link(3, false)] }), [
      'no quorum: in touch with 2 of 4 replicas, itself included; 3 are needed',
    ]);
  });

  it('OP-08: is not there before a quorum told how far it is, for this replica may be far behind', () => {
    const starting = 'starting: waits for Status of a quorum before its first vote: 1 of 2 peers answered';
    assert.deepEqual(reasons({}, { mayVote: false, serveFrom: undefined, answeredBy: [replicaId(3)] }), [starting]);
    const behind = 'starting: catches up with the stable checkpoint of the peers that answered before its first vote';
    assert.deepEqual(reasons({}, { mayVote: false, serveFrom: undefined }), [behind]);
    assert.deepEqual(reasons({}, claims(131, 131)), []);
    const alone = { ...IDENTITY, sizes: computeQuorumSizes(1) };
    assert.deepEqual(computeNotReadyReasons(alone, sources({ links: [] }, claims())), []);
  });

  it('is not there while it catches up: more than a checkpoint interval behind what is stable, or behind anyone', () => {
    const stableAt = (at: number) => ({ lowWatermark: sequence(at) });
    assert.deepEqual(reasons({}, stableAt(259)), ['catching up: executed 130 of 259']);
    assert.deepEqual(reasons({}, claims(258, 258, 0)), []);
    assert.deepEqual(reasons({}, claims(259, 0, 259)), ['catching up: executed 130 of 259']);
  });

  it('is there a batch behind a stable checkpoint: others only executed sooner', () => {
    assert.deepEqual(reasons({}, { lastExecuted: sequence(127), serveFrom: sequence(127) }), []);
    assert.deepEqual(reasons({}, { lastExecuted: sequence(129) }), [
      'catching up: executed 129 of 130, before it takes what callers ask',
    ]);
    assert.deepEqual(reasons({}, { lowWatermark: sequence(258) }), []);
  });

  it('CK-07: stays where one peer claims to have executed more than anyone, or less', () => {
    assert.deepEqual(reasons({}, claims(2 ** 52 - 1, 131, 130)), []);
    assert.deepEqual(reasons({}, claims(2 ** 52 - 1, 0)), []);
    assert.deepEqual(reasons({}, claims(259, 260, 0)), ['catching up: executed 130 of 259']);
  });

  it('says everything that is wrong at once', () => {
    const broken = { diverged: true, lowWatermark: sequence(384) };
    assert.deepEqual(
      reasons({ links: [] }, broken).map((reason) => reason.split(':')[0]),
      ['diverged', 'no quorum', 'catching up'],
    );
  });

  it('says only why it stopped, stops or has not begun', () => {
    const diverged = { diverged: true };
    assert.deepEqual(reasons({ fatal: 'the disk is gone', isStopping: true }, diverged), ['stopped: the disk is gone']);
    assert.deepEqual(reasons({ isStopping: true }, diverged), ['stopping']);
    assert.deepEqual(reasons({ core: undefined }), ['starting: reading the store']);
  });
});

describe('reading from executed state', () => {
  it('is possible without a quorum and while it catches up: the answer says of when it is', () => {
    const behind = { lastExecuted: sequence(1), ...claims(1_000, 1_000, 1_000) };
    assert.deepEqual(computeNotReadableReasons(sources({ links: [] }, behind)), []);
  });

  it('CK-03: is refused where the state is not the cluster’s, and where there is none', () => {
    assert.deepEqual(computeNotReadableReasons(sources({}, { diverged: true })), [
      'diverged: the state differs from what a quorum certified',
    ]);
    assert.deepEqual(computeNotReadableReasons(sources({ core: undefined })), ['starting: reading the store']);
    assert.deepEqual(computeNotReadableReasons(sources({ isStopping: true })), ['stopping']);
    assert.deepEqual(computeNotReadableReasons(sources({ fatal: 'x' })), ['stopped: x']);
  });
});

describe('the status', () => {
  const statusOf = (changes: Partial<StatusSources> = {}, core: Partial<CoreView> = {}, waiting = WAITING) =>
    computeReplicaStatus(IDENTITY, sources(changes, core), waiting);
  const waitingFor = (core: Partial<CoreView>, waiting: Partial<Explanation> = {}) =>
    statusOf({}, core, { ...WAITING, ...waiting }).waitingFor;

  it('has the names, what each peer executed, and the position', () => {
    const status = statusOf();
    assert.deepEqual([status.name, status.view, status.primary, status.lastExecuted], ['MS', 4, 0, 130]);
    assert.deepEqual([status.stableCheckpoint, status.headerDigest], [128, CORE.lastHeaderDigest]);
    assert.deepEqual(
      status.peers.map(({ name, connected, lastError, lastExecuted }) => [name, connected, lastError, lastExecuted]),
      [
        ['Apple', true, '', 131],
        ['Google', true, '', 0],
        ['IBM', false, 'refused', 0],
      ],
    );
    assert.equal(status.waitingFor, '');
  });

  it('CK-03: is answered by a replica that diverged, stops or has not begun', () => {
    const diverged = statusOf({}, { diverged: true });
    assert.match(diverged.notReadyReasons[0] ?? '', /^diverged/);
    assert.equal(diverged.lastExecuted, 130);
    const starting = computeReplicaStatus(IDENTITY, sources({ core: undefined }), undefined);
    assert.deepEqual([starting.lastExecuted, starting.headerDigest], [0, IDENTITY.clusterId]);
    assert.equal(starting.waitingFor, 'the store');
  });

  it('says for what the oldest request waits, once it waits longer than the request timeout', () => {
    assert.equal(waitingFor({ waitingRequests: 3, oldestWaitMs: 1_999 }), '');
    const waiting: Partial<Explanation> = {
      oldestRequest: { clientId: 'ab'.repeat(32) as ClientId, number: 17, waitedMs: 2_500 },
      timer: { name: 'request', remainingMs: 800 },
      missing: [{ kind: 'prePrepare', replica: replicaId(3), sequence: sequence(131) }],
    };
    assert.equal(
      waitingFor({ waitingRequests: 3, oldestWaitMs: 2_500 }, waiting),
      'request 17 of client abababababab for 2.5 s; request timer: 0.8 s of 2.0 s left; ' +
        'lacks PrePrepare at 131 of IBM; in touch with 3 of 4 replicas',
    );
    const overdue = waitingFor(
      { oldestWaitMs: 9_000, primary: replicaId(3) },
      { ...waiting, timer: { name: 'request', remainingMs: -1 } },
    );
    assert.match(overdue, /request timer: overdue/);
    assert.match(overdue, /the primary, IBM, is not connected$/);
  });

  it('says between two views why, for how long, whose ViewChanges it holds and what is missing', () => {
    const waiting: Partial<Explanation> = {
      left: { cause: 'requestTimeout', sinceMs: 4_200 },
      timer: { name: 'newView', remainingMs: 1_200 },
      timeoutMs: 4_000,
      viewChanges: [
        { replica: replicaId(0), view: view(4), isValid: true },
        { replica: replicaId(2), view: view(5), isValid: false },
      ],
      missing: [
        { kind: 'viewChange', replica: replicaId(3), view: view(4) },
        { kind: 'judgement', replica: replicaId(2), view: view(4) },
      ],
    };
    assert.equal(
      waitingFor({ active: false }, waiting),
      'view 4 to begin, for 4.2 s (a request was not executed in time); new-view timer: 1.2 s of 4.0 s left; ' +
        'holds ViewChanges of Apple for 4, Google for 5 (not checked); ' +
        'lacks ViewChange for 4 of IBM; a check of the ViewChange for 4 of Google; in touch with 3 of 4 replicas',
    );
  });

  it('names several who lack the same thing together, and what anyone may have by itself', () => {
    const missing: Explanation['missing'] = [
      { kind: 'batch', sequence: sequence(9) },
      { kind: 'commit', replica: replicaId(0), sequence: sequence(9) },
      { kind: 'commit', replica: replicaId(3), sequence: sequence(9) },
    ];
    assert.equal(missingText(missing, nameById), 'the batch at 9; Commit at 9 of replica 0, replica 3');
  });

  it('says that it is apart, where it left its view alone and a quorum serves on in a lower one', () => {
    const apart = sources({}, { view: view(7), active: false, viewOfOthers: view(4) });
    const { waitingFor, viewOfOthers, notReadyReasons } = computeReplicaStatus(IDENTITY, apart, WAITING);
    assert.match(waitingFor, /it is apart, in view 7, and they serve in view 4; it serves reads/);
    assert.deepEqual([viewOfOthers, notReadyReasons], [4, []]);
    assert.deepEqual(computeReadyRemarks(apart), [
      'apart: it is in view 7, the others serve in view 4; it serves reads and passes on what callers ask; it does not vote',
    ]);
  });

  it('has no remark on a replica that is active, that has not begun, or that does not vote yet at all', () => {
    const starting = { view: view(7), active: false, viewOfOthers: view(4), mayVote: false };
    for (const of of [sources(), sources({ core: undefined }), sources({}, starting)]) {
      assert.deepEqual(computeReadyRemarks(of), []);
      assert.equal(computeReplicaStatus(IDENTITY, of, WAITING).viewOfOthers, undefined);
    }
  });
});
