/**
 * Crashes at every point where a replica touches its machine, one run a point; and the negative control, which shows
 * that replicas that don't wait for their disks break safety, and that the checks see it.
 */
import assert from 'node:assert/strict';
import { DirectedRun, directions } from './directed.js';
import type { CrashLoss } from './machine/disk.js';

const LOSSES: readonly CrashLoss[] = ['all', 'some', 'none'];
const MAY_NOT_END = 500;

/**
 * A run for each point, until the work is done before the replica comes to it: then every point was met. What is lost
 * of the writes that were not synced goes round. Gives how many points there are.
 */
function crashAtEveryPoint(play: (seed: string, crash: Crash) => void): number {
  for (let point = 1; point < MAY_NOT_END; point++) {
    const loss = LOSSES[point % LOSSES.length] ?? 'all';
    const crash = new Crash(point, loss);
    play(`point ${point}`, crash);
    if (!crash.happened) {
      return point - 1;
    }
  }
  assert.fail('there is an end to what a replica does');
}

/** A crash that comes after so many calls to the machine. */
class Crash {
  happened = false;

  constructor(
    private readonly calls: number,
    private readonly loss: CrashLoss,
  ) {}

  /** From now on they are counted. */
  light(run: DirectedRun, victim: number): void {
    run.at(victim).crashAfter(this.calls, this.loss);
  }

  /** Works until the replica crashed or the work is done; then it begins again, and all come level. */
  passAndSettle(run: DirectedRun, victim: number, isDone: () => boolean): void {
    const replica = run.at(victim);
    run.runUntil('a crash or the end', 10_000, () => replica.crashCount > 0 || isDone());
    this.happened = replica.crashCount > 0;
    replica.cancelCrash();
    run.runFor(20);
    replica.start();
    run.settle(20_000);
  }
}

describe('a crash at every point', () => {
  for (const [role, victim] of [
    ['the primary', 0],
    ['a backup', 1],
  ] as const) {
    it(`CR-05: of ${role}, from pre-prepares to a discarded log: no vote is contradicted, nothing told is lost`, function () {
      this.timeout(120_000);
      const points = crashAtEveryPoint((seed, crash) => {
        const run = new DirectedRun({ seed: `${role} ${seed}` });
        crash.light(run, victim);
        const calls = [run.put(2, 'a'), run.put(3, 'b')];
        const isDone = (): boolean =>
          calls.every(({ outcome }) => outcome === 'executed') && run.at(victim).status()?.stableCheckpoint === 2;
        crash.passAndSettle(run, victim, isDone);
        assert.ok(calls.every(({ outcome }) => outcome === 'executed'));
        assert.ok(run.cluster.agreement.height >= 2);
      });
      assert.ok(points >= 20, `${points} points`);
    });
  }

  for (const [role, victim] of [
    ['the new primary', 1],
    ['a backup', 2],
  ] as const) {
    it(`CR-05: of ${role} in a view change: the very ViewChange is sent again, and what was prepared stays`, function () {
      this.timeout(120_000);
      const points = crashAtEveryPoint((seed, crash) => {
        const run = new DirectedRun({ seed: `${role} in a view change ${seed}` });
        const before = run.put(3, 'before');
        run.runUntil('it is executed', 1_000, () => before.outcome === 'executed');
        run.at(0).crash('all');
        const call = run.put(3, 'after');
        run.runUntil('the view is left', 5_000, () => run.view === 1);
        crash.light(run, victim);
        crash.passAndSettle(run, victim, () => call.outcome === 'executed' && run.at(victim).status()?.active === true);
        assert.equal(call.outcome, 'executed');
      });
      assert.ok(points >= 5, `${points} points`);
    });
  }
});

/**
 * One operation is executed by replicas 0, 1 and 2, which told its caller. Then f + 1 of them, 0 and 1, crash with the
 * loss of all that was not synced, replica 2 is cut off, and replica 3, which knows nothing, is heard again. What they
 * decide together must not contradict what was told.
 */
function playAmnesia(withoutSync?: { readonly ignored: ReadonlySet<number> }): DirectedRun {
  const run = new DirectedRun({ seed: 'amnesia', ...(withoutSync === undefined ? {} : { withoutSync }) });
  const cutOff = (id: number) => [...directions([id], [0, 1, 2, 3]), ...directions([0, 1, 2, 3], [id])];
  run.fault({ kind: 'isolation', directions: cutOff(3) }, 1_000);
  run.runFor(1);
  const told = run.put(0, 'told');
  run.runUntil('it is executed', 900, () => told.outcome === 'executed');
  run.fault({ kind: 'isolation', directions: cutOff(2) }, 20_000);
  run.fault({ kind: 'crash', replicas: [run.at(0).id, run.at(1).id], afterCalls: 0, loss: 'all' }, 100);
  run.cluster.runUntil(run.cluster.world.loop.nowMs + 2_000);
  if (run.cluster.world.violations.first === undefined) {
    run.put(0, 'another');
    run.cluster.runUntil(run.cluster.world.loop.nowMs + 30_000);
  }
  return run;
}

describe('f + 1 replicas that forget what was not synced', () => {
  it('CR-06: break nothing, because whatever they said was synced first', () => {
    const run = playAmnesia();
    run.settle(30_000);
    assert.equal(run.cluster.agreement.height, 2);
  });

  it('CR-06: are seen not to wait for their disks before anything comes of it', () => {
    const run = new DirectedRun({ seed: 'no sync', withoutSync: { ignored: new Set() } });
    run.put(0, 'key');
    run.cluster.runUntil(1_000);
    assert.equal(run.cluster.world.violations.first?.invariant, 9);
  });

  it('CR-06: contradict themselves where they do not wait for their disks, and the checks see it', () => {
    const run = playAmnesia({ ignored: new Set([9]) });
    assert.equal(run.cluster.world.violations.first?.invariant, 8, 'two statements on one sequence');
  });

  it('CR-06: decide two batches at one sequence then, which the checks see too', () => {
    const run = playAmnesia({ ignored: new Set([3, 8, 9, 11]) });
    assert.equal(run.cluster.world.violations.first?.invariant, 1);
  });
});
