/**
 * Clients: [OSDI §4.1] and protocol.md 3. A request reaches the primary whomever it was given to, takes effect once
 * however often it is ordered, and is answered again from the table.
 */
import assert from 'node:assert/strict';
import type { SignedRequest } from '../../src/protocol/messages.js';
import { ClientTable } from '../../src/runtime/execution/client-table.js';
import { CoreUnderTest, digest, effectsOf, id, rejectionsOf, request } from '../support/core-cluster.js';
import { CoreNetwork } from '../support/core-network.js';

const name = (client: string, number: number): string => `${request(client, number).clientId.slice(0, 4)} ${number}`;

describe('a client’s request [OSDI §4.1]', () => {
  it('CL-04: given to one backup alone is relayed to the primary, and executed by all', () => {
    for (const backup of [1, 2, 3]) {
      const network = new CoreNetwork(4);
      network.submit(backup, 'a', 1);
      assert.deepEqual(network.executedRequests(), [name('a', 1)]);
      assert.ok(network.replicas.every(({ executed }) => executed.length === 1));
    }
  });

  it('CL-04: given to one backup whose primary takes no notice is passed on to all, whose timers start, and executed', () => {
    const network = new CoreNetwork(4);
    network.filter = ({ to, event }) => !(to === 0 && event.kind === 'requestReceived');
    network.submit(2, 'a', 1);
    network.advance(999);
    const waiting = (): number[] =>
      network.replicas.map(({ under }) => under.core.inspect(network.elapsedMs).waitingRequests);
    assert.deepEqual(waiting(), [0, 0, 1, 0]);
    network.advance(1);
    assert.deepEqual(waiting(), [0, 1, 1, 1], 'at half the timeout all know it');
    network.advance(3_000);
    assert.deepEqual(network.executedRequests(), [name('a', 1)]);
    assert.equal(network.at(1).view, '1');
  });

  it('CL-04: given to f faulty replicas alone is executed once it is given to the others too', () => {
    const network = new CoreNetwork(4);
    // Replica 3 keeps it for itself.
    network.filter = ({ from, event }) => !(from === 3 && event.kind === 'requestReceived');
    network.submit(3, 'a', 1);
    network.run();
    assert.deepEqual(network.executedRequests(), []);
    for (const replica of [0, 1, 2]) {
      network.submit(replica, 'a', 1);
    }
    assert.deepEqual(network.executedRequests(), [name('a', 1)]);
    assert.ok(network.replicas.every(({ under }) => under.core.inspect(0).waitingRequests === 0));
    assert.equal(network.at(0).view, '0');
  });

  it('waits once, however often it comes, and whoever brings it', () => {
    const primary = new CoreUnderTest(0);
    primary.step({ kind: 'requestReceived', request: request('x', 1), from: 'local' });
    for (const from of [1, 2, 3, 2] as const) {
      primary.step({ kind: 'requestReceived', request: request('a', 1), from: id(from) });
    }
    assert.deepEqual(rejectionsOf(primary.effects), ['duplicate', 'duplicate', 'duplicate']);
    assert.equal(effectsOf(primary.effects, 'propose').length, 1, 'and only what was there first is proposed yet');
  });
});

describe('exactly once [OSDI §4.1, protocol.md 3]', () => {
  const results = [new Uint8Array([1])];

  function createTable(): ClientTable {
    return new ClientTable({ clientWindow: 4, keptResultBytesMax: 100 });
  }

  /** Orders requests as one batch, and executes what the table says is to be executed. */
  function order(table: ClientTable, sequence: number, requests: readonly SignedRequest[]): string[] {
    table.beginBatch(sequence);
    const judgements = requests.map((one, leafIndex) => {
      const judgement = table.judge(one);
      if (judgement.kind === 'execute') {
        table.recordExecuted({ request: one, leafIndex, results, resultsDigest: digest('results') });
      }
      return judgement.kind === 'refused' ? judgement.code : judgement.kind;
    });
    table.finishBatch(requests.map(() => []));
    return judgements;
  }

  it('a number takes effect once, in one batch or in many, and is answered from the table after', () => {
    const table = createTable();
    const one = request('a', 1);
    assert.deepEqual(order(table, 1, [one, one]), ['execute', 'repeated']);
    assert.deepEqual(order(table, 2, [one]), ['repeated']);
  });

  it('another operation under a number that was executed is refused', () => {
    const table = createTable();
    order(table, 1, [request('a', 1)]);
    assert.deepEqual(order(table, 2, [request('a', 1, 'something else')]), ['numberReused']);
  });

  it('requests of one client take effect in any order, each once', () => {
    const table = createTable();
    assert.deepEqual(order(table, 1, [request('a', 3), request('a', 1)]), ['execute', 'execute']);
    assert.deepEqual(order(table, 2, [request('a', 2), request('a', 3)]), ['execute', 'repeated']);
  });

  it('CL-03: what the client acknowledged is dead, and a number beyond the window is refused and may come again', () => {
    const table = createTable();
    assert.deepEqual(order(table, 1, [request('a', 5)]), ['numberBeyondWindow']);
    assert.deepEqual(order(table, 2, [{ ...request('a', 3), acknowledged: 2 }]), ['execute']);
    assert.deepEqual(order(table, 3, [request('a', 2), request('a', 5)]), ['numberAcknowledged', 'execute']);
  });

  it('one client’s numbers are no other’s', () => {
    const table = createTable();
    assert.deepEqual(order(table, 1, [request('a', 1), request('b', 1)]), ['execute', 'execute']);
  });
});
