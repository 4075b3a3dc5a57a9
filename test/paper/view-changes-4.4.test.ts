/** View changes: [OSDI §4.4, §4.5.2] and protocol.md 6, as runs of several cores. */
import assert from 'node:assert/strict';
import { sequence, view } from '../../src/protocol/identifiers.js';
import { batchOf, effectsOf, NULL_BATCH, rejectionsOf, request, signed, verified } from '../support/core-cluster.js';
import { CoreNetwork } from '../support/core-network.js';
import { emptyViewChange } from '../support/core-view-change.js';

const name = (client: string, number: number): string => `${request(client, number).clientId.slice(0, 4)} ${number}`;

describe('view changes [OSDI §4.4]', () => {
  it('VC-01: leaves a dead primary after the request timeout and executes what waited', () => {
    const network = new CoreNetwork(4);
    network.submit(1, 'a', 1);
    network.at(0).isUp = false;
    network.submit(1, 'a', 2);
    // The other backups hear of the request at half its time, when it is passed on to all.
    network.advance(2_999);
    assert.deepEqual(network.executedRequests(), [name('a', 1)]);
    network.advance(10);
    assert.deepEqual(network.executedRequests(), [name('a', 1), name('a', 2)]);
    assert.deepEqual(
      network.replicas.slice(1).map(({ view: of }) => of),
      ['1', '1', '1'],
    );
  });

  it('VC-01: passes f dead primaries in a row, each in its time (n = 7)', () => {
    const network = new CoreNetwork(7);
    network.at(0).isUp = false;
    network.at(1).isUp = false;
    network.submit(3, 'a', 1);
    network.advance(10_000);
    assert.deepEqual(network.executedRequests(), [name('a', 1)]);
    assert.equal(network.at(3).view, '2');
  });

  it('VC-02: what committed at one replica only is proposed again with the same digest', () => {
    const network = new CoreNetwork(4);
    // Commits reach replica 3 alone; it executes and then dies with what it knows.
    network.filter = ({ to, event }) =>
      !(event.kind === 'messageReceived' && event.message.message.type === 'commit') || to === 3;
    network.submit(0, 'a', 1);
    const committed = network.at(3).executed[0]?.batchDigest;
    assert.ok(committed);
    network.at(3).isUp = false;
    network.at(0).isUp = false;
    network.filter = () => true;
    network.advance(5_000);
    assert.equal(network.at(1).executed.length, 0, 'two of four are no quorum');
    network.at(3).isUp = true;
    network.advance(30_000);
    assert.equal(network.at(1).executed[0]?.batchDigest, committed);
    assert.deepEqual(network.executedRequests(), [name('a', 1)]);
  });

  it('VC-02: what committed at exactly one replica, whichever it is, is carried over when that one is gone', () => {
    for (const knower of [0, 1, 2, 3]) {
      const network = new CoreNetwork(4);
      network.filter = ({ to, event }) =>
        !(event.kind === 'messageReceived' && event.message.message.type === 'commit') || to === knower;
      network.submit(0, 'a', 1);
      const committed = network.at(knower).executed[0]?.batchDigest;
      assert.ok(committed, `replica ${knower} executed it`);
      network.at(knower).isUp = false;
      const asked = knower === 2 ? 3 : 2;
      network.submit(asked, 'b', 1);
      network.advance(2_500);
      network.filter = () => true;
      network.advance(10_000);
      const others = network.replicas.filter(({ replica }) => replica !== knower);
      assert.ok(
        others.every(({ executed }) => executed[0]?.batchDigest === committed),
        `without replica ${knower}`,
      );
      assert.ok(network.executedRequests().includes(name('b', 1)));
    }
  });

  it('VC-04: fills a gap with the null batch, which executes nothing', () => {
    const network = new CoreNetwork(4, { consensus: { batchOperationsMax: 1 } });
    // The first proposal reaches nobody, the second prepares.
    network.filter = ({ event }) => !(event.kind === 'prePrepareReceived' && event.prePrepare.message.sequence === 1);
    network.submit(0, 'a', 1);
    network.submit(0, 'b', 1);
    network.at(0).isUp = false;
    network.filter = () => true;
    network.submit(1, 'c', 1);
    network.advance(30_000);
    assert.equal(network.at(1).executed[0]?.batchDigest, NULL_BATCH.digest);
    assert.ok(network.executedRequests().includes(name('b', 1)));
    assert.ok(network.executedRequests().includes(name('c', 1)));
  });

  it('BP-04: a primary that proposes at H alone burns no window: it is left, and null batches fill the hole', () => {
    const network = new CoreNetwork(4);
    const requests = [request('a', 1)];
    const batch = batchOf(requests);
    const message = { type: 'prePrepare', view: view(0), sequence: sequence(8), batchDigest: batch.digest } as const;
    for (const to of [1, 2, 3]) {
      network.inject(0, to, { kind: 'prePrepareReceived', prePrepare: signed(message, 0), batch, requests });
    }
    network.run();
    network.at(0).isUp = false;
    network.advance(3_500);
    assert.deepEqual(
      network.at(1).executed.map(({ batchDigest }) => batchDigest === NULL_BATCH.digest),
      [true, true, true, true, true, true, true, false],
    );
    network.submit(2, 'b', 1);
    assert.deepEqual(network.executedRequests(), [name('a', 1), name('b', 1)]);
  });

  it('BP-07: a primary that serves others and not one client is left', () => {
    const network = new CoreNetwork(4);
    network.filter = ({ to, event }) =>
      !(to === 0 && event.kind === 'requestReceived' && event.request.clientId === request('censored', 1).clientId);
    network.submit(1, 'censored', 1);
    for (let number = 1; number <= 6; number++) {
      network.submit(2, 'served', number);
      network.advance(500);
    }
    assert.ok(network.executedRequests().includes(name('censored', 1)));
    assert.equal(network.at(1).view, '1');
  });

  it('BP-01: a primary that signs two pre-prepares for one sequence is left at once, everywhere', () => {
    const network = new CoreNetwork(4);
    const proposals = [batchOf([request('a', 1)]), batchOf([request('b', 1)])];
    for (const batch of proposals) {
      const message = {
        type: 'prePrepare' as const,
        view: view(0),
        sequence: sequence(1),
        batchDigest: batch.digest,
      };
      network.inject(0, 1, { kind: 'prePrepareReceived', prePrepare: signed(message, 0), batch, requests: [] });
    }
    network.run();
    assert.deepEqual(
      network.replicas.map(({ view: of }) => of),
      ['1', '1', '1', '1'],
    );
  });

  it('VC-09: joins the view that a weak quorum went to, before its own timer expires', () => {
    const network = new CoreNetwork(4);
    const leave = (sender: number, to: number) =>
      network.inject(sender, 3, {
        kind: 'messageReceived',
        message: signed(emptyViewChange(to), sender),
      });
    leave(1, 3);
    network.run();
    assert.equal(network.at(3).view, '0', 'one of four may be lying');
    leave(2, 2);
    network.run();
    assert.equal(network.at(3).view, '-2', 'the second largest of 3 and 2');
  });

  it('NET-04: a replica that hears nobody moves nobody', () => {
    const network = new CoreNetwork(4);
    network.filter = ({ to }) => to !== 3;
    network.submit(3, 'deaf', 1);
    for (let number = 1; number <= 10; number++) {
      network.submit(1, 'a', number);
      network.advance(3_000);
    }
    assert.deepEqual(
      network.replicas.slice(0, 3).map(({ view: of }) => of),
      ['0', '0', '0'],
    );
    assert.equal(network.executedRequests().filter((of) => of.startsWith(name('a', 1).slice(0, 4))).length, 10);
  });

  it('VC-06: a NewView whose proposals do not follow from its ViewChanges is refused, and the next view comes', () => {
    const network = new CoreNetwork(4);
    network.submit(0, 'a', 1);
    network.at(0).isUp = false;
    network.filter = ({ from, event }) => {
      const forged = event.kind === 'messageReceived' && event.message.message.type === 'newView' && from === 1;
      return !forged;
    };
    network.submit(2, 'b', 1);
    network.advance(3_050);
    const genuine = network.at(1).statements.find(({ message }) => message.type === 'newView')?.message;
    assert.ok(genuine?.type === 'newView');
    assert.ok(genuine.prePrepares.length > 0, 'it proposes again what prepared');
    network.filter = () => true;
    for (const to of [2, 3]) {
      network.inject(1, to, {
        kind: 'messageReceived',
        message: signed({ ...genuine, prePrepares: genuine.prePrepares.slice(1) }, 1),
      });
    }
    network.at(1).isUp = true;
    network.run();
    assert.equal(network.at(2).view, '2');
    network.advance(30_000);
    assert.ok(network.executedRequests().includes(name('b', 1)));
  });

  it('VC-06: a sender who shows the primary a good view change and the others a bad one does not stop the view', () => {
    const network = new CoreNetwork(4);
    const bad = signed({ ...emptyViewChange(1), stableCheckpoint: sequence(4) }, 3);
    // Replica 0 is mute, so that the view begins with what 1, 2 and the faulty 3 say.
    network.filter = ({ from, to, event }) => {
      const message = event.kind === 'messageReceived' ? event.message : undefined;
      return from !== 0 && !(from === 3 && to !== 1 && message?.message.type === 'viewChange' && message !== bad);
    };
    network.submit(0, 'a', 1);
    network.submit(2, 'b', 1);
    network.advance(2_500);
    assert.equal(network.at(2).view, '-1');
    network.inject(3, 2, { kind: 'messageReceived', message: bad });
    network.run();
    assert.ok(rejectionsOf(network.at(2).under.effects).includes('badViewChange'));
    network.advance(550);
    assert.equal(network.at(1).view, '1');
    assert.equal(network.at(2).view, '1', 'what the NewView names counts, whatever its sender said besides');
    assert.ok(network.executedRequests().includes(name('b', 1)));
  });

  it('RX-01: while a named view change is missing, others of its sender do not pile up', () => {
    const network = new CoreNetwork(4);
    const another = (index: number) => ({ ...signed(emptyViewChange(1), 3), payload: Buffer.from(`another ${index}`) });
    // The one that the NewView names never comes to replica 2, not even as the answer to a fetch.
    network.filter = ({ from, to, event }) => {
      const message = event.kind === 'messageReceived' ? event.message : undefined;
      const isOfFaulty = message?.message.type === 'viewChange' && message.sender === 3;
      return from !== 0 && !(to === 2 && isOfFaulty && !Buffer.from(message.payload).toString().startsWith('another'));
    };
    network.submit(2, 'b', 1);
    network.advance(3_050);
    assert.equal(network.at(1).view, '1');
    assert.equal(network.at(2).view, '-1', 'it waits for the view change of replica 3');
    for (let index = 1; index <= 50; index++) {
      network.inject(3, 2, { kind: 'messageReceived', message: verified(another(index)) });
    }
    network.run();
    network.advance(1_000);
    const said = effectsOf(network.at(2).under.effects, 'sendStatus').at(-1)?.message.viewChanges ?? [];
    assert.ok(said.filter(({ replica }) => replica === 3).length <= 1, `${said.length} are held`);
  });

  it('a replica that was away learns the view from its NewView and catches up', () => {
    const network = new CoreNetwork(4);
    network.at(3).isUp = false;
    network.submit(1, 'a', 1);
    network.at(0).isUp = false;
    network.at(3).isUp = true;
    network.submit(1, 'a', 2);
    network.advance(20_000);
    assert.equal(network.at(3).executed.length, network.at(1).executed.length);
    assert.ok(network.executedRequests().includes(name('a', 2)));
  });

  it('VC-03: nothing at or below the stable checkpoint is ordered again', () => {
    const network = new CoreNetwork(4);
    for (let number = 1; number <= 9; number++) {
      network.submit(1, 'a', number);
    }
    assert.equal(network.at(1).under.core.inspect(0).lowWatermark, 8);
    network.at(0).isUp = false;
    network.submit(1, 'b', 1);
    network.advance(3_100);
    const newView = network.at(1).statements.find(({ message }) => message.type === 'newView')?.message;
    assert.ok(newView?.type === 'newView');
    assert.deepEqual(
      newView.prePrepares.map(({ message }) => message.sequence),
      [9],
    );
    assert.equal(network.executedRequests().length, 10);
  });

  it('the timeout doubles with each move without a stable checkpoint, up to the cap', () => {
    const network = new CoreNetwork(7, { local: { requestTimeoutMaxMs: 5_000 } });
    const left: number[] = [];
    network.submit(6, 'a', 1);
    for (const replica of [0, 1]) {
      network.at(replica).isUp = false;
    }
    network.submit(6, 'a', 2);
    network.advance(20_000);
    for (const effect of network.at(6).under.effects) {
      if (effect.kind === 'note' && effect.note.kind === 'viewLeft') {
        left.push(effect.note.timeoutMs);
      }
    }
    assert.deepEqual(left.slice(0, 2), [2_000, 4_000]);
  });

  it('NET-03: two replicas that see each other alone commit nothing and do not storm, until a quorum is back', () => {
    const network = new CoreNetwork(4);
    const side = (replica: number): boolean => replica < 2;
    network.filter = ({ from, to }) => side(from) === side(to);
    network.submit(1, 'a', 1);
    network.submit(2, 'b', 1);
    network.advance(60_000);
    assert.deepEqual(network.executedRequests(), []);
    const sent = network.at(2).statements.filter(({ message }) => message.type === 'viewChange').length;
    assert.ok(sent <= 6, `no storm of view changes: ${sent}`);
    network.filter = () => true;
    network.advance(200_000);
    assert.ok(network.executedRequests().includes(name('a', 1)));
    assert.ok(network.executedRequests().includes(name('b', 1)));
  });

  it('never says two different things for one view and sequence', () => {
    const network = new CoreNetwork(4, { consensus: { batchOperationsMax: 2 } });
    for (let number = 1; number <= 12; number++) {
      network.filter = ({ from, to }) => (from + to + number) % 5 !== 0;
      network.submit(number % 4, `client ${number % 3}`, number);
      network.advance(1_500);
    }
    for (const { statements } of network.replicas) {
      const said = new Map<string, string>();
      for (const { message } of statements) {
        if (message.type === 'prepare' || message.type === 'commit' || message.type === 'prePrepare') {
          const key = `${message.type} ${message.view} ${message.sequence}`;
          assert.equal(said.get(key) ?? message.batchDigest, message.batchDigest, key);
          said.set(key, message.batchDigest);
        }
      }
    }
    assert.ok(network.executedRequests().length > 0);
  });
});
