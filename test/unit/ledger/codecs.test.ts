import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { sha256 } from '../../../src/crypto/hash.js';
import * as table from '../../../src/ledger/client-table-codec.js';
import { ByteReader, ByteWriter } from '../../../src/ledger/encoding.js';
import {
  computeHeaderDigest,
  decodeHeader,
  encodeHeader,
  HEADER_BYTES,
  isNextHeader,
} from '../../../src/ledger/header-codec.js';
import { computeResultsDigest, encodeLeaf, LEAF_BYTES } from '../../../src/ledger/leaf.js';
import { equalBytes, toHex } from '../../../src/util/bytes.js';
import type { Digest } from '../../../src/util/digest.js';
import { header, key, leaf, results, row } from './arbitraries.js';

/** Each field that differs makes another encoding. */
function assertEveryFieldCounts<T extends object>(values: fc.Arbitrary<T>, encode: (value: T) => Uint8Array): void {
  fc.assert(
    fc.property(values, values, (value, other) => {
      for (const name of Object.keys(value) as (keyof T)[]) {
        const changed = { ...value, [name]: other[name] };
        const isSame = JSON.stringify(value[name]) === JSON.stringify(other[name]);
        assert.equal(equalBytes(encode(value), encode(changed)), isSame, String(name));
      }
    }),
  );
}

/** Bytes of any origin either don't decode or are the one encoding of what they decode to. */
function assertOneEncoding<T>(
  bytes: fc.Arbitrary<Uint8Array>,
  decode: (bytes: Uint8Array) => T | undefined,
  encode: (value: T) => Uint8Array,
): void {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(bytes, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([whole, at, byte]) => {
      const changed = new Uint8Array(whole);
      changed[at % whole.length] = byte;
      return changed;
    }),
    fc.tuple(bytes, fc.nat()).map(([whole, length]) => whole.subarray(0, length % whole.length)),
    bytes.map((whole) => Uint8Array.of(...whole, 0)),
  );
  fc.assert(
    fc.property(anything, (input) => {
      const value = decode(input);
      if (value !== undefined) {
        assert.equal(toHex(encode(value)), toHex(input));
      }
    }),
    { numRuns: 500 },
  );
}

describe('ledger: a header', () => {
  it('has 144 bytes and comes back as it was', () => {
    fc.assert(
      fc.property(header, (value) => {
        const bytes = encodeHeader(value);
        assert.equal(bytes.length, HEADER_BYTES);
        assert.deepEqual(decodeHeader(bytes), value);
      }),
    );
  });

  it('changes its encoding and digest with every field', () => {
    assertEveryFieldCounts(header, encodeHeader);
    assertEveryFieldCounts(header, (value) => Buffer.from(computeHeaderDigest(value, sha256)));
  });

  it('has one encoding, and nothing else decodes', () => {
    assertOneEncoding(header.map(encodeHeader), decodeHeader, encodeHeader);
  });

  it('has a sequence from 1, and IV-03 no number above 2^53 - 1', () => {
    const zeros = new Uint8Array(HEADER_BYTES);
    assert.equal(decodeHeader(zeros), undefined);
    const one = Uint8Array.from(zeros);
    one[7] = 1;
    assert.equal(decodeHeader(one)?.sequence, 1);
    const tooLarge = Uint8Array.from(one);
    tooLarge[1] = 0x20;
    assert.equal(decodeHeader(tooLarge), undefined);
    const largest = Uint8Array.from(zeros).fill(0xff, 2, 8);
    largest[1] = 0x1f;
    assert.equal(decodeHeader(largest)?.sequence, Number.MAX_SAFE_INTEGER);
  });

  it('is the next of one only with its sequence and digest; the first names the genesis', () => {
    fc.assert(
      fc.property(header, header, (value, previous) => {
        const genesis = { sequence: 0, headerDigest: value.previousHeaderDigest };
        assert.ok(isNextHeader({ ...value, sequence: 1 }, genesis));
        assert.ok(!isNextHeader({ ...value, sequence: 2 }, genesis));
        const headerDigest = computeHeaderDigest(previous, sha256);
        const next = { ...value, sequence: previous.sequence + 1, previousHeaderDigest: headerDigest };
        assert.ok(isNextHeader(next, { sequence: previous.sequence, headerDigest }));
        assert.ok(
          !isNextHeader(
            { ...next, previousHeaderDigest: value.batchDigest },
            { sequence: previous.sequence, headerDigest },
          ),
        );
      }),
    );
  });
});

describe('ledger: a leaf', () => {
  it('has 105 bytes that change with every field', () => {
    fc.assert(fc.property(leaf, (value) => assert.equal(encodeLeaf(value).length, LEAF_BYTES)));
    assertEveryFieldCounts(leaf, encodeLeaf);
  });

  it('has a digest of results that tells every list of results from every other', () => {
    fc.assert(
      fc.property(results, results, (left, right) => {
        const same = JSON.stringify(left) === JSON.stringify(right);
        assert.equal(computeResultsDigest(left, sha256) === computeResultsDigest(right, sha256), same);
      }),
    );
    const [a, b, none] = [Uint8Array.of(1), Uint8Array.of(2), new Uint8Array(0)];
    const digests = [[], [none], [a, b], [b, a], [Uint8Array.of(1, 2)], [a, b, none], [none, a, b]].map((list) =>
      computeResultsDigest(list, sha256),
    );
    assert.equal(new Set(digests).size, digests.length);
  });
});

describe('ledger: the client table', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(key, row, (name, value) => {
        assert.deepEqual(table.decodeClientTableKey(table.encodeClientTableKey(name)), name);
        assert.deepEqual(table.decodeClientTableRow(table.encodeClientTableRow(value)), value);
        const client = { acknowledged: name.number };
        assert.deepEqual(table.decodeClientTableClient(table.encodeClientTableClient(client)), client);
      }),
    );
  });

  it('is summed up without its results', () => {
    fc.assert(
      fc.property(row, (value) => {
        const { results: kept, ...head } = value;
        const keptResultBytes = (kept ?? []).reduce((sum, result) => sum + result.length, 0);
        const summary = table.decodeClientTableRowSummary(table.encodeClientTableRow(value));
        assert.deepEqual(summary, { ...head, keptResultBytes });
      }),
    );
  });

  it('has one encoding, and nothing else decodes', () => {
    assertOneEncoding(row.map(table.encodeClientTableRow), table.decodeClientTableRow, table.encodeClientTableRow);
    assertOneEncoding(key.map(table.encodeClientTableKey), table.decodeClientTableKey, table.encodeClientTableKey);
  });

  it('changes with every field of a row', () => {
    assertEveryFieldCounts(row, table.encodeClientTableRow);
  });

  it('orders its rows by client, then number', () => {
    fc.assert(
      fc.property(key, key, (left, right) => {
        const byBytes = Math.sign(Buffer.compare(table.encodeClientTableKey(left), table.encodeClientTableKey(right)));
        const byId = left.clientId < right.clientId ? -1 : left.clientId > right.clientId ? 1 : 0;
        assert.equal(byBytes, byId === 0 ? Math.sign(left.number - right.number) : byId);
        const next = { ...left, number: right.number };
        assert.equal(
          Math.sign(Buffer.compare(table.encodeClientTableKey(left), table.encodeClientTableKey(next))),
          Math.sign(left.number - right.number),
        );
      }),
    );
  });

  it('is not read beyond its bytes where a row lies about the number of its results', () => {
    const bytes = Uint8Array.from(
      table.encodeClientTableRow({
        requestDigest: '00'.repeat(32) as Digest,
        outcome: 1,
        sequence: 1,
        leafIndex: 0,
        path: [],
        resultsDigest: '00'.repeat(32) as Digest,
        results: [],
      }),
    );
    bytes.fill(0xff, bytes.length - 4);
    assert.equal(table.decodeClientTableRow(bytes), undefined);
    assert.equal(table.decodeClientTableRowSummary(bytes), undefined);
  });
});

describe('ledger: the fixed encoding', () => {
  it('writes numbers big-endian, and refuses to write what does not fit', () => {
    const bytes = new ByteWriter(1)
      .u8(0xab)
      .u32(0xdeadbeef)
      .u64(2 ** 53 - 1)
      .domain('ab')
      .finish();
    assert.equal(toHex(bytes), 'abdeadbeef001fffffffffffff000000026162');
    for (const value of [-1, 256, 0.5, Number.NaN]) {
      assert.throws(() => new ByteWriter().u8(value));
    }
    for (const value of [-1, 2 ** 32, 0.5, Number.NaN]) {
      assert.throws(() => new ByteWriter().u32(value));
    }
    for (const value of [-1, 2 ** 53, 0.5, Number.NaN]) {
      assert.throws(() => new ByteWriter().u64(value));
    }
  });

  it('reads what it wrote, to the last byte', () => {
    const bytes = new ByteWriter().u8(1).u32(2).u64(3).lengthPrefixed(Uint8Array.of(4)).finish();
    const reader = new ByteReader(bytes);
    const read = [reader.u8(), reader.u32(), reader.u64(), [...reader.lengthPrefixed()]];
    assert.deepEqual(reader.finish(read), [1, 2, 3, [4]]);
    assert.equal(new ByteReader(bytes).finish('nothing read'), undefined);
    const beyond = new ByteReader(bytes);
    beyond.raw(bytes.length + 1);
    assert.equal(beyond.finish('read beyond'), undefined);
  });
});
