/** NewViews: [OSDI §4.4] and protocol.md 6, accepting. Each refusal is a NewView that is right but for one thing. */
import assert from 'node:assert/strict';
import { sha256 } from '../../src/crypto/hash.js';
import { sequence, view } from '../../src/protocol/identifiers.js';
import type { NewView, Signed, ViewChange } from '../../src/protocol/messages.js';
import { computeViewChangeDigest } from '../../src/protocol/view-change-log.js';
import {
  batchOf,
  broadcastsOf,
  CoreUnderTest,
  digest,
  id,
  NULL_BATCH,
  notesOf,
  rejectionsOf,
  request,
  signed,
} from '../support/core-cluster.js';
import { CoreNetwork } from '../support/core-network.js';
import { giveViewChange, viewOf } from '../support/core-view-change.js';

/** A cluster whose replicas 2 and 3 wait for the NewView of view 1, which replica 1 made and nobody got. */
function waitingForNewView(): { readonly network: CoreNetwork; readonly genuine: NewView } {
  const network = new CoreNetwork(4, { consensus: { batchOperationsMax: 1 } });
  // Sequence 2 prepared and 1 did not: O has the null batch and a batch.
  network.filter = ({ event }) => !(event.kind === 'prePrepareReceived' && event.prePrepare.message.sequence === 1);
  network.submit(0, 'a', 1);
  network.submit(0, 'b', 1);
  network.at(0).isUp = false;
  network.filter = ({ from, event }) => !(from === 1 && (event.kind === 'prePrepareReceived' || isNewView(event)));
  network.submit(2, 'c', 1);
  network.advance(3_050);
  const genuine = network.at(1).statements.find(({ message }) => message.type === 'newView')?.message;
  assert.ok(genuine?.type === 'newView');
  assert.deepEqual(
    genuine.prePrepares.map(({ message }) => [message.sequence, message.batchDigest === NULL_BATCH.digest]),
    [
      [1, true],
      [2, false],
    ],
  );
  network.filter = () => true;
  assert.equal(network.at(2).view, '-1');
  return { network, genuine };
}

function isNewView(event: { readonly kind: string; readonly message?: unknown }): boolean {
  const statement = event.message as Signed | undefined;
  return event.kind === 'messageReceived' && statement?.message.type === 'newView';
}

/** Replica 3 passes on what the sender signed, who may be down. */
function give(network: CoreNetwork, to: number, message: NewView | ViewChange, sender: number): void {
  network.inject(3, to, { kind: 'messageReceived', message: signed(message, sender) });
  network.run();
}

const proposal = (at: number, content: string, inView = 1, sender = 1) =>
  signed(
    { type: 'prePrepare', view: view(inView), sequence: sequence(at), batchDigest: digest(content) } as const,
    sender,
  );

const WRONG: readonly (readonly [string, (genuine: NewView) => NewView])[] = [
  ['names fewer ViewChanges than a quorum', (of) => ({ ...of, viewChanges: of.viewChanges.slice(1) })],
  [
    'names one replica twice',
    (of) => ({ ...of, viewChanges: [...of.viewChanges.slice(1), ...of.viewChanges.slice(1, 2)] }),
  ],
  ['names a ViewChange as another replica’s', (of) => ({ ...of, viewChanges: of.viewChanges.map(swapNames) })],
  ['leaves out the last of O', (of) => ({ ...of, prePrepares: of.prePrepares.slice(0, -1) })],
  ['leaves out the first of O', (of) => ({ ...of, prePrepares: of.prePrepares.slice(1) })],
  ['leaves out all of O', (of) => ({ ...of, prePrepares: [] })],
  ['adds to O above max-s', (of) => ({ ...of, prePrepares: [...of.prePrepares, proposal(3, 'more')] })],
  [
    'has another digest where a batch prepared',
    (of) => ({ ...of, prePrepares: [...of.prePrepares.slice(0, 1), proposal(2, 'other')] }),
  ],
  [
    'has a batch of its own where nothing prepared',
    (of) => ({ ...of, prePrepares: [proposal(1, 'own'), ...of.prePrepares.slice(1)] }),
  ],
  [
    'has the null batch where a batch prepared',
    (of) => ({
      ...of,
      prePrepares: of.prePrepares.map(({ message }) => signed({ ...message, batchDigest: NULL_BATCH.digest }, 1)),
    }),
  ],
  [
    'has pre-prepares of another view',
    (of) => ({ ...of, prePrepares: of.prePrepares.map(({ message }) => signed({ ...message, view: view(5) }, 1)) }),
  ],
  [
    'has pre-prepares that another signed',
    (of) => ({ ...of, prePrepares: of.prePrepares.map(({ message }) => signed(message, 3)) }),
  ],
];

/** The digests of the first two change places. */
function swapNames(
  named: NewView['viewChanges'][number],
  index: number,
  all: NewView['viewChanges'],
): NewView['viewChanges'][number] {
  const other = all[index === 0 ? 1 : index === 1 ? 0 : index];
  return { replica: named.replica, digest: other?.digest ?? named.digest };
}

describe('a NewView [OSDI §4.4]', () => {
  it('is accepted as its primary made it, and begins the view', () => {
    const { network, genuine } = waitingForNewView();
    give(network, 2, genuine, 1);
    assert.equal(network.at(2).view, '1');
    assert.deepEqual(
      rejectionsOf(network.at(2).under.effects).filter((code) => code === 'badNewView'),
      [],
    );
  });

  for (const [what, spoil] of WRONG) {
    it(`VC-06: is refused where it ${what}, and the replica moves on`, () => {
      const { network, genuine } = waitingForNewView();
      give(network, 2, spoil(genuine), 1);
      assert.ok(rejectionsOf(network.at(2).under.effects).includes('badNewView'));
      assert.ok(['-2', '2'].includes(network.at(2).view), network.at(2).view);
      assert.deepEqual(
        notesOf(network.at(2).under.effects, 'viewEntered').filter((note) => note.view === 1),
        [],
      );
    });
  }

  it('VC-06: is refused where a ViewChange that it names has a bad signature inside', () => {
    const { network, genuine } = waitingForNewView();
    const forged: ViewChange = {
      type: 'viewChange',
      newView: view(1),
      stableCheckpoint: sequence(4),
      checkpointCertificate: [0, 1, 3].map((sender) => ({
        ...signed({ type: 'checkpoint', sequence: sequence(4), headerDigest: digest('made up') } as const, sender),
        signature: Buffer.from('forged'),
      })),
      prepared: [],
    };
    const named = { replica: id(0), digest: computeViewChangeDigest(signed(forged, 0), sha256) };
    give(network, 2, { ...genuine, viewChanges: [named, ...genuine.viewChanges.slice(1)], prePrepares: [] }, 1);
    assert.equal(network.at(2).view, '-1', 'it is looked for first');
    give(network, 2, forged, 0);
    assert.ok(rejectionsOf(network.at(2).under.effects).includes('badNewView'));
    assert.ok(['-2', '2'].includes(network.at(2).view), network.at(2).view);
  });

  it('VC-06: is taken from the primary of its view alone', () => {
    const { network, genuine } = waitingForNewView();
    give(network, 2, genuine, 3);
    assert.ok(rejectionsOf(network.at(2).under.effects).includes('notPrimary'));
    assert.equal(network.at(2).view, '-1');
  });

  it('VC-06: is not taken once a later view was moved to, and not twice', () => {
    const { network, genuine } = waitingForNewView();
    give(network, 3, genuine, 1);
    const entered = (): number => notesOf(network.at(3).under.effects, 'viewEntered').length;
    assert.equal(entered(), 1);
    give(network, 3, genuine, 1);
    assert.equal(entered(), 1);
    network.at(1).isUp = false;
    network.filter = ({ event }) => !isNewView(event);
    network.advance(20_000);
    const before = network.at(2).view;
    assert.ok(Number(before.replace('-', '')) > 1, before);
    network.filter = () => true;
    give(network, 2, genuine, 1);
    assert.deepEqual(notesOf(network.at(2).under.effects, 'viewEntered'), []);
    assert.ok(rejectionsOf(network.at(2).under.effects).includes('oldView'));
  });

  it('VC-07: is not kept out by one that its primary signs ahead of time for a later view', () => {
    const { network, genuine } = waitingForNewView();
    const later = { ...genuine, newView: view(5), prePrepares: [] };
    give(network, 2, later, 1);
    give(network, 2, genuine, 1);
    assert.equal(network.at(2).view, '1');
    // Nor is its place taken while a ViewChange that it names is being fetched.
    const missing = { replica: id(0), digest: digest('nowhere') };
    give(network, 3, { ...genuine, viewChanges: [missing, ...genuine.viewChanges.slice(1)] }, 1);
    assert.equal(network.at(3).view, '-1');
    give(network, 3, later, 1);
    assert.ok(rejectionsOf(network.at(3).under.effects).includes('stale'));
  });

  it('VC-06: is evidence, with another of its view, and its primary is left', () => {
    const { network, genuine } = waitingForNewView();
    network.filter = ({ to }) => to === 2 || to === 3;
    give(network, 2, genuine, 1);
    assert.equal(network.at(2).view, '1');
    give(network, 2, { ...genuine, prePrepares: genuine.prePrepares.slice(1) }, 1);
    const [evidence] = notesOf(network.at(2).under.effects, 'evidence');
    assert.deepEqual([evidence?.evidence.kind, evidence?.evidence.replica], ['newView', 1]);
    assert.deepEqual(
      [network.at(2).view, network.at(3).view].map((of) => of.replace('-', '')),
      ['2', '2'],
    );
  });

  it('lets no other pre-prepare in at or below max-s', () => {
    const { network, genuine } = waitingForNewView();
    give(network, 2, genuine, 1);
    const { under } = network.at(2);
    const message = { type: 'prePrepare', view: view(1), sequence: sequence(1), batchDigest: digest('x') } as const;
    const batch = batchOf([request('x', 1)]);
    const effects = under.step({
      kind: 'prePrepareReceived',
      prePrepare: signed({ ...message, batchDigest: batch.digest }, 1),
      batch,
      requests: [],
    });
    assert.ok(rejectionsOf(effects).length > 0);
    assert.ok(!effects.some((effect) => effect.kind === 'broadcast' && effect.message.type === 'prepare'));
  });

  it('lets none in even where O contradicts what was executed: more than f lied, and it votes for neither', () => {
    const core = new CoreUnderTest(2);
    core.commitAndExecute(1);
    const vote = { view: view(0), sequence: sequence(2), batchDigest: digest('x') };
    const proof = {
      prePrepare: signed({ type: 'prePrepare', ...vote } as const, 0),
      prepares: [1, 3].map((sender) => signed({ type: 'prepare', ...vote } as const, sender)),
    };
    const viewChanges = [0, 1, 3].map((sender) => giveViewChange(core, sender, 1, sender === 3 ? [proof] : []));
    const newView: NewView = {
      type: 'newView',
      newView: view(1),
      viewChanges: viewChanges.map((of) => ({ replica: of.sender, digest: computeViewChangeDigest(of, sha256) })),
      prePrepares: [
        signed({ ...proposal(1, '').message, batchDigest: NULL_BATCH.digest }, 1),
        signed(proposal(2, 'x').message, 1),
      ],
    };
    const before = core.effects.length;
    core.step({ kind: 'messageReceived', message: signed(newView, 1) });
    assert.equal(viewOf(core), '1');
    assert.deepEqual(rejectionsOf(core.prePrepare(1, { view: 1 }).effects), ['belowNewView']);
    const votes = broadcastsOf(core.effects.slice(before), 'prepare');
    assert.deepEqual(
      votes.map(({ sequence: at }) => at),
      [2],
    );
  });
});

describe('a lost ViewChange or NewView', () => {
  // For ever is a fault of its own: with a dead primary it takes f = 2.
  for (const [times, replicaCount] of [
    [1, 4],
    [Number.POSITIVE_INFINITY, 7],
  ] as const) {
    for (const type of ['viewChange', 'newView'] as const) {
      const howOften = times === 1 ? 'once' : 'for ever';
      it(`VC-07: delays the new view and stops nothing: a ${type} lost ${howOften} on any way (n = ${replicaCount})`, () => {
        for (const [sender, victim] of waysOf(type)) {
          const network = loseOnOneWay({ type, times, replicaCount, sender, victim });
          network.advance(30_000);
          const views = network.replicas.slice(1).map(({ view: of }) => of);
          assert.ok(
            views.every((of) => of === views[0] && !of.startsWith('-')),
            `${sender} to ${victim}: ${views}`,
          );
          assert.equal(network.executedRequests().length, 2, `${sender} to ${victim}`);
          assert.ok(network.replicas.slice(1).every(({ executed }) => executed.length === 2));
        }
      });
    }
  }

  it('VC-07: a replica that was away gets the NewView from any other, not from its primary alone', () => {
    const network = new CoreNetwork(4);
    network.at(3).isUp = false;
    network.submit(1, 'a', 1);
    network.filter = ({ from, to }) => from !== 0 && to !== 0;
    network.at(3).isUp = true;
    // Replica 3 hears of view 1 from replica 2 only.
    network.filter = ({ from, to, event }) =>
      from !== 0 && to !== 0 && !(from === 1 && to === 3 && (isNewView(event) || event.kind === 'prePrepareReceived'));
    network.submit(1, 'a', 2);
    network.advance(20_000);
    assert.deepEqual(
      [1, 2, 3].map((replica) => network.at(replica).view),
      ['1', '1', '1'],
    );
    assert.equal(network.at(3).executed.length, 2);
  });
});

/** From and to the primary of view 1, and between two backups. */
function waysOf(type: 'viewChange' | 'newView'): readonly (readonly [number, number])[] {
  return type === 'newView'
    ? [
        [1, 2],
        [1, 3],
      ]
    : [
        [1, 2],
        [2, 1],
        [2, 3],
        [3, 1],
        [3, 2],
      ];
}

/** The primary died, a request waits, and what is said of the new view gets lost on one way. */
function loseOnOneWay(what: {
  readonly type: 'viewChange' | 'newView';
  readonly times: number;
  readonly replicaCount: number;
  readonly sender: number;
  readonly victim: number;
}): CoreNetwork {
  const network = new CoreNetwork(what.replicaCount);
  network.submit(1, 'a', 1);
  network.at(0).isUp = false;
  let left = what.times;
  network.filter = ({ from, to, event }) => {
    const isMeant =
      from === what.sender &&
      to === what.victim &&
      left > 0 &&
      event.kind === 'messageReceived' &&
      event.message.message.type === what.type;
    left -= isMeant ? 1 : 0;
    return !isMeant;
  };
  network.submit(2, 'b', 1);
  return network;
}
