/**
 * Answers peers' fetches from the store. What a peer asks for is charged to himself, by what it costs here: each question,
 * each entry that is read, each KiB of the answer. Two questions at a time; they wait for their answer until it has paid
 * for those before, and what is beyond is refused, and it asks another or again. (protocol.md 9)
 *
 * Nothing is read for a peer whose link has no room for an answer: it would be made, encoded and dropped, again and again,
 * for one who asks and reads nothing.
 */

import { encodeHeader } from '../../ledger/header-codec.js';
import type { ReplicaStore } from '../../ports/replica-store.js';
import type { TimerHandle, TimerService } from '../../ports/timer-service.js';
import type { ReplicaId, Sequence } from '../../protocol/identifiers.js';
import type { Signed, Verified, ViewChange } from '../../protocol/messages.js';
import type { Digest } from '../../util/digest.js';
import { type BucketLimits, TokenBucket } from '../../util/token-bucket.js';
import { encodePeerMessage } from '../../wire/peer-codec.js';
import type { FetchWhat, OwnFetchAnswer } from '../../wire/peer-message.js';
import { QUESTIONS_A_PEER_MAX } from './asker.js';

/** What a fetch server needs. */
export interface FetchServerOptions {
  readonly store: ReplicaStore;
  readonly timers: TimerService;
  readonly checkpointInterval: number;
  /** The end of the ledger in the store. */
  readonly lastExecuted: () => Sequence;
  /** A view change that this replica holds. */
  readonly findViewChange: (digest: Digest) => Verified<Signed<ViewChange>> | undefined;
  /** The most bytes of batches in one answer: below the link's message limit. */
  readonly answerBytesMax: number;
  /** The bytes that the link to a peer takes now before it drops anything. */
  readonly roomBytes: (peer: ReplicaId) => number;
  readonly send: (peer: ReplicaId, message: Uint8Array) => void;
  readonly onRefused: (peer: ReplicaId, reason: 'quota' | 'malformed') => void;
  readonly onStoreFailed: (message: string) => void;
}

/** What questions cost, in nominal microseconds: being put, each entry that is read, each KiB that is read and sent. */
const QUESTION_US = 150;
const ENTRY_US = 30;
const KIBIBYTE_US = 2;
/** What a peer may cost: 30 MiB a second of long answers. */
const BUDGET_US: BucketLimits = { max: 60_000, perSecond: 60_000 };

interface Asking {
  /** Questions that were taken and aren't answered. */
  open: number;
  /** Those of them that have to be paid for first. */
  readonly waiting: { readonly id: number; readonly what: FetchWhat }[];
  pause: TimerHandle | undefined;
  readonly budget: TokenBucket;
}

/** Serves what this replica holds. */
export class FetchServer {
  private readonly asking = new Map<ReplicaId, Asking>();

  constructor(private readonly options: FetchServerOptions) {}

  /** A peer asked. Returns whether it will be answered. */
  serve(peer: ReplicaId, id: number, what: FetchWhat): boolean {
    const asking = this.askingOf(peer);
    if (asking.open >= QUESTIONS_A_PEER_MAX || !this.hasRoom(peer)) {
      this.options.onRefused(peer, 'quota');
      return false;
    }
    if (what.kind === 'ledger' && what.last - what.first >= 2 * this.options.checkpointInterval) {
      this.options.onRefused(peer, 'malformed');
      return false;
    }
    asking.open++;
    asking.waiting.push({ id, what });
    this.serveWaiting(peer, asking);
    return true;
  }

  /** Nothing is answered any more. */
  stop(): void {
    for (const { pause } of this.asking.values()) {
      pause?.cancel();
    }
    this.asking.clear();
  }

  private hasRoom(peer: ReplicaId): boolean {
    return this.options.roomBytes(peer) >= this.options.answerBytesMax;
  }

  /** Begins with what can be paid for; the rest waits. */
  private serveWaiting(peer: ReplicaId, asking: Asking): void {
    asking.budget.fill(this.options.timers.elapsedMs());
    while (!asking.budget.isEmpty) {
      const next = asking.waiting.shift();
      if (next === undefined) {
        return;
      }
      this.serveOne(peer, asking, next);
    }
    if (asking.waiting.length > 0 && asking.pause === undefined) {
      asking.pause = this.options.timers.startTimer(asking.budget.waitMs, () => {
        asking.pause = undefined;
        this.serveWaiting(peer, asking);
      });
    }
  }

  private serveOne(peer: ReplicaId, asking: Asking, { id, what }: Asking['waiting'][number]): void {
    if (!this.hasRoom(peer)) {
      asking.open--;
      this.options.onRefused(peer, 'quota');
      return;
    }
    asking.budget.charge(QUESTION_US);
    this.answer(what, (answer) => {
      asking.open--;
      const message = encodePeerMessage({ kind: 'fetchAnswer', id, answer });
      asking.budget.charge(ENTRY_US * entriesOf(answer) + KIBIBYTE_US * (message.length / 1024));
      this.options.send(peer, message);
    });
  }

  private answer(what: FetchWhat, done: (answer: OwnFetchAnswer) => void): void {
    const { store, onStoreFailed, answerBytesMax } = this.options;
    const take =
      <T>(make: (value: T) => OwnFetchAnswer) =>
      (
        result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { message: string } },
      ) =>
        result.ok ? done(make(result.value)) : onStoreFailed(result.error.message);
    switch (what.kind) {
      case 'batch':
        store.readBatch(
          what.sequence,
          what.batchDigest,
          take((batchBytes) => (batchBytes === undefined ? NOT_FOUND : { kind: 'batch', batchBytes })),
        );
        return;
      case 'checkpointCertificate':
        store.readCheckpointCertificate(
          what.sequence,
          take((certificate) =>
            certificate === undefined ? NOT_FOUND : { kind: 'checkpointCertificate', ...certificate },
          ),
        );
        return;
      case 'viewChange': {
        const viewChange = this.options.findViewChange(what.digest);
        done(viewChange === undefined ? NOT_FOUND : { kind: 'viewChange', viewChange });
        return;
      }
      case 'ledger':
        // Others may be ahead, or lie: only within its own ledger is it damage when something is missing.
        if (what.last > this.options.lastExecuted()) {
          done(NOT_FOUND);
          return;
        }
        if (what.headersOnly) {
          store.readHeaders(
            what.first,
            what.last,
            take((headers) =>
              ledgerAnswer(headers.map((header) => ({ headerBytes: encodeHeader(header), batchBytes: NO_BYTES }))),
            ),
          );
          return;
        }
        store.readLedger(
          { first: what.first, last: what.last, bytesMax: answerBytesMax },
          take((entries) =>
            ledgerAnswer(entries.map(({ header, batchBytes }) => ({ headerBytes: encodeHeader(header), batchBytes }))),
          ),
        );
    }
  }

  private askingOf(peer: ReplicaId): Asking {
    let asking = this.asking.get(peer);
    if (asking === undefined) {
      const budget = new TokenBucket(BUDGET_US, this.options.timers.elapsedMs());
      asking = { open: 0, waiting: [], pause: undefined, budget };
      this.asking.set(peer, asking);
    }
    return asking;
  }
}

/** How many entries of the store were read for an answer; to find nothing takes a read too. */
function entriesOf(answer: OwnFetchAnswer): number {
  return answer.kind === 'ledger' ? answer.entries.length : 1;
}

const NO_BYTES = new Uint8Array(0);
const NOT_FOUND = { kind: 'notFound' } as const;

function ledgerAnswer(
  entries: readonly { readonly headerBytes: Uint8Array; readonly batchBytes: Uint8Array }[],
): OwnFetchAnswer {
  return entries.length === 0 ? NOT_FOUND : { kind: 'ledger', entries };
}
