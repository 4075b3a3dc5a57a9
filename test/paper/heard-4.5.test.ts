/** Who is heard from [OSDI §4.5.2]: a replica that has not heard from a quorum is the one cut off, and leaves no view. */
import assert from 'node:assert/strict';
import { sha256 } from '../../src/crypto/hash.js';
import { sequence, view } from '../../src/protocol/identifiers.js';
import { computeViewChangeDigest } from '../../src/protocol/view-change-log.js';
import { CoreUnderTest, headerDigestAt, id, request, signed } from '../support/core-cluster.js';
import { expire, giveViewChange, leftView0, T, viewOf } from '../support/core-view-change.js';

describe('hearing from a quorum [OSDI §4.5.2]', () => {
  /** As viewOf says it, after checkpoints of two came over these links and the request timer expired. */
  const leftAfter = (overLinkOf: (sender: number) => number | undefined): string => {
    const core = new CoreUnderTest(3);
    core.elapsedMs = 60_000;
    core.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
    for (const sender of [1, 2]) {
      const message = signed(
        { type: 'checkpoint' as const, sequence: sequence(4), headerDigest: headerDigestAt(4) },
        sender,
      );
      const over = overLinkOf(sender);
      core.step({ kind: 'messageReceived', message, over: over === undefined ? undefined : id(over) });
    }
    expire(core, 'request', 60_000 + T);
    return viewOf(core);
  };

  it('NET-04: who hears a quorum over its links leaves the view at expiry', () => {
    assert.equal(
      leftAfter((sender) => sender),
      '-1',
    );
  });

  it('NET-04: what one peer passes on of others does not show that they are heard of: who is cut off leaves no view', () => {
    assert.equal(
      leftAfter(() => 1),
      '0',
      'passed on',
    );
    assert.equal(
      leftAfter(() => undefined),
      '0',
      'fetched',
    );
  });

  it('FU-08: what was kept for a view shows on entering it nothing of the links to its senders', () => {
    const core = leftView0();
    const vote = { view: view(1), sequence: sequence(1), batchDigest: headerDigestAt(1) };
    for (const sender of [0, 2]) {
      core.step({
        kind: 'messageReceived',
        message: signed({ type: 'prepare' as const, ...vote }, sender),
        over: id(sender),
      });
    }
    const viewChanges = [0, 1, 2].map((replica) => ({
      replica: id(replica),
      digest: computeViewChangeDigest(giveViewChange(core, replica, 1), sha256),
    }));
    core.elapsedMs = 60_000;
    const newView = { type: 'newView' as const, newView: view(1), viewChanges, prePrepares: [] };
    core.step({ kind: 'messageReceived', message: signed(newView, 1) });
    assert.equal(viewOf(core), '1');
    expire(core, 'request', 60_000 + 2 * T);
    assert.equal(viewOf(core), '1', 'it is the one that is cut off');
  });
});
