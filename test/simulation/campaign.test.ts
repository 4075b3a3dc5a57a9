/** Making failures small, and swarms that add up. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SeedReport } from './report.js';
import { runSeed } from './run.js';
import { type ShrinkableOutcome, shrink } from './shrink.js';
import { SwarmLog } from './swarm.js';

describe('a failing run', () => {
  it('shrinks to the faults that its failure needs', () => {
    const run = (leftOut: ReadonlySet<number>): ShrinkableOutcome => ({
      plannedParts: 6,
      violation: leftOut.has(1) || leftOut.has(4) ? undefined : { invariant: 1, text: '' },
    });
    assert.deepEqual([...shrink(run(new Set()), run).leftOut], [0, 2, 3, 5]);
  });

  it('keeps a fault without which another invariant breaks', () => {
    const run = (leftOut: ReadonlySet<number>): ShrinkableOutcome => ({
      plannedParts: 2,
      violation: { invariant: leftOut.has(0) ? 15 : 1, text: '' },
    });
    assert.deepEqual([...shrink(run(new Set()), run).leftOut], [1]);
  });
});

describe('a swarm', () => {
  let directory: string;
  let path: string;
  const { traceLines: _, ...outcome } = { ...runSeed({ seed: 20, keepsTrace: false }) };
  const report = (seed: number): SeedReport => ({ ...outcome, seed, wallMs: 1 });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-swarm-'));
    path = join(directory, 'cache', 'swarm.jsonl');
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it('goes on after the last seed, and adds up over runs', () => {
    const first = new SwarmLog(path);
    assert.equal(first.nextSeed, 1_000_000);
    first.add(report(1_000_000));
    first.add(report(1_000_001));
    const second = new SwarmLog(path);
    assert.equal(second.nextSeed, 1_000_002);
    second.add(report(1_000_002));
    assert.deepEqual(
      new SwarmLog(path).earlier.map(({ seed }) => seed),
      [1_000_000, 1_000_001, 1_000_002],
    );
  });

  it('counts a seed that ran twice once, and what a stopped run left in half not at all', () => {
    const log = new SwarmLog(path);
    log.add(report(1_000_000));
    log.add(report(1_000_000));
    appendFileSync(path, '{"seed":1000001,"viol');
    assert.deepEqual(
      new SwarmLog(path).earlier.map(({ seed }) => seed),
      [1_000_000],
    );
  });
});
