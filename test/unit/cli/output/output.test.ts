import assert from 'node:assert/strict';
import { type Context, wantsColours } from '../../../../src/cli/context.js';
import { valueCell, valueText } from '../../../../src/cli/output/answers.js';
import { createColours, harmless, widthOf } from '../../../../src/cli/output/colours.js';
import { readLogLine } from '../../../../src/cli/output/log-line.js';
import { formatTable } from '../../../../src/cli/output/table.js';

const ESCAPE = String.fromCharCode(27);
const PLAIN = createColours(false);
const COLOURED = createColours(true);

function contextWith(isInteractive: boolean): Context {
  return { out: () => {}, note: () => {}, colours: PLAIN, isInteractive, environment: {}, exitCode: 0 };
}

describe('colours', () => {
  it('are for terminals, and not for those who do not want them', () => {
    assert.equal(wantsColours(true, {}), true);
    assert.equal(wantsColours(false, {}), false);
    assert.equal(wantsColours(true, { NO_COLOR: '1' }), false);
    assert.equal(wantsColours(true, { NO_COLOR: '' }), true);
    assert.equal(wantsColours(true, { TERM: 'dumb' }), false);
  });

  it('change nothing where they are off, and no width where they are on', () => {
    assert.equal(PLAIN.red('text'), 'text');
    assert.notEqual(COLOURED.red('text'), 'text');
    assert.equal(widthOf(COLOURED.ofReplica(3, 'text')), 4);
    assert.notEqual(COLOURED.ofReplica(0, 'x'), COLOURED.ofReplica(1, 'x'));
  });
});

describe('a table', () => {
  it('aligns its columns, with colours and without', () => {
    const rows = (colours: typeof PLAIN) => [
      [colours.green('a'), '1', 'first'],
      ['longer', '22', 'second'],
    ];
    const expected = 'name    n   what\na       1   first\nlonger  22  second\n';
    assert.equal(formatTable(['name', 'n', 'what'], rows(PLAIN), PLAIN), expected);
    const coloured = formatTable(['name', 'n', 'what'], rows(COLOURED), COLOURED);
    assert.equal(coloured.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, 'g'), ''), expected);
  });

  it('shows the beginning of a long value, on one line', () => {
    assert.equal(valueCell('a\nb\tc'), 'a b c');
    assert.equal(valueCell('x'.repeat(500)), `${'x'.repeat(120)}… (500 characters)`);
    assert.equal(valueCell(Uint8Array.of(0, 255)), 'AP8=');
  });
});

describe('the text of others', () => {
  it('commands no terminal', () => {
    assert.equal(harmless(`a${ESCAPE}[2Jb\u009b1m\tc\n`), 'a\\u001b[2Jb\\u009b1m\tc\n');
    assert.equal(valueText(`${ESCAPE}c`, contextWith(true)), '\\u001bc');
  });

  it('is left as it is in a pipe', () => {
    assert.equal(valueText(`${ESCAPE}c`, contextWith(false)), `${ESCAPE}c`);
  });
});

describe("a line of a replica's log", () => {
  const record = {
    level: 'warn',
    time: '2026-01-02T03:04:05.678Z',
    replica: 1,
    name: 'MS',
    peer: '2',
    detail: 'two words',
    message: 'peer link ended',
  };

  it('is short for people', () => {
    const line = readLogLine(JSON.stringify(record), PLAIN);
    assert.equal(line.text, '03:04:05.678 WARN  peer link ended peer=2 detail="two words"');
    assert.equal(line.level, 'warn');
  });

  it('is shown as it is where it is no record, but commands no terminal', () => {
    assert.deepEqual(readLogLine('{"no": "record"}', PLAIN), {
      text: '{"no": "record"}',
      level: undefined,
      message: '{"no": "record"}',
    });
    assert.equal(readLogLine(`{${ESCAPE}`, PLAIN).text, '{\\u001b');
  });

  it('commands no terminal with what a record says', () => {
    const text = readLogLine(JSON.stringify({ ...record, message: `${ESCAPE}[2J`, detail: `${ESCAPE}` }), PLAIN).text;
    assert.ok(!text.includes(ESCAPE));
  });
});
