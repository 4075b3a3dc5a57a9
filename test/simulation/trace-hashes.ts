/**
 * The trace hashes of the fixed seeds, kept in trace-hashes.txt: a change that moves no behaviour leaves them all as they
 * are. Seeds with real RSA signatures are left out: PSS is salted, and their traces differ from run to run.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { SeedReport } from './report.js';

const FILE = new URL('trace-hashes.txt', import.meta.url);
const HEAD = `# Trace hashes of the fixed seeds and of seeds.txt, without those with real signatures, whose traces are salted.
# \`make simulate HASHES=check\` compares, \`HASHES=write\` writes this file: with the commit that means to change behaviour.
`;

/** What is done with the hashes of a campaign. */
export const HASH_MODES = ['check', 'write'] as const;

/** One of them. */
export type HashMode = (typeof HASH_MODES)[number];

/** Gathers the hashes of a campaign, then compares or writes them. */
export class TraceHashes {
  private readonly found = new Map<number, string>();

  constructor(private readonly mode: HashMode) {}

  /** Adds a seed. */
  add({ seed, traceHash, hasRealSignatures }: SeedReport): void {
    if (!hasRealSignatures) {
      this.found.set(seed, traceHash);
    }
  }

  /** Ends the campaign; returns whether the hashes are those that were kept, and says which aren't. */
  conclude(): boolean {
    if (this.mode === 'write') {
      writeFileSync(FILE, HEAD + linesOf(this.found));
      console.log(`trace hashes     ${this.found.size} written`);
      return true;
    }
    const kept = readKept();
    const seeds = [...new Set([...kept.keys(), ...this.found.keys()])];
    const differing = seeds
      .filter((seed) => kept.get(seed) !== this.found.get(seed))
      .sort((left, right) => left - right);
    console.log(
      `trace hashes     ${seeds.length - differing.length} as kept, ${differing.length} not` +
        (differing.length === 0 ? '' : `: seeds ${differing.join(', ')}`),
    );
    return differing.length === 0;
  }
}

function linesOf(hashes: ReadonlyMap<number, string>): string {
  return [...hashes]
    .sort(([left], [right]) => left - right)
    .map(([seed, hash]) => `${seed} ${hash}\n`)
    .join('');
}

function readKept(): ReadonlyMap<number, string> {
  const text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '';
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [seed = '', hash = ''] = line.split(' ');
      return [Number(seed), hash];
    }),
  );
}
