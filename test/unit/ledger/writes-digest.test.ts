import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { sha256 } from '../../../src/crypto/hash.js';
import {
  encodeClientTableClient,
  encodeClientTableKey,
  encodeClientTableRow,
} from '../../../src/ledger/client-table-codec.js';
import { computeWritesDigest, createWritesDigest, type WriteSpace } from '../../../src/ledger/writes-digest.js';
import { type Digest, digestBytes } from '../../../src/util/digest.js';
import { bytes, clientId, key, row } from './arbitraries.js';

interface Write {
  readonly space: WriteSpace;
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

const write: fc.Arbitrary<Write> = fc.record({
  space: fc.constantFrom('application' as const, 'client' as const, 'row' as const),
  key: bytes,
  value: fc.option(bytes, { nil: undefined }),
});
const writes = fc.array(write, { maxLength: 6 });

function digestOfWrites(list: readonly Write[]): Digest {
  const digest = createWritesDigest(sha256);
  for (const { space, key: name, value } of list) {
    if (value === undefined) {
      digest.delete(space, name);
    } else {
      digest.put(space, name, value);
    }
  }
  return digest.finish();
}

describe('ledger: the writes digest', () => {
  it('tells every list of writes from every other', () => {
    fc.assert(
      fc.property(writes, writes, (left, right) => {
        const same = JSON.stringify(left) === JSON.stringify(right);
        assert.equal(digestOfWrites(left) === digestOfWrites(right), same);
      }),
    );
  });

  it('changes with one part of one write, and with the order', () => {
    fc.assert(
      fc.property(writes, write, write, (before, one, other) => {
        for (const name of ['space', 'key', 'value'] as const) {
          const changed = { ...one, [name]: other[name] };
          const same = JSON.stringify(changed) === JSON.stringify(one);
          assert.equal(digestOfWrites([...before, one]) === digestOfWrites([...before, changed]), same, name);
        }
        const isOrdered = JSON.stringify(one) !== JSON.stringify(other);
        assert.equal(digestOfWrites([one, other]) !== digestOfWrites([other, one]), isOrdered);
      }),
    );
  });

  it('does not depend on where a key ends and its value begins by chance', () => {
    const [a, b, ab, none] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(1, 2), new Uint8Array(0)];
    const digests = [
      [{ space: 'row', key: ab, value: none }],
      [{ space: 'row', key: a, value: b }],
      [{ space: 'row', key: none, value: ab }],
      [{ space: 'row', key: ab, value: undefined }],
      [],
    ].map((list) => digestOfWrites(list as Write[]));
    assert.equal(new Set(digests).size, digests.length);
  });

  it("covers a batch's writes: the application's, clients, rows put, rows deleted", () => {
    const client = fc.record({ clientId, acknowledged: fc.maxSafeNat() });
    const fullRow = fc.tuple(key, row).map(([name, value]) => ({ ...name, ...value }));
    fc.assert(
      fc.property(bytes, bytes, client, fullRow, key, (name, value, one, put, deleted) => {
        const application = [
          { type: 'put' as const, key: name, value },
          { type: 'delete' as const, key: value },
        ];
        const whole = computeWritesDigest(
          { application, clients: [one], rowsPut: [put], rowsDeleted: [deleted] },
          sha256,
        );
        const expected = digestOfWrites([
          { space: 'application', key: name, value },
          { space: 'application', key: value, value: undefined },
          { space: 'client', key: digestBytes(one.clientId), value: encodeClientTableClient(one) },
          { space: 'row', key: encodeClientTableKey(put), value: encodeClientTableRow(put) },
          { space: 'row', key: encodeClientTableKey(deleted), value: undefined },
        ]);
        assert.equal(whole, expected);
      }),
    );
  });
});
