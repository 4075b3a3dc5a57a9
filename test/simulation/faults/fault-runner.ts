/**
 * Makes faults happen and end. Several may be at work on one link or process: what a link is like follows from all of
 * them, and a process runs when none of them keeps it down.
 */
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import { defined, unreachable } from '../../../src/util/assert.js';
import { createMemoryDisk, type MemoryDisk } from '../../support/memory-store.js';
import type { SimulatedReplica } from '../cluster/simulated-replica.js';
import type { World } from '../cluster/world.js';
import type { Random } from '../kernel/random.js';
import { healthyCondition, type LinkCondition } from '../machine/link-condition.js';
import { type Direction, describeFault, type Fault, type FaultEffect, type FaultKind } from './fault.js';
import { conditionUnder, withoutHealed, worse } from './fault-parts.js';
import { SelectiveLoss } from './selective-loss.js';
import { drawCuts } from './toppling.js';

const KEEPALIVE_MS = 5_000;

/** The faults of one run. */
export class FaultRunner {
  /** How often each kind began. */
  readonly begun = new Map<FaultKind, number>();
  private readonly active = new Set<FaultEffect>();
  /** What replaces a disk when the fault ends. */
  private readonly copies = new Map<FaultEffect, MemoryDisk>();
  /** Beginnings and ends that are still to come have no effect any more. */
  private isOver = false;

  constructor(
    private readonly world: World,
    private readonly replicas: readonly SimulatedReplica[],
    private readonly random: Random,
  ) {}

  /** Has the faults happen at their times. */
  schedule(faults: readonly Fault[]): void {
    const { loop, trace } = this.world;
    for (const fault of faults) {
      loop.schedule(fault.atMs, () => {
        if (!this.isOver) {
          trace.add('fault', [], () => describeFault(fault));
          this.begin(fault.effect);
        }
      });
      loop.schedule(fault.atMs + fault.durationMs, () => {
        if (!this.isOver && this.active.has(fault.effect)) {
          trace.add('fault', [], () => `end of ${fault.effect.kind}`);
          this.end(fault.effect);
        }
      });
    }
  }

  /**
   * Nothing changes any more: what is wrong with others than these replicas stays wrong for good, with these it ends.
   * `permanent` goes wrong besides.
   */
  heal(healed: ReadonlySet<ReplicaId>, permanent: readonly FaultEffect[]): void {
    this.isOver = true;
    for (const effect of [...this.active]) {
      const rest = withoutHealed(effect, healed);
      if (rest !== effect) {
        // What is left begins first, so that nobody starts or hears anything in between.
        if (rest !== undefined) {
          this.begin(rest);
        }
        this.end(effect);
      }
    }
    for (const effect of permanent) {
      const rest = withoutHealed(effect, healed);
      if (rest !== undefined) {
        this.world.trace.add('fault', [], () => `for good: ${JSON.stringify(rest)}`);
        this.begin(rest);
      }
    }
    for (const replica of this.replicas) {
      if (healed.has(replica.id)) {
        replica.start();
      }
    }
  }

  private begin(effect: FaultEffect): void {
    this.active.add(effect);
    this.begun.set(effect.kind, (this.begun.get(effect.kind) ?? 0) + 1);
    switch (effect.kind) {
      case 'partition':
      case 'isolation':
        this.noticeLater(effect);
        return this.updateLinks(effect.directions);
      case 'weather':
      case 'clog':
      case 'deafness':
      case 'muteness':
        return this.updateLinks(effect.directions);
      case 'breaks':
        return this.breakSome(effect);
      case 'crash':
      case 'crashAll':
        return this.crash(effect);
      case 'blink':
        return this.blink(effect);
      case 'pause':
        return this.each(effect.replicas, (replica) => replica.pause());
      case 'toppling':
        return this.topple(effect);
      case 'selectiveLoss':
        return this.selectLosses(effect);
      case 'slowDisk':
        this.replica(effect.replica).disk.slowness = effect.slowness;
        return;
      case 'fullDisk':
        return this.replica(effect.replica).disk.fill();
      case 'olderDisk':
        this.copies.set(effect, this.replica(effect.replica).disk.copy());
        return;
      case 'wipedDisk':
        this.copies.set(effect, createMemoryDisk());
        return;
      case 'clock':
        this.replica(effect.replica).clockOffsetMs = effect.offsetMs;
        return;
      default:
        return unreachable(effect);
    }
  }

  private end(effect: FaultEffect): void {
    this.active.delete(effect);
    switch (effect.kind) {
      case 'weather':
      case 'clog':
      case 'partition':
      case 'isolation':
      case 'deafness':
      case 'muteness':
        return this.updateLinks(effect.directions);
      case 'breaks':
      case 'toppling':
        return;
      case 'selectiveLoss':
        return this.world.network.loseWhere(undefined);
      case 'crash':
      case 'crashAll':
        return this.each(effect.replicas, (replica) => {
          replica.cancelCrash();
          this.maybeStart(replica);
        });
      case 'blink':
        return this.maybeStart(this.replica(effect.replica));
      case 'pause':
        return this.each(effect.replicas, (replica) => this.maybeResume(replica));
      case 'slowDisk':
        this.replica(effect.replica).disk.slowness = 1;
        return;
      case 'fullDisk':
        return this.replica(effect.replica).disk.free();
      case 'olderDisk':
      case 'wipedDisk':
        return this.forget(effect);
      case 'clock':
        return;
      default:
        return unreachable(effect);
    }
  }

  /** The process ends, and starts again with another content of its disk. */
  private forget(effect: Extract<FaultEffect, { kind: 'olderDisk' | 'wipedDisk' }>): void {
    const replica = this.replica(effect.replica);
    replica.crash('none');
    replica.disk.replace(defined(this.copies.get(effect), 'a copy was made when it began'));
    this.world.forgotten.set(effect.replica, this.world.loop.nowMs);
    this.maybeStart(replica);
  }

  /** The worst of what is at work on each direction. */
  private updateLinks(directions: readonly Direction[]): void {
    for (const [from, to] of directions) {
      let condition: LinkCondition = healthyCondition();
      for (const effect of this.active) {
        if ('directions' in effect && effect.directions.some(([sender, peer]) => sender === from && peer === to)) {
          condition = worse(condition, conditionUnder(effect));
        }
      }
      this.world.network.change(from, to, condition);
    }
  }

  /** Keepalives find out that nothing comes through; deaf and mute replicas go unnoticed. */
  private noticeLater(effect: Extract<FaultEffect, { directions: unknown }>): void {
    this.world.loop.schedule(KEEPALIVE_MS, () => {
      if (this.active.has(effect)) {
        for (const [from, to] of effect.directions) {
          this.world.network.breakLink(from, to);
        }
      }
    });
  }

  private breakSome(effect: Extract<FaultEffect, { kind: 'breaks' }>): void {
    if (!this.active.has(effect) || effect.pairs.length === 0) {
      return;
    }
    const [left, right] = this.random.pick(effect.pairs);
    this.world.network.breakLink(left, right);
    this.world.loop.schedule(effect.everyMs, () => this.breakSome(effect));
  }

  private crash({ replicas, afterCalls, loss }: Extract<FaultEffect, { kind: 'crash' | 'crashAll' }>): void {
    this.each(replicas, (replica) => {
      if (afterCalls === 0) {
        replica.crash(loss);
      } else {
        replica.crashAfter(afterCalls, loss);
      }
    });
  }

  private blink(effect: Extract<FaultEffect, { kind: 'blink' }>): void {
    if (!this.active.has(effect)) {
      return;
    }
    const replica = this.replica(effect.replica);
    if (replica.isRunning) {
      replica.crash(effect.loss);
    } else {
      this.maybeStart(replica);
    }
    this.world.loop.schedule(this.random.between(0.5, 1.5) * effect.everyMs, () => this.blink(effect));
  }

  private topple(effect: Extract<FaultEffect, { kind: 'toppling' }>): void {
    if (!this.active.has(effect)) {
      return;
    }
    const { loop, trace } = this.world;
    for (const { afterMs, cut } of drawCuts(this.replicas, this.random)) {
      loop.schedule(afterMs, () => {
        if (!this.isOver) {
          trace.add('fault', [], () => `a primary is cut off: ${JSON.stringify(cut)}`);
          this.begin(cut);
        }
      });
      loop.schedule(afterMs + effect.cutMs, () => {
        if (!this.isOver) {
          this.end(cut);
        }
      });
    }
    loop.schedule(effect.everyMs, () => this.topple(effect));
  }

  private selectLosses({ salt }: Extract<FaultEffect, { kind: 'selectiveLoss' }>): void {
    const { network, reader, parameters, loop } = this.world;
    const loss = new SelectiveLoss(salt, parameters.sizes);
    network.loseWhere((from, to, message) => {
      const { input, statements } = reader.read(message);
      const isPicked = input?.kind === 'signed' || input?.kind === 'checkpointCertificate';
      const said = isPicked ? statements[0]?.message : undefined;
      return said !== undefined && loss.loses(loop.nowMs, from, to, said);
    });
  }

  private maybeStart(replica: SimulatedReplica): void {
    const isHeldDown = [...this.active].some(
      (effect) => (effect.kind === 'crash' || effect.kind === 'crashAll') && effect.replicas.includes(replica.id),
    );
    if (!isHeldDown) {
      replica.start();
    }
  }

  private maybeResume(replica: SimulatedReplica): void {
    if (![...this.active].some((effect) => effect.kind === 'pause' && effect.replicas.includes(replica.id))) {
      replica.resume();
    }
  }

  private each(replicas: readonly ReplicaId[], act: (replica: SimulatedReplica) => void): void {
    for (const id of replicas) {
      act(this.replica(id));
    }
  }

  private replica(id: ReplicaId): SimulatedReplica {
    return defined(this.replicas[id], `replica ${id} is one of the cluster`);
  }
}
