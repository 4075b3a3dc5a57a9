/** The core's state has owners: each field is written by one file, the one that state.ts names. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROTOCOL = fileURLToPath(new URL('../../../src/protocol/', import.meta.url));

/** Files that own things of which there are many, not fields of the one state. */
const OWN_PARTS = ['peers.ts', 'request-pool.ts', 'slot.ts', 'view-change-log.ts', 'view-state.ts'];

function read(file: string): string {
  return readFileSync(`${PROTOCOL}${file}`, 'utf8');
}

/** The fields that state.ts says are written by each file. */
function statedOwners(): ReadonlyMap<string, readonly string[]> {
  const body = /export interface CoreState \{\n([\s\S]*?)\n\}/.exec(read('state.ts'))?.[1] ?? '';
  const owners = new Map<string, string[]>();
  let fields: string[] = [];
  for (const line of body.split('\n')) {
    const owner = /^ {2}\/\/ ([a-z-]+\.ts)$/.exec(line)?.[1];
    const field = /^ {2}readonly (\w+):/.exec(line)?.[1];
    if (/^ {2}\/\/ /.test(line)) {
      fields = [];
    }
    if (owner !== undefined) {
      owners.set(owner, fields);
    }
    if (field !== undefined) {
      fields.push(field);
    }
  }
  return owners;
}

/** The fields that a file asks to write. */
function ownedFields(file: string): readonly string[] {
  return [...read(file).matchAll(/Owned<\s*Pick<CoreState,\s*([^>]*)>/g)].flatMap(([, names = '']) =>
    [...names.matchAll(/'(\w+)'/g)].flatMap(([, name]) => name ?? []),
  );
}

describe('the state of the core', () => {
  it('is written by the owners that it names, each field by one', () => {
    const stated = [...statedOwners()].filter(([file]) => !OWN_PARTS.includes(file));
    assert.ok(stated.length >= 10, 'state.ts names owners');
    const found = readdirSync(PROTOCOL)
      .map((file) => [file, [...ownedFields(file)].sort()] as const)
      .filter(([, fields]) => fields.length > 0);
    const byFile = (left: readonly [string, unknown], right: readonly [string, unknown]): number =>
      left[0] < right[0] ? -1 : 1;
    assert.deepEqual(
      found.sort(byFile),
      stated.map(([file, fields]) => [file, [...fields].sort()] as const).sort(byFile),
    );
  });

  it('is got at by nobody else', () => {
    const owners = [...statedOwners().keys(), ...OWN_PARTS];
    const users = readdirSync(PROTOCOL).filter((file) => read(file).includes('util/owned.js'));
    assert.deepEqual(
      users.filter((file) => !owners.includes(file)),
      [],
    );
  });
});
