/**
 * The envelope of everything that is signed, SignedMessage in message.proto (protocol.md 2). The payload is the exact
 * byte string that was signed: it is taken out and put in as it is, never encoded anew.
 */
import { type ReplicaId, replicaId } from '../protocol/identifiers.js';
import type { Signed } from '../protocol/messages.js';
import type { ClientId } from '../util/digest.js';
import type { Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { bytesFieldSizeBytes, CanonicalWriter } from './canonical-writer.js';
import { REPLICA_COUNT_MAX, SIGNATURE_BYTES_MAX } from './limits.js';
import type { Malformed } from './malformed.js';
import { NUMBER_OF_TYPE, type SignatureType, typeOfNumber } from './signature-type.js';

/** Who signed. */
export type Sender =
  | { readonly kind: 'replica'; readonly replica: ReplicaId }
  | { readonly kind: 'client'; readonly clientId: ClientId };

/** Signed bytes with what they are, by whom; the signature is not checked yet. Only requests are by clients. */
export interface Envelope {
  readonly type: SignatureType;
  readonly sender: Sender;
  /** The signed bytes, at least one; a view on what was decoded. */
  readonly payload: Uint8Array;
  /** 1 to 512 bytes; a view on what was decoded. */
  readonly signature: Uint8Array;
}

/** More than type and sender take, with what the writer reserves for a tag and length before it knows them. */
const TYPE_AND_SENDER_BYTES_MAX = 64;

/** The encoded envelope. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { type, sender, payload, signature } = envelope;
  const writer = new CanonicalWriter(
    TYPE_AND_SENDER_BYTES_MAX + bytesFieldSizeBytes(payload.length) + bytesFieldSizeBytes(signature.length),
  );
  writer.number(1, NUMBER_OF_TYPE[type]);
  if (sender.kind === 'replica') {
    writer.number(2, sender.replica);
  } else {
    writer.digest(3, sender.clientId);
  }
  return writer.bytes(4, payload).bytes(5, signature).finish();
}

/** The encoded envelope of a replica's signed message. */
export function encodeSigned(signed: Signed): Uint8Array {
  return encodeEnvelope({
    type: signed.message.type,
    sender: { kind: 'replica', replica: signed.sender },
    payload: signed.payload,
    signature: signed.signature,
  });
}

/**
 * The envelope in these bytes. The length of the payload is not judged here: its decoder and the limit on the whole
 * message do. `replicaCount` is n, where the caller knows it.
 */
export function decodeEnvelope(bytes: Uint8Array, replicaCount = REPLICA_COUNT_MAX): Result<Envelope, Malformed> {
  const reader = new CanonicalReader(bytes);
  const type = typeOfNumber(reader.requireNumber(1, 'type', { max: 255 }));
  if (type === undefined) {
    reader.fail('type', 'is unknown');
  }
  const sender = readSender(reader, type, replicaCount);
  const payload = reader.requireBytes(4, 'payload', { min: 1 });
  const signature = reader.requireBytes(5, 'signature', { min: 1, max: SIGNATURE_BYTES_MAX });
  return reader.finish({ type: type ?? 'request', sender, payload, signature });
}

function readSender(reader: CanonicalReader, type: SignatureType | undefined, replicaCount: number): Sender {
  if (type === 'request') {
    return { kind: 'client', clientId: reader.requireClientId(3, 'client_id') };
  }
  return { kind: 'replica', replica: replicaId(reader.requireNumber(2, 'replica', { max: replicaCount - 1 })) };
}
