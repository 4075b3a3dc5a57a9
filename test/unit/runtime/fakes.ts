/** Small stand-ins for what the runtime's parts stand on: a clock that only the test moves, and a store in memory. */
import { sha256 } from '../../../src/crypto/hash.js';
import type { Completion, StoreEntry, StoreError } from '../../../src/ports/key-value-store.js';
import type { CounterLabels, GaugeLabels, HistogramLabels, Metrics } from '../../../src/ports/metrics.js';
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import type {
  ApplicationRange,
  ExecutionContext,
  ExecutionStore,
  StateMachine,
} from '../../../src/ports/state-machine.js';
import type { TimerHandle, TimerService } from '../../../src/ports/timer-service.js';
import type { SignedRequest } from '../../../src/protocol/messages.js';
import type { BatchBody } from '../../../src/runtime/execution/batch-bodies.js';
import { compareBytes, utf8 } from '../../../src/util/bytes.js';
import { type ClientId, digestBytes } from '../../../src/util/digest.js';
import type { Result } from '../../../src/util/result.js';
import { encodeBatch } from '../../../src/wire/batch-codec.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { computeRequestDigest, encodeRequestPayload } from '../../../src/wire/request-codec.js';

export const LIMITS = {
  replicaCount: 4,
  windowSize: 256,
  checkpointInterval: 128,
  batchOperationsMax: 1_000,
  batchBytesMax: 2 * 1024 * 1024,
  requestBytesMax: 1024 * 1024 + 65_536,
};

/** A client id made of one byte. */
export function clientIdOfByte(byte: number): ClientId {
  return byte.toString(16).padStart(2, '0').repeat(32) as ClientId;
}

/** The latin1 text of bytes. */
export function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('latin1');
}

/** Work that completes when the test says so, in order. */
export class FakeLoop {
  private readonly due: (() => void)[] = [];

  later(run: () => void): void {
    this.due.push(run);
  }

  /** Runs everything that is due, and what that makes due. */
  run(): void {
    for (let run = this.due.shift(); run !== undefined; run = this.due.shift()) {
      run();
    }
  }

  /** Runs the next thing that is due. */
  step(): boolean {
    const run = this.due.shift();
    run?.();
    return run !== undefined;
  }
}

/** A clock that the test moves. */
export class FakeTimers implements TimerService {
  nowMs = 1_000;
  private timers: { readonly atMs: number; readonly fire: () => void }[] = [];

  elapsedMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }

  random(): number {
    return 0;
  }

  defer(run: () => void): void {
    this.startTimer(0, run);
  }

  startTimer(delayMs: number, fire: () => void): TimerHandle {
    const timer = { atMs: this.nowMs + delayMs, fire };
    this.timers.push(timer);
    return {
      cancel: () => {
        this.timers = this.timers.filter((other) => other !== timer);
      },
    };
  }

  /** How many timers run. */
  get running(): number {
    return this.timers.length;
  }

  /** Fires the next timer, at its time. */
  step(): void {
    const [next] = [...this.timers].sort((left, right) => left.atMs - right.atMs);
    this.timers = this.timers.filter((timer) => timer !== next);
    this.nowMs = Math.max(this.nowMs, next?.atMs ?? 0);
    next?.fire();
  }

  /** Moves the clock, firing what becomes due at its time. */
  advance(byMs: number): void {
    const endMs = this.nowMs + byMs;
    for (;;) {
      const next = this.timers.reduce<(typeof this.timers)[number] | undefined>(
        (first, timer) =>
          timer.atMs <= endMs && timer.atMs < (first?.atMs ?? Number.POSITIVE_INFINITY) ? timer : first,
        undefined,
      );
      if (next === undefined) {
        break;
      }
      this.timers = this.timers.filter((timer) => timer !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.fire();
    }
    this.nowMs = endMs;
  }
}

/** Metrics that can be looked at. */
export class FakeMetrics implements Metrics {
  readonly counts = new Map<string, number>();
  readonly gauges = new Map<string, number>();
  readonly observations: string[] = [];

  increment<N extends keyof CounterLabels>(name: N, labels: CounterLabels[N], by = 1): void {
    const series = [name, ...Object.values(labels)].join(' ');
    this.counts.set(series, (this.counts.get(series) ?? 0) + by);
  }

  set<N extends keyof GaugeLabels>(name: N, labels: GaugeLabels[N], value: number): void {
    this.gauges.set([name, ...Object.values(labels)].join(' '), value);
  }

  observe<N extends keyof HistogramLabels>(name: N, labels: HistogramLabels[N], value: number): void {
    this.observations.push([name, ...Object.values(labels), value].join(' '));
  }
}

/** The part of a replica's store that execution uses. */
export class FakeExecutionStore {
  readonly state = new Map<string, Uint8Array>();
  readonly commits: (readonly ExecutionWrite[])[] = [];
  readonly reads: string[][] = [];
  readonly batches = new Map<string, Uint8Array>();
  failure: StoreError | undefined;

  constructor(readonly loop: FakeLoop) {}

  getApplication(keys: readonly Uint8Array[], done: Completion<readonly (Uint8Array | undefined)[]>): void {
    this.reads.push(keys.map((key) => text(key) ?? ''));
    this.complete(() => keys.map((key) => this.state.get(text(key) ?? '')), done);
  }

  readApplication(
    range: Omit<ApplicationRange, 'end'> & { readonly end: Uint8Array | undefined },
    done: Completion<readonly StoreEntry[]>,
  ): void {
    this.complete(() => this.rangeOf(range), done);
  }

  commitExecution(writes: readonly ExecutionWrite[], done: Completion<void>): void {
    this.complete(() => {
      this.commits.push(writes);
      for (const { application } of writes) {
        for (const write of application) {
          const name = text(write.key) ?? '';
          if (write.type === 'put') {
            this.state.set(name, write.value);
          } else {
            this.state.delete(name);
          }
        }
      }
    }, done);
  }

  readBatch(sequence: number, digest: string, done: Completion<Uint8Array | undefined>): void {
    this.complete(() => this.batches.get(`${sequence} ${digest}`), done);
  }

  private rangeOf(range: Omit<ApplicationRange, 'end'> & { readonly end: Uint8Array | undefined }): StoreEntry[] {
    const all = Array.from(this.state, ([name, value]) => ({ key: Buffer.from(name, 'latin1'), value }))
      .filter(({ key }) => compareBytes(key, range.first) >= 0)
      .filter(({ key }) => range.end === undefined || compareBytes(key, range.end) < 0)
      .sort((left, right) => compareBytes(left.key, right.key));
    const entries: StoreEntry[] = [];
    let sizeBytes = 0;
    for (const entry of all.slice(0, range.limit)) {
      sizeBytes += entry.key.length + entry.value.length;
      if (entries.length > 0 && sizeBytes > (range.bytesMax ?? Number.POSITIVE_INFINITY)) {
        break;
      }
      entries.push(entry);
    }
    return entries;
  }

  private complete<T>(compute: () => T, done: (result: Result<T, StoreError>) => void): void {
    const { failure } = this;
    this.loop.later(() => done(failure === undefined ? { ok: true, value: compute() } : { ok: false, error: failure }));
  }
}

/** What a scripted operation does, in this order. */
export interface Script {
  readonly announce?: readonly string[];
  readonly ranges?: readonly { first: string; end?: string; limit: number; bytesMax?: number }[];
  readonly get?: string;
  readonly put?: readonly [string, string];
  readonly delete?: string;
  readonly append?: readonly [string, string];
  readonly throws?: string;
  readonly resultBytes?: number;
}

/** An operation of the scripted application. */
export function script(content: Script): Uint8Array {
  return utf8(JSON.stringify(content));
}

function parse(operation: Uint8Array): Script {
  return JSON.parse(text(operation) ?? '{}') as Script;
}

function rangesOf({ ranges = [] }: Script): readonly ApplicationRange[] {
  return ranges.map(({ first, end, limit, bytesMax }) => ({
    first: utf8(first),
    end: end === undefined ? undefined : utf8(end),
    limit,
    ...(bytesMax === undefined ? {} : { bytesMax }),
  }));
}

/** An application whose operations say what they do; the result shows what they saw. */
export const SCRIPTED: StateMachine = {
  name: 'scripted',
  prepare(operation) {
    const content = parse(operation);
    const { announce = [], append } = content;
    return {
      keys: [...announce, ...(append === undefined ? [] : [append[0]])].map(utf8),
      ranges: rangesOf(content),
      execute: (context, store) => executeScript(content, context, store),
    };
  },
  query: async () => new Uint8Array(),
};

function executeScript(content: Script, context: ExecutionContext, store: ExecutionStore): Uint8Array {
  if (content.throws !== undefined) {
    throw new Error(content.throws);
  }
  const seen: string[] = [];
  if (content.get !== undefined) {
    seen.push(text(store.get(utf8(content.get))) ?? '-');
  }
  for (const range of rangesOf(content)) {
    seen.push(
      store
        .range(range)
        .map(({ key, value }) => `${text(key)}=${text(value)}`)
        .join(','),
    );
  }
  if (content.put !== undefined) {
    store.put(utf8(content.put[0]), utf8(content.put[1]));
  }
  if (content.delete !== undefined) {
    store.delete(utf8(content.delete));
  }
  if (content.append !== undefined) {
    const value = `${text(store.get(utf8(content.append[0]))) ?? ''}${content.append[1]}`;
    store.put(utf8(content.append[0]), utf8(value));
    seen.push(value);
  }
  seen.push(`@${context.sequence}.${context.index}.${context.timestampMs}`);
  return content.resultBytes === undefined ? utf8(seen.join(' ')) : new Uint8Array(content.resultBytes);
}

/** A signed request, with a signature that nobody checks. */
export function requestOf(content: {
  readonly client?: number;
  readonly number: number;
  readonly acknowledged?: number;
  readonly operations: readonly Uint8Array[];
}): SignedRequest {
  const { number, acknowledged = 0, operations } = content;
  const clientId = clientIdOfByte(content.client ?? 1);
  const payload = encodeRequestPayload({ clientId, number, acknowledged, operations });
  const digest = computeRequestDigest(clientId, payload, sha256);
  const sender = { kind: 'client', clientId } as const;
  const bytes = encodeEnvelope({ type: 'request', sender, payload, signature: digestBytes(digest) });
  return { clientId, number, acknowledged, digest, operations, bytes };
}

/** A batch of requests. */
export function bodyOf(timestampMs: number, requests: readonly SignedRequest[]): BatchBody {
  const bytes = encodeBatch(timestampMs, requests);
  let operationCount = 0;
  for (const { operations } of requests) {
    operationCount += operations.length;
  }
  const keys = requests.map(({ clientId, number }) => ({ clientId, number }));
  const digest = sha256(bytes);
  return { batch: { digest, sizeBytes: bytes.length, timestampMs, requests: keys, operationCount, bytes }, requests };
}
