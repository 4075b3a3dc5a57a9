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

/** A sign of life that one end of a link asks for, or gives. */
export interface LinkProbe {
  readonly number: number;
  readonly isAnswer: boolean;
  /** Where somebody else connected under the identity that is asked; at most RIVAL_BYTES_MAX bytes. */
  readonly rival: Uint8Array;
}

/** The longest text of a rival's address. */
export const RIVAL_BYTES_MAX = 128;

/** A frame with a probe and no message. */
export function probeFrameOf({ number, isAnswer, rival }: LinkProbe): Uint8Array {
  assert(rival.length <= RIVAL_BYTES_MAX, 'a rival is told in a few bytes');
  const probe = new CanonicalWriter().number(1, number).flag(2, isAnswer).bytesUnlessEmpty(3, rival).finish();
  return new CanonicalWriter().bytes(2, probe).finish();
}

/** The probe of a frame that has one; undefined for a frame of messages. */
export function probeOf(frame: Uint8Array): Result<LinkProbe, Malformed> | undefined {
  const outer = new CanonicalReader(frame);
  if (!outer.isNext(2, 'bytes')) {
    return undefined;
  }
  const bytes = outer.finish(outer.requireBytes(2, 'probe'));
  if (!bytes.ok) {
    return bytes;
  }
  const reader = new CanonicalReader(bytes.value);
  const number = reader.requireNumber(1, 'number');
  const isAnswer = reader.readFlag(2, 'is_answer');
  const rival = reader.readBytes(3, 'rival', { max: RIVAL_BYTES_MAX });
  return reader.finish({ number, isAnswer, rival });
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
