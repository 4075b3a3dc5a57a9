/**
 * A store that doesn't wait for the disk, for experiments and for the negative control that shows what syncing is for
 * (CR-06). A replica on it forgets what it promised when the power fails.
 */
import type { KeyValueStore } from '../ports/key-value-store.js';

/** The same store, with `sync` ignored. */
export function withoutSync(store: KeyValueStore): KeyValueStore {
  return {
    engine: store.engine,
    getMany: (keys, done) => store.getMany(keys, done),
    read: (range, done) => store.read(range, done),
    write: (operations, _options, done) => store.write(operations, { sync: false }, done),
    close: (done) => store.close(done),
  };
}
