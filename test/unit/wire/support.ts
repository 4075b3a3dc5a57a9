/** Small fixed things for tests with examples. */
import { sha256 } from '../../../src/crypto/hash.js';
import type { SignedRequest } from '../../../src/protocol/messages.js';
import type { ClientId, Digest, Hash } from '../../../src/util/digest.js';
import type { Result } from '../../../src/util/result.js';
import type { Malformed } from '../../../src/wire/malformed.js';
import { LIMITS, requestOf } from './arbitraries.js';

export const CLIENT = 'c1'.repeat(32) as ClientId;
export const DIGEST = 'd1'.repeat(32) as Digest;
/** The limits of the tests' cluster, with signatures of any key. */
export const SIZE_LIMITS = { ...LIMITS, signatureBytesMax: 512 };
export const SIGNATURE = new Uint8Array(512).fill(7);

export function findingOf(result: Result<unknown, Malformed>): string {
  return result.ok ? 'ok' : `${result.error.field} ${result.error.description}`.trim();
}

export function simpleRequest(number: number, operations: readonly Uint8Array[] = [Uint8Array.of(1)]): SignedRequest {
  return requestOf({ clientId: CLIENT, number, acknowledged: 0, operations }, Uint8Array.of(9));
}

/** A hash that counts its calls. */
export function countingHash(): { readonly hash: Hash; calls: number } {
  const counter = {
    calls: 0,
    hash: (bytes: Uint8Array): Digest => {
      counter.calls++;
      return sha256(bytes);
    },
  };
  return counter;
}

export const manyRequests = (count: number): SignedRequest[] =>
  Array.from({ length: count }, (_, index) => simpleRequest(index + 1));
