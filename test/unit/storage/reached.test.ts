/** How far a store had come is known some seconds later also where its process is killed, and nobody waits for it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyValueStore } from '../../../src/ports/key-value-store.js';
import { logGroupKey } from '../../../src/storage/key-space.js';
import { openLevelDb } from '../../../src/storage/leveldb-engine.js';
import { decodeReached, encodeReached, findOlderFile } from '../../../src/storage/reached.js';
import { createRecordedStore } from '../../../src/storage/reached-recorder.js';
import { utf8 } from '../../../src/util/bytes.js';
import { eventually } from '../../support/cluster-deadline.js';
import { openEngine, succeeded, TemporaryDirectories } from '../../support/storage.js';

const FILES = { folder: 'store', manifest: 'MANIFEST-000004', manifestBytes: 100, newestLog: 7 };

describe('how far a store had come', () => {
  const directories = new TemporaryDirectories();
  after(() => directories.remove());

  async function recordedStore(): Promise<{ directory: string; store: KeyValueStore }> {
    const directory = await directories.create();
    const engine = await openEngine(openLevelDb, join(directory, 'store'));
    const options = { directory, storeFolder: 'store', logGroup: 3, behindMs: 20 };
    return { directory, store: await createRecordedStore(engine, options) };
  }

  const reachedIn = async (directory: string): Promise<number> => {
    const reached = decodeReached(await readFile(join(directory, 'reached.json'), 'utf8'));
    assert.ok(reached.ok, reached.ok ? '' : reached.error);
    return reached.value.logGroup;
  };

  const write = (store: KeyValueStore, group: number, sync: boolean): Promise<void> =>
    succeeded<void>((done) =>
      store.write([{ type: 'put', key: logGroupKey(group), value: utf8('group') }], { sync }, done),
    );

  it('FU-01: is written at the opening, a moment after a synced group, and at the end', async () => {
    const { directory, store } = await recordedStore();
    assert.equal(await reachedIn(directory), 3);
    await write(store, 4, true);
    await eventually(async () => (await reachedIn(directory)) === 4, {
      withinMs: 5_000,
      describe: () => 'not written',
    });
    await write(store, 5, true);
    await succeeded<void>((done) => store.close(done));
    assert.equal(await reachedIn(directory), 5);
  });

  it('counts nothing that a power failure may take away', async () => {
    const { directory, store } = await recordedStore();
    await write(store, 4, true);
    await write(store, 5, false);
    await succeeded<void>((done) => store.close(done));
    assert.equal(await reachedIn(directory), 4);
  });

  it('FU-01: shows an older manifest, a shorter one, and a write-ahead log that is gone', () => {
    const now = { manifest: FILES.manifest, sizeBytes: 100, newestLog: 7 };
    assert.equal(findOlderFile(FILES, now), undefined);
    assert.equal(findOlderFile(FILES, { manifest: 'MANIFEST-000011', sizeBytes: 1, newestLog: 12 }), undefined);
    assert.match(findOlderFile(FILES, { ...now, manifest: 'MANIFEST-000003' }) ?? '', /an older one, MANIFEST-000003/);
    assert.match(findOlderFile(FILES, { ...now, sizeBytes: 99 }) ?? '', /has 99 bytes and had 100/);
    assert.match(findOlderFile(FILES, { ...now, newestLog: 6 }) ?? '', /is number 6 and had been 7/);
  });

  it('is read back as it was written, and nothing else is taken for it', () => {
    const reached = { logGroup: 9, files: FILES };
    const text = encodeReached(reached);
    assert.deepEqual(decodeReached(text), { ok: true, value: reached });
    for (const other of [
      '',
      'null',
      '[]',
      '{}',
      text.replace('9', '-9'),
      text.replace('7', '1.5'),
      text.replace('9', '"9"'),
    ]) {
      assert.equal(decodeReached(other).ok, false, other);
    }
  });
});
