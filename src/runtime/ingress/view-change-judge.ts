/**
 * Checks every signature in a ViewChange's certificates (protocol.md 6, cost): a window of prepared certificates is
 * hundreds of signatures, so they are checked in slices between which the replica does its other work.
 *
 * What was checked once is remembered with its signature. Its content alone would not do: what is accepted here must
 * verify for everyone who is shown the same bytes.
 */
import type { Verifier } from '../../ports/signatures.js';
import type { TimerService } from '../../ports/timer-service.js';
import type { Event } from '../../protocol/events.js';
import type { ReplicaId } from '../../protocol/identifiers.js';
import type { Signed, Verified, ViewChange } from '../../protocol/messages.js';
import type { Digest } from '../../util/digest.js';
import { RecentNames } from './recent-names.js';

/** What a judge needs. */
export interface ViewChangeJudgeOptions {
  readonly verifier: Pick<Verifier, 'verifyReplica'>;
  readonly timers: Pick<TimerService, 'defer' | 'elapsedMs'>;
  /** Statements that a window of certificates can consist of: so many are remembered, within a bound. */
  readonly statementsMax: number;
  /** Whether the core still holds a ViewChange: one that it let go of is not worth judging. */
  readonly isHeld: (digest: Digest) => boolean;
  readonly onJudged: (event: Extract<Event, { kind: 'viewChangeJudged' }>) => void;
}

/** How long a slice takes, about. */
const SLICE_MS = 2;
/** Signatures between two looks at the clock. */
const SIGNATURES_A_LOOK = 16;
/** Some 700 bytes each. */
const REMEMBERED_LIMIT = 65_536;

interface Case {
  readonly viewChange: Verified<Signed<ViewChange>>;
  readonly digest: Digest;
  readonly statements: readonly Signed[];
  next: number;
}

/** Judges ViewChanges: of each sender one after the other, the senders in turn. */
export class ViewChangeJudge {
  /** By sender, in the order of their turns; each sender's first case is under way. */
  private readonly cases = new Map<ReplicaId, Case[]>();
  private readonly known: RecentNames;
  private isScheduled = false;
  private isStopped = false;

  constructor(private readonly options: ViewChangeJudgeOptions) {
    // Twice, so that what comes with each of many ViewChanges is not pushed out before it comes again.
    this.known = new RecentNames(Math.min(2 * options.statementsMax, REMEMBERED_LIMIT));
  }

  /**
   * Begins to judge; the core asks at most once for each that it holds. What it let go of meanwhile is dropped here, so
   * that a sender who says one after the other fills no queue; but not what is under way, or it would never be caught
   * with a bad one.
   */
  judge(viewChange: Verified<Signed<ViewChange>>, digest: Digest): void {
    const { checkpointCertificate, prepared } = viewChange.message;
    const statements = [
      ...checkpointCertificate,
      ...prepared.flatMap(({ prePrepare, prepares }) => [prePrepare, ...prepares]),
    ];
    const waiting = (this.cases.get(viewChange.sender) ?? []).filter(
      ({ digest: other, next }) => next > 0 || this.options.isHeld(other),
    );
    waiting.push({ viewChange, digest, statements, next: 0 });
    this.cases.set(viewChange.sender, waiting);
    this.schedule();
  }

  /** Nothing is judged any more. */
  stop(): void {
    this.isStopped = true;
  }

  private schedule(): void {
    if (!this.isScheduled && !this.isStopped && this.cases.size > 0) {
      this.isScheduled = true;
      this.options.timers.defer(() => {
        this.isScheduled = false;
        this.runSlice();
        this.schedule();
      });
    }
  }

  private runSlice(): void {
    const { timers, onJudged } = this.options;
    const untilMs = timers.elapsedMs() + SLICE_MS;
    while (!this.isStopped && timers.elapsedMs() < untilMs) {
      const [turn] = this.cases;
      if (turn === undefined) {
        return;
      }
      const [sender, waiting] = turn;
      const [current] = waiting;
      const verdict = current === undefined ? undefined : this.checkSome(current);
      if (current !== undefined && verdict !== undefined) {
        waiting.shift();
        onJudged({ kind: 'viewChangeJudged', replica: sender, digest: current.digest, isValid: verdict });
      }
      // The next sender's turn: one with many signatures holds up nobody else's.
      this.cases.delete(sender);
      if (waiting.length > 0) {
        this.cases.set(sender, waiting);
      }
    }
  }

  /** Checks the next few signatures; true or false where the case is decided. */
  private checkSome(current: Case): boolean | undefined {
    for (let checked = 0; checked < SIGNATURES_A_LOOK; checked++) {
      const statement = current.statements[current.next];
      if (statement === undefined) {
        return true;
      }
      if (!this.isGenuine(statement)) {
        return false;
      }
      current.next++;
    }
    return undefined;
  }

  private isGenuine({ message, sender, payload, signature }: Signed): boolean {
    const name = `${message.type} ${sender} ${textOf(payload)} ${textOf(signature)}`;
    if (this.known.has(name)) {
      return true;
    }
    if (!this.options.verifier.verifyReplica(message.type, sender, payload, signature)) {
      return false;
    }
    this.known.add(name);
    return true;
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
