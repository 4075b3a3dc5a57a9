/** A replica's store whose failures are counted, by what it was asked for; it does the same otherwise. */
import type { Completion } from '../../ports/key-value-store.js';
import type { Metrics, StorageOperation } from '../../ports/metrics.js';
import type { ReplicaStore } from '../../ports/replica-store.js';

/** Counts the failures of `store` in pbft_storage_errors_total. */
export function countStoreErrors(store: ReplicaStore, metrics: Metrics): ReplicaStore {
  const counting =
    <T>(operation: StorageOperation, done: Completion<T>): Completion<T> =>
    (result) => {
      if (!result.ok) {
        metrics.increment('pbft_storage_errors_total', { operation });
      }
      done(result);
    };
  return {
    engine: store.engine,
    recover: (done) => store.recover(counting('recover', done)),
    append: (records, done) => store.append(records, counting('append', done)),
    discard: (lowWatermark, done) => store.discard(lowWatermark, counting('discard', done)),
    commitExecution: (writes, done) => store.commitExecution(writes, counting('execute', done)),
    readLastHeader: (done) => store.readLastHeader(counting('recover', done)),
    readBatch: (sequence, digest, done) => store.readBatch(sequence, digest, counting('read', done)),
    readHeaders: (first, last, done) => store.readHeaders(first, last, counting('read', done)),
    readLedger: (range, done) => store.readLedger(range, counting('read', done)),
    readCheckpointCertificate: (atLeast, done) => store.readCheckpointCertificate(atLeast, counting('read', done)),
    readClientTable: (done) => store.readClientTable(counting('recover', done)),
    getApplication: (keys, done) => store.getApplication(keys, counting('read', done)),
    readApplication: (range, done) => store.readApplication(range, counting('read', done)),
    readReservedNumber: (done) => store.readReservedNumber(counting('reserve', done)),
    reserveNumbers: (upTo, done) => store.reserveNumbers(upTo, counting('reserve', done)),
    close: (done) => store.close(counting('close', done)),
  };
}
