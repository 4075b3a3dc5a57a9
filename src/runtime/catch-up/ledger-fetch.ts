/**
 * Fetches the ledger up to a certified header: pieces that end in stable checkpoints, of each first the headers,
 * verified backwards along their chain, then the batches they name, forwards, a few at a time. (protocol.md 8)
 *
 * 1. Nothing is handed over that the chain of a quorum's checkpoint doesn't name.
 * 2. In memory are the headers of one piece and the batches of one answer: the next are asked for when those are
 *    executed.
 */

import type { Header } from '../../ledger/header.js';
import { computeHeaderDigest, decodeHeader } from '../../ledger/header-codec.js';
import { isCheckpointQuorum } from '../../protocol/certificates.js';
import type { Event, FetchedEntry } from '../../protocol/events.js';
import { type ReplicaId, type Sequence, sequence, sequenceAfter } from '../../protocol/identifiers.js';
import type { Checkpoint, EncodedBatch, Signed, SignedRequest, Verified } from '../../protocol/messages.js';
import { assert } from '../../util/assert.js';
import type { Digest, Hash } from '../../util/digest.js';
import { decodeBatch } from '../../wire/batch-codec.js';
import type { Envelope } from '../../wire/envelope.js';
import type { WireLimits } from '../../wire/limits.js';
import type { EncodedLedgerEntry } from '../../wire/peer-message.js';
import type { Asker, Question } from './asker.js';

/** What a ledger fetch needs. */
export interface LedgerFetchOptions {
  readonly asker: Pick<Asker, 'ask'>;
  readonly limits: WireLimits;
  readonly hash: Hash;
  readonly quorum: number;
  /** The verified checkpoints of a certificate, or undefined where one is bad. */
  readonly verifyCheckpoints: (
    peer: ReplicaId,
    envelopes: readonly Envelope[],
  ) => readonly Verified<Signed<Checkpoint>>[] | undefined;
  readonly keepBatch: (batch: EncodedBatch, requests: readonly SignedRequest[]) => void;
  readonly onEvent: (event: Event) => void;
}

/** A header that a quorum certified. */
interface Anchor {
  readonly sequence: Sequence;
  readonly headerDigest: Digest;
}

/** The most headers of one piece: 64 checkpoint intervals of the default, about 1.5 MB. */
const PIECE_HEADERS_MAX = 8_192;

/** One fetch of the ledger, extended while it runs. */
export class LedgerFetch {
  private next: Sequence | undefined;
  private target: Anchor | undefined;
  /** Verified headers from `next` on; empty while a piece's headers are on their way. */
  private headers: Header[] = [];
  private question: Question | undefined;
  /** The last sequence handed over: more is asked for when it is executed. */
  private awaitedExecution: Sequence | undefined;
  private lastExecuted = sequence(0);

  constructor(private readonly options: LedgerFetchOptions) {}

  /** Fetches from `first` to the target; where a fetch runs already its target moves up. */
  start(first: Sequence, target: Anchor): void {
    this.target = target;
    if (this.next === undefined) {
      this.next = first;
      this.nextPiece();
    }
  }

  /** This replica executed a sequence. */
  onExecuted(executed: Sequence): void {
    this.lastExecuted = executed;
    this.continueWhenExecuted();
  }

  /** Nothing happens any more. */
  stop(): void {
    this.question?.cancel();
    this.next = undefined;
    this.awaitedExecution = undefined;
  }

  private continueWhenExecuted(): void {
    if (this.awaitedExecution !== undefined && this.lastExecuted >= this.awaitedExecution) {
      this.awaitedExecution = undefined;
      this.nextBatches();
    }
  }

  /** Begins the piece that starts at `next`, or ends. */
  private nextPiece(): void {
    const { next, target } = this;
    if (next === undefined || target === undefined || next > target.sequence) {
      this.next = undefined;
      return;
    }
    const { checkpointInterval } = this.options.limits;
    if (target.sequence - next < 2 * checkpointInterval) {
      this.fetchHeaders(next, target);
      return;
    }
    this.question = this.options.asker.ask({ kind: 'checkpointCertificate', sequence: next }, (answer, peer) => {
      const checkpoints = answer.kind === 'checkpointCertificate' ? this.judgeAnchor(peer, answer.checkpoints) : [];
      const anchor = checkpoints[0]?.message;
      if (anchor === undefined || anchor.sequence < next || anchor.sequence - next >= PIECE_HEADERS_MAX) {
        return false;
      }
      if (anchor.sequence > (this.target?.sequence ?? 0)) {
        // The core must know it before what it certifies is executed: nothing is executed above H.
        this.options.onEvent({ kind: 'checkpointCertificateReceived', certificate: { checkpoints }, from: peer });
      }
      this.fetchHeaders(next, anchor);
      return true;
    });
  }

  /** The statements of a certificate, where a quorum of distinct replicas signed the same; none otherwise. */
  private judgeAnchor(peer: ReplicaId, envelopes: readonly Envelope[]): readonly Verified<Signed<Checkpoint>>[] {
    const checkpoints = this.options.verifyCheckpoints(peer, envelopes) ?? [];
    return isCheckpointQuorum(checkpoints, this.options.quorum) ? checkpoints : [];
  }

  /** Fetches the headers first..anchor, backwards, in ranges of at most 2K. */
  private fetchHeaders(first: Sequence, anchor: Anchor): void {
    const from = sequence(Math.max(first, anchor.sequence - 2 * this.options.limits.checkpointInterval + 1));
    const what = { kind: 'ledger', first: from, last: anchor.sequence, headersOnly: true } as const;
    this.question = this.options.asker.ask(what, (answer) => {
      const headers = answer.kind === 'ledger' ? this.judgeHeaders(from, anchor, answer.entries) : undefined;
      const lowest = headers?.[0];
      if (headers === undefined || lowest === undefined) {
        return false;
      }
      this.headers = [...headers, ...this.headers];
      if (from === first) {
        this.nextBatches();
      } else {
        this.fetchHeaders(first, { sequence: sequence(from - 1), headerDigest: lowest.previousHeaderDigest });
      }
      return true;
    });
  }

  /** The headers from..anchor where all are there and chained, else undefined. */
  private judgeHeaders(
    from: Sequence,
    anchor: Anchor,
    entries: readonly EncodedLedgerEntry[],
  ): readonly Header[] | undefined {
    if (entries.length !== anchor.sequence - from + 1) {
      return undefined;
    }
    const headers: Header[] = [];
    let expected = anchor.headerDigest;
    for (const [index, { headerBytes }] of [...entries].reverse().entries()) {
      const header = decodeHeader(headerBytes);
      if (
        header === undefined ||
        header.sequence !== anchor.sequence - index ||
        computeHeaderDigest(header, this.options.hash) !== expected
      ) {
        return undefined;
      }
      expected = header.previousHeaderDigest;
      headers.unshift(header);
    }
    return headers;
  }

  /** Asks for the batches of the headers at hand, or for the next piece. */
  private nextBatches(): void {
    const first = this.headers[0];
    if (first === undefined) {
      this.nextPiece();
      return;
    }
    const from = sequence(first.sequence);
    const count = Math.min(this.headers.length, 2 * this.options.limits.checkpointInterval);
    const what = { kind: 'ledger', first: from, last: sequenceAfter(from, count - 1), headersOnly: false } as const;
    this.question = this.options.asker.ask(what, (answer) => {
      const fetched = answer.kind === 'ledger' ? this.judgeBatches(answer.entries) : undefined;
      const last = fetched?.at(-1);
      if (fetched === undefined || last === undefined) {
        return false;
      }
      assert(fetched[0]?.sequence === this.next, 'batches are handed over in order');
      this.headers = this.headers.slice(fetched.length);
      this.next = sequenceAfter(last.sequence);
      this.awaitedExecution = last.sequence;
      this.options.onEvent({ kind: 'ledgerFetched', entries: fetched });
      // It may have come to execution by its commits meanwhile.
      this.continueWhenExecuted();
      return true;
    });
  }

  /** The entries where each batch is the one that its header names, else undefined. */
  private judgeBatches(entries: readonly EncodedLedgerEntry[]): readonly FetchedEntry[] | undefined {
    const { limits, hash, keepBatch } = this.options;
    if (entries.length === 0 || entries.length > this.headers.length) {
      return undefined;
    }
    const fetched: FetchedEntry[] = [];
    for (const [index, { batchBytes }] of entries.entries()) {
      const header = this.headers[index];
      const decoded = decodeBatch(batchBytes, limits, hash);
      if (header === undefined || !decoded.ok || decoded.value.batch.digest !== header.batchDigest) {
        return undefined;
      }
      const { batch, requests } = decoded.value;
      keepBatch(
        batch,
        requests.map(({ request }) => request),
      );
      fetched.push({
        sequence: sequence(header.sequence),
        headerDigest: computeHeaderDigest(header, hash),
        batch,
      });
    }
    return fetched;
  }
}
