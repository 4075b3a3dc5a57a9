/**
 * The short form of the attacks by callers (`make attack` measures more): one caller asks one replica of a real cluster
 * for hundreds of costly reads at a time. Memory, neighbours, others and the view stay as they are.
 *
 * How much others get done is judged with much room: tests share their machine. docs/security.md has the figures.
 */
import assert from 'node:assert/strict';
import type { Attack } from './attack/attack.js';
import { localRanges } from './attack/local-ranges.js';
import { type AttackFigures, measureAttack } from './attack/measure.js';
import { longNeighbours } from './attack/ordered-reads.js';

const WITHIN_MS = 240_000;
const MEMORY_BYTES_MAX = 600 * 1_048_576;
const KEPT_MIN = 1 / 4;

async function attackShortly(attack: Attack): Promise<AttackFigures> {
  const figures = await measureAttack(attack, { callers: 16, windowMs: 4_000 });
  assert.ok(figures.targetBytes < MEMORY_BYTES_MAX, `the attacked replica took ${figures.targetBytes} bytes`);
  assert.ok(figures.othersBytes < MEMORY_BYTES_MAX, `another replica took ${figures.othersBytes} bytes`);
  assert.ok(figures.during > figures.before * KEPT_MIN, `${figures.before} puts a second, then ${figures.during}`);
  assert.equal(figures.failedCalls, 0);
  assert.ok(figures.targetIsBack);
  assert.ok(!figures.viewChanged);
  return figures;
}

describe('a caller who asks for much', () => {
  it('FU-03: takes neither the memory of a replica nor others’ throughput by hundreds of local Ranges', async function () {
    this.timeout(WITHIN_MS);
    const { tally } = await attackShortly(localRanges);
    assert.ok((tally['answered'] ?? 0) > 0, 'some of the ranges are answered');
  });

  it('FU-04, FU-05: takes neither neighbours’ answers nor others’ throughput by hundreds of ordered Ranges', async function () {
    this.timeout(WITHIN_MS);
    const { tally } = await attackShortly(longNeighbours);
    assert.equal(tally['neighboursFailed'], 0);
    assert.ok((tally['neighboursServed'] ?? 0) > 0 && (tally['answered'] ?? 0) > 0);
  });
});
