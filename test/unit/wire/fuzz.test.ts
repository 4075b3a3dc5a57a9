import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { concatBytes } from '../../../src/util/bytes.js';
import { DECODERS } from './decoders.js';

const RUNS = { numRuns: 300 };

/** One small change at some place: a bit flipped, bytes cut out, doubled or put in, the end cut off. */
const mutation = fc.record({
  kind: fc.constantFrom('flip', 'remove', 'double', 'insert', 'truncate'),
  at: fc.nat(),
  length: fc.integer({ min: 1, max: 8 }),
  filling: fc.uint8Array({ minLength: 1, maxLength: 8 }),
});

function mutate(
  bytes: Uint8Array,
  change: { kind: string; at: number; length: number; filling: Uint8Array },
): Uint8Array {
  const at = change.at % bytes.length;
  const before = bytes.subarray(0, at);
  const piece = bytes.subarray(at, at + change.length);
  const after = bytes.subarray(at + change.length);
  switch (change.kind) {
    case 'flip': {
      const flipped = new Uint8Array(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (change.length - 1));
      return flipped;
    }
    case 'remove':
      return concatBytes([before, after]);
    case 'double':
      return concatBytes([before, piece, piece, after]);
    case 'insert':
      return concatBytes([before, change.filling, piece, after]);
    default:
      return before;
  }
}

describe('wire: a decoder', () => {
  for (const { name, bytes, decode } of DECODERS) {
    it(`never throws on random bytes (${name})`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
          decode(input);
        }),
        RUNS,
      );
    });

    it(`IV-01 never throws on a small change, and what it still takes has that one encoding only (${name})`, () => {
      fc.assert(
        fc.property(bytes, fc.array(mutation, { minLength: 1, maxLength: 3 }), (input, changes) => {
          fc.pre(input.length > 0);
          const changed = changes.reduce(
            (whole, change) => (whole.length === 0 ? whole : mutate(whole, change)),
            input,
          );
          const result = decode(changed);
          if (result.ok) {
            assert.deepEqual([...result.value], [...changed]);
          }
        }),
        RUNS,
      );
    });

    it(`says where and what when the bytes are cut off anywhere (${name})`, () => {
      fc.assert(
        fc.property(bytes, fc.nat(), (input, cut) => {
          fc.pre(input.length > 1);
          const result = decode(input.subarray(0, 1 + (cut % (input.length - 1))));
          if (!result.ok) {
            assert.notEqual(result.error.description, '');
          }
        }),
      );
    });

    it(`reads views on a part of a longer buffer, at any offset (${name})`, () => {
      fc.assert(
        fc.property(bytes, fc.uint8Array({ maxLength: 9 }), (input, padding) => {
          const whole = Buffer.concat([padding, input, padding]);
          const result = decode(whole.subarray(padding.length, padding.length + input.length));
          assert.ok(result.ok);
        }),
        { numRuns: 30 },
      );
    });
  }
});
