/** Invariant 9: what a message depends on was synced when it left. The disk says what is. */
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { LogRecord, RecoveredState } from '../../../src/protocol/log-record.js';
import type { PrePrepare, ProtocolMessage } from '../../../src/protocol/messages.js';
import type { Observer, Violations } from './observer.js';
import { describeStatement, isShownToItsSigner, type SeenMessage } from './seen-message.js';

interface Execution {
  readonly through: number;
  readonly isDurable: () => boolean;
}

/** What the disks of the correct replicas hold. */
export class WriteBeforeSendCheck implements Observer {
  private readonly durable = new Set<string>();
  private readonly executions = new Map<ReplicaId, Execution[]>();
  /** By replica: everything up to here survived a crash. */
  private readonly recoveredThrough = new Map<ReplicaId, number>();
  /** By replica: the stable checkpoint on its disk. */
  private readonly stable = new Map<ReplicaId, number>();
  private readonly judged = new WeakMap<SeenMessage, ReplicaId>();

  constructor(
    private readonly violations: Violations,
    private readonly windowSize: number,
  ) {}

  onDurable(replica: ReplicaId, record: LogRecord): void {
    if (record.kind === 'stableCheckpoint') {
      const sequence = record.certificate.checkpoints[0]?.message.sequence ?? 0;
      this.stable.set(replica, Math.max(this.stable.get(replica) ?? 0, sequence));
    }
    for (const fact of factsOf(record)) {
      this.durable.add(`${replica} ${fact}`);
    }
  }

  onRecovered(replica: ReplicaId, state: RecoveredState): void {
    const records: LogRecord[] = [
      ...state.prepared.map((certificate) => ({ kind: 'prepared', certificate }) as const),
      ...state.ownCheckpoints.map((checkpoint) => ({ kind: 'ownCheckpoint', checkpoint }) as const),
      ...(state.begunView === undefined ? [] : [{ kind: 'newView', begun: state.begunView } as const]),
      ...(state.ownViewChange === undefined ? [] : [{ kind: 'viewChange', viewChange: state.ownViewChange } as const]),
      ...(state.stableCheckpoint === undefined
        ? []
        : [{ kind: 'stableCheckpoint', certificate: state.stableCheckpoint } as const]),
    ];
    for (const record of records) {
      this.onDurable(replica, record);
    }
    for (const { prePrepare } of state.accepted) {
      this.durable.add(`${replica} accepted ${prePrepare.view} ${prePrepare.sequence} ${prePrepare.batchDigest}`);
    }
    this.recoveredThrough.set(replica, state.lastExecuted);
    this.executions.set(replica, []);
  }

  onExecuted(replica: ReplicaId, writes: readonly ExecutionWrite[], isDurable: () => boolean): void {
    const through = writes.at(-1)?.header.sequence;
    if (through !== undefined) {
      const executions = this.executions.get(replica) ?? [];
      executions.push({ through, isDurable });
      this.executions.set(replica, executions);
    }
  }

  onSent(from: ReplicaId, to: ReplicaId, message: SeenMessage): void {
    if (this.judged.get(message) === from || isShownToItsSigner(message, to)) {
      return;
    }
    this.judged.set(message, from);
    for (const { sender, message: statement } of message.statements) {
      if (sender === from) {
        this.judge(from, statement);
      }
    }
  }

  private judge(replica: ReplicaId, statement: ProtocolMessage): void {
    const need = needsOf(statement).find((each) => !this.durable.has(`${replica} ${each}`));
    if (need !== undefined) {
      this.violations.report(9, `replica ${replica} sent ${describeStatement(statement)} before "${need}" was durable`);
    }
    const highest = (this.stable.get(replica) ?? 0) + this.windowSize;
    if ('batchDigest' in statement && statement.sequence > highest) {
      this.violations.report(
        9,
        `replica ${replica} sent ${describeStatement(statement)}; the stable checkpoint on its disk allows ${highest}`,
      );
    }
    if (statement.type === 'checkpoint' && !this.isExecutionDurable(replica, statement.sequence)) {
      this.violations.report(9, `replica ${replica} sent ${describeStatement(statement)} before execution was durable`);
    }
  }

  private isExecutionDurable(replica: ReplicaId, sequence: number): boolean {
    if (sequence <= (this.recoveredThrough.get(replica) ?? 0)) {
      return true;
    }
    const execution = this.executions.get(replica)?.find(({ through }) => through >= sequence);
    return execution?.isDurable() ?? false;
  }
}

/** What a record makes durable, in words that needs use too. */
function factsOf(record: LogRecord): readonly string[] {
  switch (record.kind) {
    case 'accepted':
      return [acceptedFact(record.prePrepare)];
    case 'prepared': {
      const { view, sequence, batchDigest } = record.certificate.prePrepare.message;
      return [`prepared ${view} ${sequence} ${batchDigest}`];
    }
    case 'ownCheckpoint':
      return [`ownCheckpoint ${record.checkpoint.sequence} ${record.checkpoint.headerDigest}`];
    case 'viewChange':
      return [`viewChange ${record.viewChange.message.newView}`];
    case 'newView': {
      // It stands for its pre-prepares: they are accepted with it.
      const { message } = record.begun.newView;
      return [
        `newView ${message.newView}`,
        ...message.prePrepares.map(({ message: prePrepare }) => acceptedFact(prePrepare)),
      ];
    }
    default:
      return [];
  }
}

function acceptedFact({ view, sequence, batchDigest }: Omit<PrePrepare, 'type'>): string {
  return `accepted ${view} ${sequence} ${batchDigest}`;
}

/** What a statement depends on. */
function needsOf(statement: ProtocolMessage): readonly string[] {
  switch (statement.type) {
    case 'prePrepare':
    case 'prepare':
      return [acceptedFact(statement), ...viewNeeds(statement)];
    case 'commit':
      return [`prepared ${statement.view} ${statement.sequence} ${statement.batchDigest}`, ...viewNeeds(statement)];
    case 'viewChange':
    case 'newView':
      return [`${statement.type} ${statement.newView}`];
    case 'checkpoint':
      return [`ownCheckpoint ${statement.sequence} ${statement.headerDigest}`];
    default:
      return [];
  }
}

/** Nobody votes in a view that has not begun. */
function viewNeeds({ view }: { readonly view: number }): readonly string[] {
  return view === 0 ? [] : [`newView ${view}`];
}
