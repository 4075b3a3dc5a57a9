/** A replica that left its view alone: it knows, says so, and stays useful (protocol.md 6). */
import assert from 'node:assert/strict';
import { broadcastsOf } from '../../support/core-cluster.js';
import { CoreNetwork } from '../../support/core-network.js';

describe('a replica left alone in a later view', () => {
  function leftAlone(): CoreNetwork {
    const network = new CoreNetwork(4);
    // It hears nothing of agreement for a while, and gives up on the primary; what it says then reaches the others.
    network.filter = ({ to, event }) => to !== 3 || event.kind === 'requestReceived';
    network.ask(3, 'a', 1);
    network.submit(0, 'b', 1);
    network.advance(5_000);
    network.filter = () => true;
    network.advance(6_000);
    return network;
  }

  it('knows in which lower view a quorum serves, by what they say', () => {
    const network = leftAlone();
    const { view, active, viewOfOthers, lastExecuted } = network.at(3).under.core.inspect(network.elapsedMs);
    assert.equal(active, false);
    assert.ok(view > 0);
    assert.equal(viewOfOthers, 0);
    assert.ok(lastExecuted > 0, 'it learns what they decide');
    assert.equal(network.at(0).under.core.inspect(network.elapsedMs).viewOfOthers, undefined);
  });

  it('never votes there again', () => {
    const network = leftAlone();
    const before = network.at(3).under.effects.length;
    network.submit(0, 'c', 1);
    const said = network.at(3).under.effects.slice(before);
    assert.deepEqual([...broadcastsOf(said, 'prepare'), ...broadcastsOf(said, 'commit')], []);
  });

  it('is no longer apart where the others fall silent', () => {
    const network = leftAlone();
    for (const replica of [0, 1, 2]) {
      network.crash(replica);
    }
    assert.equal(network.at(3).under.core.inspect(network.elapsedMs).viewOfOthers, undefined);
  });
});
