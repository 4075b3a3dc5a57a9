/**
 * Rounds of SIGKILL under load: one replica or all are killed, started again, and come level; or of a stop by request,
 * after which each process must have ended with code 0. Every round proves, and the end proves again for all rounds
 * together, at a replica that chance picks:
 *
 * 1. Every acknowledged put is there, once, and every counter is where the answers say (cluster-load.ts).
 * 2. All replicas show the same sequence and header digest, and nobody is accused of anything.
 * 3. What the callers asked and were told is linearizable.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestCluster } from '../support/cluster.js';
import { assertClear, awaitAgreement, primaryOf } from '../support/cluster-checks.js';
import { ClusterLoad } from '../support/cluster-load.js';
import type { RoundPlan } from './plan.js';

const CALLERS = 12;
const CALL_TIMEOUT_MS = 5_000;
const PUTS_AFTER = 30;
/** View changes on a busy machine, with timeouts that doubled. */
const WITHIN_MS = 90_000;

/** What a round was like. */
export interface RoundReport {
  readonly plan: RoundPlan;
  /** The primary was killed, alone or with the others. */
  readonly hitPrimary: boolean;
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  /** From the start of who was killed to when it serves. */
  readonly servesMs: number;
  /** From the end of the load to all replicas at one place. */
  readonly levelMs: number;
  readonly view: number;
  readonly sequence: number;
}

/** Everything that was ever written to the cluster. */
export class EnduranceRun {
  readonly #cluster: TestCluster;
  readonly #loads: ClusterLoad[] = [];

  /** The cluster must serve. */
  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  /** One round. Rejects with what doesn't hold. */
  async run(plan: RoundPlan): Promise<RoundReport> {
    const { round, victims, signal, putsBefore, loadSeconds, putsWithout, readAt } = plan;
    const cluster = this.#cluster;
    const through = cluster.replicas.map(({ id }) => id);
    const load = new ClusterLoad(cluster, {
      prefix: `round-${round}`,
      through,
      callers: CALLERS,
      timeoutMs: CALL_TIMEOUT_MS,
    });
    this.#loads.push(load);
    const primary = await primaryOf(cluster);
    await load.progress(putsBefore, WITHIN_MS);
    await delay(Math.max(0, 1_000 * loadSeconds - (performance.now() - load.startMs)));
    const ends = await Promise.all(victims.map((victim) => cluster.kill(victim, signal)));
    for (const [index, end] of ends.entries()) {
      const isAsItShould = signal === 'SIGKILL' || end?.isClean === true;
      assert.ok(isAsItShould, `replica ${victims[index]}, stopped by ${signal}: ${end?.text}`);
    }
    await load.progress(putsWithout, WITHIN_MS);
    const startMs = performance.now();
    for (const victim of victims) {
      cluster.start(victim);
    }
    await cluster.waitReady(victims, WITHIN_MS);
    const servesMs = performance.now() - startMs;
    await load.progress(PUTS_AFTER, WITHIN_MS);
    await load.stop();
    const endMs = performance.now();
    const { view, sequence } = await this.#proveLevel();
    const levelMs = performance.now() - endMs;
    await load.verify(readAt);
    for (const { error } of load.failures) {
      assertClear(error);
    }
    return {
      plan,
      hitPrimary: victims.includes(primary),
      acknowledged: load.acknowledged.size,
      failed: load.failures.length,
      unknown: load.unknown.size,
      servesMs,
      levelMs,
      view,
      sequence,
    };
  }

  /** Reads back what all rounds wrote, at this replica. */
  async verifyAll(readAt: number): Promise<void> {
    for (const load of this.#loads) {
      await load.verify(readAt);
    }
  }

  async #proveLevel(): Promise<{ readonly view: number; readonly sequence: number }> {
    const rows = await awaitAgreement(this.#cluster, undefined, WITHIN_MS);
    for (const { replica, evidence } of rows) {
      assert.deepEqual(evidence, [], `what replica ${replica} holds against others`);
    }
    return {
      view: Math.max(...rows.map((row) => row.view)),
      sequence: rows[0]?.lastExecutedSequence ?? 0,
    };
  }
}
