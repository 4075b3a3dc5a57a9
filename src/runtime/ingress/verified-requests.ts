/**
 * Client signatures that were checked already. A request that came by relay comes again in a batch: its signature is
 * checked once.
 *
 * The cache knows a request by its digest and its signature together. A digest alone would let a bad signature pass
 * where the good one was seen before, and replicas would differ in what they accept.
 */
import type { Verifier } from '../../ports/signatures.js';
import type { UnverifiedRequest } from '../../wire/request-codec.js';
import { RecentNames } from './recent-names.js';

/** About 350 bytes each. */
const REMEMBERED_MAX = 8_192;

/** Checks client signatures, remembering the good ones. */
export class VerifiedRequests {
  private readonly known = new RecentNames(REMEMBERED_MAX);

  constructor(private readonly verifier: Verifier) {}

  /** Whether the request's signature is right. */
  verify({ request, payload, signature }: UnverifiedRequest): boolean {
    const bytes = Buffer.from(signature.buffer, signature.byteOffset, signature.length);
    const name = `${request.digest}${bytes.toString('latin1')}`;
    if (this.known.has(name)) {
      return true;
    }
    if (!this.verifier.verifyClient('request', request.clientId, payload, signature)) {
      return false;
    }
    this.known.add(name);
    return true;
  }
}
