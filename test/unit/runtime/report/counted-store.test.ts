import assert from 'node:assert/strict';
import type { Completion, StoreError } from '../../../../src/ports/key-value-store.js';
import type { ReplicaStore } from '../../../../src/ports/replica-store.js';
import { sequence } from '../../../../src/protocol/identifiers.js';
import { countStoreErrors } from '../../../../src/runtime/report/counted-store.js';
import { GENESIS_DIGEST } from '../../../support/core-cluster.js';
import { FakeMetrics } from '../fakes.js';

const KEY = new Uint8Array(1);
const ONE = sequence(1);

/** Every call of the port, with the name under which its failure is counted. */
const CALLS: Readonly<
  Record<
    Exclude<keyof ReplicaStore, 'engine'>,
    readonly [string, (store: ReplicaStore, done: Completion<unknown>) => void]
  >
> = {
  recover: ['recover', (store, done) => store.recover(done)],
  readLastHeader: ['recover', (store, done) => store.readLastHeader(done)],
  readClientTable: ['recover', (store, done) => store.readClientTable(done)],
  append: ['append', (store, done) => store.append([], done)],
  discard: ['discard', (store, done) => store.discard(ONE, done)],
  commitExecution: ['execute', (store, done) => store.commitExecution([], done)],
  readBatch: ['read', (store, done) => store.readBatch(ONE, GENESIS_DIGEST, done)],
  readHeaders: ['read', (store, done) => store.readHeaders(ONE, ONE, done)],
  readLedger: ['read', (store, done) => store.readLedger({ first: ONE, last: ONE, bytesMax: 1 }, done)],
  readCheckpointCertificate: ['read', (store, done) => store.readCheckpointCertificate(ONE, done)],
  getApplication: ['read', (store, done) => store.getApplication([KEY], done)],
  readApplication: ['read', (store, done) => store.readApplication({ first: KEY, end: undefined, limit: 1 }, done)],
  readReservedNumber: ['reserve', (store, done) => store.readReservedNumber(done)],
  reserveNumbers: ['reserve', (store, done) => store.reserveNumbers(1, done)],
  close: ['close', (store, done) => store.close(done)],
};

/** A store in which every call ends in the same way, and what it was called with. */
function storeThat(
  result: { ok: true; value: unknown } | { ok: false; error: StoreError },
  calls: unknown[][],
): ReplicaStore {
  const methods = Object.keys(CALLS).map((name) => [
    name,
    (...parameters: unknown[]) => {
      const done = parameters.pop() as Completion<unknown>;
      calls.push([name, ...parameters]);
      done(result);
    },
  ]);
  return { engine: 'fake', ...Object.fromEntries(methods) };
}

describe('the counted store', () => {
  for (const [name, [operation, call]] of Object.entries(CALLS)) {
    it(`counts a failure of ${name} as one of ${operation}, and passes it on`, () => {
      const metrics = new FakeMetrics();
      const failure = { ok: false, error: { code: 'io', message: 'gone' } } as const;
      const results: unknown[] = [];
      call(countStoreErrors(storeThat(failure, []), metrics), (result) => results.push(result));
      assert.deepEqual(results, [failure]);
      assert.deepEqual([...metrics.counts], [[`pbft_storage_errors_total ${operation}`, 1]]);
    });

    it(`passes ${name} on as it is where it succeeds`, () => {
      const metrics = new FakeMetrics();
      const [plain, counted]: [unknown[][], unknown[][]] = [[], []];
      const success = { ok: true, value: 'value' } as const;
      const results: unknown[] = [];
      call(storeThat(success, plain), () => undefined);
      call(countStoreErrors(storeThat(success, counted), metrics), (result) => results.push(result));
      assert.deepEqual([results, counted, metrics.counts.size], [[success], plain, 0]);
    });
  }
});
