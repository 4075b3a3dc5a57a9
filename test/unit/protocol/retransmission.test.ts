/** Status and what a peer is sent again for it (protocol.md 8). */
import assert from 'node:assert/strict';
import type { Effect } from '../../../src/protocol/effects.js';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import type { Status } from '../../../src/protocol/messages.js';
import { CoreUnderTest, effectsOf, id, notesOf, rejectionsOf, request, signed } from '../../support/core-cluster.js';

let nextNumber = 1;

function status(to: number, fields: Partial<Status> = {}): Status {
  return {
    type: 'status',
    to: id(to),
    view: view(0),
    active: true,
    lowWatermark: sequence(0),
    lastExecuted: sequence(0),
    clockMs: 1_000,
    missingPrePrepares: new Uint8Array(0),
    missingPrepares: new Uint8Array(0),
    missingCommits: new Uint8Array(0),
    checkpoints: [],
    number: nextNumber++,
    recovering: false,
    viewChanges: [],
    newViewDigest: undefined,
    heard: 0,
    ...fields,
  };
}

/** What a peer is sent again, but for what he signed himself: own-statements.test.ts. */
function resent(effects: readonly Effect[]) {
  return effectsOf(effects, 'forward').filter(
    ({ to, item }) => !(item.kind === 'message' && item.message.sender === to),
  );
}

describe('retransmission', () => {
  it('sends an executed batch with its commits to a peer that lacks it', () => {
    const backup = new CoreUnderTest(1);
    backup.commitAndExecute(1);
    backup.elapsedMs = 1_000;
    const effects = backup.step({ kind: 'messageReceived', message: signed(status(1), 2) });
    const item = resent(effects)[0]?.item;
    assert.ok(item?.kind === 'committedBatch');
    assert.equal(item.certificate.commits.length, 3);
  });

  it('sends the same thing to one peer at most once a second', () => {
    const backup = new CoreUnderTest(1);
    backup.commitAndExecute(1);
    const sentAt = (elapsedMs: number): number => {
      backup.elapsedMs = elapsedMs;
      return resent(backup.step({ kind: 'messageReceived', message: signed(status(1), 2) })).length;
    };
    assert.deepEqual([sentAt(1_000), sentAt(1_500), sentAt(1_999), sentAt(2_000)], [1, 0, 0, 1]);
  });

  it('does not send what is so young that it is still on its way', () => {
    const backup = new CoreUnderTest(1);
    backup.commitAndExecute(1);
    backup.elapsedMs = 100;
    const effects = backup.step({ kind: 'messageReceived', message: signed(status(1), 2) });
    assert.equal(resent(effects).length, 0);
  });

  it('sends the pre-prepare and its own votes for what is not decided, and no one else’s votes', () => {
    const backup = new CoreUnderTest(1);
    const { batch } = backup.prePrepare(1);
    backup.vote('prepare', 1, 1, batch.digest);
    backup.vote('prepare', 2, 1, batch.digest);
    backup.vote('commit', 1, 1, batch.digest);
    backup.elapsedMs = 1_000;
    const missing = {
      missingPrePrepares: Uint8Array.of(1),
      missingPrepares: Uint8Array.of(1),
      missingCommits: Uint8Array.of(1),
    };
    const effects = backup.step({ kind: 'messageReceived', message: signed(status(1, missing), 3) });
    const items = effectsOf(effects, 'forward').map(({ item }) =>
      item.kind === 'message' ? `${item.message.message.type} of ${item.message.sender}` : item.kind,
    );
    assert.deepEqual(items, ['proposal', 'prepare of 1', 'commit of 1']);
  });

  it('sends only what the bitmaps say is missing', () => {
    const backup = new CoreUnderTest(1);
    const { batch } = backup.prePrepare(1);
    backup.vote('prepare', 1, 1, batch.digest);
    backup.elapsedMs = 1_000;
    const missing = {
      missingPrePrepares: Uint8Array.of(0),
      missingPrepares: Uint8Array.of(0),
      missingCommits: Uint8Array.of(1),
    };
    const effects = backup.step({ kind: 'messageReceived', message: signed(status(1, missing), 3) });
    assert.equal(effectsOf(effects, 'forward').length, 0);
  });

  it('sends a higher stable checkpoint as a whole certificate', () => {
    const backup = new CoreUnderTest(1);
    for (const at of [1, 2, 3, 4]) {
      backup.commitAndExecute(at);
    }
    for (const sender of [0, 2, 3]) {
      backup.checkpoint(sender, 4);
    }
    const effects = backup.step({ kind: 'messageReceived', message: signed(status(1), 2) });
    assert.deepEqual(
      resent(effects).map(({ item }) => item.kind),
      ['checkpointCertificate'],
    );
  });

  it('refuses a Status for another replica', () => {
    const backup = new CoreUnderTest(1);
    const effects = backup.step({ kind: 'messageReceived', message: signed(status(3), 2) });
    assert.deepEqual(rejectionsOf(effects), ['notAddressee']);
  });

  it('FU-08: refuses a Status whose number is not above the last one of its link, before anything is done for it', () => {
    const backup = new CoreUnderTest(1);
    backup.commitAndExecute(1);
    backup.elapsedMs = 1_000;
    const old = signed(status(1), 2);
    const latest = signed(status(1, { lastExecuted: sequence(1) }), 2);
    backup.step({ kind: 'messageReceived', message: latest });
    for (const repeated of [old, latest]) {
      assert.equal(backup.core.screen(repeated)?.code, 'stale');
      const effects = backup.step({ kind: 'messageReceived', message: repeated });
      assert.deepEqual(rejectionsOf(effects), ['stale']);
      assert.deepEqual(effectsOf(effects, 'forward'), []);
    }
    assert.equal(backup.core.screen({ ...old, sender: id(3) }), undefined, 'each peer has numbers of his own');
    backup.step({ kind: 'peerDisconnected', peer: id(2) });
    backup.step({ kind: 'peerConnected', peer: id(2) });
    assert.equal(backup.core.screen(old), undefined, 'another life of his begins anew');
  });

  it('numbers its Status upwards, and says which of the peer it handled on this link', () => {
    const backup = new CoreUnderTest(1);
    const sentTo = (to: number, effects: ReturnType<typeof backup.step>) =>
      effectsOf(effects, 'sendStatus').find(({ message }) => message.to === id(to))?.message;
    const first = sentTo(2, backup.step({ kind: 'peerConnected', peer: id(2) }));
    assert.equal(first?.heard, 0);
    const heard = signed(status(1), 2);
    backup.step({ kind: 'messageReceived', message: heard });
    backup.step({ kind: 'peerConnected', peer: id(3) });
    backup.elapsedMs = 5_000;
    const { generation } = effectsOf(backup.effects, 'startTimer').findLast(({ timer }) => timer === 'status') ?? {};
    assert.ok(generation !== undefined);
    const beat = backup.step({ kind: 'timerExpired', timer: 'status', generation });
    const second = sentTo(2, beat);
    assert.ok(first !== undefined && second !== undefined && second.number > first.number);
    assert.equal(second.heard, heard.message.number);
    assert.equal(sentTo(3, beat)?.heard, 0);
    backup.step({ kind: 'peerDisconnected', peer: id(2) });
    assert.equal(sentTo(2, backup.step({ kind: 'peerConnected', peer: id(2) }))?.heard, 0, 'a new link');
  });

  it('says in its own Status what is missing, bit by bit', () => {
    const backup = new CoreUnderTest(1);
    backup.commitAndExecute(1);
    const { batch } = backup.prePrepare(3);
    backup.vote('prepare', 2, 3, batch.digest);
    const effects = backup.step({ kind: 'peerConnected', peer: id(2) });
    const sent = effectsOf(effects, 'sendStatus')[0]?.message;
    assert.ok(sent);
    assert.deepEqual(
      {
        to: sent.to,
        lastExecuted: sent.lastExecuted,
        missingPrePrepares: [...sent.missingPrePrepares],
        missingCommits: [...sent.missingCommits],
      },
      { to: 2, lastExecuted: 1, missingPrePrepares: [0b01], missingCommits: [0b11] },
    );
  });

  it('sends Status every second while something is missing and every five at rest', () => {
    const backup = new CoreUnderTest(1);
    const statusTimers = (effects: ReturnType<typeof backup.step>) =>
      effectsOf(effects, 'startTimer').filter(({ timer }) => timer === 'status');
    assert.equal(statusTimers(backup.effects).at(-1)?.delayMs, 5_000);
    assert.equal(statusTimers(backup.prePrepare(1).effects)[0]?.delayMs, 1_000);
  });

  it('OP-05: tells how far its clock is off the median of a quorum, and raises the alarm at half the drift', () => {
    const backup = new CoreUnderTest(1, 4, { isStarting: true });
    const told = (sender: number, aheadMs: number, afterMs = 1_000) => {
      backup.elapsedMs += afterMs;
      backup.wallMs += afterMs;
      const clock = { clockMs: backup.wallMs + aheadMs };
      const effects = backup.step({ kind: 'messageReceived', message: signed(status(1, clock), sender) });
      return notesOf(effects, 'clockSkew').map(({ skewMs, alarming, changed }) => [skewMs, alarming, changed]);
    };
    assert.deepEqual(told(2, 300), []);
    assert.deepEqual(told(3, 200), [[-200, false, false]]);
    assert.deepEqual(told(2, 7_000), [[-200, false, false]]);
    assert.deepEqual(told(3, 5_000), [[-5_000, true, true]]);
    assert.deepEqual(told(0, 6_000), [[-6_000, true, false]]);
    assert.deepEqual(told(2, 0), [[-5_000, true, false]]);
    assert.deepEqual(told(3, 0), [[0, false, true]]);
  });

  it('OP-05: takes f clocks that are far off for what they are', () => {
    const backup = new CoreUnderTest(1);
    for (const [sender, clockMs] of [
      [0, 3_600_000],
      [2, 1_050],
      [3, 990],
    ] as const) {
      const effects = backup.step({ kind: 'messageReceived', message: signed(status(1, { clockMs }), sender) });
      assert.ok(notesOf(effects, 'clockSkew').every(({ alarming }) => !alarming));
    }
  });

  it('RX-01: tells no more of its clock where a peer sends Status without end', () => {
    const backup = new CoreUnderTest(1, 4, { isStarting: true });
    backup.step({ kind: 'messageReceived', message: signed(status(1), 3) });
    let notes = 0;
    for (let index = 0; index < 100; index++) {
      backup.elapsedMs += 10;
      backup.wallMs += 10;
      const message = signed(status(1, { clockMs: backup.wallMs }), 2);
      notes += notesOf(backup.step({ kind: 'messageReceived', message }), 'clockSkew').length;
    }
    assert.equal(notes, 1);
  });
});

describe('relaying', () => {
  it('passes on what its own callers asked at once, to the primary', () => {
    const backup = new CoreUnderTest(1);
    backup.step({ kind: 'peerConnected', peer: id(0) });
    const effects = backup.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
    assert.deepEqual(
      effectsOf(effects, 'forward').map(({ to, item }) => [to, item.kind]),
      [[0, 'request']],
    );
  });

  it('passes on what still waits after half the request timeout, to all, and again', () => {
    const backup = new CoreUnderTest(1);
    const started = backup.step({ kind: 'requestReceived', request: request('a', 1), from: id(2) });
    let timer = effectsOf(started, 'startTimer').find(({ timer: name }) => name === 'request');
    for (const elapsedMs of [1_000, 2_000]) {
      assert.equal(timer?.delayMs, 1_000);
      backup.elapsedMs = elapsedMs;
      const effects = backup.step({ kind: 'timerExpired', timer: 'request', generation: timer?.generation ?? 0 });
      assert.deepEqual(
        effectsOf(effects, 'forward').map(({ to }) => to),
        ['all'],
      );
      timer = effectsOf(effects, 'startTimer').find(({ timer: name }) => name === 'request');
    }
  });

  it('VC-08: stops the request timer when nothing waits', () => {
    const backup = new CoreUnderTest(1);
    backup.step({ kind: 'requestReceived', request: request('a', 1), from: id(2) });
    const { batch } = backup.prePrepare(1);
    for (const sender of [0, 2, 3]) {
      backup.vote('commit', sender, 1, batch.digest);
    }
    const effects = backup.step({
      kind: 'batchExecuted',
      sequence: sequence(1),
      headerDigest: batch.digest,
      settled: [request('a', 1)],
      acknowledged: [],
    });
    assert.ok(effects.some((effect) => effect.kind === 'stopTimer' && effect.timer === 'request'));
  });

  it('passes on what its callers asked when the primary is back', () => {
    const backup = new CoreUnderTest(1);
    backup.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
    backup.step({ kind: 'requestReceived', request: request('b', 1), from: id(2) });
    const effects = backup.step({ kind: 'peerConnected', peer: id(0) });
    assert.equal(effectsOf(effects, 'forward').length, 1);
  });

  it('CL-06: bounds what waits of one client', () => {
    const backup = new CoreUnderTest(1);
    for (let number = 1; number <= 9; number++) {
      backup.step({ kind: 'requestReceived', request: request('greedy', number), from: id(2) });
    }
    assert.deepEqual(rejectionsOf(backup.effects), ['quota']);
  });
});

describe('the pace of Status', () => {
  /** The delay of the heartbeat that runs when these peers say how far they executed. */
  const paceOf = (said: Readonly<Record<number, number>>): number | undefined => {
    const backup = new CoreUnderTest(1);
    for (const [peer, lastExecuted] of Object.entries(said)) {
      const message = signed(status(1, { lastExecuted: sequence(lastExecuted) }), Number(peer));
      backup.step({ kind: 'messageReceived', message, over: id(Number(peer)) });
    }
    return effectsOf(backup.effects, 'startTimer').findLast(({ timer }) => timer === 'status')?.delayMs;
  };

  it('FU-08: is quick for what f + 1 say they executed, and not for what one peer alone claims', () => {
    assert.equal(paceOf({}), 5_000);
    assert.equal(paceOf({ 2: 8 }), 5_000);
    assert.equal(paceOf({ 2: 8, 3: 0 }), 5_000);
    assert.equal(paceOf({ 2: 8, 3: 1 }), 1_000);
  });
});
