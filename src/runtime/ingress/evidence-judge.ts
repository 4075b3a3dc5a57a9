/**
 * Two statements of one replica that contradict each other: a primary's, which a peer passes on, or votes of which one
 * came late. Only where they prove what isn't known yet are their signatures checked.
 */
import type { RejectedType, RejectionReason } from '../../ports/metrics.js';
import type { Core } from '../../protocol/core.js';
import type { Event } from '../../protocol/events.js';
import type { ReplicaId } from '../../protocol/identifiers.js';
import type { Signed } from '../../protocol/messages.js';
import { checked } from '../../protocol/verified.js';
import type { Envelope } from '../../wire/envelope.js';
import type { WireLimits } from '../../wire/limits.js';
import { LateVotes } from './late-votes.js';
import { isByOneOnTwo, openStatement } from './unverified.js';

/** What it needs. */
export interface EvidenceJudgeOptions {
  readonly core: Pick<Core, 'screenEvidence'>;
  readonly limits: WireLimits;
  readonly isGenuine: (signed: Signed) => boolean;
  readonly onRejected: (type: RejectedType, reason: RejectionReason, peer: ReplicaId) => void;
}

/** Judges them. */
export class EvidenceJudge {
  readonly late: LateVotes;

  constructor(private readonly options: EvidenceJudgeOptions) {
    this.late = new LateVotes(options.limits.windowSize);
  }

  /** Two statements that a peer shows, where no such proof is held. */
  judge(peer: ReplicaId, ...envelopes: readonly [Envelope, Envelope]): Event | undefined {
    const { limits, core, isGenuine } = this.options;
    if (!isByOneOnTwo(...envelopes)) {
      return this.reject('evidence', 'noContradiction', peer);
    }
    const first = openStatement(envelopes[0], limits);
    const second = openStatement(envelopes[1], limits);
    if (first === undefined || second === undefined) {
      return this.reject('evidence', 'malformed', peer);
    }
    const rejection = core.screenEvidence(first, second);
    if (rejection !== undefined) {
      return this.reject('evidence', rejection.code, peer);
    }
    return isGenuine(first) && isGenuine(second)
      ? evidenceOf(first, second, peer)
      : this.reject('evidence', 'signature', peer);
  }

  /** A genuine vote may contradict a late one, which is read only now; undefined where that proves nothing new. */
  judgeWithLate(peer: ReplicaId, second: Signed): Event | undefined {
    const first = this.late.takeContradicted(second);
    if (first === undefined || this.options.core.screenEvidence(first, second) !== undefined) {
      return undefined;
    }
    return this.options.isGenuine(first)
      ? evidenceOf(first, second, peer)
      : this.reject(first.message.type, 'signature', first.sender);
  }

  private reject(type: RejectedType, reason: RejectionReason, peer: ReplicaId): undefined {
    this.options.onRejected(type, reason, peer);
    return undefined;
  }
}

/** Both signatures were checked. */
function evidenceOf(first: Signed, second: Signed, from: ReplicaId): Event {
  return { kind: 'evidenceReceived', first: checked(first), second: checked(second), from };
}
