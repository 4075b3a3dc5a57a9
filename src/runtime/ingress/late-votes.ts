/**
 * Late votes, kept unread: nobody needs them but who one day proves that their sender contradicted itself.
 * (protocol.md, Departures 10)
 *
 * 1. Their signatures aren't checked, so nothing follows from them alone, and only what came over its sender's own link
 *    is kept: nobody's forgery takes another's place.
 * 2. Of each sender one a sequence and phase is kept, the first of the highest view, and only of sequences less than a
 *    window below the newest: at most 2 × window × (n − 1).
 */
import type { ReplicaId } from '../../protocol/identifiers.js';
import type { Commit, Prepare, ProtocolMessage, Signed } from '../../protocol/messages.js';

type SignedVote = Signed<Prepare | Commit>;

/** The votes of one sequence. */
interface VotesOfSequence {
  readonly sequence: number;
  readonly prepares: Map<ReplicaId, SignedVote>;
  readonly commits: Map<ReplicaId, SignedVote>;
}

/** Votes that nobody has checked. */
export class LateVotes {
  /** By sequence modulo the window. */
  private readonly places = new Map<number, VotesOfSequence>();

  /** `windowSize` in sequences. */
  constructor(private readonly windowSize: number) {}

  /** How many are kept. */
  get size(): number {
    let count = 0;
    // order: none, they are counted.
    for (const { prepares, commits } of this.places.values()) {
      count += prepares.size + commits.size;
    }
    return count;
  }

  /** Keeps a vote that came over its sender's own link, for a sequence in the window; nothing of another type. */
  keep(signed: Signed): void {
    if (!isVote(signed)) {
      return;
    }
    const { sequence, view, type } = signed.message;
    const place = sequence % this.windowSize;
    let votes = this.places.get(place);
    if (votes === undefined || votes.sequence < sequence) {
      votes = { sequence, prepares: new Map(), commits: new Map() };
      this.places.set(place, votes);
    }
    const bySender = type === 'prepare' ? votes.prepares : votes.commits;
    if (votes.sequence === sequence && (bySender.get(signed.sender)?.message.view ?? -1) < view) {
      bySender.set(signed.sender, signed);
    }
  }

  /** Takes the vote out that says another digest for the same view, sequence and phase; its signature is not checked. */
  takeContradicted({ message, sender }: Signed): SignedVote | undefined {
    if (!isVoteMessage(message)) {
      return undefined;
    }
    const votes = this.places.get(message.sequence % this.windowSize);
    const bySender = message.type === 'prepare' ? votes?.prepares : votes?.commits;
    const kept = bySender?.get(sender);
    if (
      kept?.message.sequence !== message.sequence ||
      kept.message.view !== message.view ||
      kept.message.batchDigest === message.batchDigest
    ) {
      return undefined;
    }
    bySender?.delete(sender);
    return kept;
  }
}

function isVote(signed: Signed): signed is SignedVote {
  return isVoteMessage(signed.message);
}

function isVoteMessage(message: ProtocolMessage): message is Prepare | Commit {
  return message.type === 'prepare' || message.type === 'commit';
}
