/**
 * Random numbers that follow from the seed alone: xoshiro128** (Blackman, Vigna), its state filled by hashing the name
 * of the stream. Every user has a stream of its own, so that taking one fault out of a run leaves all other draws as
 * they were: that is what makes shrinking work.
 */
import { assert } from '../../../src/util/assert.js';

/** A stream of random numbers. */
export class Random {
  private readonly state: Uint32Array;

  /** The stream with this name. */
  constructor(private readonly name: string) {
    this.state = hashName(name);
  }

  /** A stream of its own; the same for the same name, whatever was drawn here. */
  fork(name: string | number): Random {
    return new Random(`${this.name}/${name}`);
  }

  /** 32 random bits. */
  bits(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.state;
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const mixedC = c ^ a;
    const mixedD = d ^ b;
    this.state[0] = a ^ mixedD;
    this.state[1] = b ^ mixedC;
    this.state[2] = mixedC ^ (b << 9);
    this.state[3] = rotate(mixedD, 11);
    return scrambled;
  }

  /** From 0 (included) to 1 (excluded). */
  next(): number {
    return this.bits() / 2 ** 32;
  }

  /** An integer from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    assert(min <= max, `no integer is from ${min} to ${max}`);
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** A number from `min` to `max`. */
  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Exponentially distributed with this mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    const value = values[this.integer(0, values.length - 1)];
    assert(value !== undefined, 'there is something to pick from');
    return value;
  }

  /** The values in a random order. */
  shuffle<T>(values: readonly T[]): T[] {
    const shuffled = [...values];
    for (let index = shuffled.length - 1; index > 0; index--) {
      const other = this.integer(0, index);
      const [left, right] = [shuffled[index], shuffled[other]];
      assert(left !== undefined && right !== undefined, 'both places hold a value');
      shuffled[index] = right;
      shuffled[other] = left;
    }
    return shuffled;
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) {
      bytes[index] = this.bits() & 0xff;
    }
    return bytes;
  }
}

function rotate(value: number, by: number): number {
  return ((value << by) | (value >>> (32 - by))) >>> 0;
}

/** Four words that differ between names, never all zero. */
function hashName(name: string): Uint32Array {
  const state = new Uint32Array(4);
  for (let word = 0; word < 4; word++) {
    let hash = 0x811c9dc5 ^ Math.imul(word + 1, 0x9e3779b1);
    for (let index = 0; index < name.length; index++) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    state[word] = (hash ^ (hash >>> 16)) | (word === 0 ? 1 : 0);
  }
  return state;
}
