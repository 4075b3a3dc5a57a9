/**
 * Batches (protocol.md 1, 4). A batch is encoded once, by its primary, out of the requests' bytes as they came; its
 * digest is the hash of the bytes as they came. Decoding takes it apart in one pass, without copies: requests and
 * operations are views on the batch.
 */
import type { EncodedBatch, SignedRequest } from '../protocol/messages.js';
import { equalBytes } from '../util/bytes.js';
import type { Hash } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import { bytesFieldSizeBytes } from './canonical-writer.js';
import { bytesList, integer } from './field.js';
import type { WireLimits } from './limits.js';
import { type Malformed, within } from './malformed.js';
import { encode, message } from './message.js';
import { decodeRequest, type UnverifiedRequest } from './request-codec.js';

/** A well-formed batch whose requests' signatures are not checked yet. */
export interface DecodedBatch {
  readonly batch: EncodedBatch;
  /** In the order of execution, like `batch.requests`. */
  readonly requests: readonly UnverifiedRequest[];
}

const BATCH = message({
  timestampMs: integer(1),
  /** Each an encoded SignedMessage, as it came. */
  requests: bytesList(2, {
    max: ({ requestBytesMax }) => requestBytesMax,
    countMax: ({ batchOperationsMax }) => batchOperationsMax,
  }),
});

/** The null batch: timestamp 0, no request. Any other batch has a request. */
export const NULL_BATCH_BYTES: Uint8Array = new Uint8Array([0x08, 0x00]);

/** The encoded batch; nothing is encoded anew. */
export function encodeBatch(timestampMs: number, requests: readonly SignedRequest[]): Uint8Array {
  return encode(BATCH, { timestampMs, requests: requests.map(({ bytes }) => bytes) });
}

/** The bytes that a request adds to a batch. */
export function computeBatchShareBytes(request: SignedRequest): number {
  return bytesFieldSizeBytes(request.bytes.length);
}

/** The batch in these bytes. All is checked but the requests' signatures and the digest, which the caller compares. */
export function decodeBatch(bytes: Uint8Array, limits: WireLimits, hash: Hash): Result<DecodedBatch, Malformed> {
  if (bytes.length > limits.batchBytesMax) {
    return failed({ field: '', description: `has ${bytes.length} bytes, allowed are ${limits.batchBytesMax}` });
  }
  const outer = BATCH.decode(bytes, limits);
  if (!outer.ok) {
    return outer;
  }
  const { timestampMs, requests: encoded } = outer.value;
  if (encoded.length === 0 && !equalBytes(bytes, NULL_BATCH_BYTES)) {
    return failed({ field: 'requests', description: 'has no element, and this is not the null batch' });
  }
  const requests = decodeRequests(encoded, limits, hash);
  return requests.ok ? ok(toDecodedBatch(bytes, timestampMs, requests.value, hash)) : requests;
}

function decodeRequests(
  encoded: readonly Uint8Array[],
  limits: WireLimits,
  hash: Hash,
): Result<readonly UnverifiedRequest[], Malformed> {
  const requests: UnverifiedRequest[] = [];
  const keys = new Set<string>();
  let operationCount = 0;
  for (const [index, bytes] of encoded.entries()) {
    const decoded = decodeRequest(bytes, limits, hash);
    if (!decoded.ok) {
      return failed(within(`requests[${index}]`, decoded.error));
    }
    const { clientId, number, operations } = decoded.value.request;
    keys.add(`${clientId}${number}`);
    if (keys.size === requests.length) {
      return failed({ field: `requests[${index}]`, description: 'has the client and number of another one' });
    }
    operationCount += operations.length;
    if (operationCount > limits.batchOperationsMax) {
      return failed({ field: 'requests', description: `have more than ${limits.batchOperationsMax} operations` });
    }
    requests.push(decoded.value);
  }
  return ok(requests);
}

function toDecodedBatch(
  bytes: Uint8Array,
  timestampMs: number,
  requests: readonly UnverifiedRequest[],
  hash: Hash,
): DecodedBatch {
  let operationCount = 0;
  for (const { request } of requests) {
    operationCount += request.operations.length;
  }
  const batch: EncodedBatch = {
    digest: hash(bytes),
    sizeBytes: bytes.length,
    timestampMs,
    requests: requests.map(({ request }) => ({ clientId: request.clientId, number: request.number })),
    operationCount,
    bytes,
  };
  return { batch, requests };
}
