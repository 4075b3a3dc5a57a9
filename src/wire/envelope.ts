/**
 * The envelope of everything that is signed, SignedMessage in message.proto (protocol.md 2). The payload is the exact
 * byte string that was signed: it is taken out and put in as it is, never encoded anew.
 */
import type { ProtocolMessage, Signed } from '../protocol/messages.js';
import { failed, ok, type Result } from '../util/result.js';
import { bytesFieldSizeBytes } from './canonical-writer.js';
import { bytes, clientId, type Field, integer, replica, type SizeLimits, signature } from './field.js';
import { ANY_CLUSTER, type WireLimits } from './limits.js';
import { type Malformed, within } from './malformed.js';
import { converted, type Decoded, encode, longestOf, type Message, message } from './message.js';
import { as, oneof } from './oneof.js';
import { NUMBER_OF_TYPE, type SignatureType, typeOfNumber } from './signature-type.js';

/** One byte. */
const TYPE_NUMBER_MAX = 127;

/** The type of what is signed: a number of the enum MessageType. */
function signatureType(number: number): Field<SignatureType> {
  const onWire = integer(number, { max: TYPE_NUMBER_MAX });
  return {
    ...onWire,
    read: (reader, name, limits) => {
      const type = typeOfNumber(onWire.read(reader, name, limits) ?? 0);
      if (type === undefined) {
        reader.fail(name, 'is unknown');
      }
      return type;
    },
    write: (writer, type) => onWire.write(writer, NUMBER_OF_TYPE[type]),
    sizeBytes: (type, lengths) => onWire.sizeBytes(NUMBER_OF_TYPE[type], lengths),
  };
}

const ENVELOPE = message(
  {
    type: signatureType(1),
    /** Who signed: a client signs requests, a replica everything else. */
    sender: oneof({ replica: as('replica', replica(2)), client: as('clientId', clientId(3)) }),
    /** The signed bytes. Bounded by its decoder, and by the limit on the whole message. */
    payload: bytes(4, { min: 1, max: Number.MAX_SAFE_INTEGER }),
    signature: signature(5),
  },
  ({ type, sender }) =>
    (type === 'request') === (sender.kind === 'client')
      ? undefined
      : { field: 'sender', description: `is a ${sender.kind}, which does not sign a ${type}` },
);

/** Signed bytes with what they are, by whom; the signature is not checked yet. The bytes are views on what was decoded. */
export type Envelope = Decoded<typeof ENVELOPE>;
export type Sender = Envelope['sender'];

/** What takes room in a replica's envelope beside its payload. */
const REPLICA_HEAD = message({ type: signatureType(1), replica: replica(2), signature: signature(5) });

/** The encoded envelope. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return encode(ENVELOPE, envelope);
}

/** The encoded envelope of a replica's signed message. */
export function encodeSigned(signed: Signed): Uint8Array {
  return encode(ENVELOPE, envelopeOf(signed));
}

/** The envelope in these bytes, of any type: the length of its payload is not judged. */
export function decodeEnvelope(bytes: Uint8Array, limits: WireLimits = ANY_CLUSTER): Result<Envelope, Malformed> {
  return ENVELOPE.decode(bytes, limits);
}

/** What replicas sign, by type: each no longer than its payload can be. */
export type Payloads = { readonly [T in SignatureType]?: Message<unknown, never> };

/** The longest envelope with one of these payloads, in bytes. */
export function computeEnvelopeBytesMax(payloads: Payloads, limits: SizeLimits): number {
  const payloadBytesMax = Math.max(...Object.values(payloads).map((payload) => payload.sizeBytesMax(limits)));
  return REPLICA_HEAD.sizeBytesMax(limits) + bytesFieldSizeBytes(payloadBytesMax);
}

/** Envelopes with one of these payloads, which is not looked into. */
export function envelopesOf(payloads: Payloads): Message<Envelope> {
  const types = Object.keys(payloads);
  const bytesMaxOf = new Map(Object.entries(payloads).map(([type, payload]) => [type, longestOf(payload)]));
  const judge = (envelope: Envelope, limits: WireLimits): Result<Envelope, Malformed> => {
    const { type, payload } = envelope;
    const bytesMax = bytesMaxOf.get(type)?.(limits);
    if (bytesMax === undefined) {
      return failed({ field: 'type', description: `is ${type}, ${types.join(' or ')} belongs here` });
    }
    return payload.length <= bytesMax
      ? ok(envelope)
      : failed({ field: 'payload', description: `has ${payload.length} bytes, a ${type} has at most ${bytesMax}` });
  };
  return {
    ...converted(ENVELOPE, { decoded: judge, encoded: (envelope: Envelope) => envelope }),
    sizeBytesMax: (limits) => computeEnvelopeBytesMax(payloads, limits),
  };
}

/** The same, written from signed messages. */
export function signedOf<M extends ProtocolMessage>(payloads: Payloads): Message<Envelope, Signed<M>> {
  return converted(envelopesOf(payloads), { decoded: ok, encoded: envelopeOf });
}

/** What a replica signed, with its meaning. */
export function opened<M extends ProtocolMessage>(
  { sender, payload, signature: signed }: Envelope,
  message: Result<M, Malformed>,
): Result<Signed<M>, Malformed> {
  if (!message.ok) {
    return failed(within('payload', message.error));
  }
  return sender.kind === 'replica'
    ? ok({ message: message.value, sender: sender.replica, payload, signature: signed })
    : failed({ field: 'sender', description: 'is a client, but replicas sign this' });
}

/** A replica's signed message as an envelope. */
function envelopeOf({ message: { type }, sender, payload, signature: signed }: Signed): Envelope {
  return { type, sender: { kind: 'replica', replica: sender }, payload, signature: signed };
}
