/**
 * The types of what is signed and their numbers on the wire: the one table. A type that isn't here doesn't exist for
 * the codecs. The same union as in ports/signatures.ts, which this layer may not import.
 */
import type { ProtocolMessage } from '../protocol/messages.js';

/** What a signature is of. */
export type SignatureType = ProtocolMessage['type'] | 'request' | 'hello' | 'header';

/** The numbers of the enum MessageType in message.proto: from 1, in order. */
export const NUMBER_OF_TYPE: Readonly<Record<SignatureType, number>> = {
  request: 1,
  prePrepare: 2,
  prepare: 3,
  commit: 4,
  checkpoint: 5,
  status: 6,
  hello: 7,
  header: 8,
  viewChange: 9,
  newView: 10,
};

const TYPE_OF_NUMBER: readonly (SignatureType | undefined)[] = [
  undefined,
  ...(Object.keys(NUMBER_OF_TYPE) as SignatureType[]),
];

/** The type with this number, or undefined for any other number. */
export function typeOfNumber(number: number): SignatureType | undefined {
  return TYPE_OF_NUMBER[number];
}
