import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { shellCommand, shellWord } from '../../../src/util/shell.js';

describe('commands to copy', () => {
  it('leave ordinary words as they are', () => {
    for (const word of ['status', '--dir', '.cluster', '/tmp/a-b/c_d.e', '127.0.0.1:7400', 'replica-0=10.0.0.1']) {
      assert.equal(shellWord(word), word);
    }
  });

  it('say in a shell what they say here, whatever is in them', () => {
    const words = [
      '',
      'a b',
      '[::1]:7400',
      "it's",
      '"',
      '$HOME',
      '`id`',
      '*',
      '~',
      'a\\b',
      'x;y',
      '=x',
      'ä',
      '\n',
      '-n',
      '!',
    ];
    const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${shellCommand(...words)}`]).toString('utf8');
    assert.deepEqual(printed.split('\0').slice(0, -1), words);
  });
});
