/**
 * Liveness: [OSDI §4.5.2] and protocol.md 6, waiting, back-off, joining. When a replica gives its primary up, how long
 * it waits, and what moves it when others give theirs up.
 */
import assert from 'node:assert/strict';
import { sequence } from '../../src/protocol/identifiers.js';
import {
  batchOf,
  CoreUnderTest,
  effectsOf,
  headerDigestAt,
  id,
  notesOf,
  rejectionsOf,
  request,
  signed,
} from '../support/core-cluster.js';
import { CoreNetwork } from '../support/core-network.js';
import {
  emptyViewChange,
  expire,
  generationOf,
  giveViewChange,
  leftView0,
  T,
  viewOf,
  waits,
} from '../support/core-view-change.js';
import { countCoreHeld } from '../support/held.js';

describe('waiting [OSDI §4.5.2]', () => {
  it('VC-08: an idle cluster changes no view', () => {
    const network = new CoreNetwork(4);
    network.advance(600_000);
    assert.deepEqual(
      network.replicas.map(({ view: of, statements }) => [of, statements.length]),
      [0, 1, 2, 3].map(() => ['0', 0]),
    );
  });

  it('VC-08: a replica waits for what it admitted, what was relayed to it, and what it saw in a PrePrepare', () => {
    const [admitting, relayed, backup] = [1, 2, 3].map((replica) => new CoreUnderTest(replica));
    assert.ok(admitting !== undefined && relayed !== undefined && backup !== undefined);
    assert.ok(![admitting, relayed, backup].some(waits));
    admitting.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
    relayed.step({ kind: 'requestReceived', request: request('a', 1), from: id(1) });
    backup.prePrepare(1);
    assert.ok([admitting, relayed, backup].every(waits));
  });

  it('VC-08: the timer is that of the oldest request: executing others does not touch it', () => {
    const core = new CoreUnderTest(1);
    core.step({ kind: 'requestReceived', request: request('censored', 1), from: 'local' });
    core.elapsedMs = 1_500;
    const { batch } = core.prePrepare(1);
    for (const sender of [0, 2, 3]) {
      core.vote('commit', sender, 1, batch.digest);
    }
    core.step({
      kind: 'batchExecuted',
      sequence: sequence(1),
      headerDigest: headerDigestAt(1),
      settled: [request('a', 1)],
      acknowledged: [],
    });
    expire(core, 'request', T);
    assert.equal(viewOf(core), '-1');
  });

  it('passes on again even a request that alone is longer than what one expiry passes on, and others after it', () => {
    const core = new CoreUnderTest(1, 4, { local: { waitingBytesMax: 20_000_000 } });
    core.step({ kind: 'requestReceived', request: request('long', 1, 'x'.repeat(5_000_000)), from: id(2) });
    core.step({ kind: 'requestReceived', request: request('short', 1), from: id(2) });
    const passedOn = (atMs: number): readonly number[] =>
      effectsOf(expire(core, 'request', atMs), 'forward').map(({ item }) =>
        item.kind === 'request' ? item.request.bytes.length : 0,
      );
    assert.deepEqual(passedOn(T / 2), [5_000_000]);
    assert.deepEqual(passedOn(T), [7]);
  });

  it('VC-08: stops for a request that is executed, refused or dead, whichever way it came', () => {
    for (const acknowledged of [[], [{ clientId: request('a', 1).clientId, number: 1 }]]) {
      const core = new CoreUnderTest(1);
      core.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
      const { batch } = core.prePrepare(1, { requests: [], batch: batchOf([request('b', 1)]) });
      for (const sender of [0, 2, 3]) {
        core.vote('commit', sender, 1, batch.digest);
      }
      const settled = acknowledged.length === 0 ? [request('a', 1)] : [];
      core.step({
        kind: 'batchExecuted',
        sequence: sequence(1),
        headerDigest: headerDigestAt(1),
        settled,
        acknowledged,
      });
      assert.ok(!waits(core));
    }
  });

  it('what is committed with all before it waits no more, executed or not', () => {
    const core = new CoreUnderTest(1);
    const { batch } = core.prePrepare(1);
    for (const sender of [0, 2, 3]) {
      core.vote('commit', sender, 1, batch.digest);
    }
    expire(core, 'request', 5 * T);
    assert.equal(viewOf(core), '0', 'slow execution is no fault of the primary');
  });

  it('what is committed above a gap still waits', () => {
    const core = new CoreUnderTest(1);
    const { batch } = core.prePrepare(2);
    for (const sender of [0, 2, 3]) {
      core.vote('commit', sender, 2, batch.digest);
    }
    expire(core, 'request', T);
    assert.equal(viewOf(core), '-1');
  });

  it('own execution that is a pipeline behind what is committed counts double', () => {
    const core = new CoreUnderTest(1, 4, { local: { pipeline: 2 } });
    for (const at of [1, 2]) {
      const { batch } = core.prePrepare(at);
      for (const sender of [0, 2, 3]) {
        core.vote('commit', sender, at, batch.digest);
      }
    }
    core.step({ kind: 'requestReceived', request: request('b', 1), from: id(2) });
    expire(core, 'request', T);
    assert.equal(viewOf(core), '0');
    expire(core, 'request', 2 * T);
    assert.equal(viewOf(core), '-1');
  });

  it('blames nobody while it is behind a stable checkpoint', () => {
    const core = new CoreUnderTest(1);
    core.step({ kind: 'requestReceived', request: request('a', 1), from: id(2) });
    const checkpoints = [0, 2, 3].map((sender) =>
      signed({ type: 'checkpoint', sequence: sequence(4), headerDigest: headerDigestAt(4) } as const, sender),
    );
    core.step({ kind: 'checkpointCertificateReceived', certificate: { checkpoints }, from: id(2) });
    expire(core, 'request', T);
    assert.equal(viewOf(core), '0');
  });

  // The next primary may be who saw it proposed, or not.
  for (const seenBy of [1, 2]) {
    it(`requests of a PrePrepare that is not carried into O wait again, and are proposed again (seen by ${seenBy})`, () => {
      const network = new CoreNetwork(4);
      network.filter = ({ to, event }) =>
        !(event.kind === 'prePrepareReceived' && event.prePrepare.message.view === 0 && to !== seenBy);
      network.submit(0, 'a', 1);
      network.at(0).isUp = false;
      network.advance(10_000);
      assert.equal(network.at(2).view, '1');
      assert.equal(network.executedRequests().length, 1);
    });
  }
});

describe('the timeout T [OSDI §4.5.2]', () => {
  it('VC-08: doubles with each view that does not begin, up to its cap, and a stable checkpoint spares one doubling', () => {
    const core = new CoreUnderTest(3, 4, { local: { requestTimeoutMaxMs: 7_000 } });
    core.step({ kind: 'requestReceived', request: request('a', 1), from: id(1) });
    expire(core, 'request', T);
    for (let left = 1; left <= 4; left++) {
      const sign = effectsOf(core.effects, 'sign').at(-1);
      assert.ok(sign?.message.type === 'viewChange');
      core.step({ kind: 'messageSigned', message: signed(sign.message, 3) });
      giveViewChange(core, 1, left);
      giveViewChange(core, 2, left);
      expire(core, 'newView', core.elapsedMs + 10_000);
    }
    assert.deepEqual(
      notesOf(core.effects, 'viewLeft').map(({ timeoutMs }) => timeoutMs),
      [2_000, 4_000, 7_000, 7_000, 7_000],
    );
  });

  it('VC-08: is halved when a checkpoint interval was executed in one view, and not below its base', () => {
    const network = new CoreNetwork(7, { consensus: { batchOperationsMax: 1 } });
    network.at(0).isUp = false;
    network.at(1).isUp = false;
    network.submit(3, 'a', 1);
    network.advance(20_000);
    assert.equal(network.at(3).view, '2');
    // Replica 2 began a view at T = 4 s; two intervals of 4 bring it back to 2 s.
    for (let number = 2; number <= 9; number++) {
      network.submit(3, 'a', number);
    }
    network.at(2).isUp = false;
    network.at(0).isUp = true;
    network.at(1).isUp = true;
    network.submit(3, 'a', 10);
    network.advance(30_000);
    const timeouts = notesOf(network.at(3).under.effects, 'viewLeft').map(({ timeoutMs }) => timeoutMs);
    assert.deepEqual(timeouts.slice(0, 3), [2_000, 4_000, 2_000]);
  });
});

describe('joining [OSDI §4.5.2]', () => {
  it('BB-08: at most f senders move nobody, however high and often, and one ViewChange of each is held', () => {
    const core = new CoreUnderTest(3);
    for (let target = 1; target <= 500; target++) {
      giveViewChange(core, 1, target * 4 + 2);
    }
    assert.equal(viewOf(core), '0');
    const status = effectsOf(core.step({ kind: 'peerConnected', peer: id(0) }), 'sendStatus')[0]?.message;
    assert.equal(status?.viewChanges.length, 1);
    assert.equal(effectsOf(core.effects, 'judgeViewChange').length, 0, 'nor do they cost a signature check inside');
  });

  it('RX-01: remembers no bad ViewChange that no NewView names, however long one is sent each timeout', () => {
    const core = new CoreUnderTest(3);
    // A correct replica left alone, so that another sender's ViewChange could complete a weak quorum and is judged.
    giveViewChange(core, 1, 5);
    for (let sent = 0; sent < 50; sent++) {
      core.elapsedMs += 2 * T;
      const before = core.effects.length;
      core.step({ kind: 'messageReceived', message: signed(emptyViewChange(6 + sent), 2) });
      for (const { viewChange, digest } of effectsOf(core.effects.slice(before), 'judgeViewChange')) {
        const isValid = viewChange.sender !== 2;
        core.step({ kind: 'viewChangeJudged', replica: viewChange.sender, digest, isValid });
      }
    }
    assert.equal(viewOf(core), '0');
    assert.equal(rejectionsOf(core.effects).filter((code) => code === 'badViewChange').length, 50);
    assert.equal(countCoreHeld(core.core).badViewChanges, 0);
  });

  it('RX-01: lets the sender of a bad ViewChange wait, also where he sent the next before it was judged', () => {
    const core = new CoreUnderTest(3);
    giveViewChange(core, 1, 5);
    const begun = core.step({ kind: 'messageReceived', message: signed(emptyViewChange(6), 2) });
    const judged = effectsOf(begun, 'judgeViewChange').find(({ viewChange }) => viewChange.sender === 2);
    assert.ok(judged);
    core.step({ kind: 'messageReceived', message: signed(emptyViewChange(7), 2) });
    core.step({ kind: 'viewChangeJudged', replica: id(2), digest: judged.digest, isValid: false });
    const third = core.step({ kind: 'messageReceived', message: signed(emptyViewChange(8), 2) });
    assert.deepEqual(rejectionsOf(third), ['quota']);
  });

  it('VC-09: moves to the weak-quorum-th largest of the others’ views, at once', () => {
    const core = new CoreUnderTest(6, 7);
    giveViewChange(core, 1, 9);
    giveViewChange(core, 2, 5);
    assert.equal(viewOf(core), '0');
    giveViewChange(core, 3, 4);
    assert.equal(viewOf(core), '-4');
    giveViewChange(core, 4, 8);
    assert.equal(viewOf(core), '-5');
  });

  it('VC-08: runs the new-view timer from when a quorum counts with its view or a higher one', () => {
    const core = leftView0();
    giveViewChange(core, 1, 1);
    assert.equal(generationOf(core, 'newView'), undefined, 'two of four');
    giveViewChange(core, 2, 7);
    assert.ok(generationOf(core, 'newView') !== undefined, 'a ViewChange for a later view counts too');
    assert.equal(viewOf(core), '-1');
    expire(core, 'newView', 2 * T);
    assert.equal(viewOf(core), '-2');
  });

  it('leaves a primary that says itself that it left, without waiting for the timer', () => {
    const core = new CoreUnderTest(3);
    giveViewChange(core, 0, 1);
    assert.equal(viewOf(core), '-1');
    assert.equal(notesOf(core.effects, 'viewLeft')[0]?.cause, 'primaryLeft');
  });

  it('RX-01, BB-04: keeps of each sender the votes of one future view, the lowest, twice a window of them', () => {
    const core = new CoreUnderTest(2);
    let taken = 0;
    for (let flood = 0; flood < 5_000; flood++) {
      const effects = core.vote('prepare', 3, 1 + (flood % 8), headerDigestAt(flood), 40_000 - 4 * flood);
      taken += rejectionsOf(effects).length === 0 ? 1 : 0;
    }
    assert.equal(taken, 5_000, 'each is of a lower view: it takes the place of the one before');
    const effects = Array.from({ length: 100 }, (_, index) =>
      core.vote('commit', 3, 1 + (index % 8), headerDigestAt(index), 20_004),
    );
    assert.equal(
      effects.filter((one) => rejectionsOf(one).length === 0).length,
      15,
      'twice the window, with the one held',
    );
  });

  it('keeps votes of the view it moves to, whatever was kept of a view that it never entered', () => {
    const core = leftView0();
    const batchDigest = headerDigestAt(1);
    core.vote('prepare', 0, 1, batchDigest, 1);
    giveViewChange(core, 1, 1);
    giveViewChange(core, 2, 1);
    expire(core, 'newView', 2 * T);
    assert.equal(viewOf(core), '-2');
    assert.deepEqual(rejectionsOf(core.vote('prepare', 0, 1, batchDigest, 2)), []);
    assert.equal(countCoreHeld(core.core).futureVotesOfSender, 1, 'the vote of view 1 is gone');
  });
});
