/**
 * A process that opens a data directory again and again with few file descriptors left, and prints what came of each. Its
 * arguments are the directory and the engine; whoever starts it limits its descriptors.
 */
import { closeSync, openSync } from 'node:fs';
import { findIn, IDENTITY, tryOpen } from './data-directory.js';
import { succeeded } from './storage.js';

const [directory = '', engine = ''] = process.argv.slice(2);
const LEFT_MAX = 40;

/** Takes every descriptor but some. */
function starve(leftCount: number): readonly number[] {
  const taken: number[] = [];
  try {
    for (;;) {
      taken.push(openSync('/dev/null', 'r'));
    }
  } catch {
    for (const descriptor of taken.splice(-leftCount, leftCount)) {
      closeSync(descriptor);
    }
    return taken;
  }
}

const name = engine === 'rocksdb' ? 'rocksdb' : 'leveldb';
// Loads all there is, and finds whether the engine can be used.
await findIn(directory, name);
const results: string[] = [];
for (let left = 1; left <= LEFT_MAX; left++) {
  const taken = starve(left);
  const opened = await tryOpen({ directory, engine: name, identity: IDENTITY });
  results.push(opened.ok ? 'opened' : opened.error.message);
  for (const descriptor of taken) {
    closeSync(descriptor);
  }
  if (opened.ok) {
    await succeeded<void>((done) => opened.value.store.close(done));
  }
}
const last = await findIn(directory, name);
process.stdout.write(JSON.stringify({ results, last: last.ok ? 'opened' : last.error.message }));
