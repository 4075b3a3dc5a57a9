import { strict as assert } from 'node:assert';
import { sha256 } from '../../../src/crypto/hash.js';
import type { Result } from '../../../src/util/result.js';
import { decodeBatch } from '../../../src/wire/batch-codec.js';
import { decodeEnvelope, encodeEnvelope } from '../../../src/wire/envelope.js';
import { decodeHeaderStatement } from '../../../src/wire/header-statement-codec.js';
import { decodeHello } from '../../../src/wire/hello-codec.js';
import type { Malformed } from '../../../src/wire/malformed.js';
import { decodePayload } from '../../../src/wire/message-codec.js';
import { decodeRequest } from '../../../src/wire/request-codec.js';
import { bytesOf, RESULTS, readVectors } from '../../support/encoding-vectors.js';

const LIMITS = {
  replicaCount: 4,
  windowSize: 256,
  checkpointInterval: 128,
  batchOperationsMax: 1_000,
  batchBytesMax: 2 ** 21,
  requestBytesMax: 2 ** 20,
};

/** The published bytes of a payload are taken by the decoder of their kind. */
function decodeVector(kind: string, bytes: Uint8Array, value: unknown): Result<unknown, Malformed> | undefined {
  switch (kind) {
    case 'hello':
      return decodeHello(bytes);
    case 'headerStatement':
      return decodeHeaderStatement(bytes);
    case 'signedMessage':
      return decodeEnvelope(bytes);
    case 'batch':
      return decodeBatch(bytes, LIMITS, sha256);
    case 'request': {
      const { clientId } = value as { clientId: never };
      const signature = Uint8Array.of(1);
      const sender = { kind: 'client', clientId } as const;
      return decodeRequest(encodeEnvelope({ type: 'request', sender, payload: bytes, signature }), LIMITS, sha256);
    }
    case 'prePrepare':
    case 'prepare':
    case 'commit':
    case 'checkpoint':
    case 'status':
    case 'viewChange':
    case 'newView':
      return decodePayload(kind, bytes, LIMITS);
    default:
      return undefined;
  }
}

describe('wire: the published vectors', () => {
  const vectors = readVectors();

  it('have at least one of each kind', () => {
    const kinds = new Set(vectors.map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), Object.keys(RESULTS).sort());
  });

  for (const [index, { kind, value, result }] of vectors.entries()) {
    it(`are what the code makes: ${index}, ${kind}`, () => {
      assert.deepEqual(RESULTS[kind]?.(value as never), result);
      if (typeof result === 'object' && result !== null && 'bytes' in result) {
        const decoded = decodeVector(kind, bytesOf(String(result.bytes)), value);
        assert.ok(decoded === undefined || decoded.ok);
      }
    });
  }
});
