/**
 * PeerService of peer.proto by hand: Connect without decoding, since frames are put together and taken apart by `frameOf`
 * and `messagesOf`. A test holds it against the generated definition.
 */
import { encodeOwnLinkAnswer, type OwnLinkAnswer } from '../wire/own-link.js';

/** A view of the same bytes, for grpc-js. */
export function asBuffer(frame: Uint8Array): Buffer {
  return Buffer.from(frame.buffer, frame.byteOffset, frame.length);
}

function asFrame(bytes: Buffer): Uint8Array {
  return bytes;
}

/** The method's name on the wire. */
export const CONNECT_PATH = '/pbft.v1.PeerService/Connect';

/** The other method's; what is asked has no field. */
export const OWN_LINK_PATH = '/pbft.v1.PeerService/GetOwnLink';
export const OWN_LINK_QUESTION = new Uint8Array(0);

/** The service's definition, frames passed through as bytes. */
export const PEER_SERVICE = {
  connect: {
    path: CONNECT_PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: asBuffer,
    requestDeserialize: asFrame,
    responseSerialize: asBuffer,
    responseDeserialize: asFrame,
  },
  getOwnLink: {
    path: OWN_LINK_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: asBuffer,
    requestDeserialize: asFrame,
    responseSerialize: (answer: OwnLinkAnswer) => asBuffer(encodeOwnLinkAnswer(answer)),
    responseDeserialize: asFrame,
  },
} as const;

export { asFrame };
