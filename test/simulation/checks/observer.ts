/** What checks see of a run, and where they say what is wrong. Only correct replicas are reported. */
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import type { SignatureType } from '../../../src/ports/signatures.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { LogRecord, RecoveredState } from '../../../src/protocol/log-record.js';
import type { Executed } from '../../../src/runtime/face.js';
import type { SeenMessage } from './seen-message.js';

/** The gauges that are checked. */
export type WatchedGauge = 'view' | 'lowWatermark' | 'lastExecuted' | 'waitingRequests';

/** Gets told what happens, at the moment when it happens. */
export interface Observer {
  /** Anybody, adversaries too, signed something. */
  onSigned?(signer: ReplicaId, type: SignatureType, payload: Uint8Array): void;
  onSent?(from: ReplicaId, to: ReplicaId, message: SeenMessage): void;
  /** The replica asked for this to be made durable. */
  onAppended?(replica: ReplicaId, record: LogRecord): void;
  /** It is durable now: a crash keeps it. */
  onDurable?(replica: ReplicaId, record: LogRecord): void;
  /** A replica read its store back. */
  onRecovered?(replica: ReplicaId, state: RecoveredState): void;
  /** It executed batches. `isDurable` tells, whenever it is asked, whether a crash would keep that. */
  onExecuted?(replica: ReplicaId, writes: readonly ExecutionWrite[], isDurable: () => boolean): void;
  onGauge?(replica: ReplicaId, gauge: WatchedGauge, value: number): void;
  onStarted?(replica: ReplicaId): void;
  onCrashed?(replica: ReplicaId): void;
  /** A replica told a caller that its operation was executed. */
  onAnswered?(replica: ReplicaId, executed: Executed): void;
}

/** An invariant of protocol.md 11 that doesn't hold. */
export interface Violation {
  readonly invariant: number;
  readonly text: string;
}

/** The first violation of a run: nothing after it means anything. */
export class Violations {
  first: Violation | undefined;

  /** Says that an invariant doesn't hold. */
  report(invariant: number, text: string): void {
    this.first ??= { invariant, text };
  }
}

/** Looks away from some invariants: only for runs that show what breaks without something that replicas have. */
export class ViolationsBut extends Violations {
  constructor(private readonly ignored: ReadonlySet<number>) {
    super();
  }

  override report(invariant: number, text: string): void {
    if (!this.ignored.has(invariant)) {
      super.report(invariant, text);
    }
  }
}

/** Tells several observers. */
export class Observers implements Required<Observer> {
  constructor(private readonly all: readonly Observer[]) {}

  onSigned(...what: Parameters<Required<Observer>['onSigned']>): void {
    for (const each of this.all) {
      each.onSigned?.(...what);
    }
  }

  onSent(...what: Parameters<Required<Observer>['onSent']>): void {
    for (const each of this.all) {
      each.onSent?.(...what);
    }
  }

  onAppended(...what: Parameters<Required<Observer>['onAppended']>): void {
    for (const each of this.all) {
      each.onAppended?.(...what);
    }
  }

  onDurable(...what: Parameters<Required<Observer>['onDurable']>): void {
    for (const each of this.all) {
      each.onDurable?.(...what);
    }
  }

  onRecovered(...what: Parameters<Required<Observer>['onRecovered']>): void {
    for (const each of this.all) {
      each.onRecovered?.(...what);
    }
  }

  onExecuted(...what: Parameters<Required<Observer>['onExecuted']>): void {
    for (const each of this.all) {
      each.onExecuted?.(...what);
    }
  }

  onGauge(...what: Parameters<Required<Observer>['onGauge']>): void {
    for (const each of this.all) {
      each.onGauge?.(...what);
    }
  }

  onStarted(...what: Parameters<Required<Observer>['onStarted']>): void {
    for (const each of this.all) {
      each.onStarted?.(...what);
    }
  }

  onCrashed(...what: Parameters<Required<Observer>['onCrashed']>): void {
    for (const each of this.all) {
      each.onCrashed?.(...what);
    }
  }

  onAnswered(...what: Parameters<Required<Observer>['onAnswered']>): void {
    for (const each of this.all) {
      each.onAnswered?.(...what);
    }
  }
}
