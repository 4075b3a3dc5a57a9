/** Leaving a view: [OSDI §4.4] and protocol.md 6. What a replica says as it leaves, and what it still learns. */
import assert from 'node:assert/strict';
import { replicaId, sequence, view } from '../../src/protocol/identifiers.js';
import {
  batchOf,
  broadcastsOf,
  CoreUnderTest,
  effectsOf,
  headerDigestAt,
  id,
  notesOf,
  recordsOf,
  rejectionsOf,
  request,
  signed,
} from '../support/core-cluster.js';
import { CoreNetwork } from '../support/core-network.js';
import { recoverFrom } from '../support/core-restart.js';
import { leftView0, T, viewOf } from '../support/core-view-change.js';

describe('leaving [OSDI §4.4]', () => {
  it('signs nothing of the views below the one it moved to', () => {
    const core = leftView0();
    const before = core.effects.length;
    const { batch } = core.prePrepare(1);
    for (const sender of [1, 2]) {
      core.vote('prepare', sender, 1, batch.digest);
    }
    const effects = core.effects.slice(before);
    assert.deepEqual(broadcastsOf(effects, 'prepare'), []);
    assert.deepEqual(broadcastsOf(effects, 'commit'), []);
    assert.deepEqual(rejectionsOf(effects), ['oldView', 'oldView', 'oldView']);
  });

  it('goes on learning: Commits of the view it left decide, and what they decide is executed', () => {
    const core = leftView0();
    const batch = batchOf([request('a', 1)]);
    for (const sender of [0, 1, 2]) {
      core.vote('commit', sender, 1, batch.digest);
    }
    core.step({ kind: 'batchFetched', sequence: sequence(1), batch });
    assert.equal(effectsOf(core.effects, 'execute')[0]?.batchDigest, batch.digest);
  });

  it('BB-04: counts of each sender the Commit of his highest view, and never Commits of two views together', () => {
    const core = leftView0();
    const batch = batchOf([request('a', 1)]);
    const isDecided = (): boolean => notesOf(core.effects, 'committed').length > 0;
    core.vote('commit', 0, 1, batch.digest, 0);
    core.vote('commit', 1, 1, batch.digest, 0);
    core.vote('commit', 1, 1, batch.digest, 1);
    core.vote('commit', 2, 1, batch.digest, 0);
    assert.ok(!isDecided(), 'replica 1 counts in view 1 now');
    assert.deepEqual(rejectionsOf(core.vote('commit', 1, 1, batch.digest, 0)), ['oldView']);
    core.vote('commit', 0, 1, batch.digest, 1);
    assert.ok(!isDecided());
    core.vote('commit', 2, 1, batch.digest, 1);
    assert.deepEqual(
      notesOf(core.effects, 'committed').map((note) => note.view),
      [1],
    );
  });

  it('CR-05: its ViewChange is on disk before it goes out, and is given again in the very bytes', () => {
    const core = leftView0();
    const order = core.effects.flatMap((effect) => {
      if (effect.kind === 'persist' && effect.record.kind === 'viewChange') {
        return ['written'];
      }
      return effect.kind === 'forward' && effect.item.kind === 'message' ? ['sent'] : [];
    });
    assert.deepEqual(order, ['written', 'sent']);
    const [record] = recordsOf(core.effects, 'viewChange');
    core.elapsedMs = T + 1_500;
    core.step({ kind: 'peerConnected', peer: id(1) });
    const status = effectsOf(core.effects, 'sendStatus').find(({ message }) => message.to === 1)?.message;
    assert.ok(status !== undefined);
    const effects = core.step({
      kind: 'messageReceived',
      message: signed({ ...status, to: replicaId(3), view: view(0), active: true, viewChanges: [] }, 1),
    });
    const [again] = effectsOf(effects, 'forward').map(({ item }) =>
      item.kind === 'message' ? item.message : undefined,
    );
    assert.deepEqual(again?.payload, record?.viewChange.payload);
  });

  it('CR-05: its ViewChange is said again after a restart, the very one, whatever it has learnt since it was signed', () => {
    const core = leftView0();
    const [record] = recordsOf(core.effects, 'viewChange');
    // A ViewChange that is made now begins at 4.
    const checkpoints = [0, 1, 2].map((sender) =>
      signed({ type: 'checkpoint', sequence: sequence(4), headerDigest: headerDigestAt(4) } as const, sender),
    );
    core.step({ kind: 'checkpointCertificateReceived', certificate: { checkpoints }, from: id(2) });
    const again = new CoreUnderTest(3, 4, { recovered: recoverFrom(core.effects, 0) });
    assert.equal(again.core.inspect(0).lowWatermark, 4);
    assert.equal(viewOf(again), '-1');
    assert.deepEqual(effectsOf(again.effects, 'sign'), []);
    assert.deepEqual(
      effectsOf(again.effects, 'forward').map(({ item }) => (item.kind === 'message' ? item.message : undefined)),
      [record?.viewChange],
    );
  });

  it('shows of each sequence the certificate of the highest view in which it prepared', () => {
    const network = new CoreNetwork(4);
    network.filter = ({ event }) => !(event.kind === 'messageReceived' && event.message.message.type === 'commit');
    network.submit(1, 'a', 1);
    network.at(0).isUp = false;
    network.advance(3_500);
    assert.equal(network.at(2).view, '1', 'it prepared again there');
    network.at(1).isUp = false;
    network.at(0).isUp = true;
    network.advance(20_000);
    const shown = network
      .at(2)
      .statements.flatMap(({ message }) => (message.type === 'viewChange' ? [message] : []))
      .map(({ newView, prepared }) => [newView, ...prepared.map(({ prePrepare }) => prePrepare.message.view)]);
    assert.deepEqual(shown.slice(0, 2), [
      [1, 0],
      [2, 1],
    ]);
  });
});
