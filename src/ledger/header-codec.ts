/** The fixed encoding of headers and their digests, which chain them (protocol.md 7). */
import type { Digest, Hash } from '../util/digest.js';
import { ByteReader, ByteWriter } from './encoding.js';
import type { Header } from './header.js';

/** The length of an encoded header: two u64 and four digests. */
export const HEADER_BYTES = 8 + 4 * 32 + 8;

const HEADER_DOMAIN = 'pbft/1/header';

/** sequence ‖ previous header digest ‖ batch digest ‖ results root ‖ writes digest ‖ timestamp. */
export function encodeHeader(header: Header): Uint8Array {
  return writeHeader(new ByteWriter(HEADER_BYTES), header).finish();
}

/** The header in these bytes, or undefined: another length, sequence 0, a number that isn't a safe integer. */
export function decodeHeader(bytes: Uint8Array): Header | undefined {
  const reader = new ByteReader(bytes);
  const header: Header = {
    sequence: reader.u64(),
    previousHeaderDigest: reader.digest(),
    batchDigest: reader.digest(),
    resultsRoot: reader.digest(),
    writesDigest: reader.digest(),
    timestampMs: reader.u64(),
  };
  return header.sequence === 0 ? undefined : reader.finish(header);
}

/** What replicas sign, and what the next header names as its previous. */
export function computeHeaderDigest(header: Header, hash: Hash): Digest {
  return hash(writeHeader(new ByteWriter().domain(HEADER_DOMAIN), header).finish());
}

/** Whether `header` is the one after the header with this sequence and digest; of sequence 0 that is the genesis digest. */
export function isNextHeader(
  header: Header,
  previous: { readonly sequence: number; readonly headerDigest: Digest },
): boolean {
  return header.sequence === previous.sequence + 1 && header.previousHeaderDigest === previous.headerDigest;
}

function writeHeader(writer: ByteWriter, header: Header): ByteWriter {
  return writer
    .u64(header.sequence)
    .digest(header.previousHeaderDigest)
    .digest(header.batchDigest)
    .digest(header.resultsRoot)
    .digest(header.writesDigest)
    .u64(header.timestampMs);
}
