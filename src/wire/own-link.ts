/** What a replica answers a peer that asks for links of its own identity: GetOwnLinkResponse of peer.proto. */
import { utf8 } from '../util/bytes.js';
import { failed, ok, type Result } from '../util/result.js';
import { bytesOrEmpty, flag, integerOrZero } from './field.js';
import { ANY_CLUSTER } from './limits.js';
import type { Malformed } from './malformed.js';
import { converted, encode, message } from './message.js';

/** More than an address takes. */
const ADDRESS_BYTES_MAX = 1_024;
const STRICT_DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const OWN_LINK = converted(
  message({ isAlive: flag(1), address: bytesOrEmpty(2, { max: ADDRESS_BYTES_MAX }), ageMs: integerOrZero(3) }),
  {
    decoded: (value) => {
      try {
        return ok({ ...value, address: STRICT_DECODER.decode(value.address) });
      } catch {
        return failed({ field: 'address', description: 'is not UTF-8' });
      }
    },
    encoded: (value: OwnLinkAnswer) => ({ ...value, address: utf8(value.address) }),
  },
);

/** Whether there is a link, where its other end is (empty for none), and how long it has been up. */
export interface OwnLinkAnswer {
  readonly isAlive: boolean;
  readonly address: string;
  readonly ageMs: number;
}

/** The encoded answer. */
export function encodeOwnLinkAnswer(answer: OwnLinkAnswer): Uint8Array {
  return encode(OWN_LINK, answer);
}

/** The answer in these bytes. */
export function decodeOwnLinkAnswer(bytes: Uint8Array): Result<OwnLinkAnswer, Malformed> {
  return OWN_LINK.decode(bytes, ANY_CLUSTER);
}
