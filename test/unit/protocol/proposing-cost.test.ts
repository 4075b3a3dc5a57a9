/** What the primary has in flight by its cost (protocol.md 4, FU-05). */
import assert from 'node:assert/strict';
import type { PrePrepare } from '../../../src/protocol/messages.js';
import { CoreUnderTest, effectsOf, request, signed } from '../../support/core-cluster.js';

/** The limit of the tests' clusters for a batch. */
const BATCH_COST_MAX = 400_000;

/** A primary for which a request of a client named `costly…` costs three quarters of a batch. */
class Bench {
  readonly costly = new Set(['costly1', 'costly2', 'costly3'].map((name) => request(name, 1).clientId));
  readonly primary = new CoreUnderTest(0, 4, {
    local: { pipeline: 8 },
    costOf: ({ clientId }) => (this.costly.has(clientId) ? 0.75 * BATCH_COST_MAX : 1_000),
  });

  ask(client: string): void {
    this.primary.step({ kind: 'requestReceived', request: request(client, 1), from: 'local' });
  }

  /** The names of the clients in each proposal. */
  get proposals(): readonly (readonly string[])[] {
    const names = new Map(
      ['costly1', 'costly2', 'costly3', 'cheap1', 'cheap2'].map((name) => [request(name, 1).clientId, name]),
    );
    return effectsOf(this.primary.effects, 'propose').map(({ requests }) =>
      requests.map(({ clientId }) => names.get(clientId) ?? 'unknown'),
    );
  }

  /** Takes a proposal through all phases, up to execution. */
  execute(index: number): void {
    const { primary } = this;
    const proposal = effectsOf(primary.effects, 'propose')[index];
    assert.ok(proposal !== undefined);
    const message = proposal.message as PrePrepare;
    primary.step({ kind: 'messageSigned', message: signed(message, 0) });
    for (const sender of [1, 2]) {
      primary.vote('prepare', sender, message.sequence, message.batchDigest);
    }
    for (const sender of [0, 1, 2]) {
      primary.vote('commit', sender, message.sequence, message.batchDigest);
    }
    const settled = proposal.requests.map(({ clientId, number }) => ({ clientId, number }));
    const headerDigest = message.batchDigest;
    primary.step({ kind: 'batchExecuted', sequence: message.sequence, headerDigest, settled, acknowledged: [] });
  }
}

describe('what a primary has in flight', () => {
  it('FU-05: costs no more together than a batch may; the next costly request goes when one was executed', () => {
    const bench = new Bench();
    for (const client of ['costly1', 'costly2', 'costly3']) {
      bench.ask(client);
    }
    assert.deepEqual(bench.proposals, [['costly1']]);
    bench.execute(0);
    assert.deepEqual(bench.proposals, [['costly1'], ['costly2']]);
    bench.execute(1);
    assert.deepEqual(bench.proposals, [['costly1'], ['costly2'], ['costly3']]);
  });

  it('FU-05: has room for cheap requests beside a costly one, but none before one whose turn it is', () => {
    const bench = new Bench();
    bench.ask('costly1');
    bench.ask('cheap1');
    bench.primary.elapsedMs += 10;
    bench.execute(0);
    assert.deepEqual(bench.proposals, [['costly1'], ['cheap1']]);
    bench.ask('costly2');
    bench.ask('costly3');
    bench.ask('cheap2');
    bench.execute(1);
    assert.deepEqual(bench.proposals.slice(2), [['costly2']], 'the third waits, and who came after it');
    bench.execute(2);
    assert.deepEqual(bench.proposals.slice(3), [['costly3', 'cheap2']]);
  });
});
