/** Callers whose operations come to nothing ask on where they are to, and nobody thinks for too long. */
import assert from 'node:assert/strict';
import { replicaId } from '../../../src/protocol/identifiers.js';
import { DirectedRun } from '../directed.js';
import { Random } from '../kernel/random.js';
import { type Gateway, SimulatedClient } from './client.js';
import { HistoryRecorder } from './history-recorder.js';

/** For so long no outcome is known in time. */
const SILENT_MS = 100_000;
const ALLOWED = 2;

function createCaller(run: DirectedRun, thinkMsMean: number): SimulatedClient {
  const { world } = run.cluster;
  const gateway: Gateway = {
    id: replicaId(1),
    submit: (operation, timeoutMs, done) => {
      if (world.loop.nowMs > SILENT_MS) {
        return run.at(1).submit(operation, timeoutMs, done);
      }
      const error = { code: 'outcomeUnknown', reason: 'the deadline passed' } as const;
      world.loop.schedule(timeoutMs, () => done({ ok: false, error }));
      return true;
    },
  };
  return new SimulatedClient({
    id: 0,
    world,
    random: new Random('caller'),
    history: new HistoryRecorder(),
    gateways: () => [gateway],
    keys: ['a'],
    thinkMsMean,
  });
}

describe('a caller of the simulation', () => {
  it('has used up what it may begin by operations of unknown outcome', () => {
    const run = new DirectedRun({ seed: 'caller' });
    const caller = createCaller(run, 10);
    caller.allow(ALLOWED);
    caller.start();
    run.runFor(2 * SILENT_MS);
    assert.deepEqual([caller.answered, caller.unknown], [0, ALLOWED]);
  });

  it('asks on until it is answered where it persists', () => {
    const run = new DirectedRun({ seed: 'caller' });
    const caller = createCaller(run, 10);
    caller.allow(ALLOWED);
    caller.persist();
    caller.start();
    run.runUntil('it is answered', 2 * SILENT_MS, () => caller.answered === ALLOWED);
    assert.ok(caller.unknown > ALLOWED);
    run.runFor(SILENT_MS);
    assert.equal(caller.answered, ALLOWED);
  });

  it('thinks for ten seconds at most', () => {
    const run = new DirectedRun({ seed: 'caller' });
    const caller = createCaller(run, 1_000_000);
    caller.allow(ALLOWED);
    caller.start();
    run.runUntil('both its operations are over', ALLOWED * 25_100, () => caller.unknown === ALLOWED);
  });
});
