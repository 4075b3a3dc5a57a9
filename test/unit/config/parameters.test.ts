/** The digest of the consensus parameters, which peers compare when they meet. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { computeParametersDigest } from '../../../src/config/parameters.js';
import { sha256 } from '../../../src/crypto/hash.js';
import { newGenesisContent } from '../../support/genesis-content.js';

describe('the digest of the parameters', () => {
  it('OP-01 depends on every parameter and the application, and not on their order', () => {
    const { parameters } = newGenesisContent();
    const digest = computeParametersDigest(parameters, 'key-value', sha256);
    const reversed = Object.fromEntries(Object.entries(parameters).reverse()) as typeof parameters;
    assert.equal(computeParametersDigest(reversed, 'key-value', sha256), digest);
    assert.notEqual(computeParametersDigest(parameters, 'other', sha256), digest);
    for (const [name, value] of Object.entries(parameters)) {
      const changed = { ...parameters, [name]: value + 1 };
      assert.notEqual(computeParametersDigest(changed, 'key-value', sha256), digest, name);
    }
  });

  it('is SHA-256 of canonical JSON', () => {
    const { parameters } = newGenesisContent();
    const canonical =
      '{"application":"key-value","parameters":{"batchBytesMax":2097152,"batchCostMax":8388608,"batchOperationsMax":1000,' +
      '"checkpointInterval":128,"clientWindow":1024,"clockDriftMs":10000,"keptResultBytesMax":4194304,' +
      '"requestBytesMax":1114112,"requestCostMax":2097152,"resultBytesMax":1114112,"snapshotInterval":8192,"windowSize":256}}';
    const expected = createHash('sha256').update(canonical).digest('hex');
    assert.equal(computeParametersDigest(parameters, 'key-value', sha256), expected);
  });
});
