/** Several cores through losses, view changes, crashes and restarts: they agree, and none contradicts itself in any life. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Signed } from '../../../src/protocol/messages.js';
import { CoreNetwork } from '../../support/core-network.js';

const replica = fc.integer({ min: 0, max: 3 });
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const), at: replica }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('rounds' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 2_500 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), at: replica }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('restart' as const), at: replica }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const), of: fc.integer({ min: 2, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deafen' as const), at: replica }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('heal' as const) }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** A cluster to which all this happens. */
class Cluster {
  readonly network = new CoreNetwork(4, { consensus: { batchOperationsMax: 1 } });
  private asked = 0;

  meet(one: Happening): void {
    const { network } = this;
    switch (one.kind) {
      case 'ask':
        if (network.at(one.at).isUp) {
          this.asked++;
          network.ask(one.at, `client ${one.at}`, this.asked);
        }
        break;
      case 'rounds':
        for (let round = 0; round < one.count; round++) {
          network.runRound();
        }
        break;
      case 'advance':
        network.advance(one.ms);
        break;
      case 'crash':
        if (network.at(one.at).isUp) {
          network.crash(one.at);
        }
        break;
      case 'restart':
        if (!network.at(one.at).isUp) {
          network.restart(one.at);
        }
        break;
      case 'lose': {
        let count = 0;
        network.filter = () => ++count % one.of !== 0;
        break;
      }
      case 'deafen':
        network.filter = ({ to }) => to !== one.at;
        break;
      case 'heal':
        network.filter = () => true;
    }
  }

  /** All are well again, and one more request is asked. */
  heal(): void {
    const { network } = this;
    network.filter = () => true;
    for (const { replica: at, isUp } of network.replicas) {
      if (!isUp) {
        network.restart(at);
      }
    }
    network.submit(1, 'last', 1);
    network.advance(120_000);
  }
}

/** What a statement is about, and what it says. */
function subjectOf({ message, payload }: Signed): readonly [string, string] {
  switch (message.type) {
    case 'viewChange':
    case 'newView':
      return [`${message.type} ${message.newView}`, Buffer.from(payload).toString()];
    case 'checkpoint':
      return [`checkpoint ${message.sequence}`, message.headerDigest];
    case 'status':
      return ['status', ''];
    default:
      return [`${message.type} ${message.view} ${message.sequence}`, message.batchDigest];
  }
}

describe('cores in many lives', () => {
  it('CR-05, VC-02: agree, contradict nothing they ever said, and serve again once they are well', function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(fc.array(happening, { minLength: 10, maxLength: 40 }), (happenings) => {
        const cluster = new Cluster();
        for (const one of happenings) {
          cluster.meet(one);
        }
        cluster.heal();
        const executed = cluster.network.executedRequests();
        assert.equal(new Set(executed).size, executed.length);
        assert.ok(
          cluster.network.replicas.every((one) => one.executed.length === cluster.network.at(0).executed.length),
        );
        assert.ok(cluster.network.at(0).executed.length >= 1, 'the last request is executed');
        for (const { statements } of cluster.network.replicas) {
          const said = new Map<string, string>();
          for (const statement of statements) {
            const [subject, content] = subjectOf(statement);
            assert.equal(said.get(subject) ?? content, content, subject);
            said.set(subject, content);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
