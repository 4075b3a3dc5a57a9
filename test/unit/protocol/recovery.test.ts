/** Starting again: the votes that the log promises are given again, the same ones, and no others. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Effect } from '../../../src/protocol/effects.js';
import { sequence } from '../../../src/protocol/identifiers.js';
import { batchOf, CoreUnderTest, effectsOf, headerDigestAt, request } from '../../support/core-cluster.js';
import { recoverFrom } from '../../support/core-restart.js';
import { countCoreHeld } from '../../support/held.js';

/** What was said of each (type, view, sequence), as `type view sequence` and digest. */
function statementsOf(effects: readonly Effect[]): Map<string, string> {
  const said = new Map<string, string>();
  for (const effect of effects) {
    if (effect.kind === 'broadcast' || effect.kind === 'propose') {
      const { message } = effect;
      const [inView, digest] =
        message.type === 'checkpoint' ? ['-', message.headerDigest] : [message.view, message.batchDigest];
      const name = `${message.type} ${inView} ${message.sequence}`;
      assert.ok(said.get(name) === undefined || said.get(name) === digest, `two statements: ${name}`);
      said.set(name, digest);
    }
  }
  return said;
}

const namesOf = (effects: readonly Effect[]): string[] => [...statementsOf(effects).keys()];

/** The replica after a crash: everything it wanted durable is, everything up to `lastExecuted` is executed. */
function restart(core: CoreUnderTest, lastExecuted: number): CoreUnderTest {
  return new CoreUnderTest(core.replica, 4, { recovered: recoverFrom(core.effects, lastExecuted) });
}

function prepare(core: CoreUnderTest, at: number): void {
  const { batch } = core.prePrepare(at);
  for (const sender of [1, 2, 3]) {
    core.vote('prepare', sender, at, batch.digest);
  }
}

describe('a replica that starts again', () => {
  it('CR-05: prepares again what it accepted', () => {
    const backup = new CoreUnderTest(1);
    const { batch } = backup.prePrepare(2);
    const again = restart(backup, 0);
    assert.deepEqual([...statementsOf(again.effects)], [['prepare 0 2', batch.digest]]);
  });

  it('CR-05: commits again what it prepared, and prepares it again for those who lack that', () => {
    const backup = new CoreUnderTest(1);
    prepare(backup, 1);
    assert.deepEqual(namesOf(restart(backup, 0).effects), ['prepare 0 1', 'commit 0 1']);
  });

  it('CR-05: proposes again, as primary, the very batch', () => {
    const primary = new CoreUnderTest(0);
    primary.step({ kind: 'requestReceived', request: request('a', 1), from: 'local' });
    const [first] = effectsOf(primary.effects, 'propose');
    const again = restart(primary, 0);
    const [second] = effectsOf(again.effects, 'propose');
    assert.deepEqual(second?.message, first?.message);
    assert.deepEqual(second?.batch, { sequence: 1, digest: first?.message.batchDigest });
    again.step({ kind: 'requestReceived', request: request('b', 1), from: 'local' });
    again.step({ kind: 'timerExpired', timer: 'batchDelay', generation: 1 });
    assert.deepEqual(namesOf(again.effects), ['prePrepare 0 1', 'prePrepare 0 2']);
  });

  it('BP-02: takes no other batch at a sequence where it accepted one before', () => {
    const backup = new CoreUnderTest(1);
    backup.prePrepare(1);
    const again = restart(backup, 0);
    const { effects } = again.prePrepare(1, { batch: batchOf([request('b', 1)]) });
    assert.equal(effectsOf(effects, 'broadcast').length, 0);
    assert.equal(effectsOf(effects, 'persist').filter(({ record }) => record.kind === 'accepted').length, 0);
  });

  it('RX-01: holds of a sequence what stands, and not every batch that an earlier view proposed there', () => {
    const backup = new CoreUnderTest(1);
    backup.prePrepare(1);
    const { batches, ...rest } = recoverFrom(backup.effects, 0);
    const older = ['b', 'c', 'd'].map((client) => ({ sequence: sequence(1), batch: batchOf([request(client, 1)]) }));
    const again = new CoreUnderTest(1, 4, { recovered: { ...rest, batches: [...older, ...batches] } });
    assert.equal(countCoreHeld(again.core).batchesOfSlot, 1);
  });

  it('gives no votes on what is decided, and helps peers with its certificate', () => {
    const backup = new CoreUnderTest(1);
    backup.commitAndExecute(1);
    const again = restart(backup, 1);
    assert.deepEqual(namesOf(again.effects), []);
    assert.equal(again.core.inspect(0).lastExecuted, 1);
  });

  it('executes again nothing that is in the store, and what is not yet when its commits come again', () => {
    const backup = new CoreUnderTest(1);
    backup.commitAndExecute(1);
    backup.commitAndExecute(2);
    const again = restart(backup, 1);
    assert.equal(effectsOf(again.effects, 'execute').length, 0);
    assert.deepEqual(namesOf(again.effects), ['prepare 0 2', 'commit 0 2']);
    const { batchDigest } = effectsOf(backup.effects, 'execute')[1] ?? assert.fail('two were executed');
    for (const sender of [1, 2, 3]) {
      again.vote('commit', sender, 2, batchDigest);
    }
    assert.deepEqual(
      effectsOf(again.effects, 'execute').map(({ sequence, batchDigest: digest }) => [sequence, digest]),
      [[2, batchDigest]],
    );
  });

  it('says its checkpoint again until it is stable', () => {
    const backup = new CoreUnderTest(1);
    for (const at of [1, 2, 3, 4]) {
      backup.commitAndExecute(at);
    }
    const again = restart(backup, 4);
    assert.deepEqual([...statementsOf(again.effects)], [['checkpoint - 4', headerDigestAt(4)]]);
    for (const sender of [0, 2, 3]) {
      again.checkpoint(sender, 4);
    }
    const effects = [...backup.effects, ...again.effects];
    const stable = new CoreUnderTest(1, 4, { recovered: recoverFrom(effects, 4) });
    assert.deepEqual(namesOf(stable.effects), []);
    assert.equal(stable.core.inspect(0).lowWatermark, 4);
  });

  it('CR-05: contradicts nothing that it said before, wherever it crashes, however often', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 80 }), (happenings) => {
        const life = new Life();
        for (const one of happenings) {
          life.meet(one);
        }
        life.meet({ kind: 'crash' });
        statementsOf(life.history);
      }),
      { numRuns: 500 },
    );
  });
});

const at = fc.integer({ min: 1, max: 6 });
const content = fc.constantFrom('a', 'b');
const happening = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('prePrepare' as const), at, content }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('prepare' as const, 'commit' as const),
      at,
      content,
      sender: fc.constantFrom(0, 2, 3),
    }),
  },
  fc.record({ kind: fc.constant('execute' as const) }),
  fc.record({ kind: fc.constant('crash' as const) }),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** Replica 1 through its crashes, among peers that lie. */
class Life {
  readonly history: Effect[] = [];
  private core = new CoreUnderTest(1);
  private echoed = 0;
  private executed = 0;

  meet(one: Happening): void {
    const { core } = this;
    switch (one.kind) {
      case 'crash':
        this.history.push(...core.effects);
        this.core = new CoreUnderTest(1, 4, { recovered: recoverFrom(this.history, this.executed) });
        this.echoed = 0;
        break;
      case 'execute':
        if (effectsOf(core.effects, 'execute').some(({ sequence }) => sequence === this.executed + 1)) {
          this.executed++;
          core.executed(this.executed);
        }
        break;
      case 'prePrepare':
        core.prePrepare(one.at, { batch: batchOf([request(one.content, one.at)]) });
        break;
      default:
        core.vote(one.kind, one.sender, one.at, batchOf([request(one.content, one.at)]).digest);
    }
    this.echo();
  }

  /** The own votes come back signed. */
  private echo(): void {
    const { core } = this;
    for (; this.echoed < core.effects.length; this.echoed++) {
      const effect = core.effects[this.echoed];
      if (effect?.kind === 'broadcast' && effect.message.type !== 'checkpoint') {
        const { type, sequence, batchDigest } = effect.message;
        core.vote(type, core.replica, sequence, batchDigest);
      }
    }
  }
}
