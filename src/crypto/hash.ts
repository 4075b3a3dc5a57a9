/** SHA-256, the only hash of the protocol. */
import { hash } from 'node:crypto';
import type { Digest, Hash } from '../util/digest.js';

/** SHA-256 as a digest. */
export const sha256: Hash = (bytes) => hash('sha256', bytes, 'hex') as Digest;
