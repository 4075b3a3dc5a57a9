import assert from 'node:assert/strict';
import { equalBytes } from '../../../src/util/bytes.js';
import { judgeExecuted, PutContent, type Reader, readBack, WrittenPuts } from '../../bench/written.js';

const RANDOM = Uint8Array.from({ length: PutContent.randomBytesNeeded(16) }, (_, index) => (index * 31) ^ (index >> 3));
const content = new PutContent(16, RANDOM);

/** Three callers with ten puts each, whose versions count from 65,536. */
function write(): WrittenPuts {
  const written = new WrittenPuts();
  for (let put = 0; put < 30; put++) {
    written.acknowledge({ measurement: 1, caller: put % 3, index: Math.floor(put / 3) }, 65_536 + put);
  }
  return written;
}

type Stored = Awaited<ReturnType<Reader['get']>>;

/** A replica that has all that was written, but for what `spoil` changes. */
function replicaOf(
  written: WrittenPuts,
  spoil: (key: string, stored: Stored) => Stored = (_, stored) => stored,
): Reader {
  const rows = new Map<string, Stored>();
  for (const put of written.sample(1_000)) {
    const place = { sequence: 1, view: 0, headerDigest: undefined };
    rows.set(content.key(put), { ...place, value: content.value(put), version: put.version });
  }
  return {
    get: (key) => {
      const stored = rows.get(key);
      return stored === undefined ? Promise.reject(new Error('no such key')) : Promise.resolve(spoil(key, stored));
    },
  };
}

const KEY = content.key({ measurement: 1, caller: 2, index: 9 });

async function faultsWhere(spoil: (stored: Stored) => Stored): Promise<readonly string[]> {
  const written = write();
  const spoilt = replicaOf(written, (key, stored) => (key === KEY ? spoil(stored) : stored));
  const readers = new Map([
    [0, replicaOf(written)],
    [3, spoilt],
  ]);
  return readBack(written.sample(1_000), readers, content);
}

describe('what the benchmark puts', () => {
  it('has keys of one length, each another, and neighbours with other values', () => {
    const first = { measurement: 0, caller: 0, index: 0 };
    const later = [
      { ...first, index: 99_999 },
      { ...first, caller: 9_999 },
      { ...first, measurement: 200 },
    ];
    assert.equal(new Set([first, ...later].map((name) => content.key(name))).size, 4);
    assert.ok(later.every((name) => content.key(name).length === content.key(first).length));
    assert.ok(!equalBytes(content.value(first), content.value({ ...first, index: 1 })));
    assert.equal(content.value({ ...first, index: 4_092 }).length, 16);
  });
});

describe('the proof that nothing was lost', () => {
  it('finds nothing where every replica has everything', async () => {
    assert.deepEqual(await faultsWhere((stored) => stored), []);
  });

  it('names a put that a replica has lost', async () => {
    const [fault, ...others] = await faultsWhere((stored) => ({ ...stored, value: undefined, version: 0 }));
    assert.equal(fault, `replica 3 has lost ${KEY}, acknowledged with version 65565`);
    assert.equal(others.length, 0);
  });

  it('names a put that was executed again, and one with another value', async () => {
    const again = await faultsWhere((stored) => ({ ...stored, version: stored.version + 1 }));
    assert.match(again.join(), /^replica 3 has .* with version 65566, acknowledged with version 65565$/);
    const other = await faultsWhere((stored) => ({ ...stored, value: new Uint8Array(16) }));
    assert.match(other.join(), /^replica 3 has .* with another value, acknowledged with version 65565$/);
  });

  it('names what a replica does not give', async () => {
    const written = write();
    const faults = await readBack(written.sample(1_000), new Map([[2, replicaOf(new WrittenPuts())]]), content);
    assert.equal(faults.length, 30);
    assert.match(faults[0] ?? '', /^replica 2 does not give .*: no such key$/);
  });

  it('samples about as many as it is told, and the last of each caller', () => {
    const written = write();
    assert.equal(written.sample(30).length, 30);
    // Every seventh of thirty.
    const few = written.sample(4);
    assert.equal(few.length, 4 + 3);
    for (const caller of [0, 1, 2]) {
      assert.ok(few.some((put) => put.caller === caller && put.index === 9 && put.version === 65_536 + 27 + caller));
    }
  });

  it('leaves out what was not acknowledged', () => {
    const written = new WrittenPuts();
    written.acknowledge({ measurement: 0, caller: 0, index: 2 }, 70_000);
    assert.deepEqual(written.sample(10), [{ measurement: 0, caller: 0, index: 2, version: 70_000 }]);
    assert.equal(written.countRepeatedVersions(), 0);
  });

  it('counts puts that were acknowledged with the version of another', () => {
    const written = write();
    assert.equal(written.countRepeatedVersions(), 0);
    written.acknowledge({ measurement: 2, caller: 0, index: 0 }, 65_540);
    assert.equal(written.countRepeatedVersions(), 1);
  });

  it('wants as many executed as acknowledged, and at most those of unknown outcome besides', () => {
    assert.deepEqual(judgeExecuted(30, { acknowledged: 30, unknown: 0 }), []);
    assert.deepEqual(judgeExecuted(32, { acknowledged: 30, unknown: 2 }), []);
    assert.equal(judgeExecuted(29, { acknowledged: 30, unknown: 2 }).length, 1);
    assert.equal(judgeExecuted(33, { acknowledged: 30, unknown: 2 }).length, 1);
    assert.equal(judgeExecuted(Number.NaN, { acknowledged: 30, unknown: 2 }).length, 1);
  });
});
