/** Checkpoints and garbage collection: [OSDI §4.3] and protocol.md 5, rule by rule. */
import assert from 'node:assert/strict';
import type { CheckpointCertificate } from '../../src/protocol/certificates.js';
import { sequence, view } from '../../src/protocol/identifiers.js';
import {
  batchOf,
  broadcastsOf,
  CoreUnderTest,
  digest,
  effectsOf,
  FRESH,
  headerDigestAt,
  id,
  notesOf,
  recordsOf,
  rejectionsOf,
  request,
  signed,
} from '../support/core-cluster.js';

function certificateOf(
  at: number,
  senders: readonly number[],
  headerDigest = headerDigestAt(at),
): CheckpointCertificate {
  return {
    checkpoints: senders.map((sender) => signed({ type: 'checkpoint', sequence: sequence(at), headerDigest }, sender)),
  };
}

describe('garbage collection [OSDI §4.3]', () => {
  it('signs a checkpoint at each multiple of K, once execution up to it is durable', () => {
    const backup = new CoreUnderTest(1);
    for (const at of [1, 2, 3]) {
      backup.commitAndExecute(at);
    }
    assert.equal(broadcastsOf(backup.effects, 'checkpoint').length, 0);
    backup.commitAndExecute(4);
    const kinds = backup.effects
      .filter(
        (effect) =>
          (effect.kind === 'persist' && effect.record.kind === 'ownCheckpoint') ||
          (effect.kind === 'broadcast' && effect.message.type === 'checkpoint'),
      )
      .map(({ kind }) => kind);
    assert.deepEqual(kinds, ['persist', 'broadcast']);
  });

  it('lets no more than a window wait for execution, however far h moves on without it', () => {
    const slow = new CoreUnderTest(1);
    const commit = (at: number): void => {
      const { batch } = slow.prePrepare(at);
      for (const sender of [0, 2, 3]) {
        slow.vote('commit', sender, at, batch.digest);
      }
    };
    for (let at = 1; at <= 8; at++) {
      commit(at);
    }
    for (const sender of [0, 2, 3]) {
      slow.checkpoint(sender, 4);
    }
    commit(9);
    const ordered = (): readonly number[] => effectsOf(slow.effects, 'execute').map(({ sequence: at }) => at);
    assert.deepEqual(ordered(), [1, 2, 3, 4, 5, 6, 7, 8]);
    slow.executed(1);
    assert.deepEqual(ordered(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('makes a quorum of equal digests stable: h moves, the log is discarded after the certificate is durable', () => {
    const backup = new CoreUnderTest(1);
    for (const at of [1, 2, 3, 4]) {
      backup.commitAndExecute(at);
    }
    backup.checkpoint(1, 4);
    backup.checkpoint(2, 4);
    const effects = backup.checkpoint(3, 4);
    assert.equal(recordsOf(effects, 'stableCheckpoint')[0]?.certificate.checkpoints.length, 3);
    const order = effects.map(({ kind }) => kind).filter((kind) => kind === 'persist' || kind === 'discard');
    assert.deepEqual(order, ['persist', 'discard']);
    assert.equal(backup.core.inspect(0).lowWatermark, 4);
    assert.deepEqual(rejectionsOf(backup.prePrepare(4).effects), ['belowWindow']);
    assert.deepEqual(rejectionsOf(backup.prePrepare(12).effects), [], 'H moved too');
  });

  it('CK-02: does not count a digest that differs, nor a sender twice', () => {
    const backup = new CoreUnderTest(1);
    backup.checkpoint(0, 4, digest('wrong'));
    backup.checkpoint(2, 4);
    backup.checkpoint(2, 4);
    backup.checkpoint(3, 4);
    assert.equal(backup.core.inspect(0).lowWatermark, 0);
    const effects = backup.checkpoint(0, 4);
    assert.deepEqual(rejectionsOf(effects), ['contradiction']);
    assert.equal(notesOf(effects, 'evidence')[0]?.evidence.replica, 0);
    assert.equal(backup.core.inspect(0).lowWatermark, 0);
  });

  it('takes checkpoints of multiples of K only', () => {
    const backup = new CoreUnderTest(1);
    assert.deepEqual(rejectionsOf(backup.checkpoint(2, 5)), ['notCheckpoint']);
    assert.deepEqual(rejectionsOf(backup.checkpoint(2, 0)), ['notCheckpoint']);
  });

  it('CK-05: keeps of each sender one checkpoint above H, the highest', () => {
    const backup = new CoreUnderTest(1);
    for (let at = 12; at <= 4_000; at += 4) {
      backup.checkpoint(2, at);
    }
    assert.deepEqual(rejectionsOf(backup.checkpoint(2, 3_000)), ['stale']);
    const status = effectsOf(backup.step({ kind: 'peerConnected', peer: id(0) }), 'sendStatus')[0]?.message;
    assert.deepEqual(status?.checkpoints, [{ replica: 2, sequence: 4_000 }]);
  });

  it('CK-03: stops when its own digest differs from the stable one', () => {
    const backup = new CoreUnderTest(1);
    for (const at of [1, 2, 3, 4]) {
      backup.commitAndExecute(at);
    }
    const effects = backup.step({
      kind: 'checkpointCertificateReceived',
      certificate: certificateOf(4, [0, 2, 3], digest('other')),
      from: id(0),
    });
    assert.equal(notesOf(effects, 'diverged')[0]?.sequence, 4);
    assert.deepEqual(rejectionsOf(backup.prePrepare(5).effects), ['diverged']);
    assert.equal(
      effectsOf(backup.step({ kind: 'requestReceived', request: request('a', 9), from: 'local' }), 'forward').length,
      0,
    );
  });

  it('CK-03: signs no checkpoint once it diverged, whatever was handed over for execution before', () => {
    const backup = new CoreUnderTest(1);
    backup.step({ kind: 'checkpointCertificateReceived', certificate: certificateOf(4, [0, 2, 3]), from: id(0) });
    for (const at of [5, 6, 7, 8]) {
      const { batch } = backup.prePrepare(at);
      for (const sender of [0, 2, 3]) {
        backup.vote('commit', sender, at, batch.digest);
      }
    }
    const entries = [1, 2, 3, 4].map((at) => ({
      sequence: sequence(at),
      headerDigest: headerDigestAt(at),
      batch: batchOf([request('a', at)]),
    }));
    backup.step({ kind: 'ledgerFetched', entries });
    for (let at = 1; at <= 8; at++) {
      backup.executed(at, digest(`own fault ${at}`));
    }
    assert.equal(notesOf(backup.effects, 'diverged').length, 1);
    assert.deepEqual(broadcastsOf(backup.effects, 'checkpoint'), []);
  });

  it('CK-03: is found to have diverged when it starts again where its own header is not the stable one', () => {
    const stable = { stableCheckpoint: certificateOf(4, [0, 2, 3]), lastExecuted: sequence(4) };
    const same = new CoreUnderTest(1, 4, {
      recovered: { ...FRESH, ...stable, lastHeaderDigest: headerDigestAt(4) },
    });
    assert.deepEqual(notesOf(same.effects, 'diverged'), []);
    const other = new CoreUnderTest(1, 4, {
      recovered: { ...FRESH, ...stable, lastHeaderDigest: digest('own fault') },
    });
    assert.equal(notesOf(other.effects, 'diverged')[0]?.sequence, 4);
    assert.deepEqual(rejectionsOf(other.prePrepare(5).effects), ['diverged']);
  });

  it('CK-03: sends no NewView where what it would begin with shows that it diverged', () => {
    const primary = new CoreUnderTest(1);
    for (const at of [1, 2, 3]) {
      primary.commitAndExecute(at);
    }
    const { batch } = primary.prePrepare(4);
    for (const sender of [0, 2, 3]) {
      primary.vote('commit', sender, 4, batch.digest);
    }
    primary.executed(4, digest('own fault'));
    const { checkpoints } = certificateOf(4, [0, 2, 3]);
    const viewChange = {
      type: 'viewChange',
      newView: view(1),
      stableCheckpoint: sequence(4),
      checkpointCertificate: checkpoints,
      prepared: [],
    } as const;
    for (const sender of [2, 3]) {
      primary.step({ kind: 'messageReceived', message: signed(viewChange, sender) });
    }
    for (const { viewChange: judged, digest: of } of effectsOf(primary.effects, 'judgeViewChange')) {
      primary.step({ kind: 'viewChangeJudged', replica: judged.sender, digest: of, isValid: true });
    }
    const [own] = effectsOf(primary.effects, 'sign');
    assert.ok(own?.message.type === 'viewChange');
    primary.step({ kind: 'messageSigned', message: signed(own.message, 1) });
    primary.step({ kind: 'prePreparesSigned', view: view(1), prePrepares: [] });
    const newView = effectsOf(primary.effects, 'sign')[1]?.message;
    assert.ok(newView?.type === 'newView');
    const effects = primary.step({ kind: 'messageSigned', message: signed(newView, 1) });
    assert.equal(notesOf(effects, 'diverged').length, 1);
    assert.deepEqual(effectsOf(effects, 'forward'), []);
  });

  it('raises an alarm when no digest can get a quorum any more, and blames no primary for it', () => {
    const backup = new CoreUnderTest(1);
    backup.checkpoint(0, 4, digest('x'));
    backup.checkpoint(2, 4, digest('y'));
    assert.equal(notesOf(backup.effects, 'checkpointSplit').length, 0);
    assert.equal(notesOf(backup.checkpoint(3, 4, digest('z')), 'checkpointSplit').length, 1);
    assert.equal(notesOf(backup.effects, 'viewLeft').length, 0);
  });

  it('CK-07: refuses a certificate with too few or repeated signers, other digests or a lower sequence', () => {
    const backup = new CoreUnderTest(1);
    const give = (certificate: CheckpointCertificate) =>
      rejectionsOf(backup.step({ kind: 'checkpointCertificateReceived', certificate, from: id(3) }));
    const mixed = [...certificateOf(4, [0, 2]).checkpoints, ...certificateOf(4, [3], digest('other')).checkpoints];
    assert.deepEqual(give({ checkpoints: [] }), ['badCertificate']);
    assert.deepEqual(give(certificateOf(4, [0, 2])), ['badCertificate']);
    assert.deepEqual(give(certificateOf(4, [0, 2, 2])), ['badCertificate']);
    assert.deepEqual(give({ checkpoints: mixed }), ['badCertificate']);
    assert.deepEqual(give(certificateOf(5, [0, 2, 3])), ['badCertificate']);
    assert.deepEqual(give(certificateOf(8, [0, 2, 3])), []);
    assert.deepEqual(give(certificateOf(4, [0, 2, 3])), ['stale']);
  });

  describe('behind a stable checkpoint', () => {
    it('fetches the ledger up to it, keeps the bytes, executes in order and compares headers', () => {
      const backup = new CoreUnderTest(1);
      const effects = backup.step({
        kind: 'checkpointCertificateReceived',
        certificate: certificateOf(4, [0, 2, 3]),
        from: id(0),
      });
      assert.deepEqual(effectsOf(effects, 'fetch')[0]?.what, {
        kind: 'ledger',
        first: 1,
        last: 4,
        lastHeaderDigest: headerDigestAt(4),
      });
      const entries = [1, 2, 3, 4].map((at) => ({
        sequence: sequence(at),
        headerDigest: headerDigestAt(at),
        batch: batchOf([request('a', at)]),
      }));
      const fetched = backup.step({ kind: 'ledgerFetched', entries });
      assert.equal(recordsOf(fetched, 'batch').length, 4);
      assert.deepEqual(
        effectsOf(fetched, 'execute').map(({ sequence: at }) => at),
        [1, 2, 3, 4],
      );
      for (const at of [1, 2, 3]) {
        backup.executed(at);
      }
      assert.equal(notesOf(backup.effects, 'diverged').length, 0);
      assert.equal(notesOf(backup.executed(4, digest('own fault')), 'diverged').length, 1);
    });

    it('stops where what it executed has another header than the fetched one, also below the checkpoint', () => {
      const backup = new CoreUnderTest(1);
      backup.step({ kind: 'checkpointCertificateReceived', certificate: certificateOf(4, [0, 2, 3]), from: id(0) });
      const entries = [1, 2, 3, 4].map((at) => ({
        sequence: sequence(at),
        headerDigest: headerDigestAt(at),
        batch: batchOf([request('a', at)]),
      }));
      backup.step({ kind: 'ledgerFetched', entries });
      backup.executed(1);
      assert.equal(notesOf(backup.executed(2, digest('own fault')), 'diverged')[0]?.sequence, 2);
    });

    it('does not propose as primary before it has executed up to its own stable checkpoint', () => {
      const primary = new CoreUnderTest(0);
      primary.step({ kind: 'checkpointCertificateReceived', certificate: certificateOf(4, [1, 2, 3]), from: id(1) });
      const effects = primary.step({ kind: 'requestReceived', request: request('a', 9), from: 'local' });
      assert.equal(effectsOf(effects, 'propose').length, 0);
      const entries = [1, 2, 3, 4].map((at) => ({
        sequence: sequence(at),
        headerDigest: headerDigestAt(at),
        batch: batchOf([request('a', at)]),
      }));
      primary.step({ kind: 'ledgerFetched', entries });
      const proposals = [1, 2, 3, 4].flatMap((at) => effectsOf(primary.executed(at), 'propose'));
      assert.deepEqual(
        proposals.map(({ message }) => message.sequence),
        [5],
      );
    });
  });
});
