import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import { sequence } from '../../../../src/protocol/identifiers.js';
import { BatchBodies, type BatchBody } from '../../../../src/runtime/execution/batch-bodies.js';
import { utf8 } from '../../../../src/util/bytes.js';
import type { Digest } from '../../../../src/util/digest.js';
import { decodeBatch, NULL_BATCH_BYTES } from '../../../../src/wire/batch-codec.js';
import { heldBytesOf } from '../../../support/held.js';
import { bodyOf, FakeExecutionStore, FakeLoop, LIMITS, requestOf } from '../fakes.js';

const ONE = sequence(1);

function bench(bytesMax = 1_000_000): { bodies: BatchBodies; store: FakeExecutionStore; loop: FakeLoop } {
  const loop = new FakeLoop();
  const store = new FakeExecutionStore(loop);
  const bodies = new BatchBodies({ store, decode: (bytes) => decodeBatch(bytes, LIMITS, sha256), bytesMax });
  return { bodies, store, loop };
}

function batch(number: number, operationBytes = 10): BatchBody {
  return bodyOf(1, [requestOf({ number, operations: [new Uint8Array(operationBytes), utf8('x')] })]);
}

function put(bodies: BatchBodies, body: BatchBody): Digest {
  bodies.put(body.batch, body.requests);
  return body.batch.digest;
}

describe('batch bodies', () => {
  it('gives back what was put, and calls at once', () => {
    const { bodies } = bench();
    const body = batch(1);
    put(bodies, body);
    let loaded: BatchBody | undefined;
    bodies.load(ONE, body.batch.digest, (result) => {
      loaded = result.ok ? result.value : undefined;
    });
    assert.deepEqual(loaded, body);
  });

  it('always has the null batch, without requests', () => {
    const { bodies } = bench();
    assert.deepEqual(bodies.get(sha256(NULL_BATCH_BYTES))?.requests, []);
    assert.equal(heldBytesOf(bodies), 0);
  });

  it('stays within its bound, evicting what was not used longest and is in the store', () => {
    const { bodies } = bench(25_000);
    const digests = [1, 2, 3, 4].map((number) => put(bodies, batch(number, 5_000)));
    const [first, second, third, fourth] = digests as [Digest, Digest, Digest, Digest];
    for (const digest of digests) {
      bodies.markPending(ONE, digest);
    }
    bodies.markPersisted(ONE, second);
    bodies.markPersisted(ONE, third);
    assert.ok(bodies.get(second) !== undefined);
    put(bodies, batch(5, 5_000));
    assert.ok(heldBytesOf(bodies) <= 25_000);
    assert.equal(bodies.get(third), undefined);
    for (const digest of [first, second, fourth]) {
      assert.ok(bodies.get(digest) !== undefined);
    }
  });

  it('evicts first what is not even on its way to the store: what a peer sent and nobody took crowds out nothing', () => {
    const { bodies } = bench(25_000);
    for (let number = 1; number <= 10; number++) {
      put(bodies, batch(number, 5_000));
    }
    const taken = [11, 12, 13].map((number) => {
      const digest = put(bodies, batch(number, 5_000));
      bodies.markPending(sequence(number), digest);
      bodies.markPersisted(sequence(number), digest);
      return digest;
    });
    assert.deepEqual(
      taken.map((digest) => bodies.get(digest) !== undefined),
      [true, true, true],
    );
    const waiting = put(bodies, batch(14, 5_000));
    bodies.markPending(sequence(14), waiting);
    put(bodies, batch(15, 5_000));
    put(bodies, batch(16, 5_000));
    assert.ok(bodies.get(waiting) !== undefined);
    assert.ok(heldBytesOf(bodies) <= 25_000);
  });

  it('evicts even what the store lacks where such bodies alone exceed the bound', () => {
    const { bodies } = bench(12_000);
    const [first, , third] = [1, 2, 3].map((number) => put(bodies, batch(number, 5_000))) as [Digest, Digest, Digest];
    assert.ok(heldBytesOf(bodies) <= 12_000);
    assert.equal(bodies.get(first), undefined);
    assert.ok(bodies.get(third) !== undefined);
  });

  it('keeps the body used last, however large', () => {
    const { bodies } = bench(100);
    assert.ok(bodies.get(put(bodies, batch(1, 5_000))) !== undefined);
    const second = put(bodies, batch(2, 5_000));
    assert.ok(bodies.get(second) !== undefined);
    assert.ok(heldBytesOf(bodies) < 10_000);
  });

  it('counts each body once', () => {
    const { bodies } = bench();
    put(bodies, batch(1));
    const sizeBytes = heldBytesOf(bodies);
    put(bodies, batch(1));
    bodies.markPersisted(ONE, batch(1).batch.digest);
    put(bodies, batch(1));
    assert.equal(heldBytesOf(bodies), sizeBytes);
  });

  it('knows for each sequence whether the batch is on its way to the store', () => {
    const { bodies } = bench();
    const digest = put(bodies, batch(1));
    bodies.markPending(sequence(1), digest);
    bodies.markPending(sequence(2), digest);
    bodies.markPersisted(sequence(1), digest);
    assert.ok(!bodies.isPending(sequence(1), digest));
    assert.ok(bodies.isPending(sequence(2), digest));
    assert.ok(!bodies.isPending(sequence(3), digest));
  });

  it('loads from the store and keeps it', () => {
    const { bodies, store, loop } = bench();
    const body = batch(1);
    store.batches.set(`1 ${body.batch.digest}`, body.batch.bytes);
    let loaded: BatchBody | undefined;
    bodies.load(ONE, body.batch.digest, (result) => {
      loaded = result.ok ? result.value : undefined;
    });
    loop.run();
    assert.equal(loaded?.batch.digest, body.batch.digest);
    assert.deepEqual(
      loaded?.requests.map(({ number, operations }) => [number, operations.length]),
      [[1, 2]],
    );
    assert.equal(bodies.get(body.batch.digest), loaded);
  });

  it('says that a batch is nowhere, and that stored bytes are another batch', () => {
    const { bodies, store, loop } = bench();
    const digest = batch(1).batch.digest;
    const outcomes: string[] = [];
    const load = (): void =>
      bodies.load(ONE, digest, (result) => {
        outcomes.push(result.ok ? `${result.value}` : result.error.code);
      });
    load();
    loop.run();
    store.batches.set(`1 ${digest}`, batch(2).batch.bytes);
    load();
    loop.run();
    store.batches.set(`1 ${digest}`, utf8('no batch'));
    load();
    loop.run();
    store.failure = { code: 'io', message: 'gone' };
    load();
    loop.run();
    assert.deepEqual(outcomes, ['undefined', 'corrupt', 'corrupt', 'io']);
  });
});
