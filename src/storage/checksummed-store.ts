/**
 * A KeyValueStore whose values carry a checksum: CRC-32 over key ‖ value in 4 bytes after the value. The engines verify
 * their own checksums only in part; here a value that isn't the one written under its key is never handed out.
 *
 * It does not see a key that is missing: the log and the headers are chains for that.
 */
import { crc32 } from 'node:zlib';
import type { Completion, KeyRange, KeyValueStore, StoreEntry, WriteOperation } from '../ports/key-value-store.js';
import { toHex } from '../util/bytes.js';
import { failed, ok } from '../util/result.js';
import { corruptError } from './store-error.js';

const CHECKSUM_BYTES = 4;

/** A store that seals what is written to `store` and checks what is read. `nameOf` says in words where a key belongs. */
export function createChecksummedStore(store: KeyValueStore, nameOf: (key: Uint8Array) => string): KeyValueStore {
  return {
    engine: store.engine,
    getMany: (keys, done) => {
      store.getMany(keys, (result) => {
        if (result.ok) {
          openValues(keys, result.value, nameOf, done);
        } else {
          done(result);
        }
      });
    },
    read: (range: KeyRange, done: Completion<readonly StoreEntry[]>) => {
      store.read(range, (result) => {
        if (result.ok) {
          openEntries(result.value, nameOf, done);
        } else {
          done(result);
        }
      });
    },
    write: (operations, options, done) => store.write(operations.map(sealOperation), options, done),
    close: (done) => store.close(done),
  };
}

/** The value with its checksum behind it: the one copy that a value is given on its way to the disk. */
function sealOperation(operation: WriteOperation): WriteOperation {
  if (operation.type === 'delete') {
    return operation;
  }
  const { key, value } = operation;
  const sealed = Buffer.allocUnsafe(value.length + CHECKSUM_BYTES);
  sealed.set(value);
  sealed.writeUInt32BE(computeChecksum(key, value), value.length);
  return { type: 'put', key, value: sealed };
}

/** The value without its checksum, or undefined where they don't fit. */
function openValue(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const sizeBytes = sealed.length - CHECKSUM_BYTES;
  if (sizeBytes < 0) {
    return undefined;
  }
  const value = sealed.subarray(0, sizeBytes);
  const stored = new DataView(sealed.buffer, sealed.byteOffset + sizeBytes, CHECKSUM_BYTES).getUint32(0);
  return stored === computeChecksum(key, value) ? asPlainBytes(value) : undefined;
}

function computeChecksum(key: Uint8Array, value: Uint8Array): number {
  return crc32(value, crc32(key));
}

/** The same memory as a plain Uint8Array: a Buffer's slice and toString mean something else. */
function asPlainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function openValues(
  keys: readonly Uint8Array[],
  sealed: readonly (Uint8Array | undefined)[],
  nameOf: (key: Uint8Array) => string,
  done: Completion<readonly (Uint8Array | undefined)[]>,
): void {
  const values: (Uint8Array | undefined)[] = [];
  for (const [index, key] of keys.entries()) {
    const bytes = sealed[index];
    const value = bytes === undefined ? undefined : openValue(key, bytes);
    if (bytes !== undefined && value === undefined) {
      done(failed(checksumError(key, nameOf)));
      return;
    }
    values.push(value);
  }
  done(ok(values));
}

function openEntries(
  sealed: readonly StoreEntry[],
  nameOf: (key: Uint8Array) => string,
  done: Completion<readonly StoreEntry[]>,
): void {
  const entries: StoreEntry[] = [];
  for (const { key, value: bytes } of sealed) {
    const value = openValue(key, bytes);
    if (value === undefined) {
      done(failed(checksumError(key, nameOf)));
      return;
    }
    entries.push({ key: asPlainBytes(key), value });
  }
  done(ok(entries));
}

function checksumError(key: Uint8Array, nameOf: (key: Uint8Array) => string): ReturnType<typeof corruptError> {
  return corruptError(`a wrong checksum in ${nameOf(key)}, key ${toHex(key.subarray(0, 64))}`);
}
