/** A planted bug says which rule it breaks and who must notice, or is refused. */
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import type { HuntReport } from '../../planted-bugs/hunt.js';
import { PatchedCopy } from '../../planted-bugs/patched-copy.js';
import { parsePlantedBug, readPlantedBugs } from '../../planted-bugs/planted-bug.js';
import { computeMedian, formatTable } from '../../planted-bugs/table.js';

const CHECKOUT = resolve(import.meta.dirname, join('..', '..', '..'));
const DIFF = '\n--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1 +1 @@\n-one\n+two\n';

function parse(head: string, path = 'patches/no-rule.patch') {
  return parsePlantedBug(path, `${head}\n${DIFF}`);
}

describe('a planted bug', () => {
  it('is named by its file and has a rule and a catcher', () => {
    assert.deepEqual(parse('Rule: protocol.md 4: one\nCaught by: simulator\nSeed: 17'), {
      name: 'no-rule',
      path: 'patches/no-rule.patch',
      rule: 'protocol.md 4: one',
      catcher: { kind: 'simulator', quickSeed: 17 },
    });
    assert.deepEqual(parse('Rule: r\nCaught by: test/unit/a.test.ts').catcher, {
      kind: 'test',
      file: 'test/unit/a.test.ts',
    });
  });

  it('is refused without a head, a diff or a name in kebab-case', () => {
    assert.throws(() => parse('Rule: r'), /needs "Rule" and "Caught by"/);
    assert.throws(() => parse('Rule: r\nCaught by: simulator\nSeed: none'), /"none" is no seed/);
    assert.throws(() => parse('Rule: r\nSomething else'), /"Something else" is no line of a head/);
    assert.throws(() => parse('Rule: r\nCaught by: simulator', 'patches/No_Rule.patch'), /kebab-case/);
    assert.throws(() => parsePlantedBug('patches/no-diff.patch', 'Rule: r\nCaught by: simulator\n'), /a diff/);
  });

  it('is one of at least 32, and its patch fits the code as it is', function () {
    this.timeout(60_000);
    const bugs = readPlantedBugs(join(CHECKOUT, 'test', 'planted-bugs', 'patches'));
    assert.ok(bugs.length >= 32, `${bugs.length} bugs`);
    const copy = new PatchedCopy(CHECKOUT);
    const refusals = bugs.map(({ name, path }) => {
      const refusal = copy.plant(path);
      copy.restore();
      return refusal === undefined ? [] : [`${name}: ${refusal}`];
    });
    copy.remove();
    assert.deepEqual(refusals.flat(), []);
  });
});

describe('the table of planted bugs', () => {
  const bug = parse('Rule: a | b\nCaught by: simulator');
  const report = (verdict: HuntReport['verdict']): HuntReport => ({ bug, verdict, wallMs: 2_400 });

  it('has the median of the seeds, and says what is not caught', () => {
    const caught = report({ kind: 'caught', by: 'invariant 4', shown: 'seed 9: text', seeds: [9, 1, 3] });
    const byTest = report({ kind: 'caught', by: 'test/paper/a-4.4.test.ts', shown: 'a title', seeds: [] });
    const missed = report({ kind: 'missed', reason: 'nothing\nshows' });
    assert.deepEqual(formatTable([caught, byTest, missed]).split('\n').slice(2), [
      '| no-rule | a \\| b | invariant 4 | 3 |',
      '| no-rule | a \\| b | paper/a-4.4 |  |',
      '| no-rule | a \\| b | NOT CAUGHT: nothing shows |  |',
    ]);
  });

  it('takes the lower of two middle values', () => {
    assert.deepEqual([computeMedian([]), computeMedian([4, 2]), computeMedian([5, 1, 9])], [undefined, 2, 5]);
  });
});
