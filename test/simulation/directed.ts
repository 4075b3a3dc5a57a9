/**
 * A simulated cluster with a plan of its own instead of a drawn one: for cases that must be shown and not only met.
 * Every invariant is checked at every step, as in any run.
 */
import assert from 'node:assert/strict';
import type { StrategyName } from '../../src/adversary/adversary.js';
import { type ReplicaId, replicaId } from '../../src/protocol/identifiers.js';
import { computeQuorumSizes } from '../../src/protocol/quorum.js';
import { Cluster, type ClusterOptions } from './cluster/cluster.js';
import { type ClusterParameters, drawParameters } from './cluster/parameters.js';
import type { SimulatedReplica } from './cluster/simulated-replica.js';
import type { Direction, FaultEffect } from './faults/fault.js';
import { FaultRunner } from './faults/fault-runner.js';
import { Random } from './kernel/random.js';
import { encodeInput } from './work/operations.js';

/** What a directed run is made of. */
export interface DirectedOptions extends Pick<ClusterOptions, 'withoutSync'> {
  /** Decides what is left to chance: delays, losses. */
  readonly seed: string;
  readonly replicaCount?: number;
  readonly byzantine?: ReadonlyMap<number, readonly StrategyName[]>;
}

/** A call that was made. */
export interface DirectedCall {
  outcome: 'open' | 'executed' | 'unknown' | 'refused';
}

const CALL_TIMEOUT_MS = 60_000;
/** A status costs something; it need not be asked for at each step. */
const CALM_CHECK_STEPS = 16;

/** Checkpoints at each second sequence and a window of two of them, one operation a batch. */
function parametersOf(replicaCount: number): ClusterParameters {
  const drawn = drawParameters(new Random('directed'));
  const consensus = { ...drawn.consensus, checkpointInterval: 2, windowSize: 4, batchOperationsMax: 1 };
  return {
    ...drawn,
    sizes: computeQuorumSizes(replicaCount),
    consensus,
    local: { ...drawn.local, pipeline: 4, waitingRequestsOfClientMax: 64, waitingRequestsMax: 256 },
    queues: { ...drawn.queues, peerMessagesMax: 1_024 },
    limits: { ...consensus, replicaCount },
  };
}

/** One of them. */
export class DirectedRun {
  readonly cluster: Cluster;
  private readonly faults: FaultRunner;
  private readonly calls: DirectedCall[] = [];

  constructor({ seed, replicaCount = 4, byzantine = new Map(), withoutSync }: DirectedOptions) {
    this.cluster = new Cluster({
      seed,
      parameters: parametersOf(replicaCount),
      byzantine: new Map([...byzantine].map(([id, names]) => [replicaId(id), names])),
      keepsTrace: false,
      observers: [],
      ...(withoutSync === undefined ? {} : { withoutSync }),
    });
    this.faults = new FaultRunner(this.cluster.world, this.cluster.replicas, new Random(`faults ${seed}`));
    this.cluster.start();
    this.runFor(200);
  }

  /** A replica. */
  at(id: number): SimulatedReplica {
    const replica = this.cluster.replicas[id];
    assert.ok(replica, `there is a replica ${id}`);
    return replica;
  }

  /** The highest view of a correct replica that runs. */
  get view(): number {
    return Math.max(...this.cluster.correct.map((replica) => replica.status()?.view ?? 0));
  }

  /** How often something was counted, by the name of the metric followed by its labels. */
  count(series: RegExp): number {
    return [...this.cluster.world.counters]
      .filter(([name]) => series.test(name))
      .reduce((sum, [, times]) => sum + times, 0);
  }

  /** Something goes wrong from now on, for a while. */
  fault(effect: FaultEffect, durationMs: number): void {
    this.faults.schedule([{ atMs: 0, durationMs, effect }]);
  }

  /** A caller of this replica stores something. */
  put(replica: number, key: string): DirectedCall {
    const call: DirectedCall = { outcome: 'open' };
    this.calls.push(call);
    const input = { kind: 'put', key, value: `${key} ${this.calls.length}` } as const;
    const isTaken = this.at(replica).submit(encodeInput(input), CALL_TIMEOUT_MS, (result) => {
      if (result.ok) {
        this.cluster.world.observer.onAnswered(replicaId(replica), result.value);
      }
      call.outcome = result.ok ? 'executed' : result.error.code === 'outcomeUnknown' ? 'unknown' : 'refused';
    });
    assert.ok(isTaken, `replica ${replica} runs`);
    return call;
  }

  /** Time passes. No invariant breaks. */
  runFor(ms: number): void {
    this.advance(ms, () => false);
    this.assertSound();
  }

  /** Time passes until something holds, at most so long; gives how long it took. */
  runUntil(what: string, withinMs: number, holds: () => boolean): number {
    const { loop } = this.cluster.world;
    const beganMs = loop.nowMs;
    const isReached = this.advance(withinMs, holds);
    this.assertSound();
    assert.ok(isReached, `${what} within ${withinMs} ms: ${this.describe()}`);
    return loop.nowMs - beganMs;
  }

  /** All correct replicas that run execute the same, and all calls have an answer. */
  settle(withinMs: number): void {
    const { loop } = this.cluster.world;
    this.runUntil('all replicas come level and all calls are answered', withinMs, () => {
      const height = this.cluster.agreement.height;
      return (
        loop.steps % CALM_CHECK_STEPS === 0 &&
        this.calls.every(({ outcome }) => outcome !== 'open') &&
        this.cluster.correct.every((replica) => !replica.isRunning || replica.status()?.lastExecuted === height)
      );
    });
  }

  /** No invariant broke. */
  assertSound(): void {
    assert.equal(this.cluster.world.violations.first, undefined);
  }

  /** Lets things happen up to exactly then, unless the condition holds before; returns whether it does. */
  private advance(ms: number, holds: () => boolean): boolean {
    let isOver = false;
    const { loop } = this.cluster.world;
    loop.schedule(ms, () => {
      isOver = true;
    });
    return this.cluster.runUntil(Number.POSITIVE_INFINITY, () => isOver || holds()) && holds();
  }

  private describe(): string {
    return this.cluster.replicas
      .map((replica) => {
        const status = replica.status();
        return `${replica.id}: ${status === undefined ? 'down' : `view ${status.view}, ${status.lastExecuted} executed, ${status.waitingFor}`}`;
      })
      .join('; ');
  }
}

/** Every direction from some replicas to some others. */
export function directions(from: readonly number[], to: readonly number[]): Direction[] {
  return from.flatMap((sender) =>
    to.filter((receiver) => receiver !== sender).map((receiver): Direction => [idOf(sender), idOf(receiver)]),
  );
}

function idOf(id: number): ReplicaId {
  return replicaId(id);
}
