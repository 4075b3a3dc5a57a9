/** Before the first vote of a life (protocol.md 8a): whom a replica waits for, and what it does meanwhile. */
import assert from 'node:assert/strict';
import type { Effect } from '../../../src/protocol/effects.js';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import type { Status } from '../../../src/protocol/messages.js';
import {
  batchOf,
  broadcastsOf,
  CoreUnderTest,
  effectsOf,
  id,
  notesOf,
  rejectionsOf,
  request,
  signed,
} from '../../support/core-cluster.js';
import { CoreNetwork } from '../../support/core-network.js';
import { recoverFrom } from '../../support/core-restart.js';

const SIGNING = ['broadcast', 'propose', 'sign', 'signPrePrepares'];

function signedIn(effects: readonly Effect[]): readonly string[] {
  return effects.map(({ kind }) => kind).filter((kind) => SIGNING.includes(kind));
}

/** Connects a peer; gives the number of what he is sent. */
function greet(under: CoreUnderTest, peer: number): number {
  const sent = effectsOf(under.step({ kind: 'peerConnected', peer: id(peer) }), 'sendStatus');
  const status = sent.find(({ message }) => message.to === peer)?.message;
  assert.ok(status);
  return status.number;
}

let numbers = 0;

function answer(under: CoreUnderTest, peer: number, fields: Partial<Status>): readonly Effect[] {
  const status: Status = {
    type: 'status',
    to: id(under.replica),
    view: view(0),
    active: true,
    lowWatermark: sequence(0),
    lastExecuted: sequence(0),
    clockMs: 1_000,
    missingPrePrepares: new Uint8Array(),
    missingPrepares: new Uint8Array(),
    missingCommits: new Uint8Array(),
    checkpoints: [],
    number: ++numbers,
    recovering: false,
    viewChanges: [],
    newViewDigest: undefined,
    heard: 0,
    ...fields,
  };
  return under.step({ kind: 'messageReceived', message: signed(status, peer) });
}

/** A backup that voted for sequence 1 and starts again; none has answered. */
function restarted(): CoreUnderTest {
  const before = new CoreUnderTest(1);
  const { batch } = before.prePrepare(1);
  before.vote('prepare', 2, 1, batch.digest);
  before.vote('prepare', 3, 1, batch.digest);
  return new CoreUnderTest(1, 4, { recovered: recoverFrom(before.effects, 0), isStarting: true, life: 1 });
}

describe('a replica that starts', () => {
  it('FU-01: signs nothing before a quorum, itself included, has answered; then gives the votes that it promised', () => {
    const under = restarted();
    const [two, three] = [greet(under, 2), greet(under, 3)];
    assert.deepEqual(signedIn(under.effects), []);
    assert.equal(
      effectsOf(under.effects, 'sendStatus').every(({ message }) => message.recovering),
      true,
    );
    assert.deepEqual(
      under.core.explain(0).missing,
      [0, 2, 3].map((replica) => ({ kind: 'status', replica })),
    );
    assert.deepEqual(signedIn(answer(under, 2, { heard: two })), []);
    assert.deepEqual(under.core.inspect(0).answeredBy, [2]);
    const effects = answer(under, 3, { heard: three });
    assert.deepEqual(
      effectsOf(effects, 'broadcast').map(({ message }) => message.type),
      ['prepare', 'commit'],
    );
    assert.equal(notesOf(effects, 'votingBegun').length, 1);
    assert.equal(
      effectsOf(effects, 'sendStatus').every(({ message }) => !message.recovering),
      true,
    );
  });

  it('FU-01: takes no Status for an answer that heard of another link or another life, or of none that was sent', () => {
    const under = restarted();
    const first = greet(under, 2);
    under.step({ kind: 'peerDisconnected', peer: id(2) });
    const second = greet(under, 2);
    for (const heard of [0, first, second + 1, 7, Number.MAX_SAFE_INTEGER]) {
      answer(under, 2, { heard });
      assert.deepEqual(under.core.inspect(0).answeredBy, [], `heard ${heard}`);
    }
    answer(under, 2, { heard: second });
    assert.deepEqual(under.core.inspect(0).answeredBy, [2]);
  });

  it('FU-01: votes although f peers stay silent, echo too high a number, or claim a checkpoint that nobody has', () => {
    for (const lie of [undefined, { heard: Number.MAX_SAFE_INTEGER }, { lowWatermark: sequence(4_000) }]) {
      const under = restarted();
      const [liar, two, three] = [greet(under, 0), greet(under, 2), greet(under, 3)];
      if (lie !== undefined) {
        answer(under, 0, { heard: liar, ...lie });
      }
      answer(under, 2, { heard: two });
      assert.equal(under.core.inspect(0).mayVote, false);
      answer(under, 3, { heard: three });
      assert.equal(under.core.inspect(0).mayVote, true);
    }
  });

  it('FU-01: votes only once it is as far as the stable checkpoint of those who answered', () => {
    const under = new CoreUnderTest(1, 4, { isStarting: true });
    for (const peer of [2, 3]) {
      answer(under, peer, { heard: greet(under, peer), lowWatermark: sequence(4), lastExecuted: sequence(5) });
    }
    assert.equal(under.core.inspect(0).mayVote, false);
    const effects = [0, 2, 3].flatMap((sender) => under.checkpoint(sender, 4));
    assert.equal(notesOf(effects, 'votingBegun').length, 1);
    assert.equal(under.core.inspect(0).serveFrom, 5, 'callers are served from what f + 1 had executed');
  });

  it('FU-01: takes no proposal meanwhile and leaves no view, yet learns what is decided', () => {
    const under = new CoreUnderTest(1, 4, { isStarting: true });
    const { effects, batch } = under.prePrepare(1);
    assert.deepEqual(rejectionsOf(effects), ['starting']);
    for (const sender of [0, 2, 3]) {
      under.vote('commit', sender, 1, batch.digest);
    }
    under.step({ kind: 'batchFetched', sequence: sequence(1), batch });
    assert.equal(effectsOf(under.effects, 'execute').length, 1);
    under.step({ kind: 'requestReceived', request: request('b', 1), from: 'local' });
    under.elapsedMs = 60_000;
    const { generation } = effectsOf(under.effects, 'startTimer').findLast(({ timer }) => timer === 'request') ?? {};
    assert.ok(generation !== undefined);
    const expired = under.step({ kind: 'timerExpired', timer: 'request', generation });
    assert.deepEqual(signedIn(under.effects), []);
    assert.ok(
      effectsOf(expired, 'forward').some(({ item }) => item.kind === 'request'),
      'it passes on',
    );
    assert.equal(under.core.inspect(0).view, 0);
  });

  it('FU-01: proposes nothing as a primary until then', () => {
    const under = new CoreUnderTest(0, 4, { isStarting: true });
    under.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
    assert.deepEqual(signedIn(under.effects), []);
    answer(under, 1, { heard: greet(under, 1) });
    assert.equal(effectsOf(answer(under, 2, { heard: greet(under, 2) }), 'propose').length, 1);
  });

  it('FU-01: votes at once where it is alone', () => {
    const under = new CoreUnderTest(0, 1, { isStarting: true });
    under.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
    assert.equal(effectsOf(under.effects, 'propose').length, 1);
  });

  it('FU-01: is answered at once, the first time on a link, and by the heartbeat after that', () => {
    const peer = new CoreUnderTest(1);
    peer.step({ kind: 'peerConnected', peer: id(3) });
    const first = effectsOf(answer(peer, 3, { recovering: true }), 'sendStatus');
    assert.deepEqual(
      first.map(({ message }) => [message.to, message.heard]),
      [[3, numbers]],
    );
    assert.equal(effectsOf(answer(peer, 3, { recovering: true }), 'sendStatus').length, 0);
  });

  it('FU-01: all at once come up, and order what is asked', () => {
    const network = new CoreNetwork(4);
    network.submit(1, 'a', 1);
    for (const replica of [0, 1, 2, 3]) {
      network.crash(replica);
    }
    for (const replica of [0, 1, 2, 3]) {
      network.restart(replica);
    }
    network.run();
    network.submit(2, 'b', 1);
    assert.equal(network.executedRequests().length, 2);
    assert.equal(broadcastsOf(network.at(1).under.effects, 'prepare').length, 1);
    assert.ok(batchOf([request('b', 1)]).digest !== undefined);
  });
});
