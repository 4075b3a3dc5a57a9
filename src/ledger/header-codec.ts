/** The fixed encoding of headers and their digests, which chain them (protocol.md 7). */
import type { Digest, Hash } from '../util/digest.js';
import { ByteReader, ByteWriter } from './encoding.js';
import type { Header } from './header.js';

/**
 * The length of an encoded header: two u64 and four digests.
 *
 * @example
 * ```ts
 * import { HEADER_BYTES } from 'pbft';
 *
 * console.log(HEADER_BYTES); //> 144
 * ```
 */
export const HEADER_BYTES = 8 + 4 * 32 + 8;

const HEADER_DOMAIN = 'pbft/1/header';

/**
 * sequence ‖ previous header digest ‖ batch digest ‖ results root ‖ writes digest ‖ timestamp.
 *
 * @example
 * ```ts
 * import { computeMerkleRoot, type Digest, encodeHeader, HEADER_BYTES, type Header, sha256 } from 'pbft';
 *
 * const cluster = '00'.repeat(32) as Digest;
 * const header: Header = {
 *   sequence: 1,
 *   previousHeaderDigest: cluster,
 *   batchDigest: sha256(new Uint8Array([1])),
 *   resultsRoot: computeMerkleRoot([], sha256),
 *   writesDigest: sha256(new Uint8Array()),
 *   timestampMs: 1_700_000_000_000,
 * };
 * console.log(encodeHeader(header).length === HEADER_BYTES); //> true
 * ```
 */
export function encodeHeader(header: Header): Uint8Array {
  return writeHeader(new ByteWriter(HEADER_BYTES), header).finish();
}

/**
 * The header in these bytes, or undefined: another length, sequence 0, a number that isn't a safe integer.
 *
 * @example
 * ```ts
 * import { decodeHeader, HEADER_BYTES } from 'pbft';
 *
 * console.log(decodeHeader(new Uint8Array(HEADER_BYTES - 1))); //> undefined
 * ```
 */
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

/**
 * What replicas sign, and what the next header names as its previous.
 *
 * @example
 * ```ts
 * import { computeHeaderDigest, decodeHeader, sha256 } from 'pbft';
 *
 * function digestOf(bytes: Uint8Array): string | undefined {
 *   const header = decodeHeader(bytes);
 *   return header && computeHeaderDigest(header, sha256);
 * }
 * console.log(digestOf(new Uint8Array(3))); //> undefined
 * ```
 */
export function computeHeaderDigest(header: Header, hash: Hash): Digest {
  return hash(writeHeader(new ByteWriter().domain(HEADER_DOMAIN), header).finish());
}

/**
 * Whether `header` is the one after the header with this sequence and digest; of sequence 0 that is the genesis digest.
 *
 * @example
 * ```ts
 * import { computeHeaderDigest, type Header, isNextHeader, sha256 } from 'pbft';
 *
 * // Whether these headers are a chain.
 * function isChain(headers: readonly Header[]): boolean {
 *   return headers.slice(1).every((header, index) => {
 *     const before = headers[index];
 *     return before && isNextHeader(header, {
 *       sequence: before.sequence,
 *       headerDigest: computeHeaderDigest(before, sha256),
 *     });
 *   });
 * }
 * console.log(isChain([])); //> true
 * ```
 */
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
