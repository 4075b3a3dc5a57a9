/**
 * Plays one scenario and prints what follows (docs/scenarios.md).
 *
 *     tsx test/scenario/main.ts FILE [--svg PICTURE]
 *
 * It ends with 0, with 1 where something else follows than the file expects, with 2 where it can't be played.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { chartOf } from './chart.js';
import { drawChart } from './picture.js';
import { playDraft } from './play.js';
import { parseScript } from './script.js';

const FOLDER = import.meta.dirname;

function listScenarios(): void {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));
  console.log('make scenario FILE=… plays a file; these are here:\n');
  for (const file of files.sort()) {
    const { title } = parseScript(readFileSync(join(FOLDER, file), 'utf8'));
    console.log(`  test/scenario/${file}\n      ${title}`);
  }
  console.log('\ndocs/scenarios.md leads through them, and says what commands there are.');
}

function playFile(file: string, picture: string | undefined): number {
  const { text, differences } = playDraft(readFileSync(file, 'utf8'));
  process.stdout.write(text);
  if (picture !== undefined) {
    const chart = chartOf(parseScript(text, true));
    writeFileSync(picture, drawChart(chart.title === '' ? { ...chart, title: basename(file) } : chart));
  }
  for (const difference of differences) {
    console.error(`${file}: ${difference}`);
  }
  return differences.length === 0 ? 0 : 1;
}

function main(): number {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { svg: { type: 'string' } } });
  const [file] = positionals;
  if (file === undefined) {
    listScenarios();
    return 0;
  }
  try {
    return playFile(file, values.svg);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`${file}: ${isMissing ? 'there is no such file or folder' : reason}`);
    return 2;
  }
}

// Whoever reads has read enough.
process.stdout.on('error', () => process.exit());
process.exitCode = main();
