/**
 * What the benchmark wrote, and the proof that the cluster has it.
 *
 * 1. No two acknowledged puts have the same version.
 * 2. A sample of them, the last ones of each caller of each measurement among it, is at every replica, with the value
 *    and the very version that its answer told: each key is put once, so a put executed twice would have a later one.
 * 3. The replicas executed as many operations as were acknowledged, plus at most those of unknown outcome.
 */
import type { Client, ClientValue } from '../../src/client/client.js';
import { equalBytes } from '../../src/util/bytes.js';

/** What is put by which call. */
export interface PutName {
  readonly measurement: number;
  readonly caller: number;
  readonly index: number;
}

/** A put that was acknowledged. */
export interface AcknowledgedPut extends PutName {
  readonly version: number;
}

/** Where reads go. */
export type Reader = Pick<Client, 'get'>;

/** Values begin at this many places of the random bytes. */
const VALUE_OFFSETS = 4_093;
const READ_TOGETHER = 32;

/** Keys and values: values don't compress, and no two neighbours are equal. */
export class PutContent {
  readonly valueBytes: number;
  readonly #random: Uint8Array;

  /** `random` has at least `valueBytes` + 4,093 bytes. */
  constructor(valueBytes: number, random: Uint8Array) {
    this.valueBytes = valueBytes;
    this.#random = random;
  }

  /** How many random bytes values of this length need. */
  static randomBytesNeeded(valueBytes: number): number {
    return valueBytes + VALUE_OFFSETS;
  }

  /** All keys have one length. */
  key({ measurement, caller, index }: PutName): string {
    return `bench/${padded(measurement, 3)}/${padded(caller, 5)}/${padded(index, 8)}`;
  }

  value({ measurement, caller, index }: PutName): Uint8Array {
    const offset = (measurement * 1_009 + caller * 101 + index) % VALUE_OFFSETS;
    return this.#random.subarray(offset, offset + this.valueBytes);
  }
}

/** The versions of one caller's puts in one measurement. */
interface CallerPuts {
  /** Of any of them. */
  readonly name: PutName;
  readonly byIndex: number[];
}

/** Keeps the version of every acknowledged put: 8 bytes each. */
export class WrittenPuts {
  readonly #callers = new Map<string, CallerPuts>();
  #acknowledged = 0;
  #unknown = 0;

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Puts that may have been executed or not. */
  get unknown(): number {
    return this.#unknown;
  }

  acknowledge(name: PutName, version: number): void {
    const id = `${name.measurement}/${name.caller}`;
    const caller: CallerPuts = this.#callers.get(id) ?? { name, byIndex: [] };
    const { byIndex } = caller;
    // What failed leaves a 0 behind, which is no version.
    while (byIndex.length < name.index) {
      byIndex.push(0);
    }
    byIndex[name.index] = version;
    this.#callers.set(id, caller);
    this.#acknowledged += 1;
  }

  addUnknown(): void {
    this.#unknown += 1;
  }

  /** How many acknowledged puts have the version of another. */
  countRepeatedVersions(): number {
    const seen = new Set<number>();
    for (const { byIndex } of this.#callers.values()) {
      for (const version of byIndex) {
        if (version !== 0) {
          seen.add(version);
        }
      }
    }
    return this.#acknowledged - seen.size;
  }

  /** Puts for a check: the last of each caller of each measurement, and about `count` of all, evenly spread. */
  sample(count: number): readonly AcknowledgedPut[] {
    const each = Math.max(1, Math.floor(this.#acknowledged / count));
    const sampled: AcknowledgedPut[] = [];
    let seen = 0;
    for (const { name, byIndex } of this.#callers.values()) {
      for (const [index, version] of byIndex.entries()) {
        if (version === 0) {
          continue;
        }
        seen += 1;
        if (seen % each === 0 || index === byIndex.length - 1) {
          sampled.push({ ...name, index, version });
        }
      }
    }
    return sampled;
  }
}

/** Reads puts back at every replica; what is wrong with them, in words. */
export async function readBack(
  puts: readonly AcknowledgedPut[],
  readers: ReadonlyMap<number, Reader>,
  content: PutContent,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const readOne = async (put: AcknowledgedPut, replica: number, reader: Reader): Promise<void> => {
    const key = content.key(put);
    const answer = await tryRead(reader, key);
    if (typeof answer === 'string') {
      faults.push(`replica ${replica} does not give ${key}: ${answer}`);
      return;
    }
    const { value, version } = answer;
    if (value === undefined) {
      faults.push(`replica ${replica} has lost ${key}, acknowledged with version ${put.version}`);
    } else if (version !== put.version || !isEqualValue(value, content.value(put))) {
      const what = version === put.version ? 'another value' : `version ${version}`;
      faults.push(`replica ${replica} has ${key} with ${what}, acknowledged with version ${put.version}`);
    }
  };
  for (const [replica, reader] of readers) {
    for (let start = 0; start < puts.length; start += READ_TOGETHER) {
      const together = puts.slice(start, start + READ_TOGETHER);
      await Promise.all(together.map((put) => readOne(put, replica, reader)));
    }
  }
  return faults;
}

/** What this replica has, or why it doesn't say. */
async function tryRead(
  reader: Reader,
  key: string,
): Promise<{ readonly value: ClientValue | undefined; readonly version: number } | string> {
  try {
    return await reader.get(key, { consistency: 'local' });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether the operations that a replica executed can be those that were called; why not, in words. */
export function judgeExecuted(executed: number, written: Pick<WrittenPuts, 'acknowledged' | 'unknown'>): string[] {
  const { acknowledged, unknown } = written;
  if (executed >= acknowledged && executed <= acknowledged + unknown) {
    return [];
  }
  const atMost = unknown === 0 ? '' : `, ${unknown} are of unknown outcome`;
  return [`${executed} operations were executed, ${acknowledged} acknowledged${atMost}`];
}

function isEqualValue(value: ClientValue, expected: Uint8Array): boolean {
  return typeof value !== 'string' && equalBytes(value, expected);
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
