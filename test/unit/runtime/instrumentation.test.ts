import assert from 'node:assert/strict';
import type { Logger } from '../../../src/ports/logger.js';
import { replicaId, type Sequence, sequence, view } from '../../../src/protocol/identifiers.js';
import type { Signed } from '../../../src/protocol/messages.js';
import type { ExecutedBatch } from '../../../src/runtime/batch-execution.js';
import { Instrumentation } from '../../../src/runtime/instrumentation.js';
import type { Digest } from '../../../src/util/digest.js';
import { FakeMetrics, FakeTimers } from './fakes.js';

const DIGEST = 'ab'.repeat(32) as Digest;
const ONE = replicaId(1);

class Bench {
  readonly metrics = new FakeMetrics();
  readonly timers = new FakeTimers();
  readonly lines: string[] = [];
  readonly instrumentation = new Instrumentation({
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
    bench.instrumentation.onNote({ kind: 'requestOverdue', waitedMs: 3_000 });
    bench.instrumentation.onNote({ kind: 'clockSkew', skewMs: -6_000, alarming: true, changed: true });
    bench.instrumentation.onNote({ kind: 'clockSkew', skewMs: -7_000, alarming: true, changed: false });
    bench.instrumentation.onNote({ kind: 'diverged', sequence: at, own: DIGEST, certified: DIGEST });
    bench.instrumentation.onNote({ kind: 'checkpointSplit', sequence: at });
    bench.instrumentation.onNote({ kind: 'contradictsExecuted', sequence: at, sender: ONE });
    bench.instrumentation.onDropped('peer', ONE);
    bench.instrumentation.onView(view(2), true);
    bench.instrumentation.onRecovered({ lowWatermark: sequence(256), lastExecuted: sequence(300) });
    assert.deepEqual(
      bench.lines.map((line) => line.split(' ')[0]),
      ['debug', 'info', 'warn', 'warn', 'warn', 'error', 'error', 'error', 'warn'],
    );
    assert.equal(bench.count('pbft_evidence_total checkpoint'), 1);
    assert.equal(bench.count('pbft_queue_dropped_total peer'), 1);
    assert.deepEqual(Object.fromEntries(bench.metrics.gauges), {
      pbft_low_watermark: 256,
      pbft_last_executed_sequence: 300,
      pbft_clock_skew_seconds: -7,
      pbft_diverged: 1,
      pbft_view: 2,
      pbft_is_primary: 1,
    });
  });
});
