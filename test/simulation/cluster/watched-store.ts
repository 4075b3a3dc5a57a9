/** A replica's real store, with the run's checks told of what is written and when it is durable. */
import type { ReplicaStore } from '../../../src/ports/replica-store.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { Observer } from '../checks/observer.js';
import type { SimulatedDisk } from '../machine/disk.js';
import type { ProcessLife } from '../machine/process-life.js';

/** What a watched store tells. */
export interface WatchedStoreOptions {
  readonly store: ReplicaStore;
  readonly disk: SimulatedDisk;
  readonly life: ProcessLife;
  readonly replica: ReplicaId;
  readonly observer: Required<Observer>;
}

/** The store as the replica gets it. */
export function watchStore({ store, disk, life, replica, observer }: WatchedStoreOptions): ReplicaStore {
  return {
    engine: store.engine,
    recover: (done) =>
      store.recover((result) => {
        if (result.ok) {
          observer.onRecovered(replica, result.value);
        }
        done(result);
      }),
    append: (records, done) => {
      for (const record of records) {
        observer.onAppended(replica, record);
      }
      store.append(records, (result) => {
        // Not what the store says counts but what a crash would leave.
        if (result.ok && disk.synced >= write) {
          for (const record of records) {
            observer.onDurable(replica, record);
          }
        }
        done(result);
      });
      const write = disk.issued;
    },
    commitExecution: (writes, done) => {
      store.commitExecution(writes, done);
      const write = disk.issued;
      // One whose process ended in this very call was never asked of the disk.
      if (!life.isOver) {
        observer.onExecuted(replica, writes, () => disk.synced >= write);
      }
    },
    discard: (...parameters) => store.discard(...parameters),
    readLastHeader: (...parameters) => store.readLastHeader(...parameters),
    readBatch: (...parameters) => store.readBatch(...parameters),
    readHeaders: (...parameters) => store.readHeaders(...parameters),
    readLedger: (...parameters) => store.readLedger(...parameters),
    readCheckpointCertificate: (...parameters) => store.readCheckpointCertificate(...parameters),
    readClientTable: (...parameters) => store.readClientTable(...parameters),
    getApplication: (...parameters) => store.getApplication(...parameters),
    readApplication: (...parameters) => store.readApplication(...parameters),
    readReservedNumber: (...parameters) => store.readReservedNumber(...parameters),
    reserveNumbers: (...parameters) => store.reserveNumbers(...parameters),
    close: (...parameters) => store.close(...parameters),
  };
}
