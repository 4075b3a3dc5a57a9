/**
 * Clients' requests (protocol.md 3). A request travels as its encoded SignedMessage, byte for byte as it came; its
 * operations are opaque.
 */
import type { SignedRequest } from '../protocol/messages.js';
import { concatBytes, equalBytes } from '../util/bytes.js';
import { type ClientId, type Digest, digestBytes, type Hash } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { bytesFieldSizeBytes, CanonicalWriter } from './canonical-writer.js';
import { decodeEnvelope } from './envelope.js';
import type { WireLimits } from './limits.js';
import { type Malformed, within } from './malformed.js';

/** What a client signs. */
export interface RequestContent {
  readonly clientId: ClientId;
  /** From 1. */
  readonly number: number;
  /** Less than `number`. */
  readonly acknowledged: number;
  /** At least one. */
  readonly operations: readonly Uint8Array[];
}

/** A well-formed request whose signature is not checked yet. */
export interface UnverifiedRequest {
  readonly request: SignedRequest;
  /** The signed bytes; a view on what was decoded. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** More than client id, number and acknowledged take. */
const REQUEST_HEAD_BYTES_MAX = 64;

/** The bytes that a client signs. */
export function encodeRequestPayload(content: RequestContent): Uint8Array {
  let sizeBytes = REQUEST_HEAD_BYTES_MAX;
  for (const operation of content.operations) {
    sizeBytes += bytesFieldSizeBytes(operation.length);
  }
  const writer = new CanonicalWriter(sizeBytes)
    .digest(1, content.clientId)
    .number(2, content.number)
    .number(3, content.acknowledged);
  for (const operation of content.operations) {
    writer.bytes(4, operation);
  }
  return writer.finish();
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
  const envelope = decodeEnvelope(bytes, limits.replicaCount);
  if (!envelope.ok) {
    return envelope;
  }
  const { sender, payload, signature } = envelope.value;
  if (sender.kind !== 'client') {
    return failed({ field: 'type', description: 'is not a request' });
  }
  const content = decodeRequestPayload(payload, sender.clientId, limits);
  if (!content.ok) {
    return failed(within('payload', content.error));
  }
  const { number, acknowledged, operations } = content.value;
  const digest = computeRequestDigest(sender.clientId, payload, hash);
  const request = { clientId: sender.clientId, number, acknowledged, digest, operations, bytes };
  return ok({ request, payload, signature });
}

function decodeRequestPayload(
  payload: Uint8Array,
  clientId: ClientId,
  limits: WireLimits,
): Result<Omit<RequestContent, 'clientId'>, Malformed> {
  const reader = new CanonicalReader(payload);
  const claimed = reader.requireBytes(1, 'client_id', { min: 32, max: 32 });
  const number = reader.requireNumber(2, 'number', { min: 1 });
  const acknowledged = reader.requireNumber(3, 'acknowledged', { max: Math.max(0, number - 1) });
  const operations = reader.readRepeated(4, 'operations', { countMax: limits.batchOperationsMax });
  if (operations.length === 0) {
    reader.fail('operations', 'has no element');
  }
  const result = reader.finish({ number, acknowledged, operations });
  if (result.ok && !equalBytes(claimed, digestBytes(clientId))) {
    return failed({ field: 'client_id', description: "is not the envelope's" });
  }
  return result;
}
