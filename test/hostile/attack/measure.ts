/**
 * What an attack does to a cluster of real processes, seen from outside: what honest callers at the other replicas get
 * done without it and with it, how much memory the replicas take, and whether the view changed.
 *
 * 1. The attacker and the honest callers are processes of their own, on the same machine as the replicas: what the
 *    attacker burns is taken from all of them, and is told beside the figures.
 * 2. Memory is what the kernel says of the process, sampled: a replica that hangs is seen too.
 * 3. The load ends with the proof of cluster-load.ts: nothing acknowledged is lost or was done twice.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster, type TestCluster } from '../../support/cluster.js';
import { awaitAgreement, awaitServingView } from '../../support/cluster-checks.js';
import { ClusterLoad } from '../../support/cluster-load.js';
import type { Attack, AttackedCluster, AttackTally } from './attack.js';

/** How an attack is measured. */
export interface AttackOptions {
  readonly callers: number;
  /** Of the time without and of the time with the attack. */
  readonly windowMs: number;
  /** Settings of all replicas by path, over the defaults. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/** What was seen. */
export interface AttackFigures {
  /** Puts that honest callers at the other replicas had acknowledged, a second. */
  readonly before: number;
  readonly during: number;
  readonly failedCalls: number;
  /** The most resident memory of the attacked replica and of any other, in bytes, and what the former had before. */
  readonly targetBytesBefore: number;
  readonly targetBytes: number;
  readonly othersBytes: number;
  /** Whether the attacked replica agreed with the others within a minute after the attack. */
  readonly targetIsBack: boolean;
  readonly viewChanged: boolean;
  readonly tally: AttackTally;
  /** Of one core. */
  readonly attackerCores: number;
}

const WITHIN_MS = 60_000;
const WARM_PUTS = 500;
const SAMPLE_MS = 100;
/** For connections to be made and buffers to fill before the time with the attack begins. */
const SETTLE_MS = 1_000;
const END_WITHIN_MS = 60_000;

/** Starts a fresh cluster of four, attacks it, and proves that it is whole. */
export async function measureAttack(attack: Attack, options: AttackOptions): Promise<AttackFigures> {
  const { settings } = options;
  const cluster = await startCluster({ replicas: 4, ...(settings === undefined ? {} : { settings: () => settings }) });
  try {
    return await new Measurement(cluster, attack, options).measure();
  } finally {
    await cluster.stop();
  }
}

class Measurement {
  private readonly attacked: AttackedCluster;
  private readonly target: number;
  /** Those that run and are not attacked. */
  private readonly honest: readonly number[];
  private readonly all: readonly number[];

  constructor(
    private readonly cluster: TestCluster,
    private readonly attack: Attack,
    private readonly options: AttackOptions,
  ) {
    const last = cluster.replicas.length - 1;
    this.target = attack.by === 'peer' ? last - 1 : last;
    this.all = cluster.replicas.map(({ id }) => id).filter((id) => attack.by === 'caller' || id !== last);
    this.honest = this.all.filter((id) => id !== this.target);
    const { directory, clientPorts, peerPorts, httpPorts } = cluster;
    this.attacked = { directory, clientPorts, peerPorts, httpPorts, target: this.target };
  }

  async measure(): Promise<AttackFigures> {
    const { cluster, attack, all, honest } = this;
    if (attack.by === 'peer') {
      await cluster.kill(cluster.replicas.length - 1);
    }
    await attack.prepare?.(this.attacked);
    const { callers, windowMs } = this.options;
    const warm = new ClusterLoad(cluster, {
      prefix: 'warm',
      through: all,
      callers,
      puts: WARM_PUTS,
      timeoutMs: WITHIN_MS,
    });
    await warm.done;
    const { view } = await awaitServing(cluster, all);
    const load = new ClusterLoad(cluster, { prefix: 'honest', through: honest, callers, timeoutMs: WITHIN_MS });
    await load.progress(callers, WITHIN_MS);
    const before = await rateOf(load, windowMs);
    const targetBytesBefore = residentBytes(cluster, this.target);
    const memory = new MemoryWatch(cluster, all);
    const attacker = new Attacker(attack, this.attacked);
    await attacker.begun;
    await delay(SETTLE_MS);
    const during = await rateOf(load, windowMs);
    const { tally, cpuSeconds, tookMs } = await attacker.end();
    const most = memory.stop();
    await load.stop();
    await awaitAgreement(cluster, honest, WITHIN_MS);
    await load.verify(honest[0] ?? 0);
    const targetIsBack = await awaitAgreement(cluster, all, WITHIN_MS).then(
      () => true,
      () => false,
    );
    const after = await cluster.status(honest[0] ?? 0);
    return {
      before,
      during,
      failedCalls: load.failures.length,
      targetBytesBefore,
      targetBytes: most.get(this.target) ?? Number.NaN,
      othersBytes: Math.max(...honest.map((replica) => most.get(replica) ?? Number.NaN)),
      targetIsBack,
      viewChanged: after.view !== view,
      tally,
      attackerCores: cpuSeconds / (tookMs / 1_000),
    };
  }
}

async function awaitServing(cluster: TestCluster, running: readonly number[]): Promise<{ readonly view: number }> {
  return running.length === cluster.replicas.length ? awaitServingView(cluster) : cluster.status(running[0] ?? 0);
}

async function rateOf(load: ClusterLoad, windowMs: number): Promise<number> {
  const [count, sinceMs] = [load.acknowledged.size, performance.now()];
  await delay(windowMs);
  return (1_000 * (load.acknowledged.size - count)) / (performance.now() - sinceMs);
}

/** As Linux tells it; NaN elsewhere and of a process that ended. */
function residentBytes(cluster: TestCluster, replica: number): number {
  try {
    const text = readFileSync(`/proc/${cluster.pid(replica)}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) * 1_024;
  } catch {
    return Number.NaN;
  }
}

/** Samples the resident memory of replicas. */
class MemoryWatch {
  readonly #most = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(cluster: TestCluster, replicas: readonly number[]) {
    this.#timer = setInterval(() => {
      for (const replica of replicas) {
        this.#most.set(replica, Math.max(this.#most.get(replica) ?? 0, residentBytes(cluster, replica) || 0));
      }
    }, SAMPLE_MS);
  }

  /** The most of each, in bytes. */
  stop(): ReadonlyMap<number, number> {
    clearInterval(this.#timer);
    return this.#most;
  }
}

/** The attacker's process. */
class Attacker {
  /** Settled when it begins. */
  readonly begun: Promise<void>;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  #startMs = Number.NaN;

  constructor(attack: Attack, attacked: AttackedCluster) {
    const script = join(import.meta.dirname, 'attacker.ts');
    this.#process = spawn(process.execPath, ['--import', 'tsx', script, attack.name, JSON.stringify(attacked)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { stdout } = this.#process;
    assert.ok(stdout !== null);
    const reader = createInterface(stdout);
    this.begun = new Promise((resolve, reject) => {
      reader.on('line', (line) => {
        this.#lines.push(line);
        this.#startMs = this.#lines.length === 1 ? performance.now() : this.#startMs;
        resolve();
      });
      this.#process.once('exit', (code) => reject(new Error(`the attacker ended with code ${code}`)));
    });
    // It may end before anybody waits.
    this.begun.catch(() => undefined);
  }

  async end(): Promise<{ readonly tally: AttackTally; readonly cpuSeconds: number; readonly tookMs: number }> {
    const tookMs = performance.now() - this.#startMs;
    const deadline = setTimeout(() => this.#process.kill('SIGKILL'), END_WITHIN_MS);
    this.#process.kill('SIGTERM');
    if (this.#process.exitCode === null) {
      await once(this.#process, 'close');
    }
    clearTimeout(deadline);
    const said: unknown = JSON.parse(this.#lines[1] ?? 'null');
    assert.ok(said !== null, `the attacker did not end by itself; it said ${this.#lines.join('; ')}`);
    const { tally, cpuSeconds } = said as { readonly tally: AttackTally; readonly cpuSeconds: number };
    return { tally, cpuSeconds, tookMs };
  }
}
