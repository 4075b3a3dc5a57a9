/** The normal case: [OSDI §4.2] and protocol.md 4, rule by rule. */
import assert from 'node:assert/strict';
import { replicaId, sequence, view } from '../../src/protocol/identifiers.js';
import type { Digest } from '../../src/util/digest.js';
import {
  batchOf,
  broadcastsOf,
  CoreUnderTest,
  digest,
  effectsOf,
  notesOf,
  recordsOf,
  rejectionsOf,
  request,
  signed,
} from '../support/core-cluster.js';

describe('normal case [OSDI §4.2]', () => {
  describe('the primary', () => {
    it('proposes a request at once when nothing is in flight, persisting before it sends', () => {
      const primary = new CoreUnderTest(0);
      const effects = primary.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
      const kinds = effects.map(({ kind }) => kind).filter((kind) => kind === 'persist' || kind === 'propose');
      assert.deepEqual(kinds, ['persist', 'propose']);
      assert.equal(effectsOf(effects, 'propose')[0]?.message.sequence, 1);
    });

    it('fills a batch while another is in flight, until the batch delay passes', () => {
      const primary = new CoreUnderTest(0);
      primary.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
      const waiting = [
        ...primary.step({ kind: 'requestReceived', request: request('a', 2), from: 'local' }),
        ...primary.step({ kind: 'requestReceived', request: request('b', 1), from: 'local' }),
      ];
      assert.equal(effectsOf(waiting, 'propose').length, 0);
      const timer = effectsOf(waiting, 'startTimer').find(({ timer: name }) => name === 'batchDelay');
      assert.ok(timer);
      const effects = primary.step({ kind: 'timerExpired', timer: 'batchDelay', generation: timer.generation });
      const batch = effectsOf(effects, 'propose')[0]?.batch;
      assert.ok(batch !== undefined && 'bytes' in batch);
      assert.equal(batch.requests.length, 2);
    });

    it('does not wait for the delay when a batch is full', () => {
      const primary = new CoreUnderTest(0);
      primary.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
      for (const [client, number] of ['b', 'c'].flatMap((name) => [1, 2, 3, 4, 5].map((of) => [name, of] as const))) {
        primary.step({ kind: 'requestReceived', request: request(client, number), from: 'local' });
      }
      const proposals = effectsOf(primary.effects, 'propose');
      assert.deepEqual(
        proposals.map(({ batch }) => ('operationCount' in batch ? batch.operationCount : 0)),
        [1, 10],
      );
    });

    it('has at most `pipeline` sequences in flight and none above H', () => {
      const primary = new CoreUnderTest(0, 4, {
        local: { pipeline: 20, waitingRequestsOfClientMax: 100, waitingRequestsMax: 200 },
        consensus: { batchOperationsMax: 1 },
      });
      for (let number = 1; number <= 12; number++) {
        primary.step({ kind: 'requestReceived', request: request('a', number), from: 'local' });
      }
      assert.equal(effectsOf(primary.effects, 'propose').length, 8, 'the window has 8 sequences');
      const narrow = new CoreUnderTest(0, 4, {
        local: { pipeline: 3, waitingRequestsOfClientMax: 100 },
        consensus: { batchOperationsMax: 1 },
      });
      for (let number = 1; number <= 12; number++) {
        narrow.step({ kind: 'requestReceived', request: request('a', number), from: 'local' });
      }
      assert.equal(effectsOf(narrow.effects, 'propose').length, 3);
    });

    it('takes clients in turn, so that none is crowded out', () => {
      const primary = new CoreUnderTest(0, 4, { consensus: { batchOperationsMax: 4 } });
      primary.step({ kind: 'requestReceived', request: request('x', 1), from: 'local' });
      for (let number = 1; number <= 3; number++) {
        primary.step({ kind: 'requestReceived', request: request('greedy', number), from: 'local' });
      }
      const effects = primary.step({ kind: 'requestReceived', request: request('modest', 1), from: 'local' });
      const batch = effectsOf(effects, 'propose')[0]?.batch;
      assert.ok(batch !== undefined && 'bytes' in batch);
      assert.ok(batch.requests.slice(0, 2).some(({ clientId }) => clientId === request('modest', 1).clientId));
    });
  });

  describe('a backup', () => {
    it('accepts a pre-prepare of the primary, on disk before its prepare', () => {
      const backup = new CoreUnderTest(1);
      const { batch, effects } = backup.prePrepare(1);
      assert.equal(recordsOf(effects, 'accepted')[0]?.batch.digest, batch.digest);
      const order = effects.map(({ kind }) => kind).filter((kind) => kind === 'persist' || kind === 'broadcast');
      assert.deepEqual(order, ['persist', 'broadcast']);
      assert.equal(broadcastsOf(effects, 'prepare').length, 1);
    });

    it('BP-02: never accepts a second digest for one view and sequence, and keeps both signatures as evidence', () => {
      const backup = new CoreUnderTest(1);
      backup.prePrepare(1);
      const { effects } = backup.prePrepare(1, { batch: batchOf([request('b', 7)]) });
      assert.deepEqual(rejectionsOf(effects), ['contradiction']);
      assert.equal(broadcastsOf(effects, 'prepare').length, 0);
      assert.equal(recordsOf(effects, 'evidence')[0]?.evidence.replica, 0);
    });

    it('BP-04: takes only sequences in (h, H]', () => {
      const backup = new CoreUnderTest(1);
      assert.deepEqual(rejectionsOf(backup.prePrepare(0).effects), ['belowWindow']);
      assert.deepEqual(rejectionsOf(backup.prePrepare(9).effects), ['aboveWindow']);
      assert.equal(broadcastsOf(backup.prePrepare(8).effects, 'prepare').length, 1);
    });

    it('takes a pre-prepare from the primary of the current view only', () => {
      const backup = new CoreUnderTest(1);
      assert.deepEqual(rejectionsOf(backup.prePrepare(1, { sender: 2 }).effects), ['notPrimary']);
      assert.deepEqual(rejectionsOf(backup.prePrepare(1, { view: 1, sender: 3 }).effects), ['notPrimary']);
      assert.equal(broadcastsOf(backup.prePrepare(1, { view: 2 }).effects, 'prepare').length, 0);
    });

    it('accepts by bytes alone: a batch whose requests it executed before is prepared too', () => {
      const backup = new CoreUnderTest(1);
      backup.commitAndExecute(1);
      const again = batchOf([request('a', 1)], 2_000);
      const { effects } = backup.prePrepare(2, { batch: again, requests: [] });
      assert.equal(broadcastsOf(effects, 'prepare').length, 1);
    });

    it('refuses a batch without requests: the null batch stands in a NewView only', () => {
      const backup = new CoreUnderTest(1);
      assert.deepEqual(rejectionsOf(backup.prePrepare(1, { batch: batchOf([]) }).effects), ['badBatch']);
    });

    it('OP-05: keeps a batch from the future and prepares it when the own clock gets there', () => {
      const backup = new CoreUnderTest(1);
      const { effects } = backup.prePrepare(1, { batch: batchOf([request('a', 1)], 11_001) });
      assert.equal(broadcastsOf(effects, 'prepare').length, 0);
      const timer = effectsOf(effects, 'startTimer').find(({ timer: name }) => name === 'delayedProposal');
      assert.ok(timer);
      backup.wallMs = 1_001;
      const later = backup.step({ kind: 'timerExpired', timer: 'delayedProposal', generation: timer.generation });
      assert.equal(broadcastsOf(later, 'prepare').length, 1);
    });
  });

  describe('prepared', () => {
    it('is a pre-prepare and quorum − 1 prepares of distinct backups, on disk before the commit', () => {
      const backup = new CoreUnderTest(1);
      const { batch } = backup.prePrepare(1);
      assert.equal(broadcastsOf(backup.vote('prepare', 1, 1, batch.digest), 'commit').length, 0);
      const effects = backup.vote('prepare', 2, 1, batch.digest);
      const order = effects.map(({ kind }) => kind).filter((kind) => kind === 'persist' || kind === 'broadcast');
      assert.deepEqual(order, ['persist', 'broadcast']);
      assert.equal(recordsOf(effects, 'prepared')[0]?.certificate.prepares.length, 2);
      assert.equal(broadcastsOf(effects, 'commit').length, 1);
    });

    it('BB-05: does not count a prepare of the primary', () => {
      const backup = new CoreUnderTest(1);
      const { batch } = backup.prePrepare(1);
      backup.vote('prepare', 1, 1, batch.digest);
      const effects = backup.vote('prepare', 0, 1, batch.digest);
      assert.deepEqual(rejectionsOf(effects), ['fromPrimary']);
      assert.equal(broadcastsOf(effects, 'commit').length, 0);
    });

    it('BB-02: counts a sender once however often he votes', () => {
      const backup = new CoreUnderTest(1);
      const { batch } = backup.prePrepare(1);
      backup.vote('prepare', 2, 1, batch.digest);
      const effects = [...backup.vote('prepare', 2, 1, batch.digest), ...backup.vote('prepare', 2, 1, batch.digest)];
      assert.deepEqual(rejectionsOf(effects), ['duplicate', 'duplicate']);
      assert.equal(broadcastsOf(backup.effects, 'commit').length, 0);
    });

    it('BB-01: counts the first of two contradicting prepares and keeps both as evidence', () => {
      const backup = new CoreUnderTest(1);
      const { batch } = backup.prePrepare(1);
      backup.vote('prepare', 2, 1, digest('other'));
      const effects = backup.vote('prepare', 2, 1, batch.digest);
      assert.deepEqual(rejectionsOf(effects), ['contradiction']);
      assert.equal(notesOf(effects, 'evidence')[0]?.evidence.kind, 'prepare');
      assert.equal(broadcastsOf(backup.vote('prepare', 1, 1, batch.digest), 'commit').length, 0);
    });

    it('BB-04: counts no prepare of another view', () => {
      const backup = new CoreUnderTest(1);
      const { batch } = backup.prePrepare(1);
      backup.vote('prepare', 1, 1, batch.digest);
      assert.equal(broadcastsOf(backup.vote('prepare', 2, 1, batch.digest, 2), 'commit').length, 0);
      assert.equal(broadcastsOf(backup.vote('prepare', 3, 1, batch.digest, 2), 'commit').length, 0);
    });

    it('counts prepares that came before the pre-prepare', () => {
      const backup = new CoreUnderTest(1);
      const batch = batchOf([request('a', 1)]);
      backup.vote('prepare', 2, 1, batch.digest);
      backup.vote('prepare', 3, 1, batch.digest);
      assert.equal(broadcastsOf(backup.prePrepare(1, { batch }).effects, 'commit').length, 1);
    });
  });

  describe('committed', () => {
    it('is a quorum of commits of one view and digest', () => {
      const backup = new CoreUnderTest(1);
      const { batch } = backup.prePrepare(1);
      backup.vote('commit', 0, 1, batch.digest);
      backup.vote('commit', 2, 1, digest('other'));
      assert.equal(effectsOf(backup.vote('commit', 1, 1, batch.digest), 'execute').length, 0);
      const effects = backup.vote('commit', 3, 1, batch.digest);
      assert.equal(effectsOf(effects, 'execute')[0]?.certificate?.commits.length, 3);
    });

    it('holds whether or not this replica prepared, and a missing batch is fetched by digest', () => {
      const backup = new CoreUnderTest(1);
      const batch = batchOf([request('a', 1)]);
      for (const sender of [0, 2]) {
        backup.vote('commit', sender, 1, batch.digest);
      }
      const effects = backup.vote('commit', 3, 1, batch.digest);
      assert.deepEqual(effectsOf(effects, 'fetch')[0]?.what, { kind: 'batch', sequence: 1, digest: batch.digest });
      const later = backup.step({ kind: 'batchFetched', sequence: sequence(1), batch });
      assert.equal(recordsOf(later, 'batch').length, 1, 'its bytes are kept before it is executed');
      assert.equal(effectsOf(later, 'execute').length, 1);
    });

    it('executes in order, without a gap', () => {
      const backup = new CoreUnderTest(1);
      const first = batchOf([request('a', 1)]);
      const second = batchOf([request('a', 2)]);
      backup.prePrepare(2, { batch: second });
      for (const sender of [0, 2, 3]) {
        backup.vote('commit', sender, 2, second.digest);
      }
      assert.equal(effectsOf(backup.effects, 'execute').length, 0);
      backup.prePrepare(1, { batch: first });
      for (const sender of [0, 2, 3]) {
        backup.vote('commit', sender, 1, first.digest);
      }
      assert.deepEqual(
        effectsOf(backup.effects, 'execute').map(({ sequence: at }) => at),
        [1, 2],
      );
    });

    it('raises an alarm when asked for another digest at an executed sequence, and does not prepare it', () => {
      const backup = new CoreUnderTest(1);
      const batch = batchOf([request('a', 1)]);
      const commits = [0, 2, 3].map((sender) =>
        signed({ type: 'commit' as const, view: view(0), sequence: sequence(1), batchDigest: batch.digest }, sender),
      );
      backup.step({
        kind: 'committedBatchReceived',
        batch,
        certificate: { commits },
        from: commits[0]?.sender ?? (0 as never),
      });
      backup.executed(1);
      const { effects } = backup.prePrepare(1, { batch: batchOf([request('b', 1)]) });
      assert.deepEqual(rejectionsOf(effects), ['contradictsExecuted']);
      assert.equal(notesOf(effects, 'contradictsExecuted').length, 1);
      assert.equal(broadcastsOf(effects, 'prepare').length, 0);
    });

    /** Replica 1 has executed one batch at sequence 1, and another is decided there by what `decide` gives it. */
    const decideTwice = (decide: (backup: CoreUnderTest, batchDigest: Digest) => unknown): CoreUnderTest => {
      const backup = new CoreUnderTest(1);
      const batch = batchOf([request('a', 1)]);
      const commits = [0, 2, 3].map((sender) => commitOf(batch.digest, sender));
      backup.step({ kind: 'committedBatchReceived', batch, certificate: { commits }, from: replicaId(2) });
      backup.executed(1);
      decide(backup, batchOf([request('b', 1)]).digest);
      return backup;
    };
    const decisions: readonly (readonly [string, (backup: CoreUnderTest, batchDigest: Digest) => unknown])[] = [
      ['commits', (backup, batchDigest) => [0, 2, 3].map((sender) => backup.vote('commit', sender, 1, batchDigest))],
      [
        'a batch with its commits',
        (backup) => {
          const batch = batchOf([request('b', 1)]);
          const commits = [0, 2, 3].map((sender) => commitOf(batch.digest, sender));
          backup.step({ kind: 'committedBatchReceived', batch, certificate: { commits }, from: replicaId(2) });
        },
      ],
    ];
    for (const [what, decide] of decisions) {
      it(`CK-03: stops when ${what} of a quorum decide another batch than the executed one`, () => {
        const backup = decideTwice(decide);
        const [own, certified] = ['a', 'b'].map((content) => batchOf([request(content, 1)]).digest);
        assert.deepEqual(notesOf(backup.effects, 'diverged'), [
          { kind: 'diverged', sequence: sequence(1), own, certified },
        ]);
        assert.ok(backup.core.inspect(0).diverged);
        const { effects } = backup.prePrepare(2, { batch: batchOf([request('a', 2)]) });
        assert.deepEqual(rejectionsOf(effects), ['diverged']);
      });
    }

    it('CK-03: goes on where fewer than a quorum commit another batch than the executed one', () => {
      const backup = decideTwice((core, batchDigest) =>
        [0, 2].map((sender) => core.vote('commit', sender, 1, batchDigest)),
      );
      assert.deepEqual(notesOf(backup.effects, 'diverged'), []);
      assert.ok(!backup.core.inspect(0).diverged);
    });
  });
});

function commitOf(batchDigest: Digest, sender: number) {
  return signed({ type: 'commit' as const, view: view(0), sequence: sequence(1), batchDigest }, sender);
}
