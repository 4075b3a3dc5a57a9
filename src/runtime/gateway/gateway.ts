/**
 * This replica as a client: callers without a key submit operations, which it bundles into requests under its own key
 * (protocol.md 3), and each caller gets its result when its request is executed here.
 *
 * 1. Every caller is answered exactly once, at the latest at its deadline. `queueFull`, `notReady` and `invalid` say
 *    that nothing was or will be executed; where that isn't certain it is `outcomeUnknown`.
 * 2. A number is signed once, for one content; see request-numbers.ts.
 * 3. What is held is bounded: waiting operations by count and bytes, requests in flight by the client window, bytes and
 *    cost. Callers share a request, but cheap operations none with costly ones, of which one request is in flight at a
 *    time: a round of agreement never waits for more of them.
 *
 * A request stays in flight until it is executed or refused, even when all its callers are gone. Giving it up would make
 * its number dead with the next `acknowledged`, while correct replicas still hold and wait for it, and would turn
 * "unknown" into "never" for an operation that may be committed already. It can't block `acknowledged` for ever: it was
 * given to the core, which keeps it in its pool, relays it, and changes views until it is executed or dead; what the
 * core had no room for is handed to it again here. So it stays exactly as long as the cluster makes no progress, and
 * then the window closing (callers get `queueFull`) is the bound on what piles up.
 */

import type { Metrics } from '../../ports/metrics.js';
import type { ReplicaStore } from '../../ports/replica-store.js';
import type { Signer } from '../../ports/signatures.js';
import type { TimerHandle, TimerService } from '../../ports/timer-service.js';
import type { SignedRequest, Verified } from '../../protocol/messages.js';
import { own } from '../../protocol/verified.js';
import type { ClientId, Hash } from '../../util/digest.js';
import { failed, type Result } from '../../util/result.js';
import { encodeEnvelope } from '../../wire/envelope.js';
import { computeRequestDigest, encodeRequestPayload } from '../../wire/request-codec.js';
import type { ExecutedBatch } from '../execution/batch-execution.js';
import type { ClientTable } from '../execution/client-table.js';
import type { Executed, SubmitFailure } from '../face.js';
import { Deadlines } from './deadlines.js';
import { type DoorOptions, judgeAtDoor, notReady, QUEUE_FULL, REQUEST_OVERHEAD_BYTES } from './gateway-door.js';
import { answerOf, isRefusalOfAnother } from './request-answer.js';
import { RequestNumbers } from './request-numbers.js';
import { type BundleLimits, type Call, type Lane, otherLane, type SubmitDone, WaitingCalls } from './waiting-calls.js';

/** What the gateway works with and whom it tells. */
export interface GatewayOptions extends DoorOptions {
  readonly clientId: ClientId;
  readonly signer: Signer;
  readonly hash: Hash;
  readonly store: Pick<ReplicaStore, 'readReservedNumber' | 'reserveNumbers'>;
  readonly table: Pick<ClientTable, 'highestNumber'>;
  readonly timers: TimerService;
  readonly metrics: Metrics;
  /** Consensus parameters. */
  readonly clientWindow: number;
  readonly batchOperationsMax: number;
  readonly batchCostMax: number;
  /** How long a request is in flight before it is handed to the core again, the first time; at most 8 times as long. */
  readonly resendMs: number;
  /** The most bytes of operations in flight. */
  readonly inFlightBytesMax: number;
  /** Takes a request for ordering; the same one may come again. */
  readonly onRequest: (request: Verified<SignedRequest>) => void;
  readonly onFatal: (reason: string) => void;
}

interface InFlight {
  readonly calls: readonly Call[];
  readonly lane: Lane;
  readonly cost: number;
  readonly sizeBytes: number;
  readonly digest: SignedRequest['digest'];
  /** Undefined while it is being signed. */
  request: Verified<SignedRequest> | undefined;
  sentMs: number;
  resendMs: number;
}

const BUNDLE_OPERATIONS_MAX = 64;
const BUNDLE_BYTES_MAX = 64 * 1024;
/** So many at a time that the next bundle gathers meanwhile, and the signing threads stay free for votes. */
const SIGNING_MAX = 2;
const RESEND_FACTOR_MAX = 8;
/** What is in flight costs no more than so many batches: replicas keep two of a client, and may be a moment behind. */
const IN_FLIGHT_BATCHES = 3 / 2;
/** What costly operations share at most of what a request may cost; one that costs more goes alone. */
const COSTLY_BUNDLE_SHARE = 1 / 2;
/** Of the client window, how much stays unused. */
const WINDOW_MARGIN_SHARE = 1 / 16;

/** Submits callers' operations under this replica's key. */
export class Gateway {
  private readonly numbers: RequestNumbers;
  private readonly deadlines: Deadlines<Call>;
  private readonly bundleLimits: Readonly<Record<Lane, BundleLimits>>;
  private readonly waiting = new WaitingCalls();
  /** By number, ascending. */
  private readonly inFlight = new Map<number, InFlight>();
  private inFlightBytes = 0;
  private readonly inFlightCost: Record<Lane, number> = { cheap: 0, costly: 0 };
  private nextLane: Lane = 'cheap';
  private signing = 0;
  private resendTimer: TimerHandle | undefined;
  private isStarted = false;
  private isStopped = false;

  constructor(private readonly options: GatewayOptions) {
    const { store, table, clientId, clientWindow, onFatal } = options;
    const cheap = {
      operationsMax: Math.min(BUNDLE_OPERATIONS_MAX, options.batchOperationsMax),
      bytesMax: Math.min(BUNDLE_BYTES_MAX, options.requestBytesMax - REQUEST_OVERHEAD_BYTES),
      costMax: options.requestCostMax,
    };
    this.bundleLimits = { cheap, costly: { ...cheap, costMax: COSTLY_BUNDLE_SHARE * options.requestCostMax } };
    this.numbers = new RequestNumbers({
      store,
      clientWindow,
      highestInTable: () => table.highestNumber(clientId),
      onReserved: () => this.sendWaiting(),
      onFailed: (error) => onFatal(`reserving request numbers failed (${error.code}): ${error.message}`),
    });
    this.deadlines = new Deadlines(options.timers, (call) => this.expire(call));
  }

  /**
   * Finds out with which number to begin, the first time it is called: when the client table has caught up with what
   * the others had executed, for numbers that this replica used before may stand only there.
   */
  start(): void {
    if (this.isStarted || this.isStopped) {
      return;
    }
    this.isStarted = true;
    this.numbers.start();
  }

  /** How many operations wait to be put into a request. */
  get waitingOperations(): number {
    return this.waiting.size;
  }

  /** How many requests are in flight. */
  get requestsInFlight(): number {
    return this.inFlight.size;
  }

  /** Has an operation ordered and executed. A refusal at the door is told before the call returns. */
  submit(operation: Uint8Array, timeoutMs: number, done: SubmitDone): void {
    const judged = this.isStopped ? failed(notReady(['stopping'])) : judgeAtDoor(operation, this.waiting, this.options);
    if (!judged.ok) {
      this.countThrottled(judged.error);
      done(judged);
      return;
    }
    const call: Call = { operation, prepared: judged.value, cost: judged.value.cost, done, slot: undefined };
    this.waiting.add(call);
    call.slot = this.deadlines.add(call, timeoutMs);
    this.sendWaiting();
  }

  /** Takes an executed batch: answers the callers of the own requests in it. */
  onResults(batch: ExecutedBatch): void {
    for (const outcome of batch.outcomes) {
      const { clientId, number } = outcome.request;
      const entry = clientId === this.options.clientId ? this.inFlight.get(number) : undefined;
      if (entry === undefined || isRefusalOfAnother(outcome, entry.digest)) {
        continue;
      }
      this.inFlight.delete(number);
      this.inFlightBytes -= entry.sizeBytes;
      this.inFlightCost[entry.lane] -= entry.cost;
      for (const [index, call] of entry.calls.entries()) {
        this.answer(call, answerOf({ batch, outcome, digest: entry.digest, index }));
      }
    }
    this.sendWaiting();
  }

  /** Answers everybody and takes nothing any more. */
  stop(): void {
    this.isStopped = true;
    this.resendTimer?.cancel();
    this.resendTimer = undefined;
    for (const call of this.waiting.takeAll()) {
      this.answer(call, { ok: false, error: notReady(['stopping']) });
    }
    for (const { calls } of this.inFlight.values()) {
      for (const call of calls) {
        this.answer(call, { ok: false, error: { code: 'outcomeUnknown', reason: 'the replica stops' } });
      }
    }
    this.deadlines.clear();
  }

  private countThrottled({ code }: SubmitFailure): void {
    if (code === 'queueFull' || code === 'notReady') {
      this.options.metrics.increment('pbft_throttled_total', { reason: code });
    }
  }

  /** At idle an operation goes at once; under load what waits while two requests are being signed goes as one. */
  private sendWaiting(): void {
    while (this.signing < SIGNING_MAX && this.hasRoom() && !this.isStopped) {
      const lane = this.takeTurn();
      if (lane === undefined) {
        return;
      }
      this.signRequest(lane, this.waiting.takeBundle(lane, this.bundleLimits[lane]));
    }
  }

  /** The lane that has its turn: the other one where that has nothing to send or no room. */
  private takeTurn(): Lane | undefined {
    const lane = [this.nextLane, otherLane(this.nextLane)].find((candidate) => this.maySend(candidate));
    this.nextLane = lane === undefined ? this.nextLane : otherLane(lane);
    return lane;
  }

  private maySend(lane: Lane): boolean {
    const { requestCostMax, batchCostMax } = this.options;
    const { cheap, costly } = this.inFlightCost;
    const isOver = this.inFlight.size > 0 && cheap + costly + requestCostMax > IN_FLIGHT_BATCHES * batchCostMax;
    return this.waiting.countIn(lane) > 0 && !isOver && (lane === 'cheap' || costly === 0);
  }

  /** Whether another request may be in flight: numbers stay within the client window above the lowest one. */
  private hasRoom(): boolean {
    const { clientWindow, inFlightBytesMax } = this.options;
    const windowSize = Math.max(1, clientWindow - Math.ceil(clientWindow * WINDOW_MARGIN_SHARE));
    return (
      this.numbers.isAvailable &&
      this.numbers.peek() - this.acknowledged() <= windowSize &&
      (this.inFlightBytes < inFlightBytesMax || this.inFlight.size === 0)
    );
  }

  /** Everything up to it is settled: just below the lowest number in flight. */
  private acknowledged(): number {
    for (const lowest of this.inFlight.keys()) {
      return lowest - 1;
    }
    return this.numbers.peek() - 1;
  }

  private signRequest(lane: Lane, calls: readonly Call[]): void {
    const { clientId, signer, hash } = this.options;
    const acknowledged = this.acknowledged();
    const number = this.numbers.take();
    const operations = calls.map(({ operation }) => operation);
    this.options.operations.remember(
      { operations },
      calls.map(({ prepared }) => prepared),
    );
    const payload = encodeRequestPayload({ clientId, number, acknowledged, operations });
    const digest = computeRequestDigest(clientId, payload, hash);
    const entry: InFlight = {
      calls,
      lane,
      cost: calls.reduce((sum, call) => sum + call.cost, 0),
      sizeBytes: payload.length,
      digest,
      request: undefined,
      sentMs: 0,
      resendMs: this.options.resendMs,
    };
    this.inFlight.set(number, entry);
    this.inFlightBytes += entry.sizeBytes;
    this.inFlightCost[lane] += entry.cost;
    this.signing++;
    signer.sign('request', payload, (signature) => {
      this.signing--;
      const bytes = encodeEnvelope({ type: 'request', sender: { kind: 'client', clientId }, payload, signature });
      this.send(entry, { clientId, number, acknowledged, digest, operations, bytes });
      this.sendWaiting();
    });
  }

  private send(entry: InFlight, request: SignedRequest): void {
    if (this.isStopped) {
      return;
    }
    const verified = own(request);
    entry.request = verified;
    entry.sentMs = this.options.timers.elapsedMs();
    this.options.onRequest(verified);
    this.startResendTimer();
  }

  private startResendTimer(): void {
    this.resendTimer ??= this.options.timers.startTimer(this.options.resendMs, () => this.resend());
  }

  /** Hands the core what has been in flight for long: it had no room for it, or lost it. */
  private resend(): void {
    this.resendTimer = undefined;
    const nowMs = this.options.timers.elapsedMs();
    for (const entry of this.inFlight.values()) {
      if (entry.request !== undefined && nowMs - entry.sentMs >= entry.resendMs) {
        entry.sentMs = nowMs;
        entry.resendMs = Math.min(entry.resendMs * 2, this.options.resendMs * RESEND_FACTOR_MAX);
        this.options.onRequest(entry.request);
      }
    }
    if (this.inFlight.size > 0) {
      this.startResendTimer();
    }
  }

  private expire(call: Call): void {
    call.slot = undefined;
    if (this.waiting.remove(call)) {
      this.countThrottled(QUEUE_FULL);
      this.answer(call, { ok: false, error: QUEUE_FULL });
      return;
    }
    this.answer(call, { ok: false, error: { code: 'outcomeUnknown', reason: 'the deadline passed' } });
  }

  private answer(call: Call, result: Result<Executed, SubmitFailure>): void {
    const { done, slot } = call;
    if (done === undefined) {
      return;
    }
    call.done = undefined;
    if (slot !== undefined) {
      this.deadlines.remove(call, slot);
    }
    done(result);
  }
}
