/**
 * PeerMessage of peer.proto: bytes ↔ values. A message is detached from the frame it came in; what is in it are views on
 * it, but for votes that came with a batch.
 */
import type { Result } from '../util/result.js';
import { detach } from './detach.js';
import type { WireLimits } from './limits.js';
import type { Malformed } from './malformed.js';
import { encode } from './message.js';
import { PEER_MESSAGE, type PeerInput, type PeerOutput } from './peer-message.js';

/** The encoded PeerMessage: made once, sent to whom it may concern. */
export function encodePeerMessage(output: PeerOutput): Uint8Array {
  return encode(PEER_MESSAGE, output);
}

/** The message of a peer in these bytes. Signatures, digests and requests are not judged yet. */
export function decodePeerMessage(bytes: Uint8Array, limits: WireLimits): Result<PeerInput, Malformed> {
  return PEER_MESSAGE.decode(detach(bytes), limits);
}
