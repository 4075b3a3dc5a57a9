/**
 * FU-01: each file of a data directory deleted, emptied, cut, or put back from an older copy, one by one and in groups.
 * A replica refuses to start, or finds everything. The only other outcome is that everything is from one older moment:
 * the files can't show that, and peers' statements must.
 */
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RecoveredState } from '../../../src/protocol/log-record.js';
import { probeRocksDb } from '../../../src/storage/engine-choice.js';
import { ENGINE_NAMES } from '../../../src/storage/engine-name.js';
import { createReplicaStore } from '../../../src/storage/replica-store.js';
import { findIn, IDENTITY, live, tryOpen } from '../../support/data-directory.js';
import { skip } from '../../support/skip.js';
import { filesOf, makeNewborn, succeeded, TemporaryDirectories } from '../../support/storage.js';
import { evidenceRecord, lifeUpTo, OPTIONS } from '../../support/storage-records.js';

const DAMAGES = ['deleted', 'emptied', 'cut in half', 'put back from an older copy'] as const;
type Damage = (typeof DAMAGES)[number];

/** Refused, or nothing is lost by it. */
type Outcome = 'refused' | 'nothing lost';

/** What becomes of it, by what is damaged: an outcome for all damages, or one each. */
const FILES: Readonly<Record<string, Outcome | Readonly<Record<Damage, Outcome>>>> = {
  'identity.json': {
    deleted: 'refused',
    emptied: 'refused',
    'cut in half': 'refused',
    'put back from an older copy': 'nothing lost',
  },
  'reached.json': {
    deleted: 'refused',
    emptied: 'refused',
    'cut in half': 'refused',
    'put back from an older copy': 'nothing lost',
  },
  'store/CURRENT': 'refused',
  'store/MANIFEST': 'refused',
  'store/log': 'refused',
  'store/table': 'refused',
  'store/LOCK': 'nothing lost',
  'store/LOG': 'nothing lost',
  'store/IDENTITY': 'nothing lost',
  'store/OPTIONS': 'nothing lost',
};

/** LevelDB has none of these. */
const ONLY_ROCKSDB: ReadonlySet<string> = new Set(['store/IDENTITY', 'store/OPTIONS']);

/** Several kinds at once. `store` is the whole folder. */
const GROUPS: readonly (readonly [kinds: readonly string[], damage: Damage, Outcome | 'as it was'])[] = [
  [['store'], 'deleted', 'refused'],
  [['store'], 'emptied', 'refused'],
  [['store'], 'put back from an older copy', 'refused'],
  [['store/CURRENT', 'store/MANIFEST'], 'deleted', 'refused'],
  [['store/CURRENT', 'store/MANIFEST'], 'put back from an older copy', 'refused'],
  [['store/CURRENT', 'store/MANIFEST', 'store/table'], 'put back from an older copy', 'refused'],
  [['store/CURRENT', 'store/MANIFEST', 'store/log'], 'put back from an older copy', 'refused'],
  [['store/log', 'store/table'], 'deleted', 'refused'],
  [['store/log', 'store/table'], 'emptied', 'refused'],
  [['store/log', 'reached.json'], 'deleted', 'refused'],
  [['store/table', 'reached.json'], 'deleted', 'refused'],
  [['store/log', 'identity.json'], 'deleted', 'refused'],
  [['store', 'identity.json'], 'deleted', 'refused'],
  [['store', 'reached.json'], 'deleted', 'refused'],
  [['identity.json', 'reached.json'], 'deleted', 'refused'],
  [['identity.json', 'reached.json'], 'emptied', 'refused'],
  [['identity.json', 'reached.json', 'store'], 'deleted', 'refused'],
  [['identity.json', 'reached.json', 'store'], 'emptied', 'refused'],
  // Everything that votes stand in is from one older moment: only peers can know.
  [['reached.json', 'store'], 'put back from an older copy', 'as it was'],
  [['identity.json', 'reached.json', 'store'], 'put back from an older copy', 'as it was'],
];

/** What a file is, without the numbers in its name. */
function kindOf(name: string): string {
  return name
    .replace(/\d+\.log$/, 'log')
    .replace(/\d+\.(?:ldb|sst)$/, 'table')
    .replace(/(MANIFEST|OPTIONS|LOG)[-.].*$/, '$1');
}

async function filesOfKind(directory: string, kind: string): Promise<readonly string[]> {
  return [...(await filesOf(directory)).keys()].filter((name) => kindOf(name) === kind || name.startsWith(`${kind}/`));
}

async function damageKind(directory: string, older: string, kind: string, damage: Damage): Promise<void> {
  for (const name of await filesOfKind(directory, kind)) {
    const path = join(directory, name);
    if (damage === 'emptied') {
      await writeFile(path, '');
    } else if (damage === 'cut in half') {
      await truncate(path, (await readFile(path)).length >> 1);
    } else {
      await rm(path);
    }
  }
  if (damage === 'put back from an older copy') {
    for (const name of await filesOfKind(older, kind)) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await cp(join(older, name), join(directory, name));
    }
  } else if (damage === 'deleted' && kind === 'store') {
    await rm(join(directory, kind), { recursive: true });
  }
}

for (const engine of ENGINE_NAMES) {
  describe(`lost files of a data directory with ${engine}`, function () {
    this.timeout(60_000);
    const directories = new TemporaryDirectories();
    let whole: string;
    let older: string;
    let all: unknown;
    let earlier: unknown;

    before(async function () {
      const reason = engine === 'rocksdb' ? await probeRocksDb() : undefined;
      if (reason !== undefined) {
        skip(this, reason);
      }
      const actions = lifeUpTo(14);
      const third = Math.floor(actions.length / 3);
      whole = join(await directories.create(), 'data');
      await makeNewborn(whole, IDENTITY);
      await live(whole, engine, actions.slice(0, third));
      older = await directories.copyOf(whole);
      await live(whole, engine, actions.slice(third, 2 * third));
      await live(whole, engine, actions.slice(2 * third));
      const found = await findIn(await directories.copyOf(whole), engine);
      const foundBefore = await findIn(await directories.copyOf(older), engine);
      assert.ok(found.ok && foundBefore.ok);
      [all, earlier] = [found.value, foundBefore.value];
      assert.notDeepEqual(all, earlier);
    });
    after(() => directories.remove());

    async function judge(kinds: readonly string[], damage: Damage, outcome: Outcome | 'as it was'): Promise<void> {
      const copy = await directories.copyOf(whole);
      for (const kind of kinds) {
        await damageKind(copy, older, kind, damage);
      }
      const found = await findIn(copy, engine);
      if (outcome === 'refused') {
        assert.ok(!found.ok, 'it started');
        assert.match(found.error.code, /^(?:lost|corrupt|refused)$/, found.error.message);
        const again = await findIn(copy, engine);
        assert.ok(!again.ok, 'the second start finds nothing wrong');
      } else {
        assert.ok(found.ok, found.ok ? '' : found.error.message);
        assert.deepEqual(found.value, outcome === 'as it was' ? earlier : all);
      }
      await rm(copy, { recursive: true });
    }

    it('FU-01: are all looked at: no file is of a kind that this test does not know', async () => {
      const found = new Set([...(await filesOf(whole)).keys()].map(kindOf));
      assert.deepEqual([...found].sort(), kinds.filter((kind) => found.has(kind)).sort());
    });

    const kinds = Object.keys(FILES).filter((kind) => engine === 'rocksdb' || !ONLY_ROCKSDB.has(kind));
    for (const kind of kinds) {
      const outcomes = FILES[kind] ?? 'refused';
      for (const damage of DAMAGES) {
        const outcome = typeof outcomes === 'string' ? outcomes : outcomes[damage];
        it(`FU-01: ${outcome} where ${kind} was ${damage}`, () => judge([kind], damage, outcome));
      }
    }

    for (const [kinds, damage, outcome] of GROUPS) {
      it(`FU-01: ${outcome} where ${kinds.join(', ')} were ${damage}`, () => judge(kinds, damage, outcome));
    }

    it('FU-01: refused where the log of a process that was just killed is missing, with whatever else is', async () => {
      const running = await directories.copyOf(whole);
      const opened = await tryOpen({ directory: running, engine, identity: IDENTITY });
      assert.ok(opened.ok);
      const store = createReplicaStore(opened.value.store, OPTIONS);
      await succeeded<RecoveredState>((done) => store.recover(done));
      await succeeded<void>((done) => store.append([evidenceRecord(15)], done));
      for (const kinds of [['store/log'], ['store/log', 'process-id'], ['store/log', 'store/LOCK', 'store/LOG']]) {
        const killed = await directories.copyOf(running);
        for (const kind of kinds) {
          await damageKind(killed, older, kind, 'deleted');
        }
        const found = await findIn(killed, engine);
        assert.ok(!found.ok, `it started without ${kinds.join(', ')}`);
        assert.match(found.error.message, /is not as it was|is missing/);
      }
      const untouched = await findIn(await directories.copyOf(running), engine);
      assert.ok(untouched.ok, untouched.ok ? '' : untouched.error.message);
      await succeeded<void>((done) => store.close(done));
    });

    it('FU-01: refused where any one of the write-ahead logs or tables is missing', async () => {
      for (const name of await readdir(join(whole, 'store'))) {
        if (/\.(?:log|ldb|sst)$/.test(name)) {
          const copy = await directories.copyOf(whole);
          await rm(join(copy, 'store', name));
          const found = await findIn(copy, engine);
          assert.ok(!found.ok, `it started without ${name}`);
        }
      }
    });
  });
}
