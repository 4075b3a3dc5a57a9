/** Which traitors `pbft cluster --byzantine` allows. */
import assert from 'node:assert/strict';
import {
  addressesBeyondLoopback,
  type Betrayal,
  chooseTraitors,
  refuseBeyondLoopback,
} from '../../../../src/cli/cluster/byzantine.js';
import { EXIT } from '../../../../src/cli/exit.js';

const FOUR = { names: ['Apple', 'MS', 'Google', 'IBM'], faultsMax: 1 };
const SEVEN = { names: [0, 1, 2, 3, 4, 5, 6].map((id) => `replica-${id}`), faultsMax: 2 };

function silent(...replicas: readonly string[]): readonly Betrayal[] {
  return replicas.map((replica) => ({ replica, kind: 'silent' }));
}

describe('the traitors of a local cluster', () => {
  it('are named by id or by name', () => {
    assert.deepEqual([...chooseTraitors({ byzantine: silent('2') }, FOUR)], [[2, 'silent']]);
    assert.deepEqual([...chooseTraitors({ byzantine: silent('IBM') }, FOUR)], [[3, 'silent']]);
    assert.deepEqual([...chooseTraitors({}, FOUR)], []);
  });

  it('are replicas that exist, each in one way', () => {
    const unknown = { name: 'CommandError', exitCode: EXIT.usage, message: /no replica 4; there are 0 \(Apple\)/ };
    assert.throws(() => chooseTraitors({ byzantine: silent('4') }, FOUR), unknown);
    const twice = { name: 'CommandError', exitCode: EXIT.usage, message: /names it twice/ };
    assert.throws(() => chooseTraitors({ byzantine: silent('3', 'IBM') }, FOUR), twice);
  });

  it('are at most f, unless somebody asks for more', () => {
    const tooMany = {
      name: 'CommandError',
      exitCode: EXIT.usage,
      message: /2 traitors among 4.*1 may fail.*\n.*--beyond-f/,
    };
    assert.throws(() => chooseTraitors({ byzantine: silent('1', '2') }, FOUR), tooMany);
    assert.equal(chooseTraitors({ byzantine: silent('1', '2'), beyondF: true }, FOUR).size, 2);
    assert.equal(chooseTraitors({ byzantine: silent('1', '2') }, SEVEN).size, 2);
  });

  it('are on loopback only, whatever port or peer is elsewhere', () => {
    const here = { host: '127.0.0.1', port: 1 };
    const away = { host: '10.1.2.3', port: 2 };
    const listen = { client: here, peer: here, http: here };
    assert.deepEqual(addressesBeyondLoopback({ listen, peers: { '0': here } }), []);
    for (const port of ['client', 'peer', 'http'] as const) {
      assert.deepEqual(addressesBeyondLoopback({ listen: { ...listen, [port]: away }, peers: {} }), ['10.1.2.3:2']);
    }
    assert.deepEqual(addressesBeyondLoopback({ listen, peers: { '3': away } }), ['10.1.2.3:2']);
    assert.throws(() => refuseBeyondLoopback(['10.1.2.3:2', '10.1.2.3:2']), {
      name: 'CommandError',
      message: /loopback only, and replicas here use 10\.1\.2\.3:2\n/,
    });
    assert.doesNotThrow(() => refuseBeyondLoopback([]));
  });
});
