/** The cases of networks and primaries that must be shown (docs/testing.md), each as a run with a plan of its own. */
import assert from 'node:assert/strict';
import type { StrategyName } from '../../src/adversary/adversary.js';
import { DirectedRun, directions } from './directed.js';

const all = (count: number): number[] => Array.from({ length: count }, (_, id) => id);

describe('a bad network', () => {
  for (const replicaCount of [4, 7]) {
    it(`NET-01: answers three windows of requests through loss, delay, disorder and repetition (n = ${replicaCount})`, function () {
      this.timeout(120_000);
      const run = new DirectedRun({ seed: `weather ${replicaCount}`, replicaCount });
      const condition = { loss: 0.3, duplication: 0.5, delayMeanMs: 60, isOrdered: false };
      const everywhere = directions(all(replicaCount), all(replicaCount));
      run.fault({ kind: 'weather', directions: everywhere, condition }, 4_000);
      const { windowSize } = run.cluster.world.parameters.consensus;
      for (let number = 0; number < 3 * windowSize; number++) {
        run.put(number % replicaCount, `key ${number}`);
      }
      run.runFor(4_000);
      run.settle(120_000);
      assert.ok(run.cluster.agreement.height >= 3 * windowSize);
      assert.ok(run.count(/^pbft_rejected_total .*duplicate$/) > 0, 'what comes twice is refused and counted');
      assert.equal(run.count(/^pbft_evidence_total/), 0, 'and nobody honest is accused');
    });
  }

  it('NET-02: isolated backups come level after the others went more than a window further', () => {
    const run = new DirectedRun({ seed: 'isolation' });
    run.fault({ kind: 'isolation', directions: [...directions([3], all(4)), ...directions(all(4), [3])] }, 4_000);
    for (let number = 0; number < 12; number++) {
      run.put(number % 3, `key ${number}`);
    }
    run.runUntil('three of four go on', 3_000, () => run.cluster.agreement.height >= 12);
    assert.equal(run.at(3).status()?.lastExecuted, 0);
    run.settle(30_000);
    assert.equal(run.view, 0);
  });

  it('NET-03: two halves commit nothing and do not storm, and one history goes on when they meet', () => {
    const run = new DirectedRun({ seed: 'halves' });
    const apart = [...directions([0, 1], [2, 3]), ...directions([2, 3], [0, 1])];
    run.fault({ kind: 'partition', directions: apart }, 50_000);
    run.runFor(1);
    run.put(0, 'left');
    run.put(2, 'right');
    run.runFor(49_000);
    assert.equal(run.cluster.agreement.height, 0);
    // T is 2 s: after so long it has doubled at most this often.
    const changes = run.count(/^pbft_view_changes_total/);
    assert.ok(changes <= 4 * (Math.log2(50_000 / 2_000) + 1), `${changes} view changes`);
    run.settle(60_000);
    assert.equal(run.cluster.agreement.height, 2);
  });

  it('NET-06: a primary that hears but is not heard is left, and comes along as a backup', () => {
    const run = new DirectedRun({ seed: 'muteness' });
    run.put(1, 'before');
    run.settle(2_000);
    run.fault({ kind: 'muteness', directions: directions([0], all(4)) }, 20_000);
    const call = run.put(1, 'during');
    run.runUntil('another primary serves', 6_000, () => call.outcome === 'executed');
    assert.equal(run.view, 1);
    assert.ok(run.count(/^pbft_view_changes_total requestTimeout$/) > 0);
    assert.equal(run.count(/^pbft_view_changes_total evidence$/), 0);
    run.runFor(20_000);
    run.put(0, 'after');
    run.settle(10_000);
    assert.equal(run.view, 1, 'it is a backup of the view that serves');
    assert.equal(run.at(0).status()?.active, true);
  });
});

describe('a primary that goes no further', () => {
  it('BP-05: is left in time where it says nothing', () => {
    const run = new DirectedRun({ seed: 'silent', byzantine: new Map([[0, ['silent']]]) });
    const call = run.put(2, 'key');
    run.runUntil('the next primary serves', 4_000, () => call.outcome === 'executed');
    assert.equal(run.view, 1);
  });

  it('BP-05: is helped where it talks to some only: whoever has its pre-prepares passes them on', () => {
    const run = new DirectedRun({ seed: 'partly silent', byzantine: new Map([[0, ['partlySilent']]]) });
    const call = run.put(2, 'key');
    run.runUntil('the others get what they lack', 3_000, () => call.outcome === 'executed');
    assert.equal(run.view, 0);
  });

  it('BP-05: is not waited for where it never commits: a quorum does', () => {
    const run = new DirectedRun({ seed: 'never commits', byzantine: new Map([[0, ['neverCommitting']]]) });
    const call = run.put(2, 'key');
    run.runUntil('the others commit', 1_000, () => call.outcome === 'executed');
    assert.equal(run.view, 0);
  });

  it('BP-05: f in a row are passed by f view changes, in the sum of their doubled timeouts (n = 7)', () => {
    const silent: readonly StrategyName[] = ['silent'];
    const run = new DirectedRun({
      seed: 'mute in a row',
      replicaCount: 7,
      byzantine: new Map([
        [0, silent],
        [1, silent],
      ]),
    });
    const call = run.put(3, 'key');
    const tookMs = run.runUntil('the third primary serves', 20_000, () => call.outcome === 'executed');
    assert.equal(run.view, 2);
    // The request timer, half of it until all know the request, and the new-view timer at twice T at most.
    assert.ok(tookMs <= 2_000 + 1_000 + 4_000 + 500, `${tookMs} ms`);
  });
});
