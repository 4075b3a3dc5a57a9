/**
 * Views keep the whole buffer alive that they look on. What is kept long (votes, certificates, waiting requests) must
 * not keep a frame of 16 MiB for a few hundred bytes: a faulty peer could choose frames so.
 */

/** A buffer may be this many times as long as the view that keeps it. */
const WASTE_FACTOR_MAX = 2;

/** These bytes, copied where as a view they would keep more than twice their length alive. */
export function detach(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > WASTE_FACTOR_MAX * bytes.length ? new Uint8Array(bytes) : bytes;
}
