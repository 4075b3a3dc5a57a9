/** Arbitrary entries of the ledger. */
import fc from 'fast-check';
import type { ClientTableKey, ClientTableRowValue } from '../../../src/ledger/client-table-codec.js';
import { type Header, OUTCOME } from '../../../src/ledger/header.js';
import type { Leaf } from '../../../src/ledger/leaf.js';
import { defined } from '../../../src/util/assert.js';
import { type ClientId, clientIdOf, type Digest, digestOf } from '../../../src/util/digest.js';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
/** Records with the prototype of every object, so that they compare with decoded ones. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

export const digest: fc.Arbitrary<Digest> = bytes32.map((bytes) => defined(digestOf(bytes), '32 bytes'));
export const clientId: fc.Arbitrary<ClientId> = bytes32.map((bytes) => defined(clientIdOf(bytes), '32 bytes'));
const outcome = fc.constantFrom(...Object.values(OUTCOME));
export const bytes = fc.uint8Array({ maxLength: 20 });
export const results = fc.array(bytes, { maxLength: 4 });

export const header: fc.Arbitrary<Header> = record({
  sequence: fc.maxSafeNat().map((value) => Math.max(1, value)),
  previousHeaderDigest: digest,
  batchDigest: digest,
  resultsRoot: digest,
  writesDigest: digest,
  timestampMs: fc.maxSafeNat(),
});

export const leaf: fc.Arbitrary<Leaf> = record({
  clientId,
  number: fc.maxSafeNat(),
  requestDigest: digest,
  outcome,
  resultsDigest: digest,
});

export const key: fc.Arbitrary<ClientTableKey> = record({ clientId, number: fc.maxSafeNat() });
export const row: fc.Arbitrary<ClientTableRowValue> = record({
  requestDigest: digest,
  outcome,
  sequence: fc.maxSafeNat(),
  leafIndex: fc.nat({ max: 65_535 }),
  path: fc.array(digest, { maxLength: 5 }),
  resultsDigest: digest,
  results: fc.option(results, { nil: undefined }),
});
