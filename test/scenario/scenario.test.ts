/**
 * Scripted runs (docs/testing.md, Scenarios): each text file beside this one is played on real cores, and what follows
 * each command must be exactly what stands below it. UPDATE_SCENARIOS=1 writes what followed into the files instead.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Player } from './player.js';
import { parseScript, renderScript, type Step } from './script.js';

const folder = import.meta.dirname;
const isUpdate = process.env['UPDATE_SCENARIOS'] === '1';
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort();

function play(text: string): string {
  const script = parseScript(text);
  const player = new Player();
  const actual = new Map<Step, readonly string[]>();
  for (const part of script.parts) {
    if (part.kind === 'step') {
      try {
        actual.set(part, player.play(part.command));
      } catch (error) {
        throw new Error(`line ${part.line}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
  }
  player.finish();
  return renderScript(script, actual);
}

describe('scenarios', () => {
  for (const file of files) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    it(`${file}: ${parseScript(text).title}`, () => {
      const actual = play(text);
      if (isUpdate) {
        writeFileSync(path, actual);
      } else {
        assert.equal(actual, text, 'npm run scenario:update writes what follows now');
      }
    });
  }
});

describe('a scenario', () => {
  it('fails where anything else follows than what it expects', () => {
    const expected = play('# One request.\ncluster 4\n----\nok\n\nask 0 a1\n----\nok\n\nrun\n----\nok\n');
    assert.match(expected, /^0 1 2 3: executes sequence 1: \[a1\]$/m);
    const spoilt = expected.replace('[a1]', '[a2]');
    assert.notEqual(play(spoilt), spoilt);
    assert.equal(play(spoilt), expected, 'and an update mends it');
  });

  it('names the line of a command that it does not know or that lacks something', () => {
    const cluster = '# Wrong.\n\ncluster 4\n----\nok\n\n';
    assert.throws(() => play(`${cluster}dance 0\n----\nok\n`), /^Error: line 7: "dance 0": there is no such command$/);
    assert.throws(() => play(`${cluster}ask 0\n----\nok\n`), /line 7: "ask 0": it needs a request/);
    assert.throws(() => play(`${cluster}run 3\n----\nok\n`), /line 7: "run 3": "3" means nothing to it/);
    assert.throws(() => play('# Wrong.\nrun\n----\nok\n'), /line 2: "run": it needs a cluster/);
    assert.throws(() => play('# Wrong.\nrun\n'), /line 2: the command "run" has no "----" below it/);
    assert.throws(() => play('run\n----\nok\n'), /line 1: a scenario begins with a comment/);
  });
});
