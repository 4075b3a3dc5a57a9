/** What is executed or dead never waits again, however late a proposal that was kept brings it. */
import assert from 'node:assert/strict';
import { sequence } from '../../../src/protocol/identifiers.js';
import type { RequestKey } from '../../../src/protocol/messages.js';
import { batchOf, CONSENSUS, CoreUnderTest, effectsOf, headerDigestAt, request } from '../../support/core-cluster.js';

const OLD = request('a', 1);
const NEW = request('b', 1);
const AHEAD_MS = CONSENSUS.clockDriftMs + 5_000;

/** A backup that keeps a proposal of sequence 2 with both requests and executes sequence 1 meanwhile. */
function keepAndExecute(settled: readonly RequestKey[], deadUpTo: number): CoreUnderTest {
  const core = new CoreUnderTest(2);
  core.prePrepare(2, { batch: batchOf([OLD, NEW], core.wallMs + AHEAD_MS), requests: [OLD, NEW] });
  assert.equal(core.core.inspect(0).waitingRequests, 0);
  const { batch } = core.prePrepare(1, { batch: batchOf([OLD]), requests: [OLD] });
  for (const sender of [1, 2, 3]) {
    core.vote('prepare', sender, 1, batch.digest);
  }
  for (const sender of [1, 2, 3]) {
    core.vote('commit', sender, 1, batch.digest);
  }
  core.step({
    kind: 'batchExecuted',
    sequence: sequence(1),
    headerDigest: headerDigestAt(1),
    settled: [...settled],
    acknowledged: deadUpTo === 0 ? [] : [{ clientId: OLD.clientId, number: deadUpTo }],
  });
  return core;
}

describe('a proposal that is kept until its time has come', () => {
  for (const { how, settled, deadUpTo } of [
    { how: 'executed', settled: [OLD], deadUpTo: 0 },
    { how: 'acknowledged', settled: [], deadUpTo: 1 },
  ]) {
    it(`brings no request that was ${how} meanwhile, or nobody would ever be done with it`, () => {
      const core = keepAndExecute(settled, deadUpTo);
      core.wallMs += AHEAD_MS;
      core.elapsedMs += AHEAD_MS;
      const timer = effectsOf(core.effects, 'startTimer').findLast((effect) => effect.timer === 'delayedProposal');
      assert.ok(timer !== undefined);
      core.step({ kind: 'timerExpired', timer: 'delayedProposal', generation: timer.generation });
      assert.equal(core.core.inspect(0).waitingRequests, 1);
    });
  }
});
