/** The check of idle traffic lets the heartbeat pass and nothing else. */
import assert from 'node:assert/strict';
import { statusTo } from '../../support/peer-messages.js';
import { ONE, registry, seen, sign, TWO, vote, ZERO } from './builders.js';
import { IdleTraffic } from './idle-traffic.js';

const RULES = { replicas: new Set([ZERO, ONE]), statusEveryMs: 5_000, watchedMs: 10_000 };
const STATUS = seen(sign(registry(), statusTo(1, 5), ZERO));
const PREPARE = seen(sign(registry(), { ...vote('prepare'), type: 'prepare' as const }, ZERO));

function objectionTo(sent: (traffic: IdleTraffic) => void): string | undefined {
  const traffic = new IdleTraffic();
  traffic.restart();
  sent(traffic);
  return traffic.objection(RULES);
}

describe('the check of idle traffic', () => {
  it('lets the heartbeat pass, and refuses a faster one', () => {
    const send = (count: number) => (traffic: IdleTraffic) => {
      for (let sent = 0; sent < count; sent++) {
        traffic.onSent(ZERO, ONE, STATUS);
      }
    };
    assert.equal(objectionTo(send(4)), undefined);
    assert.match(objectionTo(send(5)) ?? '', /5 Status/);
  });

  it('refuses votes among those that are held to it, and those only while it watches', () => {
    assert.match(objectionTo((traffic) => traffic.onSent(ZERO, ONE, PREPARE)) ?? '', /prepare/);
    assert.equal(
      objectionTo((traffic) => traffic.onSent(ZERO, TWO, PREPARE)),
      undefined,
    );
    const traffic = new IdleTraffic();
    traffic.onSent(ZERO, ONE, PREPARE);
    assert.equal(traffic.objection(RULES), undefined);
  });
});
