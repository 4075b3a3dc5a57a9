/** The application's store in memory, as the executor would give it: what wasn't announced throws. */
import { isDeepStrictEqual } from 'node:util';
import type {
  ApplicationRange,
  ExecutionStore,
  Key,
  QueryStore,
  StateMachine,
} from '../../../src/ports/state-machine.js';
import { assert } from '../../../src/util/assert.js';
import { compareBytes, fromHex, toHex } from '../../../src/util/bytes.js';

/** Rows by the hexadecimal digits of their keys. */
export class MemoryApplicationStore {
  readonly rows = new Map<string, Uint8Array>();

  /** Executes one operation at (sequence, index) as an executor does, and returns its result. */
  execute(machine: StateMachine, operation: Uint8Array, at: { sequence: number; index: number }): Uint8Array {
    const prepared = machine.prepare(operation);
    const store = this.#announced(prepared.keys, prepared.ranges ?? []);
    return prepared.execute({ ...at, timestampMs: 1_700_000_000_000, clientId: 'c1'.repeat(32) }, store);
  }

  /** For queries. */
  queryStore(): QueryStore {
    return {
      get: (key) => Promise.resolve(this.rows.get(toHex(key))),
      range: (range) => Promise.resolve(this.range(range)),
    };
  }

  /** The entries of a range, read no further than it says. */
  range({ first, end, limit, bytesMax = Number.POSITIVE_INFINITY }: ApplicationRange) {
    const entries: { key: Key; value: Uint8Array }[] = [];
    let sizeBytes = 0;
    for (const digits of [...this.rows.keys()].sort()) {
      const key = fromHex(digits) ?? new Uint8Array();
      const value = this.rows.get(digits) ?? new Uint8Array();
      if (compareBytes(key, first) < 0 || (end !== undefined && compareBytes(key, end) >= 0)) {
        continue;
      }
      sizeBytes += key.length + value.length;
      if (entries.length === limit || (entries.length > 0 && sizeBytes > bytesMax)) {
        break;
      }
      entries.push({ key, value });
    }
    return entries;
  }

  #announced(keys: readonly Key[], ranges: readonly ApplicationRange[]): ExecutionStore {
    const readable = new Set(keys.map(toHex));
    return {
      get: (key) => {
        assert(readable.has(toHex(key)), `the key ${toHex(key)} was announced`);
        return this.rows.get(toHex(key));
      },
      range: (range) => {
        assert(
          ranges.some((announced) => isDeepStrictEqual(announced, range)),
          'the range was announced',
        );
        return this.range(range);
      },
      put: (key, value) => void this.rows.set(toHex(key), value),
      delete: (key) => void this.rows.delete(toHex(key)),
    };
  }
}
