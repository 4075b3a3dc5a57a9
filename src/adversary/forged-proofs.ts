/**
 * Certificates that nobody gave. What a certificate shows is the signed bytes in it, so a lie about them is in those
 * bytes: the statement says something else, and the signature that stood under it doesn't fit any more.
 */
import type { ReplicaId, View } from '../protocol/identifiers.js';
import type { PrePrepare, PreparedProof, ProtocolMessage, Signed } from '../protocol/messages.js';
import { encodePayload } from '../wire/message-codec.js';
import type { StrategyContext } from './strategy.js';

const NOT_A_SIGNATURE_BYTES = 64;

/** A signed statement that says something else; the signature is the one that it had. */
export function saying<M extends ProtocolMessage>(signed: Signed<M>, change: Partial<M>): Signed<M> {
  const message: M = { ...signed.message, ...change };
  return { ...signed, message, payload: encodePayload(message) };
}

/** A certificate by everybody for what nobody prepared: right in all but its signatures. */
export function forgePreparedProof(
  { limits: { replicaCount } }: StrategyContext,
  vote: Omit<PrePrepare, 'type'>,
): PreparedProof {
  const primary = vote.view % replicaCount;
  const backups = Array.from({ length: replicaCount }, (_, replica) => replica).filter(
    (replica) => replica !== primary,
  );
  return {
    prePrepare: forge({ ...vote, type: 'prePrepare' }, primary),
    prepares: backups.map((replica) => forge({ ...vote, type: 'prepare' }, replica)),
  };
}

/** The last view before this one, which outdoes all that truly prepared. */
export function viewBefore(newView: View): View {
  return Math.max(0, newView - 1) as View;
}

function forge<M extends ProtocolMessage>(message: M, sender: number): Signed<M> {
  return {
    message,
    sender: sender as ReplicaId,
    payload: encodePayload(message),
    signature: new Uint8Array(NOT_A_SIGNATURE_BYTES).fill(7),
  };
}
