import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { decodePeerMessage, encodePeerMessage } from '../../../src/wire/peer-codec.js';
import { commit, LIMITS, peerOutput, prePrepare, signed } from './arbitraries.js';

describe('wire: memory', () => {
  it('is not kept for a whole frame by a small message in it', () => {
    fc.assert(
      fc.property(peerOutput, (output) => {
        const message = encodePeerMessage(output);
        const frame = new Uint8Array(1_000_000 + message.length);
        frame.set(message, 500_000);
        const decoded = decodePeerMessage(frame.subarray(500_000, 500_000 + message.length), LIMITS);
        assert.ok(decoded.ok);
        for (const { buffer } of bytesIn(decoded.value)) {
          assert.ok(buffer.byteLength <= message.length);
        }
      }),
    );
  });

  it('is not kept for a whole batch by the votes that came with it', () => {
    const batchBytes = new Uint8Array(LIMITS.batchBytesMax);
    fc.assert(
      fc.property(signed(prePrepare), signed(commit), (first, second) => {
        for (const message of [
          encodePeerMessage({ kind: 'proposal', prePrepare: first, batchBytes }),
          encodePeerMessage({ kind: 'committedBatch', batchBytes, commits: [second] }),
        ]) {
          const decoded = decodePeerMessage(message, LIMITS);
          assert.ok(decoded.ok);
          const [batch, votes] = [bytesIn(decoded.value), bytesIn({ ...decoded.value, batchBytes: undefined })];
          assert.ok(batch.some(({ buffer }) => buffer === message.buffer));
          assert.equal(votes.length, 2);
          assert.ok(votes.every(({ buffer }) => buffer.byteLength < 1_000));
        }
      }),
      { numRuns: 20 },
    );
  });
});

function bytesIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) {
    return [value];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(bytesIn) : [];
}
