/** A tenth of an hour of hostile traffic; `make swarm HOSTILE_HOURS=1` runs the whole. */
import assert from 'node:assert/strict';
import { runHostile } from './hostile.js';

const VIRTUAL_MS = 360_000;

describe('hostile traffic', () => {
  it('fills nothing beyond its bound, and callers go on being served', function () {
    this.timeout(180_000);
    const { violation, operations, rejections, views, held } = runHostile({
      replicaCount: 4,
      virtualMs: VIRTUAL_MS,
      onProgress: () => undefined,
    });
    assert.equal(violation, undefined);
    assert.ok(operations > 100 && views > 5, `${operations} operations, ${views} views`);
    assert.ok(rejections > 10_000, `${rejections} messages were not taken`);
    const most = new Map(held.map((row) => [row.name, row.most]));
    for (const name of ['futureVotesOfSender', 'viewChanges', 'pendingNewViews', 'evidence', 'resentToPeer'] as const) {
      assert.ok((most.get(name) ?? 0) > 0, `${name} was filled`);
    }
  });
});
