import assert from 'node:assert/strict';
import { createColours } from '../../../../src/cli/output/colours.js';
import {
  type Answer,
  type Status,
  statusJson,
  statusText,
  summarize,
} from '../../../../src/cli/output/status-report.js';

const COLOURS = createColours(false);

function answer(replica: number, fields: Partial<Status> = {}): Answer {
  const status: Status = {
    replica,
    name: `replica-${replica}`,
    clusterId: Buffer.alloc(32, 7),
    replicaCount: 4,
    faultsMax: 1,
    view: 5,
    primary: 1,
    active: true,
    ready: true,
    notReadyReasons: [],
    lastExecutedSequence: 12,
    headerDigest: Buffer.alloc(32, 0xab),
    stableCheckpoint: 0,
    peers: [0, 1, 2, 3]
      .filter((peer) => peer !== replica)
      .map((peer) => ({
        replica: peer,
        name: `replica-${peer}`,
        connected: peer !== 3,
        lastError: '',
        lastExecutedSequence: 12,
      })),
    waitingRequests: 0,
    agreedTimeMs: 0,
    evidence: [],
    storageEngine: 'memory',
    version: '1.0.0',
    waitingFor: '',
    timeoutMs: 2_000,
    timer: undefined,
    oldestRequest: undefined,
    leftView: undefined,
    viewChanges: [],
    missing: [],
    viewOfOthers: undefined,
    ...fields,
  };
  return { label: status.name, address: `host:${replica}`, status };
}

const AWAY: Answer = { label: 'replica-3', address: 'host:3', error: 'nobody answers at host:3' };

describe('the status of a cluster', () => {
  it('is enough where a quorum answers', () => {
    assert.equal(summarize([answer(0), answer(1), answer(2), AWAY]).isEnough, true);
    assert.equal(summarize([answer(0), answer(1), AWAY, AWAY]).isEnough, false);
    assert.equal(summarize([AWAY]).isEnough, false);
  });

  it('is enough where all answer that were asked, when these are fewer than a quorum', () => {
    assert.equal(summarize([answer(0)]).isEnough, true);
    assert.equal(summarize([answer(0), answer(1)]).isEnough, true);
    assert.equal(summarize([answer(0), AWAY]).isEnough, false);
    assert.equal(summarize([AWAY]).isEnough, false);
  });

  it('takes the quorum of n = 6 as 4, where 2f + 1 would be 3', () => {
    const six = { replicaCount: 6, faultsMax: 1 };
    assert.equal(summarize([answer(0, six)]).quorum, 4);
  });

  it('shows who is primary, who is away, and why one is not ready', () => {
    const reasons = { ready: false, notReadyReasons: ['catching up: executed 1 of 9'] };
    const answers = [
      answer(0, { waitingFor: 'NewView for 5 of replica-1' }),
      answer(1),
      answer(2, { active: false, ...reasons }),
      AWAY,
    ];
    const lines = statusText(answers, summarize(answers), COLOURS).split('\n');
    assert.match(lines[1] ?? '', /^0 +replica-0 +5 +backup +12 +abababababab +0 +2\/3 +0 +ready$/);
    assert.match(lines[2] ?? '', / primary /);
    assert.match(lines[3] ?? '', /changing view .*catching up: executed 1 of 9$/);
    assert.match(lines[4] ?? '', /replica-3 .*unreachable: nobody answers at host:3$/);
    assert.match(lines[6] ?? '', /3 of 4 asked answer; a quorum is 3/);
    // Below the table: its lines stay short.
    assert.equal(lines[7], 'replica-0 waits: NewView for 5 of replica-1');
  });

  it('shows apart, and no ready, of one that was left alone in a later view, and below the table what that means', () => {
    const waitingFor = 'the others: it is apart, in view 7, and they serve in view 5';
    const apart = { view: 7, active: false, viewOfOthers: 5, waitingFor };
    const behind = { ...apart, ready: false, notReadyReasons: ['catching up: executed 1 of 900'] };
    const answers = [answer(0), answer(1, behind), answer(2, apart)];
    const lines = statusText(answers, summarize(answers), COLOURS).split('\n');
    assert.match(lines[1] ?? '', / ready$/);
    assert.match(lines[2] ?? '', / catching up: executed 1 of 900$/);
    assert.match(lines[3] ?? '', /^2 +replica-2 +7 +changing view .* apart$/);
    assert.ok(lines.includes(`replica-2 waits: ${waitingFor}`));
    const { replicas } = statusJson(answers, summarize(answers));
    assert.deepEqual(
      replicas.map((replica) => replica.viewOfOthers),
      [null, 5, 5],
    );
  });

  it('raises its voice where two replicas show different headers at one sequence', () => {
    const answers = [
      answer(0),
      answer(1, { headerDigest: Buffer.alloc(32, 1) }),
      answer(2, { lastExecutedSequence: 11 }),
    ];
    const summary = summarize(answers);
    assert.deepEqual(summary.disagreements, [12]);
    assert.match(statusText(answers, summary, COLOURS), /different headers at sequence 12/);
  });

  it('says who shows another header than f + 1 others', () => {
    const answers = [answer(0), answer(1), answer(2, { headerDigest: Buffer.alloc(32, 1) })];
    const text = statusText(answers, summarize(answers), COLOURS);
    assert.match(text, /^replica-2 shows another header at sequence 12 than the others: it lies or diverged$/m);
    const split = [...answers, answer(3, { headerDigest: Buffer.alloc(32, 1) })];
    assert.match(
      statusText(split, summarize(split), COLOURS),
      /different headers at sequence 12: more are faulty than the cluster tolerates/,
    );
  });

  it('says where replicas keep their data in different engines, and nothing where they do not', () => {
    const answers = [answer(0, { storageEngine: 'rocksdb' }), answer(1, { storageEngine: 'rocksdb' })];
    assert.doesNotMatch(statusText(answers, summarize(answers), COLOURS), /engines/);
    const mixed = [...answers, answer(2, { storageEngine: 'leveldb' })];
    assert.match(
      statusText(mixed, summarize(mixed), COLOURS),
      /^Replicas keep their data in different engines: replica-0, replica-1 with rocksdb; replica-2 with leveldb /m,
    );
  });

  it('shows the evidence that replicas hold, against whom and about what', () => {
    const prepare = { replica: 3, kind: 'prepare', view: 4, sequence: 9 };
    const commit = { ...prepare, kind: 'commit' };
    const newView = { replica: 1, kind: 'new_view', view: 5, sequence: 0 };
    const answers = [answer(0, { evidence: [prepare, newView, commit] }), answer(2, { evidence: [prepare] })];
    const text = statusText(answers, summarize(answers), COLOURS);
    assert.match(text, / 2\/3 +1: new_view; 3: prepare, commit +ready$/m);
    assert.match(
      text,
      /^replica-0, replica-2 hold proof against replica 3: two different prepare messages at view 4, sequence 9$/m,
    );
    assert.match(text, /^replica-0 holds proof against replica 1: two different new_view messages for view 5$/m);
  });

  it('tells programs what a replica waits for, field by field', () => {
    const waiting: Partial<Status> = {
      timer: { name: 'new_view', remainingMs: 1_200 },
      oldestRequest: { clientId: Buffer.alloc(32, 5), number: 17, waitedMs: 2_500 },
      leftView: { cause: 'joined', sinceMs: 4_200 },
      viewChanges: [{ replica: 2, view: 6, valid: true }],
      missing: [{ kind: 'new_view', replica: 1, view: 5 }],
    };
    const answers = [answer(0, waiting)];
    const [row] = JSON.parse(JSON.stringify(statusJson(answers, summarize(answers)).replicas)) as Record<
      string,
      unknown
    >[];
    assert.deepEqual(row?.['timer'], { name: 'new_view', remainingMs: 1_200 });
    assert.deepEqual(row?.['oldestRequest'], { clientId: '05'.repeat(32), number: 17, waitedMs: 2_500 });
    assert.deepEqual(row?.['leftView'], { cause: 'joined', sinceMs: 4_200 });
    assert.deepEqual(row?.['viewChanges'], [{ replica: 2, view: 6, valid: true }]);
    assert.deepEqual(row?.['missing'], [{ kind: 'new_view', replica: 1, view: 5 }]);
    assert.equal(row?.['timeoutMs'], 2_000);
  });

  it('is a document of plain values for programs', () => {
    const answers = [answer(0), AWAY];
    const { replicas, ...rest } = statusJson(answers, summarize(answers));
    assert.deepEqual(rest, { asked: 2, answering: 1, quorum: 3, disagreements: [] });
    const [first, second] = JSON.parse(JSON.stringify(replicas)) as Record<string, unknown>[];
    assert.equal(first?.['headerDigest'], 'ab'.repeat(32));
    assert.equal(first?.['clusterId'], '07'.repeat(32));
    assert.equal(first?.['role'], 'backup');
    assert.equal(first?.['peersConnected'], 2);
    assert.deepEqual(second, {
      name: 'replica-3',
      address: 'host:3',
      reachable: false,
      error: 'nobody answers at host:3',
    });
  });
});
