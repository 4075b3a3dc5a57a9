/**
 * What happened, one line an event, and a hash of all of it: two runs of a seed are the same iff their hashes are.
 * Lines are made only where someone wants to read them; the hash takes numbers.
 */
import type { EventLoop } from './event-loop.js';

/** What an event is about; the number goes into the hash. */
const KINDS = {
  deliver: 1,
  drop: 2,
  connect: 3,
  disconnect: 4,
  start: 5,
  crash: 6,
  fault: 7,
  sign: 8,
  invoke: 9,
  answer: 10,
  execute: 11,
  durable: 12,
  log: 13,
  phase: 14,
  byzantine: 15,
} as const;

/** The kinds of events. */
export type TraceKind = keyof typeof KINDS;

/** A run's record. */
export class Trace {
  readonly lines: string[] = [];
  private low = 0x811c9dc5;
  private high = 0x9e3779b1;

  constructor(
    private readonly loop: EventLoop,
    private readonly keepsLines: boolean,
  ) {}

  /** Adds an event: numbers for the hash, a text for readers. */
  add(kind: TraceKind, numbers: readonly number[], text: () => string): void {
    this.mix(KINDS[kind]);
    this.mix(Math.round(this.loop.nowMs * 1_000));
    for (const number of numbers) {
      this.mix(number);
    }
    if (this.keepsLines) {
      this.lines.push(`${this.loop.nowMs.toFixed(3).padStart(12)} ${kind.padEnd(10)} ${text()}`);
    }
  }

  /** The hash of everything so far, 16 hexadecimal digits. */
  get hash(): string {
    return [this.high, this.low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }

  private mix(value: number): void {
    this.low = Math.imul(this.low ^ value, 0x01000193);
    this.high = Math.imul((this.high ^ value ^ Math.floor(value / 2 ** 32)) + (this.low >>> 15), 0x85ebca6b);
  }
}

/** A number that differs between byte strings; not against an adversary. */
export function fingerprint(bytes: Uint8Array): number {
  let hash = 0x811c9dc5 ^ bytes.length;
  for (let index = 0; index < bytes.length; index++) {
    hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193);
  }
  return hash >>> 0;
}
