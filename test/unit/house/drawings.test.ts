/**
 * The drawings of docs/architecture.md show what .dependency-cruiser.cjs allows; its tables, and the page, name what is
 * there.
 *
 *     UPDATE_DRAWINGS=1 npx mocha test/unit/house/drawings.test.ts
 *
 * draws anew.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { type DrawnRoom, drawRooms } from '../../support/room-drawing.js';

const root = resolve(import.meta.dirname, '../../..');
const folder = join(root, 'docs/drawings');
const isUpdate = process.env['UPDATE_DRAWINGS'] === '1';

interface OuterRoom {
  readonly imports: readonly string[];
  readonly types?: readonly string[];
  readonly faces?: readonly string[];
  readonly loads?: readonly string[];
  readonly libraries?: readonly string[];
}

interface Tables {
  readonly rooms: Readonly<Record<string, OuterRoom>>;
  readonly runtimeRooms: Readonly<Record<string, readonly string[]>>;
  readonly runtimeShared: readonly string[];
  readonly runtimeWiring: readonly string[];
}

const { tables } = createRequire(import.meta.url)('../../../.dependency-cruiser.cjs') as { tables: Tables };

/** Names below a folder: folders, or files without their ending. */
function namesIn(path: string, kind: 'folders' | 'files'): readonly string[] {
  return readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() === (kind === 'folders'))
    .map(({ name }) => name.replace(/\.ts$/, ''))
    .sort();
}

function houseRooms(): readonly DrawnRoom[] {
  return Object.entries(tables.rooms).map(([name, { imports, types, faces, loads, libraries }]) => ({
    name,
    note: (libraries ?? []).filter((library) => !/^(?:@grpc\/(?!grpc-js)|grpc-|pino-)/.test(library)).join(', '),
    imports,
    types: types ?? [],
    faces: faces ?? [],
    loads: loads ?? [],
  }));
}

function runtimeRooms(): readonly DrawnRoom[] {
  const inner = Object.entries(tables.runtimeRooms);
  const shared = tables.runtimeShared.join(', ');
  return [
    {
      name: 'on top',
      note: tables.runtimeWiring.join(', '),
      imports: inner.map(([name]) => name),
      types: [],
      faces: [],
      loads: [],
    },
    ...inner.map(([name, imports]) => ({
      name,
      note: '',
      imports: [...imports, 'shared'],
      types: [],
      faces: [],
      loads: [],
    })),
    { name: 'shared', note: shared, imports: [], types: [], faces: [], loads: [] },
  ];
}

describe('the drawings of the house', () => {
  const drawings = {
    house: drawRooms('The rooms of src/, and who may import whom', houseRooms()),
    runtime: drawRooms('The rooms of src/runtime/, and who may import whom', runtimeRooms()),
  };
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');

  for (const [name, drawing] of Object.entries(drawings)) {
    it(`show in docs/drawings/${name}.svg what the rules allow now`, () => {
      const path = join(folder, `${name}.svg`);
      if (isUpdate) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(path, drawing);
      }
      const drawn = existsSync(path) ? readFileSync(path, 'utf8') : '';
      assert.ok(drawn === drawing, `stale: UPDATE_DRAWINGS=1 npx mocha test/unit/house/drawings.test.ts`);
      assert.ok(page.includes(`(drawings/${name}.svg)`), `docs/architecture.md shows drawings/${name}.svg`);
    });
  }

  it('change with the rules: one permission more is another drawing', () => {
    const more = houseRooms().map((room) =>
      room.name === 'crypto' ? { ...room, imports: [...room.imports, 'storage'] } : room,
    );
    assert.notEqual(drawRooms('', more), drawRooms('', houseRooms()));
  });

  it('stand on a page that names only files that are there', () => {
    const named = [...page.matchAll(/`((?:src|test|proto)\/[\w./-]+)`/g)].flatMap(([, path]) => path ?? []);
    assert.ok(named.length > 50);
    assert.deepEqual(
      named.filter((path) => !existsSync(join(root, path))),
      [],
    );
  });

  it('show every folder of src/ and src/runtime/, and what lies on its top', () => {
    assert.deepEqual(namesIn('src', 'folders'), Object.keys(tables.rooms).sort());
    assert.deepEqual(namesIn('src/runtime', 'folders'), Object.keys(tables.runtimeRooms).sort());
    assert.deepEqual(namesIn('src/runtime', 'files'), [...tables.runtimeShared, ...tables.runtimeWiring].sort());
  });
});
