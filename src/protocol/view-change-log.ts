/**
 * The ViewChanges that a replica holds (protocol.md 6 and 9).
 *
 * Kept are, of each sender: the highest valid one; the highest above it that isn't judged; and the first for the view
 * that this replica is in. Besides those, the ones that the NewView of that view names, whatever their senders said
 * since. So at most 3 × n + n are held.
 */
import { concatBytes } from '../util/bytes.js';
import type { Digest, Hash } from '../util/digest.js';
import { owned } from '../util/owned.js';
import type { ReplicaId, View } from './identifiers.js';
import type { NamedViewChange, Signed, Verified, ViewChange } from './messages.js';

/** A ViewChange with what is known of its certificates. */
export interface HeldViewChange {
  readonly signed: Verified<Signed<ViewChange>>;
  readonly digest: Digest;
  readonly judgement: 'unjudged' | 'judging' | 'valid';
}

/** H(sender, 4 bytes big-endian ‖ payload): what a NewView names a ViewChange by. */
export function computeViewChangeDigest({ sender, payload }: Pick<Signed, 'sender' | 'payload'>, hash: Hash): Digest {
  const prefix = Uint8Array.of(sender >>> 24, (sender >>> 16) & 255, (sender >>> 8) & 255, sender & 255);
  return hash(concatBytes([prefix, payload]));
}

/** The ViewChanges of all senders, the own among them. */
export class ViewChangeLog {
  private readonly held = new Map<Digest, HeldViewChange>();

  /** Whether nothing is held. */
  get isEmpty(): boolean {
    return this.held.size === 0;
  }

  /** How many are held. */
  get size(): number {
    return this.held.size;
  }

  /** The ViewChange with this digest. */
  get(digest: Digest): HeldViewChange | undefined {
    return this.held.get(digest);
  }

  /** Takes one; the caller prunes. */
  add(held: HeldViewChange): void {
    this.held.set(held.digest, held);
  }

  /** Its certificates are being judged, or are right. */
  setJudgement(held: HeldViewChange, judgement: HeldViewChange['judgement']): void {
    owned(held).judgement = judgement;
  }

  /** It was judged bad. */
  remove(digest: Digest): void {
    this.held.delete(digest);
  }

  /** All, sorted by sender, then view, then digest. */
  all(): readonly HeldViewChange[] {
    return [...this.held.values()].sort(
      (left, right) =>
        left.signed.sender - right.signed.sender ||
        left.signed.message.newView - right.signed.message.newView ||
        (left.digest < right.digest ? -1 : 1),
    );
  }

  /** Names of all, sorted by replica, then digest. */
  names(): readonly NamedViewChange[] {
    return [...this.held.values()]
      .map(({ signed, digest }) => ({ replica: signed.sender, digest }))
      .sort((left, right) => left.replica - right.replica || (left.digest < right.digest ? -1 : 1));
  }

  /** The one of this sender for this view, valid or not judged. */
  of(sender: ReplicaId, view: View): HeldViewChange | undefined {
    return this.all().find(({ signed }) => signed.sender === sender && signed.message.newView === view);
  }

  /** Each sender's highest view, of valid ones or of all. */
  highestViews(which: 'valid' | 'all'): ReadonlyMap<ReplicaId, View> {
    const highest = new Map<ReplicaId, View>();
    for (const { signed, judgement } of this.all()) {
      const { newView } = signed.message;
      if ((which === 'all' || judgement === 'valid') && newView > (highest.get(signed.sender) ?? -1)) {
        highest.set(signed.sender, newView);
      }
    }
    return highest;
  }

  /** Valid ones for exactly this view, sorted by sender. */
  validFor(view: View): readonly HeldViewChange[] {
    return this.all().filter(({ signed, judgement }) => judgement === 'valid' && signed.message.newView === view);
  }

  /** Forgets what the head of this file doesn't list. */
  prune(view: View, isActive: boolean, named: ReadonlySet<Digest>): void {
    const valid = this.highestViews('valid');
    const all = this.highestViews('all');
    for (const { signed, digest, judgement } of this.all()) {
      const { newView } = signed.message;
      const isHighestValid = judgement === 'valid' && valid.get(signed.sender) === newView;
      const isHighestWaiting = judgement !== 'valid' && all.get(signed.sender) === newView;
      const isAhead = newView > view || (newView === view && !isActive);
      const isKept = isAhead && (isHighestValid || isHighestWaiting || newView === view);
      if (!isKept && !named.has(digest)) {
        this.held.delete(digest);
      }
    }
  }
}
