/**
 * Tells what replicas do, one line for what several do alike in one round of delivery. What a reader need not see is
 * left out unless the scenario asks for it: writes, timers, Status.
 */
import type { Effect, FetchTarget, ForwardItem } from '../../src/protocol/effects.js';
import type { Event } from '../../src/protocol/events.js';
import type { LogRecord } from '../../src/protocol/log-record.js';
import type { Note } from '../../src/protocol/notes.js';
import { unreachable } from '../../src/util/assert.js';
import type { CoreNetwork, NetworkObserver } from '../support/core-network.js';
import type { Waiting } from '../support/network-effects.js';
import type { Vocabulary } from './vocabulary.js';

/** What is shown only where it is asked for. */
export const DETAILS = ['writes', 'timers', 'status'] as const;
export type Detail = (typeof DETAILS)[number];

/** Something that one replica did. */
interface Deed {
  readonly by: number;
  readonly text: string;
  /** Of a message: to whom. */
  readonly to: Set<number> | undefined;
}

/** Timers that a reader sees expire. */
const SHOWN_TIMERS: readonly string[] = ['request', 'newView', 'batchDelay'];

/** The narrator of one scenario. */
export class Narrator implements NetworkObserver {
  onDelivered: (message: Waiting) => void = () => undefined;
  private deeds: Deed[] = [];
  private lines: string[] = [];

  constructor(
    private readonly network: CoreNetwork,
    private readonly vocabulary: Vocabulary,
    private readonly details: ReadonlySet<Detail>,
  ) {}

  onRound(): void {
    this.endRound();
  }

  onLost({ from, to, event }: Waiting): void {
    const text = this.vocabulary.describeEvent(event);
    const isStatus = event.kind === 'messageReceived' && event.message.message.type === 'status';
    if (text !== undefined && (!isStatus || this.details.has('status'))) {
      this.send(from, [to], `lost: ${text}`);
    }
  }

  onStep(replica: number, event: Event, effects: readonly Effect[]): void {
    this.vocabulary.learn(this.network);
    if (event.kind === 'timerExpired' && SHOWN_TIMERS.includes(event.timer)) {
      this.endRound();
      this.tell(replica, `${event.timer} timer expires, at ${this.network.elapsedMs} ms`);
    } else if (event.kind === 'started') {
      this.tell(replica, 'starts again');
    }
    for (const effect of effects) {
      this.onEffect(replica, effect);
    }
  }

  /** Something that a replica does. */
  tell(replica: number, text: string): void {
    this.deeds.push({ by: replica, text, to: undefined });
  }

  /** Something that a replica sends. */
  send(from: number, to: readonly number[], text: string): void {
    const known = this.deeds.find((deed) => deed.to !== undefined && deed.by === from && deed.text === text);
    for (const receiver of known?.to === undefined ? [] : to) {
      known?.to?.add(receiver);
    }
    if (known === undefined) {
      this.deeds.push({ by: from, text, to: new Set(to) });
    }
  }

  /** Takes the lines that were not taken yet. */
  take(): string[] {
    this.endRound();
    return this.lines.splice(0);
  }

  /** What replicas did alike becomes one line. */
  private endRound(): void {
    const groups = new Map<string, { readonly by: number[]; readonly rest: string }>();
    for (const { by, text, to } of this.deeds.splice(0)) {
      const isToAll = to !== undefined && to.size === this.network.replicas.length - 1;
      const receivers = isToAll ? 'all' : [...(to ?? [])].sort((left, right) => left - right).join(' ');
      const rest = `${to === undefined ? '' : ` → ${receivers}`}: ${text}`;
      const group = groups.get(rest) ?? { by: [], rest };
      group.by.push(by);
      groups.set(rest, group);
    }
    for (const { by, rest } of groups.values()) {
      this.lines.push(`${[...new Set(by)].sort((left, right) => left - right).join(' ')}${rest}`);
    }
  }

  private onEffect(by: number, effect: Effect): void {
    const { vocabulary, details } = this;
    switch (effect.kind) {
      case 'broadcast':
      case 'propose':
        return this.send(by, this.others(by), vocabulary.describe(effect.message));
      case 'forward':
        return this.send(by, effect.to === 'all' ? this.others(by) : [effect.to], this.describeItem(effect.item));
      case 'execute':
        return this.tell(by, `executes sequence ${effect.sequence}: ${vocabulary.nameOfBatch(effect.batchDigest)}`);
      case 'fetch':
        return this.tell(by, `asks all for ${this.describeTarget(effect.what)}`);
      case 'note':
        return this.onNote(by, effect.note);
      case 'persist':
        return details.has('writes') ? this.tell(by, `writes: ${this.describeRecord(effect.record)}`) : undefined;
      case 'sendStatus':
        return details.has('status')
          ? this.send(by, [effect.message.to], vocabulary.describe(effect.message))
          : undefined;
      case 'startTimer':
        return details.has('timers') && SHOWN_TIMERS.includes(effect.timer)
          ? this.tell(by, `starts its ${effect.timer} timer: ${effect.delayMs} ms`)
          : undefined;
      case 'stopTimer':
        return details.has('timers') && SHOWN_TIMERS.includes(effect.timer)
          ? this.tell(by, `stops its ${effect.timer} timer`)
          : undefined;
      case 'giveUp': {
        const { forgotten, from } = effect;
        return this.tell(by, `ends: doesn't remember its ${vocabulary.describe(forgotten.message)}, shown by ${from}`);
      }
      case 'sign':
      case 'signPrePrepares':
      case 'judgeViewChange':
      case 'discard':
        return;
      default:
        return unreachable(effect);
    }
  }

  private onNote(by: number, note: Note): void {
    switch (note.kind) {
      case 'prepared':
        return this.tell(by, `prepared (view ${note.view}, sequence ${note.sequence})`);
      case 'committed':
        return this.tell(by, `committed (view ${note.view}, sequence ${note.sequence})`);
      case 'stable':
        return this.tell(by, `stable checkpoint is ${note.sequence}`);
      case 'rejected':
        // What comes twice or late is no news.
        return ['duplicate', 'belowWindow', 'stale', 'oldView'].includes(note.code)
          ? undefined
          : this.tell(
              by,
              `rejects a ${note.type}${note.sender === undefined ? '' : ` of ${note.sender}`}: ${note.code}`,
            );
      case 'evidence':
        return this.tell(by, `keeps ${this.vocabulary.describeEvidence(note.evidence.first, note.evidence.second)}`);
      case 'viewLeft':
        return this.tell(by, `leaves view ${note.from} for ${note.to}: ${note.cause}; T is ${note.timeoutMs} ms`);
      case 'viewEntered':
        return this.tell(by, `enters view ${note.view}`);
      case 'requestOverdue':
        return this.tell(by, `its oldest request is overdue, after ${note.explanation.oldestRequest?.waitedMs} ms`);
      case 'behind':
        return this.tell(by, `is behind: executed ${note.lastExecuted}, stable is ${note.target}`);
      case 'diverged':
        return this.tell(by, `has diverged at sequence ${note.sequence}`);
      case 'checkpointSplit':
        return this.tell(by, `no state can get a quorum at sequence ${note.sequence}`);
      case 'contradictsExecuted':
        return this.tell(by, `alarm: ${note.sender} asks for another batch at executed sequence ${note.sequence}`);
      case 'votingBegun':
        return this.tell(by, 'votes from now on');
      case 'prePrepared':
      case 'clockSkew':
      case 'timerExpired':
      case 'viewAwaited':
        return;
      default:
        return unreachable(note);
    }
  }

  private describeItem(item: ForwardItem): string {
    const { vocabulary } = this;
    switch (item.kind) {
      case 'message':
        return vocabulary.describe(item.message.message);
      case 'request':
        return `Request ${vocabulary.nameOf(item.request)}`;
      case 'proposal':
        return vocabulary.describe(item.prePrepare.message);
      case 'committedBatch': {
        const { batchDigest } = item.certificate.commits[0]?.message ?? { batchDigest: undefined };
        const name = batchDigest === undefined ? '[unknown]' : vocabulary.nameOfBatch(batchDigest);
        return `${name} with its Commits (${vocabulary.describeVotes(item.certificate.commits)})`;
      }
      case 'checkpointCertificate':
        return `stable checkpoint (${vocabulary.describeVotes(item.certificate.checkpoints)})`;
      case 'evidence':
        return vocabulary.describeEvidence(item.first, item.second);
      default:
        return unreachable(item);
    }
  }

  private describeTarget(what: FetchTarget): string {
    switch (what.kind) {
      case 'ledger':
        return `the ledger from ${what.first} to ${what.last}`;
      case 'batch':
        return `the batch ${this.vocabulary.nameOfBatch(what.digest)} of sequence ${what.sequence}`;
      case 'viewChange':
        return `the ViewChange of ${what.replica} for view ${what.view}`;
      default:
        return unreachable(what);
    }
  }

  private describeRecord(record: LogRecord): string {
    const { vocabulary } = this;
    switch (record.kind) {
      case 'accepted':
        return `accepted ${vocabulary.describe(record.prePrepare)}`;
      case 'batch':
        return `batch ${vocabulary.nameOfBatch(record.batch.digest)}`;
      case 'prepared':
        return `prepared certificate (${vocabulary.describeVotes(record.certificate.prepares)})`;
      case 'ownCheckpoint':
        return `own ${vocabulary.describe(record.checkpoint)}`;
      case 'stableCheckpoint':
        return `stable checkpoint (${vocabulary.describeVotes(record.certificate.checkpoints)})`;
      case 'view':
        return `moved to view ${record.view}`;
      case 'viewChange':
        return `own ${vocabulary.describe(record.viewChange.message)}`;
      case 'newView':
        return `${vocabulary.describe(record.begun.newView.message)} with its ViewChanges`;
      case 'evidence':
        return vocabulary.describeEvidence(record.evidence.first, record.evidence.second);
      default:
        return unreachable(record);
    }
  }

  private others(replica: number): number[] {
    return this.network.replicas.map(({ replica: other }) => other).filter((other) => other !== replica);
  }
}
