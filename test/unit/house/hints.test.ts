import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SOURCES = resolve(import.meta.dirname, '../../../src');

/** A command in a message, as far as the first value that is put into it: `\`chmod 600 ${`. */
const COMMAND_WITH_VALUE = /\\`(?:sudo )?(?:npx|pbft|chmod|chown|chattr|rm|mv|cp|mkdir|mount|kill|ulimit)\b[^`\\]*\$\{/;

describe('commands in messages', () => {
  it('are made of quoted words, so that they can be copied whatever is in a path', () => {
    const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    assert.ok(files.length > 100);
    const unquoted = files.flatMap((file) =>
      readFileSync(join(SOURCES, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => (COMMAND_WITH_VALUE.test(line) ? [`${file}:${index + 1}: use shellCommand`] : [])),
    );
    assert.deepEqual(unquoted, []);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a source line would hold.
    assert.match('remedy: `Run \\`chmod 600 ${file}\\``', COMMAND_WITH_VALUE);
  });
});
