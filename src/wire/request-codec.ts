/**
 * Clients' requests (protocol.md 3). A request travels as its encoded SignedMessage, byte for byte as it came; its
 * operations are opaque.
 */
import type { SignedRequest } from '../protocol/messages.js';
import { concatBytes, equalBytes } from '../util/bytes.js';
import { type ClientId, DIGEST_BYTES, type Digest, digestBytes, type Hash } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import { decodeEnvelope } from './envelope.js';
import { bytes, bytesList, integer } from './field.js';
import type { WireLimits } from './limits.js';
import { type Malformed, within } from './malformed.js';
import { type Decoded, encode, message } from './message.js';

/** What a client signs. Its id is compared with the envelope's as bytes. */
const REQUEST = message(
  {
    clientId: bytes(1, { min: DIGEST_BYTES, max: DIGEST_BYTES }),
    number: integer(2, { min: 1 }),
    acknowledged: integer(3),
    operations: bytesList(4, { countMin: 1, countMax: ({ batchOperationsMax }) => batchOperationsMax }),
  },
  ({ number, acknowledged }) =>
    acknowledged < number
      ? undefined
      : { field: 'acknowledged', description: `is ${acknowledged}, allowed are 0 to ${number - 1}` },
);

/** What a client signs. */
export interface RequestContent extends Omit<Decoded<typeof REQUEST>, 'clientId'> {
  readonly clientId: ClientId;
}

/** A well-formed request whose signature is not checked yet. */
export interface UnverifiedRequest {
  readonly request: SignedRequest;
  /** The signed bytes; a view on what was decoded. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** The bytes that a client signs. */
export function encodeRequestPayload(content: RequestContent): Uint8Array {
  return encode(REQUEST, { ...content, clientId: digestBytes(content.clientId) });
}

/** What identifies a request's content, whoever signed it how often: H(client id ‖ payload). */
export function computeRequestDigest(clientId: ClientId, payload: Uint8Array, hash: Hash): Digest {
  return hash(concatBytes([digestBytes(clientId), payload]));
}

/** The request in an encoded SignedMessage. Everything but the signature is checked. */
export function decodeRequest(bytes: Uint8Array, limits: WireLimits, hash: Hash): Result<UnverifiedRequest, Malformed> {
  if (bytes.length > limits.requestBytesMax) {
    return failed({ field: '', description: `has ${bytes.length} bytes, allowed are ${limits.requestBytesMax}` });
  }
  const envelope = decodeEnvelope(bytes, limits);
  if (!envelope.ok) {
    return envelope;
  }
  const { sender, payload, signature } = envelope.value;
  if (sender.kind !== 'client') {
    return failed({ field: 'type', description: 'is not a request' });
  }
  const { clientId } = sender;
  const content = REQUEST.decode(payload, limits);
  if (!content.ok) {
    return failed(within('payload', content.error));
  }
  const { clientId: claimed, number, acknowledged, operations } = content.value;
  if (!equalBytes(claimed, digestBytes(clientId))) {
    return failed({ field: 'payload.client_id', description: "is not the envelope's" });
  }
  const digest = computeRequestDigest(clientId, payload, hash);
  return ok({ request: { clientId, number, acknowledged, digest, operations, bytes }, payload, signature });
}
