/**
 * Frames of a peer link: a ConnectRequest or ConnectResponse, which are the same on the wire, made of PeerMessages that
 * are encoded already. A message is encoded once and put into the frames of all peers.
 */
import { assert } from '../util/assert.js';
import type { Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { bytesFieldSizeBytes } from './canonical-writer.js';
import { bytesList, bytesOrEmpty, flag, integer } from './field.js';
import { ANY_CLUSTER, FRAME_MESSAGES_MAX } from './limits.js';
import type { Malformed } from './malformed.js';
import { type Decoded, encode, message, nested, only } from './message.js';

/** The longest text of a rival's address. */
export const RIVAL_BYTES_MAX = 128;

const LINK_PROBE = message({
  number: integer(1),
  isAnswer: flag(2),
  /** Where somebody else connected under the identity that is asked. */
  rival: bytesOrEmpty(3, { max: RIVAL_BYTES_MAX }),
});

/** A sign of life that one end of a link asks for, or gives. */
export type LinkProbe = Decoded<typeof LINK_PROBE>;

/** A frame has messages or one probe. */
const MESSAGES = only(bytesList(1, { min: 1, countMin: 1, countMax: FRAME_MESSAGES_MAX }), 'messages');
const PROBE = only(nested(2, LINK_PROBE), 'probe');

/** The bytes that a message of this length adds to a frame. */
export function computeFrameShareBytes(messageBytes: number): number {
  return bytesFieldSizeBytes(messageBytes);
}

/** One frame of encoded PeerMessages, at most FRAME_MESSAGES_MAX, in order. */
export function frameOf(messages: readonly Uint8Array[]): Uint8Array {
  assert(messages.length <= FRAME_MESSAGES_MAX, `a frame has at most ${FRAME_MESSAGES_MAX} messages`);
  return encode(MESSAGES, messages);
}

/** A frame with a probe and no message. */
export function probeFrameOf(probe: LinkProbe): Uint8Array {
  assert(probe.rival.length <= RIVAL_BYTES_MAX, 'a rival is told in a few bytes');
  return encode(PROBE, probe);
}

/** The probe of a frame that has one; undefined for a frame of messages. */
export function probeOf(frame: Uint8Array): Result<LinkProbe, Malformed> | undefined {
  return new CanonicalReader(frame).isNext(2, 'bytes') ? PROBE.decode(frame, ANY_CLUSTER) : undefined;
}

/** The encoded PeerMessages of a frame, at least one: views on the frame, not judged yet. */
export function messagesOf(frame: Uint8Array): Result<readonly Uint8Array[], Malformed> {
  return MESSAGES.decode(frame, ANY_CLUSTER);
}
