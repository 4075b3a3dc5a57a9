/**
 * Invariant 11: view, h and last executed never go back, across restarts. In one life nothing goes back; after a crash
 * nothing is below what was durable. Execution need not be: it is done again from the log.
 */
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { LogRecord, RecoveredState } from '../../../src/protocol/log-record.js';
import type { Observer, Violations, WatchedGauge } from './observer.js';

interface Position {
  view: number;
  lowWatermark: number;
  /** Executions that may be durable by the time of the next crash. */
  executions: { readonly through: number; readonly isDurable: () => boolean }[];
}

/** Where each correct replica stands. */
export class MonotoneCheck implements Observer {
  /** By replica and gauge, of the life it is in. */
  private readonly current = new Map<string, number>();
  private readonly durable = new Map<ReplicaId, Position>();
  /** The last execution of which it was certain, when the replica crashed, that the crash keeps it. */
  private readonly executedAtCrash = new Map<ReplicaId, number>();

  constructor(private readonly violations: Violations) {}

  onStarted(replica: ReplicaId): void {
    for (const gauge of ['view', 'lowWatermark', 'lastExecuted']) {
      this.current.delete(`${replica} ${gauge}`);
    }
  }

  onGauge(replica: ReplicaId, gauge: WatchedGauge, value: number): void {
    if (gauge === 'waitingRequests') {
      return;
    }
    const name = `${replica} ${gauge}`;
    const before = this.current.get(name) ?? 0;
    if (value < before) {
      this.violations.report(11, `${gauge} of replica ${replica} went back from ${before} to ${value}`);
    }
    this.current.set(name, value);
  }

  onDurable(replica: ReplicaId, record: LogRecord): void {
    const position = this.positionOf(replica);
    if (record.kind === 'view') {
      position.view = Math.max(position.view, record.view);
    } else if (record.kind === 'stableCheckpoint') {
      const sequence = record.certificate.checkpoints[0]?.message.sequence ?? 0;
      position.lowWatermark = Math.max(position.lowWatermark, sequence);
    }
  }

  onExecuted(replica: ReplicaId, writes: readonly ExecutionWrite[], isDurable: () => boolean): void {
    const through = writes.at(-1)?.header.sequence ?? 0;
    const position = this.positionOf(replica);
    // Of those that are durable only the last one says something.
    while (position.executions[1]?.isDurable() === true) {
      position.executions.shift();
    }
    position.executions.push({ through, isDurable });
  }

  onRecovered(replica: ReplicaId, state: RecoveredState): void {
    const position = this.positionOf(replica);
    const lowWatermark = state.stableCheckpoint?.checkpoints[0]?.message.sequence ?? 0;
    const executed = this.executedAtCrash.get(replica) ?? 0;
    const pairs = [
      ['view', position.view, state.view],
      ['lowWatermark', position.lowWatermark, lowWatermark],
      ['lastExecuted', executed, state.lastExecuted],
    ] as const;
    for (const [name, before, after] of pairs) {
      if (after < before) {
        this.violations.report(11, `replica ${replica} started with ${name} ${after}; ${before} was durable`);
      }
    }
  }

  onCrashed(replica: ReplicaId): void {
    const position = this.positionOf(replica);
    const durable = position.executions.filter(({ isDurable }) => isDurable());
    position.executions = [];
    this.executedAtCrash.set(
      replica,
      Math.max(this.executedAtCrash.get(replica) ?? 0, ...durable.map(({ through }) => through)),
    );
  }

  private positionOf(replica: ReplicaId): Position {
    let position = this.durable.get(replica);
    if (position === undefined) {
      position = { view: 0, lowWatermark: 0, executions: [] };
      this.durable.set(replica, position);
    }
    return position;
  }
}
