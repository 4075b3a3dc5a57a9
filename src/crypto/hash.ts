/** SHA-256, the only hash of the protocol. */
import { hash } from 'node:crypto';
import type { Digest, Hash } from '../util/digest.js';

/**
 * SHA-256 as a digest.
 *
 * @example
 * ```ts
 * import { sha256 } from 'pbft';
 *
 * console.log(sha256(new Uint8Array()).slice(0, 8)); //> e3b0c442
 * ```
 */
export const sha256: Hash = (bytes) => hash('sha256', bytes, 'hex') as Digest;
