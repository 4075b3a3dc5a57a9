/** The check of requests' numbers refuses a client that signs one number twice, and lets pass what a client may do. */
import assert from 'node:assert/strict';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import { utf8 } from '../../../src/util/bytes.js';
import { encodeRequestPayload } from '../../../src/wire/request-codec.js';
import { CLIENTS, judged, LIMITS, ONE, TWO } from './builders.js';
import { RequestContradictionCheck } from './request-contradiction.js';

function clientOf(replica: ReplicaId) {
  const clientId = CLIENTS[replica];
  assert.ok(clientId !== undefined);
  return clientId;
}

/** The invariant that breaks where replicas sign these requests: number and operation. */
function judge(requests: readonly (readonly [ReplicaId, number, string])[]) {
  return judged(
    (violations) =>
      new RequestContradictionCheck({ violations, limits: LIMITS, clientOf, isCorrect: (replica) => replica !== TWO }),
    (check) => {
      for (const [signer, number, operation] of requests) {
        const content = { clientId: clientOf(signer), number, acknowledged: 0, operations: [utf8(operation)] };
        check.onSigned(signer, 'request', encodeRequestPayload(content));
      }
    },
  );
}

describe('the check of request numbers (invariant 8)', () => {
  it('refuses two requests with one number by a correct client', () => {
    assert.equal(
      judge([
        [ONE, 1, 'a'],
        [ONE, 2, 'b'],
        [ONE, 1, 'c'],
      ]),
      8,
    );
  });

  it('takes one request signed twice, equal numbers of two clients, and whatever a Byzantine one signs', () => {
    assert.equal(
      judge([
        [ONE, 1, 'a'],
        [ONE, 1, 'a'],
        [TWO, 1, 'b'],
        [TWO, 1, 'c'],
      ]),
      undefined,
    );
  });

  it('refuses a request that is none', () => {
    const make = judged(
      (violations) => new RequestContradictionCheck({ violations, limits: LIMITS, clientOf, isCorrect: () => true }),
      (check) => check.onSigned(ONE, 'request', utf8('noise')),
    );
    assert.equal(make, 10);
  });
});
