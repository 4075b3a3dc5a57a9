/**
 * Frames of a peer link: a ConnectRequest or ConnectResponse, which are the same on the wire, made of PeerMessages that
 * are encoded already. A message is encoded once and put into the frames of all peers.
 */
import { assert } from '../util/assert.js';
import type { Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { bytesFieldSizeBytes, CanonicalWriter } from './canonical-writer.js';
import { FRAME_MESSAGES_MAX } from './limits.js';
import type { Malformed } from './malformed.js';

/** Room for a reserve of tag and length that the writer makes before it knows the length's size. */
const RESERVE_BYTES = 16;

/** The bytes that a message of this length adds to a frame. */
export function computeFrameShareBytes(messageBytes: number): number {
  return bytesFieldSizeBytes(messageBytes);
}

/** One frame of encoded PeerMessages, at most FRAME_MESSAGES_MAX, in order. */
export function frameOf(messages: readonly Uint8Array[]): Uint8Array {
  assert(messages.length <= FRAME_MESSAGES_MAX, `a frame has at most ${FRAME_MESSAGES_MAX} messages`);
  let sizeBytes = RESERVE_BYTES;
  for (const message of messages) {
    sizeBytes += bytesFieldSizeBytes(message.length);
  }
  const writer = new CanonicalWriter(sizeBytes);
  for (const message of messages) {
    writer.bytes(1, message);
  }
  return writer.finish();
}

/** The encoded PeerMessages of a frame, at least one: views on the frame, not judged yet. */
export function messagesOf(frame: Uint8Array): Result<Uint8Array[], Malformed> {
  const reader = new CanonicalReader(frame);
  const messages = reader.readRepeated(1, 'messages', { min: 1, countMax: FRAME_MESSAGES_MAX });
  if (messages.length === 0) {
    reader.fail('messages', 'has no element');
  }
  return reader.finish(messages);
}
