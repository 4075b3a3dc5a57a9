/**
 * Answers peers' fetches from the store. What a peer may ask for is counted against himself: two questions at a time
 * and a share of bandwidth; what is beyond is not answered, and he asks another or again. (protocol.md 9)
 *
 * Nothing is read for a peer whose link has no room for an answer: it would be made, encoded and dropped, again and again,
 * for one who asks and reads nothing.
 */
import { encodeHeader } from '../ledger/header-codec.js';
import type { ReplicaStore } from '../ports/replica-store.js';
import type { TimerService } from '../ports/timer-service.js';
import type { ReplicaId, Sequence } from '../protocol/identifiers.js';
import type { Signed, Verified, ViewChange } from '../protocol/messages.js';
import type { Digest } from '../util/digest.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import type { FetchWhat, OwnFetchAnswer } from '../wire/peer-message.js';
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

const BYTES_PER_SECOND = 32 * 1024 * 1024;

interface Asking {
  underWay: number;
  budgetBytes: number;
  refilledAtMs: number;
}

/** Serves what this replica holds. */
export class FetchServer {
  private readonly asking = new Map<ReplicaId, Asking>();

  constructor(private readonly options: FetchServerOptions) {}

  /** How many peers asked. */
  get peerCount(): number {
    return this.asking.size;
  }

  /** A peer asked. */
  serve(peer: ReplicaId, id: number, what: FetchWhat): void {
    const asking = this.askingOf(peer);
    const { roomBytes, answerBytesMax } = this.options;
    const isBeyond = asking.underWay >= QUESTIONS_A_PEER_MAX || asking.budgetBytes <= 0;
    if (isBeyond || roomBytes(peer) < answerBytesMax) {
      this.options.onRefused(peer, 'quota');
      return;
    }
    if (what.kind === 'ledger' && what.last - what.first >= 2 * this.options.checkpointInterval) {
      this.options.onRefused(peer, 'malformed');
      return;
    }
    asking.underWay++;
    this.answer(what, (answer) => {
      asking.underWay--;
      const message = encodePeerMessage({ kind: 'fetchAnswer', id, answer });
      asking.budgetBytes -= message.length;
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
    const now = this.options.timers.elapsedMs();
    const asking = this.asking.get(peer) ?? { underWay: 0, budgetBytes: BYTES_PER_SECOND, refilledAtMs: now };
    const earned = ((now - asking.refilledAtMs) / 1_000) * BYTES_PER_SECOND;
    asking.budgetBytes = Math.min(BYTES_PER_SECOND, asking.budgetBytes + earned);
    asking.refilledAtMs = now;
    this.asking.set(peer, asking);
    return asking;
  }
}

const NO_BYTES = new Uint8Array(0);
const NOT_FOUND = { kind: 'notFound' } as const;

function ledgerAnswer(
  entries: readonly { readonly headerBytes: Uint8Array; readonly batchBytes: Uint8Array }[],
): OwnFetchAnswer {
  return entries.length === 0 ? NOT_FOUND : { kind: 'ledger', entries };
}
