/**
 * A process that writes groups of a replica's log and other entries into a data directory until it is killed, and says after
 * each synced one how far it is. Its arguments are the directory, the engine and how long an entry is.
 */
import { logGroupKey } from '../../src/storage/key-space.js';
import { readNewestGroup } from '../../src/storage/store-binding.js';
import { IDENTITY, tryOpen } from './data-directory.js';
import { succeeded } from './storage.js';

const [directory = '', engine = '', entryBytes = '1000'] = process.argv.slice(2);

const opened = await tryOpen({ directory, engine: engine === 'rocksdb' ? 'rocksdb' : 'leveldb', identity: IDENTITY });
if (!opened.ok) {
  throw new Error(opened.error.message);
}
const { store } = opened.value;
const newest = await readNewestGroup(store);
for (let group = newest.ok ? newest.value + 1 : 1; ; group++) {
  const operations = [
    { type: 'put' as const, key: logGroupKey(group), value: new Uint8Array(100) },
    { type: 'put' as const, key: Uint8Array.of(9, group % 50), value: new Uint8Array(Number(entryBytes)).fill(group) },
  ];
  await succeeded<void>((done) => store.write(operations, { sync: true }, done));
  process.send?.(group);
}
