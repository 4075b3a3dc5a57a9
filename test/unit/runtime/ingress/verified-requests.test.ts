import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import { VerifiedRequests } from '../../../../src/runtime/ingress/verified-requests.js';
import { utf8 } from '../../../../src/util/bytes.js';
import { decodeRequest } from '../../../../src/wire/request-codec.js';
import { CountingVerifier } from '../../../support/fake-signatures.js';
import { CLIENT, signedRequest } from '../../../support/peer-messages.js';
import { LIMITS } from '../fakes.js';

function unverified(...parameters: Parameters<typeof signedRequest>) {
  const decoded = decodeRequest(signedRequest(...parameters).bytes, LIMITS, sha256);
  assert.ok(decoded.ok);
  return decoded.value;
}

describe('verified requests', () => {
  it('are checked once, however often they come', () => {
    const verifier = new CountingVerifier(new Set([CLIENT]));
    const requests = new VerifiedRequests(verifier);
    assert.deepEqual(
      [1, 2, 3].map(() => requests.verify(unverified(1))),
      [true, true, true],
    );
    assert.equal(verifier.clientChecks, 1);
  });

  it('CL-01: are known with their signature: bad ones are checked, and refused, each time', () => {
    const verifier = new CountingVerifier(new Set([CLIENT]));
    const requests = new VerifiedRequests(verifier);
    const bad = unverified(1, { signature: utf8('bad') });
    assert.deepEqual(
      [bad, unverified(1), bad, unverified(1), bad].map((request) => requests.verify(request)),
      [false, true, false, true, false],
    );
    assert.equal(verifier.clientChecks, 4);
  });

  it('are remembered up to a bound; the one used longest ago is forgotten first', () => {
    const verifier = new CountingVerifier(new Set([CLIENT]));
    const requests = new VerifiedRequests(verifier);
    const first = unverified(1);
    const second = unverified(2);
    requests.verify(first);
    requests.verify(second);
    for (let number = 3; number <= 8_192; number++) {
      requests.verify(unverified(number));
    }
    requests.verify(first);
    assert.equal(verifier.clientChecks, 8_192);
    requests.verify(unverified(8_193));
    requests.verify(first);
    assert.equal(verifier.clientChecks, 8_193);
    requests.verify(second);
    assert.equal(verifier.clientChecks, 8_194);
  });
});
