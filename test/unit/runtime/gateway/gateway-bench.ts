/** A gateway on fakes. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import { type Header, OUTCOME } from '../../../../src/ledger/header.js';
import type { Completion } from '../../../../src/ports/key-value-store.js';
import type { PreparedOperation } from '../../../../src/ports/state-machine.js';
import { sequence, view } from '../../../../src/protocol/identifiers.js';
import type { SignedRequest } from '../../../../src/protocol/messages.js';
import type { ExecutedBatch, RequestOutcome } from '../../../../src/runtime/execution/batch-execution.js';
import { PreparedOperations } from '../../../../src/runtime/execution/prepared-operations.js';
import { encodeRefusal, type RefusalCode } from '../../../../src/runtime/execution/refusal.js';
import type { Executed, SubmitFailure } from '../../../../src/runtime/face.js';
import { Gateway } from '../../../../src/runtime/gateway/gateway.js';
import { utf8 } from '../../../../src/util/bytes.js';
import type { Digest } from '../../../../src/util/digest.js';
import type { Result } from '../../../../src/util/result.js';
import { clientIdOfByte, FakeLoop, FakeMetrics, FakeTimers, LIMITS, text } from '../fakes.js';

export const OWN = clientIdOfByte(7);
export const HEADER_DIGEST = 'cd'.repeat(32) as Digest;
const HEADER: Header = {
  sequence: 1,
  previousHeaderDigest: HEADER_DIGEST,
  batchDigest: HEADER_DIGEST,
  resultsRoot: HEADER_DIGEST,
  writesDigest: HEADER_DIGEST,
  timestampMs: 0,
};

/** What an operation costs whose text begins with `costly`; others cost little. */
export const COSTLY = 1_000_000;

const UNLIMITED = { requestCostMax: Number.MAX_SAFE_INTEGER, batchCostMax: Number.MAX_SAFE_INTEGER };

/** Operations are texts; `bad` is refused. */
function prepareText(operation: Uint8Array): PreparedOperation {
  const isBad = text(operation) === 'bad';
  return {
    keys: [],
    cost: text(operation)?.startsWith('costly') === true ? COSTLY : 1_000,
    ...(isBad && { objection: { field: 'put.key', description: 'is empty' } }),
    execute: () => operation,
  };
}

interface BenchOptions {
  readonly requestCostMax?: number;
  readonly clientWindow?: number;
  readonly reserved?: number;
  readonly highest?: number;
  readonly waitingOperationsMax?: number;
  readonly waitingBytesMax?: number;
  readonly inFlightBytesMax?: number;
  readonly reserveFails?: boolean;
}

/** A gateway on fakes: signatures and reservations complete when the test runs the loop. */
export class GatewayBench {
  readonly loop = new FakeLoop();
  readonly timers = new FakeTimers();
  readonly metrics = new FakeMetrics();
  readonly sent: SignedRequest[] = [];
  readonly reservations: number[] = [];
  readonly answers = new Map<string, Result<Executed, SubmitFailure>>();
  readonly fatal: string[] = [];
  reasons: string[] = [];
  signatures = 0;
  durable = 0;
  readonly gateway: Gateway;

  constructor(private readonly options: BenchOptions = {}) {
    this.durable = options.reserved ?? 0;
    this.gateway = new Gateway({
      clientId: OWN,
      signer: { sign: (_type, _payload, done) => this.sign(done) },
      hash: sha256,
      store: {
        readReservedNumber: (done) => this.loop.later(() => done({ ok: true, value: this.durable })),
        reserveNumbers: (upTo, done) => this.reserve(upTo, done),
      },
      table: { highestNumber: () => options.highest ?? 0 },
      timers: this.timers,
      metrics: this.metrics,
      clientWindow: options.clientWindow ?? 1_024,
      requestBytesMax: LIMITS.requestBytesMax,
      batchOperationsMax: LIMITS.batchOperationsMax,
      operations: new PreparedOperations({ name: 'text', prepare: prepareText }, UNLIMITED),
      requestCostMax: options.requestCostMax ?? 2 * COSTLY,
      batchCostMax: 8 * COSTLY,
      resendMs: 2_000,
      waitingOperationsMax: options.waitingOperationsMax ?? 1_000,
      waitingBytesMax: options.waitingBytesMax ?? 10_000_000,
      inFlightBytesMax: options.inFlightBytesMax ?? 10_000_000,
      notReadyReasons: () => this.reasons,
      onRequest: (request) => this.sent.push(request),
      onFatal: (reason) => this.fatal.push(reason),
    });
  }

  /** A started gateway. */
  static started(options: BenchOptions = {}): GatewayBench {
    const bench = new GatewayBench(options);
    bench.gateway.start();
    bench.loop.run();
    return bench;
  }

  submit(name: string, timeoutMs = 5_000, operation = utf8(name)): void {
    this.gateway.submit(operation, timeoutMs, (result) => {
      assert.ok(!this.answers.has(name), `${name} is answered twice`);
      this.answers.set(name, result);
    });
  }

  /** Executes requests in one batch; each result is the operation with a mark. */
  execute(...requests: readonly SignedRequest[]): void {
    this.conclude(
      requests.map((request, leafIndex) => ({
        request,
        leafIndex,
        outcome: OUTCOME.executed,
        results: request.operations.map((operation) => utf8(`${text(operation)}!`)),
        resultsDigest: HEADER_DIGEST,
      })),
    );
  }

  refuse(request: SignedRequest, code: RefusalCode): void {
    const results = [encodeRefusal(code)];
    this.conclude([{ request, leafIndex: 0, outcome: OUTCOME.refused, results, resultsDigest: HEADER_DIGEST }]);
  }

  conclude(outcomes: readonly RequestOutcome[]): void {
    const batch: ExecutedBatch = {
      sequence: sequence(9),
      view: view(2),
      header: HEADER,
      headerDigest: HEADER_DIGEST,
      operationCount: 1,
      outcomes,
      paths: [],
      acknowledged: [],
    };
    this.gateway.onResults(batch);
  }

  /** How a caller was answered, in short. */
  answer(name: string): string | undefined {
    const answer = this.answers.get(name);
    return answer && (answer.ok ? text(answer.value.result) : answer.error.code);
  }

  get operations(): readonly (readonly (string | undefined)[])[] {
    return this.sent.map(({ operations }) => operations.map(text));
  }

  private sign(done: (signature: Uint8Array) => void): void {
    this.signatures++;
    this.loop.later(() => done(Uint8Array.of(1, 2, 3)));
  }

  private reserve(upTo: number, done: Completion<void>): void {
    this.reservations.push(upTo);
    this.loop.later(() => {
      if (this.options.reserveFails === true) {
        done({ ok: false, error: { code: 'full', message: 'no space left' } });
        return;
      }
      this.durable = upTo;
      done({ ok: true, value: undefined });
    });
  }
}

/** The last of a list that has one. */
export function last<T>(list: readonly T[]): T {
  return list.at(-1) as T;
}
