/** A valid genesis as plain content, with public keys whose private halves nobody has: quick to make and to spoil. */
import { createPublicKey, randomBytes } from 'node:crypto';
import { GENESIS_FORMAT, type GenesisFile } from '../../src/config/genesis.js';
import { DEFAULT_CONSENSUS_PARAMETERS } from '../../src/config/parameters.js';

/** The SPKI of a fresh RSA key in base64. */
export function newPublicKeyText(bits = 2048, exponent = 'AQAB'): string {
  const modulus = randomBytes(bits / 8);
  modulus[0] = (modulus[0] ?? 0) | 0x80;
  modulus[modulus.length - 1] = (modulus[modulus.length - 1] ?? 0) | 1;
  const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: exponent };
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' }).toString('base64');
}

/** Content of a genesis with `replicaCount` replicas and one client. */
export function newGenesisContent(replicaCount = 4): GenesisFile {
  return {
    format: GENESIS_FORMAT,
    clusterName: 'test',
    application: 'key-value',
    parameters: { ...DEFAULT_CONSENSUS_PARAMETERS },
    replicas: Array.from({ length: replicaCount }, (_, id) => ({
      id,
      name: `replica-${id}`,
      signingKey: newPublicKeyText(),
      tlsKeyPin: randomBytes(32).toString('hex'),
    })),
    clients: [{ name: 'client-0', key: newPublicKeyText() }],
  };
}

/** The bytes of a genesis with this content. */
export function genesisBytesOf(content: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(content));
}
