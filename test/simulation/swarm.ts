/**
 * Seeds beyond the fixed ones, as many as wanted: every report is written down as it comes, so that a swarm goes on
 * where it was stopped and all runs add up.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SeedReport } from './report.js';

/** The seeds of a swarm begin here, above the fixed ones. */
const FIRST_SEED = 1_000_000;

/** The reports of all swarms so far. */
export class SwarmLog {
  /** Of earlier runs, one a seed: the last. */
  readonly earlier: readonly SeedReport[];

  constructor(private readonly path: string) {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    const reports = lines.filter((line) => line !== '').flatMap(parseReport);
    this.earlier = [...new Map(reports.map((report) => [report.seed, report])).values()];
  }

  /** The seed after all that were run. */
  get nextSeed(): number {
    return this.earlier.reduce((next, { seed }) => Math.max(next, seed + 1), FIRST_SEED);
  }

  /** Writes a report down. */
  add(report: SeedReport): void {
    mkdirSync(dirname(this.path), { recursive: true });
    appendFileSync(this.path, `${JSON.stringify(report)}\n`);
  }
}

/** A line that a stopped run left in half is no report. */
function parseReport(line: string): SeedReport[] {
  try {
    return [JSON.parse(line) as SeedReport];
  } catch {
    return [];
  }
}
