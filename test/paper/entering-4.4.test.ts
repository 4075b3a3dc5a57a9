/** Entering a view: [OSDI §4.4, last paragraphs] and protocol.md 6, accepting. What is adopted, kept, voted and replayed. */
import assert from 'node:assert/strict';
import { sha256 } from '../../src/crypto/hash.js';
import type { Effect } from '../../src/protocol/effects.js';
import type { Event } from '../../src/protocol/events.js';
import type { NewView } from '../../src/protocol/messages.js';
import { computeViewChangeDigest } from '../../src/protocol/view-change-log.js';
import { effectsOf, recordsOf } from '../support/core-cluster.js';
import { CoreNetwork } from '../support/core-network.js';

const isOf = (event: Event, type: string): boolean =>
  event.kind === 'messageReceived' && event.message.message.type === type;

/** The primary of view 0 dies after one request was executed, another waits, and view 1 begins. */
function changeView(prepare: (network: CoreNetwork) => void = () => undefined): CoreNetwork {
  const network = new CoreNetwork(4);
  network.submit(1, 'a', 1);
  network.at(0).isUp = false;
  prepare(network);
  network.submit(2, 'b', 1);
  network.advance(4_000);
  return network;
}

function newViewOf(network: CoreNetwork, primary: number): NewView {
  const message = network.at(primary).statements.find(({ message: { type } }) => type === 'newView')?.message;
  assert.ok(message?.type === 'newView');
  return message;
}

describe('entering a view [OSDI §4.4]', () => {
  it('votes again for what was executed, and does not execute it again', () => {
    const network = changeView();
    assert.deepEqual(
      newViewOf(network, 1).prePrepares.map(({ message }) => message.sequence),
      [1],
    );
    for (const replica of [2, 3]) {
      const { statements, under } = network.at(replica);
      const again = statements.filter(
        ({ message }) => message.type === 'prepare' && message.view === 1 && message.sequence === 1,
      );
      assert.equal(again.length, 1);
      assert.equal(effectsOf(under.effects, 'execute').filter(({ sequence }) => sequence === 1).length, 1);
    }
  });

  it('the primary sends no Prepare for its own O', () => {
    const { statements } = changeView().at(1);
    assert.ok(!statements.some(({ message }) => message.type === 'prepare' && message.view === 1));
  });

  it('keeps the ViewChanges that the NewView names and gives them by digest, whatever their senders said since', () => {
    const network = changeView();
    const named = newViewOf(network, 1).viewChanges;
    // All but replica 2 go on to view 2 and later.
    network.filter = ({ to, from }) => to !== 2 && from !== 2;
    network.at(1).isUp = false;
    network.at(0).isUp = true;
    network.submit(3, 'c', 1);
    network.advance(10_000);
    assert.equal(network.at(2).view, '1');
    for (const { replica, digest } of named) {
      const kept = network.at(2).under.core.findViewChange(digest);
      assert.ok(kept !== undefined && kept.sender === replica);
      assert.equal(computeViewChangeDigest(kept, sha256), digest);
    }
  });

  it('VC-05: adopts a higher min-s first: it is written before the NewView, and that before any vote', () => {
    const network = new CoreNetwork(4);
    network.filter = ({ to }) => to !== 3;
    for (let number = 1; number <= 5; number++) {
      network.submit(1, 'a', number);
    }
    assert.equal(network.at(3).under.core.inspect(0).lowWatermark, 0);
    network.filter = ({ from, to, event }) =>
      from !== 0 && to !== 0 && !(to === 3 && event.kind === 'checkpointCertificateReceived');
    network.submit(2, 'b', 1);
    network.advance(4_000);
    const { under } = network.at(3);
    assert.equal(under.core.inspect(0).lowWatermark, 4);
    const order = under.effects.flatMap((effect: Effect) => {
      if (
        effect.kind === 'persist' &&
        (effect.record.kind === 'stableCheckpoint' || effect.record.kind === 'newView')
      ) {
        return [effect.record.kind];
      }
      return effect.kind === 'broadcast' && effect.message.type === 'prepare' ? ['prepare'] : [];
    });
    assert.deepEqual(order.slice(0, 3), ['stableCheckpoint', 'newView', 'prepare']);
    assert.equal(recordsOf(under.effects, 'newView').length, 1);
  });

  it('replays what came for the view before it was entered, so that the first round is not lost', () => {
    const stepsOf3: { readonly event: Event; readonly effects: readonly Effect[] }[] = [];
    let proposals = 0;
    changeView((network) => {
      network.observer = {
        onStep: (replica, event, effects) => {
          if (replica === 3) {
            stepsOf3.push({ event, effects });
          }
        },
        onLost: () => undefined,
        onRound: () => undefined,
      };
      let lost = 0;
      network.filter = ({ to, event }) => {
        if (to === 3 && event.kind === 'prePrepareReceived' && event.prePrepare.message.view === 1) {
          proposals++;
          return proposals === 1;
        }
        // Its NewView comes late, with the next Status.
        return !(to === 3 && isOf(event, 'newView') && lost++ === 0);
      };
    });
    const entering = stepsOf3.find(({ effects }) =>
      effects.some((effect) => effect.kind === 'note' && effect.note.kind === 'viewEntered' && effect.note.view === 1),
    );
    assert.ok(entering !== undefined && proposals >= 1);
    const prepared = entering.effects.flatMap((effect) =>
      effect.kind === 'broadcast' && effect.message.type === 'prepare' ? [effect.message.sequence] : [],
    );
    assert.deepEqual(prepared, [1, 2], 'O, and the PrePrepare that had come before');
  });

  it('asks no more for what was proposed before and is not carried over, so that an idle cluster is quiet', () => {
    const network = new CoreNetwork(4);
    // What the primary of view 0 proposes at 1 and 2 reaches replica 1 alone, which makes one batch of it.
    network.filter = ({ event, to }) =>
      to === 1 || event.kind !== 'prePrepareReceived' || event.prePrepare.message.view > 0;
    for (const client of ['a', 'b']) {
      network.submit(0, client, 1);
      network.advance(100);
    }
    network.at(0).isUp = false;
    network.advance(8_000);
    const living = [1, 2, 3].map((replica) => network.at(replica).under);
    for (const { core } of living) {
      const { lastExecuted, active } = core.inspect(0);
      assert.deepEqual({ lastExecuted, active }, { lastExecuted: 1, active: true });
    }
    const before = living.map(({ effects }) => effectsOf(effects, 'sendStatus').length);
    network.advance(20_000);
    for (const [index, { effects }] of living.entries()) {
      const sent = effectsOf(effects, 'sendStatus').length - (before[index] ?? 0);
      assert.ok(sent <= 3 * 5, `to 3 peers, every 5 s for 20 s: ${sent}`);
    }
  });

  it('VC-02: keeps what was committed, at whichever replicas it was before the primary died', () => {
    for (let subset = 0; subset < 16; subset++) {
      const knows = (replica: number): boolean => ((subset >> replica) & 1) === 1;
      const network = new CoreNetwork(4);
      network.filter = ({ to, event }) => !isOf(event, 'commit') || knows(to);
      network.submit(0, 'a', 1);
      network.crash(0);
      network.filter = ({ event }) =>
        !(
          event.kind === 'messageReceived' &&
          event.message.message.type === 'commit' &&
          event.message.message.view === 0
        );
      network.submit(2, 'b', 1);
      network.advance(6_000);
      network.restart(0);
      network.filter = () => true;
      network.advance(6_000);
      assert.equal(network.executedRequests().length, 2, `committed at ${[0, 1, 2, 3].filter(knows)}`);
      assert.ok(network.replicas.every(({ executed }) => executed.length === 2));
    }
  });
});
