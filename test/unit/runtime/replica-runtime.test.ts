/** A whole replica on a store in memory and links that the test holds: its start, divergence, failure and end. */
import assert from 'node:assert/strict';
import { createKeyValueStateMachine } from '../../../src/application/key-value-state-machine.js';
import { sha256 } from '../../../src/crypto/hash.js';
import type { StoreError } from '../../../src/ports/key-value-store.js';
import type { TransportHandlers } from '../../../src/ports/transport.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import { computeQuorumSizes } from '../../../src/protocol/quorum.js';
import type { Executed, SubmitFailure } from '../../../src/runtime/face.js';
import { ReplicaRuntime } from '../../../src/runtime/replica-runtime.js';
import { createReplicaStore } from '../../../src/storage/replica-store.js';
import { utf8 } from '../../../src/util/bytes.js';
import type { Result } from '../../../src/util/result.js';
import { KeyValueOperation } from '../../../src/wire/gen/pbft/v1/key_value.js';
import { decodePayload } from '../../../src/wire/message-codec.js';
import { decodePeerMessage } from '../../../src/wire/peer-codec.js';
import { CONSENSUS, GENESIS_DIGEST, LOCAL } from '../../support/core-cluster.js';
import { CountingVerifier, fakeSignature } from '../../support/fake-signatures.js';
import { LIMITS } from '../../support/ingress-bench.js';
import { createMemoryDisk, createMemoryStore, type MemoryDisk } from '../../support/memory-store.js';
import {
  CLIENT,
  checkpointCertificateBytes,
  committedBatchBytes,
  signedBytes,
  signedRequest,
  statusTo,
} from '../../support/peer-messages.js';
import { FakeMetrics, FakeTimers } from './fakes.js';

const SILENT = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

/** A cluster of one, or a replica of four whose peers are the test's. */
class Bench {
  readonly timers = new FakeTimers();
  readonly metrics = new FakeMetrics();
  readonly fatal: string[] = [];
  readonly answers: Result<Executed, SubmitFailure>[] = [];
  readonly store;
  handlers: TransportHandlers | undefined;
  isTransportStopped = false;
  listenError: Error | undefined;
  readonly runtime: ReplicaRuntime;

  constructor(
    replicaCount: number,
    readonly disk: MemoryDisk = createMemoryDisk(),
  ) {
    const own = replicaCount === 1 ? 0 : 1;
    const limits = { ...LIMITS, replicaCount };
    this.store = createMemoryStore({ disk, defer: (run) => this.timers.defer(run) });
    this.runtime = new ReplicaRuntime({
      identity: {
        replica: replicaId(own),
        names: [],
        clusterId: GENESIS_DIGEST,
        sizes: computeQuorumSizes(replicaCount),
        checkpointInterval: CONSENSUS.checkpointInterval,
        requestTimeoutMs: LOCAL.requestTimeoutMs,
        storageEngine: 'memory',
      },
      ownClientId: CLIENT,
      consensus: CONSENSUS,
      local: LOCAL,
      queues: { peerMessagesMax: 100, peerBytesMax: 1_000_000, clientOperationsMax: 100, clientBytesMax: 1_000_000 },
      answerBytesMax: 100_000,
      hash: sha256,
      signer: {
        sign: (type, payload, done) =>
          this.timers.defer(() => done(fakeSignature(type, type === 'request' ? CLIENT : own, payload))),
      },
      verifier: new CountingVerifier(new Set([CLIENT])),
      store: createReplicaStore(this.store, { hash: sha256, genesisDigest: GENESIS_DIGEST, limits }),
      transport: {
        start: (handlers, started) => {
          this.handlers = handlers;
          started(this.listenError);
        },
        send: (_peer, message) => {
          this.noteStatus(message);
          return true;
        },
        setReading: () => undefined,
        links: () =>
          [0, 2, 3].slice(0, replicaCount - 1).map((peer) => ({
            peer: replicaId(peer),
            connected: true,
            lastError: '',
            queuedMessages: 0,
            queuedBytes: 0,
            roomBytes: 1_000_000_000,
          })),
        stop: (done) => {
          this.isTransportStopped = true;
          done();
        },
      },
      timers: this.timers,
      metrics: this.metrics,
      logger: SILENT,
      stateMachine: createKeyValueStateMachine(),
      onFatal: (reason) => this.fatal.push(reason),
    });
  }

  /** The number of its last Status. */
  statusNumber = 0;

  private noteStatus(bytes: Uint8Array): void {
    const input = decodePeerMessage(bytes, LIMITS);
    const isStatus = input.ok && input.value.kind === 'signed' && input.value.envelope.type === 'status';
    const status = isStatus ? decodePayload('status', input.value.envelope.payload, LIMITS) : undefined;
    if (status?.ok && status.value.type === 'status') {
      this.statusNumber = status.value.number;
    }
  }

  /** A peer's link is up, and he answers what he got. */
  meet(peer: number, lastExecuted = 0): void {
    this.handlers?.onConnected(replicaId(peer));
    this.settle();
    this.receive(signedBytes(statusTo(1, lastExecuted, this.statusNumber), peer), peer);
    this.settle();
  }

  /** Starts; returns why it can't. */
  start(): Error | undefined {
    const outcomes: (Error | undefined)[] = [];
    this.runtime.start((error) => outcomes.push(error));
    this.settle();
    assert.equal(outcomes.length, 1);
    return outcomes[0];
  }

  put(key: string): void {
    const operation = KeyValueOperation.encode({
      operation: { $case: 'put', value: { key, value: { $case: 'text', value: 'value' } } },
      answerBytesMax: 0,
    } as Parameters<typeof KeyValueOperation.encode>[0]).finish();
    this.runtime.submit(operation, 5_000, (result) => this.answers.push(result));
    this.settle();
  }

  /** A peer sends something. */
  receive(bytes: Uint8Array, peer = 2): void {
    this.handlers?.onMessage(replicaId(peer), bytes);
  }

  /** A peer sends a batch that is committed at a sequence. */
  commit(at: number): void {
    this.receive(committedBatchBytes(at, [signedRequest(at + 1_000)], [0, 2, 3]));
  }

  /** Lets everything happen that needs no time. */
  settle(): void {
    this.timers.advance(0);
  }

  stop(): boolean {
    let isStopped = false;
    this.runtime.stop(() => {
      isStopped = true;
    });
    this.settle();
    return isStopped;
  }

  gauge(name: string): number | undefined {
    return this.metrics.gauges.get(name);
  }
}

describe('a replica', () => {
  it('executes alone, answers its caller, and shows where it is', () => {
    const bench = new Bench(1);
    assert.equal(bench.start(), undefined);
    bench.put('a');
    const [answer] = bench.answers;
    assert.ok(answer?.ok);
    assert.equal(answer.value.sequence, 1);
    assert.equal(bench.gauge('pbft_last_executed_sequence'), 1);
  });

  it('shows what it recovered as soon as it has read it, and no 0 before', () => {
    const before = new Bench(1);
    before.start();
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
      before.put(key);
    }
    assert.ok(before.stop());
    const after = new Bench(1, before.disk);
    const shown = () =>
      ['pbft_last_executed_sequence', 'pbft_low_watermark', 'pbft_view', 'pbft_is_primary'].map((name) =>
        after.gauge(name),
      );
    after.runtime.measure();
    assert.deepEqual(shown(), [undefined, undefined, undefined, undefined]);
    after.start();
    assert.deepEqual(shown(), [6, 4, 0, 1]);
  });

  it('says why it can not listen, and stops all the same', () => {
    const bench = new Bench(1);
    bench.listenError = new Error('the port is taken');
    assert.equal(bench.start()?.message, 'the port is taken');
    assert.ok(bench.stop());
    assert.ok(bench.isTransportStopped);
  });

  it('refuses callers and readers before it has begun and when it stops', async () => {
    const bench = new Bench(1);
    bench.put('a');
    const early = await bench.runtime.query(utf8('query'));
    bench.start();
    bench.stop();
    bench.put('b');
    const late = await bench.runtime.query(utf8('query'));
    for (const [result, reason] of [
      [bench.answers[0], 'starting: reading the store'],
      [early, 'starting: reading the store'],
      [bench.answers[1], 'stopping'],
      [late, 'stopping'],
    ] as const) {
      assert.ok(result?.ok === false && result.error.code === 'notReady');
      assert.deepEqual(result.error.reasons, [reason]);
    }
  });

  it('ST-05: gives up once when its store fails, says so, counts it, and answers nobody any more', () => {
    const bench = new Bench(1);
    bench.start();
    const full: StoreError = { code: 'full', message: 'no space left' };
    bench.store.failWrites(full);
    bench.put('a');
    assert.equal(bench.fatal.length, 1);
    assert.match(bench.fatal[0] ?? '', /no space left/);
    assert.equal(bench.runtime.fatalReason, bench.fatal[0]);
    assert.deepEqual(bench.runtime.notReadyReasons(), [`stopped: ${bench.fatal[0]}`]);
    const counts = [...bench.metrics.counts].filter(([series]) => series.startsWith('pbft_storage_errors_total'));
    assert.equal(counts[0]?.[1], 1);
    bench.put('b');
    assert.deepEqual(
      bench.answers.map((answer) => !answer.ok && answer.error.code),
      ['outcomeUnknown', 'notReady'],
    );
    assert.ok(bench.stop());
  });
});

describe('a replica that diverged', () => {
  /** One of four, that knows of two others how far they are. */
  function startAmongPeers(): Bench {
    const bench = new Bench(4);
    bench.start();
    for (const peer of [2, 3]) {
      bench.meet(peer);
    }
    return bench;
  }

  /** It executed four batches, and learns that a quorum signed another state after them. */
  function diverge(): Bench {
    const bench = startAmongPeers();
    for (const at of [1, 2, 3, 4]) {
      bench.commit(at);
    }
    bench.settle();
    bench.receive(checkpointCertificateBytes(4, GENESIS_DIGEST, [0, 2, 3]));
    return bench;
  }

  it('CK-03: serves neither callers nor readers, says why, and still tells its status', async () => {
    const bench = diverge();
    assert.deepEqual(bench.runtime.notReadyReasons(), []);
    bench.settle();
    const reasons = ['diverged: the state differs from what a quorum certified'];
    bench.put('a');
    for (const result of [bench.answers[0], await bench.runtime.query(utf8('query'))]) {
      assert.deepEqual(result, { ok: false, error: { code: 'notReady', reasons, retryAfterMs: 500 } });
    }
    const { notReadyReasons, lastExecuted } = bench.runtime.status();
    assert.deepEqual([notReadyReasons, lastExecuted, bench.gauge('pbft_diverged')], [reasons, 4, 1]);
    assert.equal(bench.runtime.fatalReason, undefined);
  });

  it('CK-03: executes nothing more, not even what was committed before', () => {
    const bench = diverge();
    bench.commit(5);
    bench.commit(6);
    bench.settle();
    bench.timers.advance(10_000);
    assert.equal(bench.gauge('pbft_last_executed_sequence'), 4);
    assert.equal(bench.runtime.status().lastExecuted, 4);
  });

  it('CK-03: executes what is committed in the same turn as little', () => {
    const bench = startAmongPeers();
    for (const at of [1, 2, 3, 4]) {
      bench.commit(at);
    }
    bench.settle();
    bench.commit(5);
    bench.receive(checkpointCertificateBytes(4, GENESIS_DIGEST, [0, 2, 3]));
    bench.timers.advance(10_000);
    assert.equal(bench.gauge('pbft_last_executed_sequence'), 4);
  });

  it('stops at once: there is nothing that it could still finish', () => {
    const bench = startAmongPeers();
    bench.put('a');
    for (const at of [1, 2, 3, 4]) {
      bench.commit(at);
    }
    bench.settle();
    bench.receive(checkpointCertificateBytes(4, GENESIS_DIGEST, [0, 2, 3]));
    bench.settle();
    assert.ok(bench.stop());
    assert.deepEqual(
      bench.answers.map((answer) => !answer.ok && answer.error.code),
      ['outcomeUnknown'],
    );
  });
});
