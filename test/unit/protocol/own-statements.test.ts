/** What a replica signed itself, shown to it by others (protocol.md 8a): what proves that it forgot, and what doesn't. */
import assert from 'node:assert/strict';
import type { Effect } from '../../../src/protocol/effects.js';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import type { ProtocolMessage } from '../../../src/protocol/messages.js';
import {
  CoreUnderTest,
  digest,
  effectsOf,
  headerDigestAt,
  id,
  rejectionsOf,
  request,
  signed,
} from '../../support/core-cluster.js';
import { CoreNetwork } from '../../support/core-network.js';
import { recoverFrom } from '../../support/core-restart.js';

const OTHER = digest('another batch');

function show(under: CoreUnderTest, message: ProtocolMessage): readonly Effect[] {
  return under.step({ kind: 'ownStatementReceived', message: signed(message, under.replica), from: id(2) });
}

function voteOf(
  type: 'prePrepare' | 'prepare' | 'commit',
  at: number,
  batchDigest = OTHER,
  inView = 0,
): ProtocolMessage {
  return { type, view: view(inView), sequence: sequence(at), batchDigest };
}

/** Backup 1 executed 1 to 4, 4 is stable; it accepted 5 and 6, and 6 is prepared. */
function seasoned(): CoreUnderTest {
  const under = new CoreUnderTest(1);
  for (const at of [1, 2, 3, 4]) {
    under.commitAndExecute(at);
  }
  for (const sender of [0, 1, 2]) {
    under.checkpoint(sender, 4);
  }
  for (const at of [5, 6]) {
    under.prePrepare(at);
  }
  const { batch } = accepted(under, 6);
  under.vote('prepare', 2, 6, batch);
  under.vote('prepare', 3, 6, batch);
  return under;
}

function accepted(under: CoreUnderTest, at: number) {
  const record = effectsOf(under.effects, 'persist')
    .map((effect) => effect.record)
    .find((each) => each.kind === 'accepted' && each.prePrepare.sequence === at);
  assert.ok(record?.kind === 'accepted');
  return { batch: record.batch.digest };
}

describe('an own statement that a peer shows', () => {
  it('FU-01: ends the replica where it is not remembered, whatever its type, and nothing is done after that', () => {
    const view3 = { newView: view(3), stableCheckpoint: sequence(0), checkpointCertificate: [], prepared: [] };
    const forgotten: readonly ProtocolMessage[] = [
      voteOf('prepare', 7),
      voteOf('prePrepare', 8),
      voteOf('commit', 7),
      voteOf('prepare', 5),
      voteOf('commit', 6),
      voteOf('commit', 5),
      voteOf('prepare', 13),
      voteOf('prepare', 5, OTHER, 1),
      { type: 'checkpoint', sequence: sequence(8), headerDigest: OTHER },
      { type: 'viewChange', ...view3 },
      { type: 'newView', newView: view(1), viewChanges: [], prePrepares: [] },
    ];
    for (const message of forgotten) {
      const under = seasoned();
      assert.equal(under.core.screenOwn(signed(message, 1)), undefined);
      const [effect, ...rest] = effectsOf(show(under, message), 'giveUp');
      assert.deepEqual(effect?.forgotten.message, message);
      assert.equal(effect.from, 2);
      assert.deepEqual(rest, []);
      assert.deepEqual(under.step({ kind: 'requestReceived', request: request('z', 1), from: 'local' }), []);
    }
  });

  it('FU-01: accuses nobody where it is remembered, also after a restart, executed, stable or of a view that was left', () => {
    const before = seasoned();
    const [five, six] = [accepted(before, 5).batch, accepted(before, 6).batch];
    const known: readonly ProtocolMessage[] = [
      voteOf('prepare', 5, five),
      voteOf('prepare', 6, six),
      voteOf('commit', 6, six),
      voteOf('commit', 2),
      voteOf('prePrepare', 4),
      { type: 'checkpoint', sequence: sequence(4), headerDigest: headerDigestAt(4) },
      { type: 'checkpoint', sequence: sequence(4), headerDigest: OTHER },
      { type: 'newView', newView: view(0), viewChanges: [], prePrepares: [] },
    ];
    const after = new CoreUnderTest(1, 4, { recovered: recoverFrom(before.effects, 4), isStarting: true, life: 1 });
    for (const under of [before, after]) {
      for (const message of known.slice(0, -1)) {
        assert.equal(under.core.screenOwn(signed(message, 1))?.code, 'own', JSON.stringify(message));
        assert.deepEqual(rejectionsOf(show(under, message)), ['own']);
      }
    }
  });

  it('FU-01: accuses nobody of what was said in views that were left, nor of the ViewChange that is resent', () => {
    const network = new CoreNetwork(4);
    network.submit(0, 'a', 1);
    network.filter = ({ event }) => event.kind !== 'messageReceived' || event.message.message.type !== 'commit';
    network.submit(0, 'b', 1);
    network.filter = ({ from }) => from !== 0;
    network.at(0).isUp = false;
    network.submit(1, 'c', 1);
    network.advance(30_000);
    const said = network.at(2).statements;
    assert.ok(said.some(({ message }) => message.type === 'viewChange'));
    network.crash(2);
    network.restart(2);
    const { under } = network.at(2);
    assert.ok(under.core.inspect(0).view > 0);
    for (const { message } of [...said, signed(voteOf('prepare', 7), 2), signed(voteOf('commit', 7), 2)]) {
      assert.deepEqual(effectsOf(show(under, message), 'giveUp'), [], JSON.stringify(message));
    }
  });
});

describe('a replica with an older copy of its disk', () => {
  /** Replica `which` loses what it recorded since `network` had `records` of them; the others hold its later votes. */
  function restartOlder(network: CoreNetwork, which: number, records: number, executed: number): void {
    const replica = network.at(which);
    network.crash(which);
    replica.records.splice(records);
    replica.executed.splice(executed);
    network.restart(which);
    network.run();
  }

  it('FU-01: is shown a vote that the others hold, and ends before it votes', () => {
    for (const which of [0, 1]) {
      const network = new CoreNetwork(4);
      network.submit(2, 'a', 1);
      const { records, executed, statements } = network.at(which);
      const [recordCount, executedCount] = [records.length, executed.length];
      network.filter = ({ event }) => event.kind !== 'messageReceived' || event.message.message.type !== 'commit';
      network.submit(2, 'b', 1);
      const saidBefore = statements.length;
      network.filter = () => true;
      restartOlder(network, which, recordCount, executedCount);
      assert.equal(network.at(which).isUp, false);
      assert.equal(statements.slice(saidBefore).filter(({ message }) => message.type !== 'status').length, 0);
    }
  });

  it('FU-01: is shown its ViewChange for a view that it forgot', () => {
    const network = new CoreNetwork(4);
    const { records } = network.at(2);
    const recordCount = records.length;
    network.at(0).isUp = false;
    network.at(1).isUp = false;
    network.ask(2, 'a', 1);
    network.ask(3, 'a', 1);
    network.advance(4_500);
    network.at(1).isUp = true;
    assert.ok(records.some(({ kind }) => kind === 'viewChange'));
    restartOlder(network, 2, recordCount, 0);
    assert.equal(network.at(2).isUp, false);
  });
});
