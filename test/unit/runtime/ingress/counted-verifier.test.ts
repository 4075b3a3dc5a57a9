import assert from 'node:assert/strict';
import { replicaId } from '../../../../src/protocol/identifiers.js';
import { CountedVerifier } from '../../../../src/runtime/ingress/counted-verifier.js';
import { CountingVerifier } from '../../../support/fake-signatures.js';
import { CLIENT } from '../../../support/peer-messages.js';

describe('a counted verifier', () => {
  it('answers what the verifier answers, and counts every check once, right or wrong', () => {
    const verifier = new CountedVerifier(new CountingVerifier(new Set([CLIENT])));
    assert.equal(verifier.takeChecks(), 0);
    assert.equal(verifier.verifyReplica('prepare', replicaId(1), new Uint8Array(1), new Uint8Array(1)), false);
    assert.equal(verifier.verifyClient('request', CLIENT, new Uint8Array(1), new Uint8Array(1)), false);
    assert.equal(verifier.takeChecks(), 2);
    assert.equal(verifier.takeChecks(), 0);
  });
});
