import assert from 'node:assert/strict';
import type { Logger } from '../../../../src/ports/logger.js';
import type { CoreView } from '../../../../src/protocol/core.js';
import type { Explanation } from '../../../../src/protocol/explanation.js';
import { replicaId, type Sequence, sequence, view } from '../../../../src/protocol/identifiers.js';
import type { Signed } from '../../../../src/protocol/messages.js';
import type { ExecutedBatch } from '../../../../src/runtime/execution/batch-execution.js';
import { Instrumentation } from '../../../../src/runtime/report/instrumentation.js';
import type { ClientId, Digest } from '../../../../src/util/digest.js';
import { FakeMetrics, FakeTimers } from '../fakes.js';

const DIGEST = 'ab'.repeat(32) as Digest;
const ONE = replicaId(1);

const WAITING: Explanation = {
  timeoutMs: 2_000,
  timer: { name: 'request', remainingMs: 0 },
  oldestRequest: { clientId: DIGEST as string as ClientId, number: 17, waitedMs: 2_000 },
  left: undefined,
  viewChanges: [{ replica: replicaId(2), view: view(1), isValid: true }],
  missing: [{ kind: 'prePrepare', replica: replicaId(0), sequence: sequence(9) }],
};

const LOOKED = {
  buffered: { viewChange: 3, newView: 0, futureVote: 5, futureProposal: 1, delayedProposal: 0 },
  evidence: [],
};

function coreView(fields: Partial<CoreView>): CoreView {
  return {
    view: view(0),
    active: true,
    primary: replicaId(0),
    lowWatermark: sequence(0),
    lastExecuted: sequence(0),
    lastHeaderDigest: DIGEST,
    highestExecutedElsewhere: sequence(0),
    waitingRequests: 3,
    oldestWaitMs: 0,
    diverged: false,
    mayVote: true,
    viewOfOthers: undefined,
    answeredBy: [],
    serveFrom: sequence(0),
    evidence: [],
    peerExecuted: new Map(),
    ...fields,
  };
}

class Bench {
  readonly metrics = new FakeMetrics();
  readonly timers = new FakeTimers();
  readonly lines: string[] = [];
  readonly instrumentation = new Instrumentation({
    replica: ONE,
    peers: [replicaId(0), replicaId(2), replicaId(3)],
    metrics: this.metrics,
    timers: this.timers,
    windowSize: 4,
    logger: this.logger(),
  });

  private logger(): Logger {
    const at = (level: string) => (fields: Readonly<Record<string, unknown>>) => {
      this.lines.push([level, ...Object.values(fields)].join(' '));
    };
    return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
  }

  count(series: string): number | undefined {
    return this.metrics.counts.get(series);
  }
}

function executed(at: Sequence): ExecutedBatch {
  const header = {
    sequence: at,
    previousHeaderDigest: DIGEST,
    batchDigest: DIGEST,
    resultsRoot: DIGEST,
    writesDigest: DIGEST,
    timestampMs: 0,
  };
  const rest = { operationCount: 5, outcomes: [], paths: [], acknowledged: [] };
  return { sequence: at, view: view(0), header, headerDigest: DIGEST, ...rest };
}

describe('instrumentation', () => {
  it('measures the phases of a sequence and its commit latency', () => {
    const { instrumentation, timers, metrics } = new Bench();
    const at = { view: view(0), sequence: sequence(1) };
    instrumentation.onNote({ kind: 'prePrepared', ...at, operationCount: 5 });
    timers.advance(6);
    instrumentation.onNote({ kind: 'prePrepared', ...at, operationCount: 5 });
    timers.advance(4);
    instrumentation.onNote({ kind: 'prepared', ...at });
    timers.advance(20);
    instrumentation.onNote({ kind: 'committed', ...at });
    timers.advance(30);
    instrumentation.onExecuted(executed(sequence(1)));
    assert.deepEqual(metrics.observations, [
      'pbft_batch_operations 5',
      'pbft_batch_operations 5',
      'pbft_phase_latency_seconds prepare 0.01',
      'pbft_phase_latency_seconds commit 0.02',
      'pbft_phase_latency_seconds execute 0.03',
      'pbft_commit_latency_seconds 0.06',
    ]);
    assert.equal(metrics.counts.get('pbft_committed_operations_total'), 5);
    assert.equal(metrics.gauges.get('pbft_last_executed_sequence'), 1);
  });

  it('measures nothing of what it did not see begin, and forgets what never ends', () => {
    const { instrumentation, metrics } = new Bench();
    for (let index = 1; index <= 100; index++) {
      instrumentation.onNote({ kind: 'prePrepared', view: view(0), sequence: sequence(index), operationCount: 1 });
    }
    metrics.observations.length = 0;
    instrumentation.onExecuted(executed(sequence(1)));
    instrumentation.onExecuted(executed(sequence(200)));
    assert.deepEqual(metrics.observations, []);
    instrumentation.onExecuted(executed(sequence(100)));
    assert.equal(metrics.observations.length, 2);
  });

  it('counts every rejection and logs at most one a second for each peer', () => {
    const bench = new Bench();
    for (let index = 0; index < 50; index++) {
      bench.instrumentation.onNote({ kind: 'rejected', type: 'commit', code: 'notPrimary', sender: ONE });
    }
    bench.instrumentation.onRejected('request', 'signature', replicaId(2));
    bench.instrumentation.onRejected('request', 'signature', undefined);
    assert.equal(bench.count('pbft_rejected_total commit notPrimary'), 50);
    assert.equal(bench.count('pbft_rejected_total request signature'), 2);
    assert.deepEqual(bench.lines, [
      'warn commit notPrimary 1 0',
      'warn request signature 2 0',
      'warn request signature client 0',
    ]);
    bench.timers.advance(1_000);
    bench.instrumentation.onNote({ kind: 'rejected', type: 'prepare', code: 'quota', sender: ONE });
    assert.equal(bench.lines.at(-1), 'warn prepare quota 1 49');
  });

  it('does not warn of what correct replicas send each other', () => {
    const bench = new Bench();
    bench.instrumentation.onRejected('commit', 'duplicate', ONE);
    bench.instrumentation.onRejected('commit', 'contradiction', ONE);
    assert.deepEqual(bench.lines, ['debug commit duplicate 1 0', 'warn commit contradiction 1 0']);
  });

  it('raises its voice by who must act', () => {
    const bench = new Bench();
    const message = { type: 'checkpoint', sequence: sequence(128), headerDigest: DIGEST } as const;
    const signed: Signed = { message, sender: ONE, payload: new Uint8Array(), signature: new Uint8Array() };
    const evidence = { replica: ONE, kind: 'checkpoint', first: signed, second: signed } as const;
    const at = sequence(128);
    bench.instrumentation.onNote({ kind: 'stable', sequence: at });
    bench.instrumentation.onNote({ kind: 'behind', lastExecuted: sequence(1), target: at });
    bench.instrumentation.onNote({ kind: 'evidence', evidence });
    bench.instrumentation.onNote({ kind: 'requestOverdue', explanation: WAITING });
    bench.instrumentation.onNote({ kind: 'clockSkew', skewMs: -6_000, alarming: true, changed: true });
    bench.instrumentation.onNote({ kind: 'clockSkew', skewMs: -7_000, alarming: true, changed: false });
    bench.instrumentation.onNote({ kind: 'diverged', sequence: at, own: DIGEST, certified: DIGEST });
    bench.instrumentation.onNote({ kind: 'checkpointSplit', sequence: at });
    bench.instrumentation.onNote({ kind: 'contradictsExecuted', sequence: at, sender: ONE });
    bench.instrumentation.onDropped('peer', ONE);
    bench.instrumentation.onTurn(coreView({ view: view(5), primary: ONE, diverged: true }), () => WAITING);
    bench.instrumentation.onRecovered({ lowWatermark: sequence(256), lastExecuted: sequence(300) });
    assert.deepEqual(
      bench.lines.map((line) => line.split(' ')[0]),
      ['debug', 'info', 'warn', 'warn', 'warn', 'error', 'error', 'error', 'warn'],
    );
    assert.equal(bench.count('pbft_evidence_total checkpoint 1'), 1);
    assert.equal(bench.count('pbft_queue_dropped_total peer'), 1);
    assert.deepEqual(Object.fromEntries(bench.metrics.gauges), {
      pbft_low_watermark: 256,
      pbft_last_executed_sequence: 300,
      pbft_clock_skew_seconds: -7,
      pbft_diverged: 1,
      pbft_view: 5,
      pbft_is_active: 1,
      pbft_apart: 0,
      pbft_is_primary: 1,
      pbft_waiting_requests: 3,
    });
  });

  it('explains a view change: cause, timer, request, votes, what is missing, and how it ended', () => {
    const bench = new Bench();
    const { instrumentation } = bench;
    instrumentation.onNote({
      kind: 'viewLeft',
      from: view(0),
      to: view(1),
      cause: 'requestTimeout',
      timeoutMs: 4_000,
      explanation: WAITING,
    });
    const awaited: Explanation = {
      ...WAITING,
      timer: { name: 'newView', remainingMs: 4_000 },
      timeoutMs: 4_000,
      missing: [{ kind: 'newView', replica: ONE, view: view(1) }],
    };
    instrumentation.onNote({ kind: 'viewAwaited', view: view(1), explanation: awaited });
    instrumentation.onNote({
      kind: 'viewEntered',
      view: view(1),
      durationMs: 250,
      proposedAgain: 2,
      nullBatches: 1,
      viewChangesOf: [ONE, replicaId(2)],
    });
    const request = 'request 17 of client abababababab for 2.0 s';
    assert.deepEqual(bench.lines, [
      `info 0 1 requestTimeout 4000 ${request} request timer: overdue replica 2 for 1 PrePrepare at 9 of replica 0`,
      `info 1 ${request} new-view timer: 4.0 s of 4.0 s left replica 2 for 1 NewView for 1 of replica 1`,
      'info 1 250 2 1 1,2',
    ]);
    assert.equal(bench.count('pbft_view_changes_total requestTimeout'), 1);
    assert.ok(bench.metrics.observations.includes('pbft_view_change_seconds 0.25'));
  });

  it('tells every ten seconds, and no oftener, what it lacks between two views', () => {
    const bench = new Bench();
    const between = coreView({ view: view(4), active: false });
    let explained = 0;
    const explain = (): Explanation => {
      explained++;
      return { ...WAITING, left: { cause: 'joined', sinceMs: 9_000 } };
    };
    for (let turn = 0; turn < 2_100; turn++) {
      bench.instrumentation.onTurn(between, explain);
      bench.timers.advance(10);
    }
    assert.equal(bench.lines.length, 3);
    assert.equal(explained, 3, 'nothing is computed for lines that are not written');
    assert.match(bench.lines[0] ?? '', /^info 4 view 4 to begin, for 9\.0 s \(a weak quorum had left\); request 17/);
    bench.timers.advance(60_000);
    bench.instrumentation.onTurn({ ...between, active: true }, explain);
    bench.instrumentation.onTurn({ ...between, diverged: true }, explain);
    assert.equal(bench.lines.length, 3);
    assert.equal(bench.metrics.gauges.get('pbft_is_active'), 0);
  });

  it('shows that it is apart for as long as it is, and not before its first vote', () => {
    const bench = new Bench();
    const apart = coreView({ view: view(7), active: false, viewOfOthers: view(2) });
    const shown = [coreView({}), apart, { ...apart, mayVote: false }, apart, { ...apart, viewOfOthers: undefined }].map(
      (state) => {
        bench.instrumentation.onTurn(state, () => WAITING);
        return bench.metrics.gauges.get('pbft_apart');
      },
    );
    assert.deepEqual(shown, [0, 1, 0, 1, 0]);
  });

  it('measures timers, what waits and what is kept when somebody looks', () => {
    const bench = new Bench();
    bench.instrumentation.measure(WAITING, LOOKED);
    bench.instrumentation.onNote({ kind: 'timerExpired', timer: 'newView' });
    const others = [...bench.metrics.gauges].filter(([series]) => !series.startsWith('pbft_evidence'));
    assert.deepEqual(Object.fromEntries(others), {
      pbft_timeout_seconds: 2,
      'pbft_timer_running request': 1,
      'pbft_timer_running newView': 0,
      pbft_oldest_request_age_seconds: 2,
      'pbft_buffered_messages viewChange': 3,
      'pbft_buffered_messages newView': 0,
      'pbft_buffered_messages futureVote': 5,
      'pbft_buffered_messages futureProposal': 1,
      'pbft_buffered_messages delayedProposal': 0,
    });
    assert.equal(bench.count('pbft_timer_expirations_total newView'), 1);
    bench.instrumentation.measure({ ...WAITING, timer: undefined, oldestRequest: undefined }, LOOKED);
    assert.equal(bench.metrics.gauges.get('pbft_timer_running request'), 0);
    assert.equal(bench.metrics.gauges.get('pbft_oldest_request_age_seconds'), 0);
  });

  it('shows all proof that is held when somebody looks, whichever process found it', () => {
    const bench = new Bench();
    const statement: Signed = {
      message: { type: 'checkpoint', sequence: sequence(128), headerDigest: DIGEST },
      sender: replicaId(2),
      payload: new Uint8Array(),
      signature: new Uint8Array(),
    };
    const proof = { replica: replicaId(2), kind: 'viewChange', first: statement, second: statement } as const;
    bench.instrumentation.measure(WAITING, { ...LOOKED, evidence: [proof, proof, { ...proof, kind: 'commit' }] });
    assert.equal(bench.metrics.gauges.get('pbft_evidence viewChange 2'), 2);
    assert.equal(bench.metrics.gauges.get('pbft_evidence commit 2'), 1);
    assert.equal(bench.metrics.gauges.get('pbft_evidence commit 3'), 0);
    assert.equal(bench.count('pbft_evidence_total commit 2'), undefined, 'it was not found now');
  });
});
