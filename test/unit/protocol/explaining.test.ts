/** A replica says what it waits for: which timer, which request, whose votes, what is missing (protocol.md 6). */
import assert from 'node:assert/strict';
import type { Explanation, Missing } from '../../../src/protocol/explanation.js';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import { CoreUnderTest, digest, notesOf, request, signed } from '../../support/core-cluster.js';
import { CoreNetwork } from '../../support/core-network.js';

function explained(network: CoreNetwork, replica: number, afterMs = 0): Explanation {
  const { core, elapsedMs } = network.at(replica).under;
  return core.explain(elapsedMs + afterMs);
}

/** `kind of replica at sequence or view`. */
function textOf(missing: readonly Missing[]): readonly string[] {
  return missing.map((thing) =>
    [
      thing.kind,
      'replica' in thing ? thing.replica : '-',
      'view' in thing ? thing.view : 'sequence' in thing ? thing.sequence : '-',
    ].join(' '),
  );
}

describe('what a replica waits for', () => {
  it('is nothing where nobody asked anything', () => {
    const waiting = explained(new CoreNetwork(4), 1);
    assert.deepEqual(waiting, {
      timeoutMs: 2_000,
      timer: undefined,
      oldestRequest: undefined,
      left: undefined,
      viewChanges: [],
      missing: [],
    });
  });

  it('is the PrePrepare of a primary that proposes nothing, with the oldest request and the time it has left', () => {
    const network = new CoreNetwork(4);
    network.at(0).isUp = false;
    network.submit(1, 'a', 7);
    network.submit(1, 'b', 1);
    const waiting = explained(network, 1, 500);
    assert.deepEqual(waiting.oldestRequest, { clientId: request('a', 7).clientId, number: 7, waitedMs: 500 });
    assert.deepEqual(waiting.timer, { name: 'request', remainingMs: 1_500 });
    assert.deepEqual(textOf(waiting.missing), ['prePrepare 0 1']);
  });

  it('is no timer at the primary: only others move it', () => {
    const network = new CoreNetwork(4);
    network.filter = () => false;
    network.submit(0, 'a', 1);
    const waiting = explained(network, 0);
    assert.equal(waiting.timer, undefined);
    assert.equal(waiting.oldestRequest?.number, 1);
    assert.deepEqual(textOf(waiting.missing), ['prepare 1 1', 'prepare 2 1', 'prepare 3 1']);
  });

  it('is the votes of those who did not vote: Prepares of backups, then Commits of all', () => {
    const backup = new CoreUnderTest(1);
    const { batch } = backup.prePrepare(1);
    backup.vote('prepare', 1, 1, batch.digest);
    assert.deepEqual(textOf(backup.core.explain(0).missing), ['prepare 2 1', 'prepare 3 1']);
    backup.vote('prepare', 3, 1, batch.digest);
    backup.vote('commit', 1, 1, batch.digest);
    assert.deepEqual(textOf(backup.core.explain(0).missing), ['commit 0 1', 'commit 2 1', 'commit 3 1']);
  });

  it('is a batch that a quorum committed and whose bytes are not here, then the own execution', () => {
    const backup = new CoreUnderTest(1);
    for (const sender of [0, 2, 3]) {
      backup.vote('commit', sender, 1, digest('unknown'));
    }
    assert.deepEqual(textOf(backup.core.explain(0).missing), ['batch - 1']);
    const executing = new CoreUnderTest(1);
    const { batch } = executing.prePrepare(1);
    for (const sender of [0, 2, 3]) {
      executing.vote('commit', sender, 1, batch.digest);
    }
    assert.deepEqual(textOf(executing.core.explain(0).missing), ['execution - 1']);
  });

  it('is the ViewChanges of those who did not leave, then the NewView of the primary, with its timer', () => {
    const network = new CoreNetwork(4);
    network.at(0).isUp = false;
    // Nobody's ViewChange reaches replica 2, and no NewView anyone.
    network.filter = ({ to, event }) =>
      !(event.kind === 'messageReceived' && event.message.message.type === 'newView') &&
      !(event.kind === 'messageReceived' && event.message.message.type === 'viewChange' && to === 2);
    network.submit(1, 'a', 1);
    network.advance(3_500);
    const alone = explained(network, 2);
    assert.deepEqual(textOf(alone.missing), ['viewChange 0 1', 'viewChange 1 1', 'viewChange 3 1']);
    assert.deepEqual(alone.viewChanges, [{ replica: 2, view: 1, isValid: true }]);
    assert.equal(alone.timer, undefined);
    assert.equal(alone.left?.cause, 'requestTimeout');
    const informed = explained(network, 3, 100);
    assert.deepEqual(textOf(informed.missing), ['newView 1 1']);
    assert.deepEqual(
      informed.viewChanges.map(({ replica, isValid }) => [replica, isValid]),
      [1, 2, 3].map((replica) => [replica, true]),
    );
    assert.equal(informed.timer?.name, 'newView');
    assert.ok(informed.timer.remainingMs > 0 && informed.timer.remainingMs < informed.timeoutMs);
  });

  it('is a ViewChange that the NewView names and that is not here', () => {
    const network = new CoreNetwork(4);
    network.at(0).isUp = false;
    // Whoever sends it, the ViewChange of replica 2 does not come to replica 3.
    network.filter = ({ to, event }) =>
      !(
        event.kind === 'messageReceived' &&
        event.message.message.type === 'viewChange' &&
        event.message.sender === 2 &&
        to === 3
      );
    network.submit(1, 'a', 1);
    network.advance(3_010);
    assert.equal(network.at(1).view, '1');
    assert.deepEqual(textOf(explained(network, 3).missing), ['viewChange 2 1']);
  });

  it('counts a ViewChange that is held only when its certificates were checked', () => {
    const backup = new CoreUnderTest(3);
    const message = { newView: view(1), stableCheckpoint: sequence(0), checkpointCertificate: [], prepared: [] };
    backup.step({ kind: 'messageReceived', message: signed({ type: 'viewChange', ...message }, 1) });
    assert.deepEqual(backup.core.explain(0).viewChanges, [{ replica: 1, view: 1, isValid: false }]);
    assert.equal(backup.core.buffered().viewChange, 1);
  });

  it('is told as it leaves a view, as a quorum has left, and as it enters one', () => {
    const network = new CoreNetwork(4);
    network.at(0).isUp = false;
    network.submit(1, 'a', 1);
    network.advance(3_010);
    const { effects } = network.at(3).under;
    const [left] = notesOf(effects, 'viewLeft');
    assert.equal(left?.explanation.oldestRequest?.number, 1);
    assert.deepEqual(textOf(left.explanation.missing), ['prePrepare 0 1']);
    const [awaited, ...more] = notesOf(effects, 'viewAwaited');
    assert.deepEqual(more, [], 'once a view');
    assert.equal(awaited?.view, 1);
    assert.deepEqual(textOf(awaited.explanation.missing), ['newView 1 1']);
    assert.deepEqual(awaited.explanation.timer, { name: 'newView', remainingMs: awaited.explanation.timeoutMs });
    assert.deepEqual(
      notesOf(effects, 'viewEntered').map(({ view: entered, viewChangesOf }) => [entered, viewChangesOf]),
      [[1, [1, 2, 3]]],
    );
  });

  it('counts the timers that expire, and no late expiry', () => {
    const backup = new CoreUnderTest(1);
    const expire = (generation: number) =>
      notesOf(backup.step({ kind: 'timerExpired', timer: 'status', generation }), 'timerExpired');
    assert.deepEqual(expire(99), []);
    assert.deepEqual(expire(2), [{ kind: 'timerExpired', timer: 'status' }]);
  });
});
