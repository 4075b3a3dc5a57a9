/**
 * Two rules of protocol.md 4 that hold in every phase: what two signatures of one replica prove and what follows from
 * it, and that what a message depends on is written before it is sent.
 */
import assert from 'node:assert/strict';
import type { Effect } from '../../src/protocol/effects.js';
import { sequence, view } from '../../src/protocol/identifiers.js';
import type { LogRecord } from '../../src/protocol/log-record.js';
import type { PrePrepare, ProtocolMessage, Signed, Verified } from '../../src/protocol/messages.js';
import { batchOf, CoreUnderTest, digest, id, notesOf, rejectionsOf, request, signed } from '../support/core-cluster.js';
import { CoreNetwork } from '../support/core-network.js';
import { giveViewChange, viewOf } from '../support/core-view-change.js';

const prePrepare = (content: string, inView = 0, at = 1) =>
  signed(
    { type: 'prePrepare', view: view(inView), sequence: sequence(at), batchDigest: digest(content) } as const,
    inView % 4,
  );

describe('evidence [protocol.md 4]', () => {
  // Of seven replicas the number of backups that are shown the one batch is what matters.
  for (const [replicaCount, splits] of [
    [4, [0, 1, 2, 3, 4, 5, 6, 7]],
    [7, [0, 1, 3, 7, 15, 31, 63]],
  ] as const) {
    it(`BP-01: commits at most one batch, whichever backups are shown which of two (n = ${replicaCount})`, function () {
      this.timeout(60_000);
      for (const split of splits) {
        const network = equivocate(replicaCount, split);
        const decided = network.replicas.flatMap(({ executed }) => executed.map(({ batchDigest }) => batchDigest));
        assert.ok(new Set(decided).size <= 1, `split ${split}`);
        network.advance(6_000);
        // Agreement is asserted here too.
        const executed = network.executedRequests();
        assert.deepEqual(new Set(executed).size, executed.length, 'nothing is executed twice');
        assert.ok(executed.length >= 1, `split ${split}: the primary is left, or a batch decided`);
      }
    });
  }

  it('BP-01, VC-06: two PrePrepares or NewViews of the current view by its primary start a view change, and are passed on', () => {
    const core = new CoreUnderTest(1);
    const effects = core.step({
      kind: 'evidenceReceived',
      first: prePrepare('x'),
      second: prePrepare('y'),
      from: id(2),
    });
    assert.equal(viewOf(core), '-1');
    assert.equal(notesOf(effects, 'viewLeft')[0]?.cause, 'evidence');
    assert.ok(
      effects.some((effect) => effect.kind === 'forward' && effect.to === 'all' && effect.item.kind === 'evidence'),
    );
  });

  it('BB-01: nothing that a backup signs twice moves anybody: it is kept, once a kind', () => {
    const core = new CoreUnderTest(1);
    for (const content of ['x', 'y', 'z']) {
      core.vote('prepare', 2, 1, digest(content));
      core.vote('commit', 2, 1, digest(content));
      core.checkpoint(2, 4, digest(content));
    }
    giveViewChange(core, 2, 3);
    const other: ProtocolMessage = {
      type: 'viewChange',
      newView: view(3),
      stableCheckpoint: sequence(0),
      checkpointCertificate: [],
      prepared: [
        {
          prePrepare: prePrepare('x'),
          prepares: [1, 3].map((sender) => signed({ ...prePrepare('x').message, type: 'prepare' } as const, sender)),
        },
      ],
    };
    core.step({ kind: 'messageReceived', message: signed(other, 2) });
    assert.equal(viewOf(core), '0');
    const kept = core.core.inspect(0).evidence.map(({ kind, replica }) => `${kind} of ${replica}`);
    assert.deepEqual(kept, ['prepare of 2', 'commit of 2', 'checkpoint of 2', 'viewChange of 2']);
  });

  it('what the primary of another view signed twice is kept and moves nobody', () => {
    const core = new CoreUnderTest(1);
    core.step({ kind: 'evidenceReceived', first: prePrepare('x', 2), second: prePrepare('y', 2), from: id(3) });
    assert.equal(viewOf(core), '0');
    assert.equal(core.core.inspect(0).evidence.length, 1);
  });

  it('BB-01: two votes of which one came late, and was read afterwards, are kept and move nobody, the primary’s too', () => {
    const core = new CoreUnderTest(1);
    for (const sender of [2, 0]) {
      const [first, second] = [voteOf('commit', 'x', sender), voteOf('commit', 'y', sender)];
      core.step({ kind: 'evidenceReceived', first, second, from: id(sender) });
    }
    assert.equal(viewOf(core), '0');
    const kept = core.core.inspect(0).evidence.map(({ kind, replica }) => `${kind} of ${replica}`);
    assert.deepEqual(kept, ['commit of 2', 'commit of 0']);
  });

  const none: readonly (readonly [string, Verified<Signed>, Verified<Signed>])[] = [
    ['say the same', prePrepare('x'), prePrepare('x')],
    ['are of different sequences', prePrepare('x'), prePrepare('y', 0, 2)],
    ['are of different views', prePrepare('x'), prePrepare('y', 4)],
    ['are of different replicas', prePrepare('x'), signed(prePrepare('y').message, 2)],
    ['are of different phases', voteOf('prepare', 'x'), voteOf('commit', 'y')],
    ['are votes for the same', voteOf('prepare', 'x'), voteOf('prepare', 'x')],
    ['are said to be its own', signed(prePrepare('x').message, 1), signed(prePrepare('y').message, 1)],
  ];
  for (const [what, first, second] of none) {
    it(`two statements that ${what} are none`, () => {
      const core = new CoreUnderTest(1);
      const effects = core.step({ kind: 'evidenceReceived', first, second, from: id(3) });
      assert.deepEqual(rejectionsOf(effects), ['noContradiction']);
      assert.equal(viewOf(core), '0');
      assert.deepEqual(core.core.inspect(0).evidence, []);
    });
  }
});

function voteOf(type: 'prepare' | 'commit', content: string, sender = 2): Verified<Signed> {
  return signed({ type, view: view(0), sequence: sequence(1), batchDigest: digest(content) }, sender);
}

/** The primary shows one batch to the backups whose bit is set in `split`, and another to the rest. */
function equivocate(replicaCount: number, split: number): CoreNetwork {
  const network = new CoreNetwork(replicaCount);
  for (let backup = 1; backup < replicaCount; backup++) {
    const isFirst = ((split >> (backup - 1)) & 1) === 1;
    const requests = [request(isFirst ? 'a' : 'b', 1)];
    const batch = batchOf(requests);
    const message: PrePrepare = { type: 'prePrepare', view: view(0), sequence: sequence(1), batchDigest: batch.digest };
    network.inject(0, backup, { kind: 'prePrepareReceived', prePrepare: signed(message, 0), batch, requests });
  }
  network.run();
  return network;
}

describe('what is written before it is sent [protocol.md 4]', () => {
  it('CR-07: whatever a replica sends, what it depends on was handed to the disk before', () => {
    const network = busyNetwork();
    const sent = new Set<string>();
    for (const { under } of network.replicas) {
      assert.equal(firstTooEarly(under.effects, sent), undefined);
    }
    assert.deepEqual([...sent].sort(), ['checkpoint', 'commit', 'newView', 'prePrepare', 'prepare', 'viewChange']);
  });

  it('the log is discarded only after the certificate of its checkpoint is written', () => {
    for (const { under } of busyNetwork().replicas) {
      let written = 0;
      for (const effect of under.effects) {
        if (effect.kind === 'persist' && effect.record.kind === 'stableCheckpoint') {
          written = effect.record.certificate.checkpoints[0]?.message.sequence ?? 0;
        } else if (effect.kind === 'discard') {
          assert.equal(effect.lowWatermark, written);
        }
      }
      assert.ok(written > 0);
    }
  });

  it('is seen where it is not so', () => {
    for (const kind of ['accepted', 'prepared', 'ownCheckpoint', 'viewChange', 'newView'] as const) {
      const late = busyNetwork().replicas.map(({ under }) => {
        const isLate = (effect: Effect): boolean => effect.kind === 'persist' && effect.record.kind === kind;
        return [...under.effects.filter((effect) => !isLate(effect)), ...under.effects.filter(isLate)];
      });
      assert.ok(
        late.some((effects) => firstTooEarly(effects, new Set()) !== undefined),
        `${kind} records that are late`,
      );
    }
  });
});

/** Checkpoints, and a view change with something to propose again. */
function busyNetwork(): CoreNetwork {
  const network = new CoreNetwork(4);
  for (let number = 1; number <= 5; number++) {
    network.submit(1, 'a', number);
  }
  network.at(0).isUp = false;
  network.submit(2, 'b', 1);
  network.advance(4_000);
  for (let number = 6; number <= 9; number++) {
    network.submit(2, 'a', number);
  }
  return network;
}

/** The first statement that is sent before what it depends on is written; adds the types of those that are sent. */
function firstTooEarly(effects: readonly Effect[], sent: Set<string>): ProtocolMessage | undefined {
  const written = new Set<string>();
  for (const effect of effects) {
    if (effect.kind === 'persist') {
      for (const fact of factsOf(effect.record)) {
        written.add(fact);
      }
    }
    const message = statementOf(effect);
    if (message !== undefined) {
      sent.add(message.type);
      if (!written.has(needOf(message))) {
        return message;
      }
    }
  }
  return undefined;
}

function statementOf(effect: Effect): ProtocolMessage | undefined {
  if (effect.kind === 'broadcast' || effect.kind === 'propose') {
    return effect.message;
  }
  const isOwn = effect.kind === 'forward' && effect.to === 'all' && effect.item.kind === 'message';
  return isOwn && effect.item.kind === 'message' ? effect.item.message.message : undefined;
}

const about = ({ view: of, sequence: at, batchDigest }: Omit<PrePrepare, 'type'>): string =>
  `${of} ${at} ${batchDigest}`;

function factsOf(record: LogRecord): readonly string[] {
  switch (record.kind) {
    case 'accepted':
      return [`accepted ${about(record.prePrepare)}`];
    case 'prepared':
      return [`prepared ${about(record.certificate.prePrepare.message)}`];
    case 'ownCheckpoint':
      return [`checkpoint ${record.checkpoint.sequence}`];
    case 'viewChange':
      return [`viewChange ${record.viewChange.message.newView}`];
    case 'newView': {
      const { newView, prePrepares } = record.begun.newView.message;
      return [`newView ${newView}`, ...prePrepares.map(({ message }) => `accepted ${about(message)}`)];
    }
    default:
      return [];
  }
}

function needOf(message: ProtocolMessage): string {
  switch (message.type) {
    case 'prePrepare':
    case 'prepare':
      return `accepted ${about(message)}`;
    case 'commit':
      return `prepared ${about(message)}`;
    case 'checkpoint':
      return `checkpoint ${message.sequence}`;
    case 'viewChange':
    case 'newView':
      return `${message.type} ${message.newView}`;
    case 'status':
      return 'nothing';
  }
}
