/** Real signatures in virtual time are those that the replica makes and checks, and the same in each run of a seed. */
import assert from 'node:assert/strict';
import { replicaId } from '../../../src/protocol/identifiers.js';
import { utf8 } from '../../../src/util/bytes.js';
import { digest } from '../../support/core-cluster.js';
import { Random } from '../kernel/random.js';
import { runSeed } from '../run.js';
import { drawScenario } from '../scenario.js';
import { createRsaScheme } from './rsa.js';

const [ZERO, ONE] = [replicaId(0), replicaId(1)];

describe('real RSA in the simulator', () => {
  it('verifies for the replica that signed, its type, payload and cluster, and for nothing else', function () {
    this.timeout(60_000);
    const scheme = createRsaScheme(2, digest('cluster'));
    const payload = utf8('payload');
    const signature = scheme.sign(ZERO, 'prepare', payload, new Random('salt'));
    const { verifier } = scheme;
    assert.equal(signature.length, 256);
    assert.equal(verifier.verifyReplica('prepare', ZERO, payload, signature), true);
    assert.equal(verifier.verifyReplica('commit', ZERO, payload, signature), false);
    assert.equal(verifier.verifyReplica('prepare', ONE, payload, signature), false);
    assert.equal(verifier.verifyReplica('prepare', ZERO, utf8('other'), signature), false);
    const elsewhere = createRsaScheme(2, digest('another cluster'));
    assert.equal(elsewhere.verifier.verifyReplica('prepare', ZERO, payload, signature), false);
    assert.notDeepEqual(scheme.sign(ZERO, 'prepare', payload, new Random('other salt')), signature);
  });

  it('is in a share of the fixed seeds, and gives the same trace twice', function () {
    this.timeout(120_000);
    const seeds = Array.from({ length: 200 }, (_, index) => index + 1);
    const real = seeds.filter((seed) => drawScenario(seed).hasRealSignatures);
    assert.ok(real.length >= 6, `${real.length} of 200`);
    const costOf = (seed: number): number => {
      const { operationsOfClient, clientCount, parameters } = drawScenario(seed);
      return operationsOfClient * clientCount * parameters.sizes.replicaCount ** 2;
    };
    const [quickest] = [...real].sort((left, right) => costOf(left) - costOf(right));
    assert.ok(quickest !== undefined);
    const [first, second] = [1, 2].map(() => runSeed({ seed: quickest, keepsTrace: false }));
    assert.equal(first?.violation, undefined);
    assert.equal(first?.traceHash, second?.traceHash);
  });
});
