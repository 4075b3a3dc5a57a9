/**
 * The two makers of `Verified`, and what they say of a message's parts. A test keeps all other casts out of `src`, and each
 * maker where it belongs.
 *
 * 1. A NewView's pre-prepares are checked with it.
 * 2. A ViewChange's certificates are not: they are judged later, and only one judged valid is used (view-change-log.ts).
 */
import type { CheckpointCertificate } from './certificates.js';
import type { NewView, PrePrepare, ProtocolMessage, Signed, Verified, ViewChange } from './messages.js';

/** Marks what came from outside, once its signature was checked: for ingress. */
export function checked<T>(value: T): Verified<T, 'checked'> {
  return value as Verified<T, 'checked'>;
}

/** Marks what needs no check: this replica signed it itself, or its own store held it, where only verified things go. */
export function own<T>(value: T): Verified<T, 'own'> {
  return value as Verified<T, 'own'>;
}

/** O, in a NewView. */
export function proposalsOf({ message }: Verified<Signed<NewView>>): readonly Verified<Signed<PrePrepare>>[] {
  return message.prePrepares as readonly Verified<Signed<PrePrepare>>[];
}

/** The stable checkpoint's certificate in a ViewChange that was judged valid. */
export function stableCertificateOf({ checkpointCertificate }: ViewChange): CheckpointCertificate {
  return { checkpoints: checkpointCertificate as CheckpointCertificate['checkpoints'] };
}

/** Whether a signed message is of this type. */
export function isOf<S extends Signed, T extends ProtocolMessage['type']>(
  signed: S | undefined,
  type: T,
): signed is S & Signed<Extract<ProtocolMessage, { readonly type: T }>> {
  return signed?.message.type === type;
}
