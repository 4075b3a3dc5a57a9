/**
 * Statements of this replica's own key that peers show it (protocol.md 8a). Only one that it doesn't remember is worth a
 * signature check, and a peer that showed a forged one is not looked at for a while: it costs it, not this replica.
 */

import type { RejectedType, RejectionReason } from '../../ports/metrics.js';
import type { Verifier } from '../../ports/signatures.js';
import type { Core } from '../../protocol/core.js';
import type { Event } from '../../protocol/events.js';
import type { ReplicaId } from '../../protocol/identifiers.js';
import type { Signed } from '../../protocol/messages.js';
import { checked } from '../../protocol/verified.js';
import type { Envelope } from '../../wire/envelope.js';
import type { WireLimits } from '../../wire/limits.js';
import { decodePayload } from '../../wire/message-codec.js';
import { isProtocolType } from './unverified.js';

/** What it needs. */
export interface OwnStatementJudgeOptions {
  readonly replica: ReplicaId;
  readonly core: Pick<Core, 'screenOwn'>;
  readonly limits: WireLimits;
  readonly verifier: Verifier;
  /** Monotonic. */
  readonly elapsedMs: () => number;
  readonly onRejected: (type: RejectedType, reason: RejectionReason, peer: ReplicaId) => void;
}

const FORGED_PAUSE_MS = 1_000;

/** Judges them. */
export class OwnStatementJudge {
  /** When each peer last showed one with a forged signature. */
  private readonly forgedAtMs = new Map<ReplicaId, number>();

  constructor(private readonly options: OwnStatementJudgeOptions) {}

  /** The event where it proves that something was forgotten, or undefined. */
  judge(peer: ReplicaId, { type, payload, signature }: Envelope): Event | undefined {
    const { replica, core, limits, verifier, elapsedMs } = this.options;
    const decoded = isProtocolType(type) ? decodePayload(type, payload, limits) : undefined;
    if (decoded === undefined || !decoded.ok) {
      return this.reject('frame', 'malformed', peer);
    }
    const { value: message } = decoded;
    const rejection = core.screenOwn({ message, sender: replica, payload });
    if (rejection !== undefined) {
      return this.reject(message.type, rejection.code, peer);
    }
    if ((this.forgedAtMs.get(peer) ?? -Infinity) > elapsedMs() - FORGED_PAUSE_MS) {
      return this.reject(message.type, 'quota', peer);
    }
    if (!verifier.verifyReplica(message.type, replica, payload, signature)) {
      this.forgedAtMs.set(peer, elapsedMs());
      return this.reject(message.type, 'signature', peer);
    }
    const signed: Signed = { message, sender: replica, payload, signature };
    return { kind: 'ownStatementReceived', message: checked(signed), from: peer };
  }

  private reject(type: RejectedType, reason: RejectionReason, peer: ReplicaId): undefined {
    this.options.onRejected(type, reason, peer);
    return undefined;
  }
}
