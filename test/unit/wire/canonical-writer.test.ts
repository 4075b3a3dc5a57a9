import { strict as assert } from 'node:assert';
import { sequence } from '../../../src/protocol/identifiers.js';
import type { Signed } from '../../../src/protocol/messages.js';
import { encodeBatch } from '../../../src/wire/batch-codec.js';
import { CanonicalWriter } from '../../../src/wire/canonical-writer.js';
import { encodeSigned } from '../../../src/wire/envelope.js';
import { frameOf } from '../../../src/wire/frame.js';
import { INTEGER_MAX } from '../../../src/wire/limits.js';
import { encodePeerMessage } from '../../../src/wire/peer-codec.js';
import { requestOf } from './arbitraries.js';
import { CLIENT, DIGEST, SIGNATURE, simpleRequest } from './support.js';

describe('wire: the writer', () => {
  it('refuses numbers that no reader takes: they are a bug of this program', () => {
    for (const value of [-1, 0.5, Number.NaN, INTEGER_MAX + 1, Number.POSITIVE_INFINITY]) {
      assert.throws(() => new CanonicalWriter().number(1, value), /can't be sent/);
    }
  });

  it('grows beyond the capacity that it was made with', () => {
    const long = new Uint8Array(1_000).fill(7);
    const bytes = new CanonicalWriter(1).number(1, 2).bytes(2, long).bytes(3, long).finish();
    assert.deepEqual([bytes.length, bytes[0], bytes.at(-1)], [2 + 2 * 1_003, 8, 7]);
  });

  it('copies what is long once: the codecs know the size before they write', () => {
    const batchBytes = new Uint8Array(200_000);
    const message = { type: 'prePrepare', view: 0, sequence: sequence(1), batchDigest: DIGEST } as const;
    const prePrepare = { message, sender: 0, payload: new Uint8Array(1), signature: SIGNATURE } as Signed as never;
    const proposal = encodePeerMessage({ kind: 'proposal', prePrepare, batchBytes });
    const entries = [1, 2, 3].map(() => ({ headerBytes: new Uint8Array(144), batchBytes }));
    const request = requestOf(
      { clientId: CLIENT, number: INTEGER_MAX, acknowledged: INTEGER_MAX - 1, operations: [batchBytes] },
      SIGNATURE,
    );
    const encoded = [
      proposal,
      request.bytes,
      encodeSigned({ ...(prePrepare as Signed), payload: batchBytes }),
      encodeBatch(INTEGER_MAX, [request, simpleRequest(1)]),
      frameOf([proposal, proposal, new Uint8Array(1)]),
      encodePeerMessage({ kind: 'committedBatch', batchBytes, commits: [] }),
      encodePeerMessage({ kind: 'request', bytes: request.bytes }),
      encodePeerMessage({ kind: 'fetchAnswer', id: INTEGER_MAX, answer: { kind: 'batch', batchBytes } }),
      encodePeerMessage({ kind: 'fetchAnswer', id: INTEGER_MAX, answer: { kind: 'ledger', entries } }),
    ];
    for (const [index, bytes] of encoded.entries()) {
      assert.ok(bytes.buffer.byteLength < bytes.length + 1_000, `${index}`);
    }
  });
});
