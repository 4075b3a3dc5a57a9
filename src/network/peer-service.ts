/** PeerService.Connect without decoding: frames are put together and taken apart by `frameOf` and `messagesOf`. */
import { PeerServiceService } from '../wire/gen/pbft/v1/peer.js';

/** A view of the same bytes, for grpc-js. */
export function asBuffer(frame: Uint8Array): Buffer {
  return Buffer.from(frame.buffer, frame.byteOffset, frame.length);
}

function asFrame(bytes: Buffer): Uint8Array {
  return bytes;
}

/** The method's name on the wire. */
export const CONNECT_PATH = PeerServiceService.connect.path;

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
  getOwnLink: { ...PeerServiceService.getOwnLink, requestDeserialize: asFrame },
} as const;

export { asFrame };
