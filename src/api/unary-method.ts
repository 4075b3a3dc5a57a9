/**
 * One way to serve a unary method, so that no handler has to be careful by itself (GR-09).
 *
 * 1. A handler returns a value or a CallFailure and is given strictly decoded input. What it throws or rejects with is
 *    an own bug: logged, answered without its text, and, for a failed assertion, handed to the process's last handler,
 *    because a replica with a broken invariant must not go on.
 * 2. Bytes that don't decode are a caller's fault, never an internal error.
 * 3. Every call is counted and timed by method and code; both are names of the code's own.
 */
import { type Server, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import type { TimerService } from '../ports/timer-service.js';
import { AssertionError } from '../util/assert.js';
import { failed, ok, type Result } from '../util/result.js';
import { type Decodable, decodeJudged } from '../wire/strict-decode.js';
import type { AnswerBudget, AnswerReservation } from './answer-budget.js';
import type { AnswerFlow } from './answer-flow.js';
import type { CallLimit } from './call-limits.js';
import { type CallTimes, computeCallBudgetMs } from './call-limits.js';
import { answerToFailure, type CallFailure } from './failures.js';
import { statusOfAnswer } from './status-details.js';

/** What serving calls needs. */
export interface CallServices {
  readonly timers: TimerService;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly times: CallTimes;
  readonly answers: AnswerFlow;
  readonly budget: AnswerBudget;
  /** Undefined where calls are few and short: operators' and health checks' get through when callers' don't. */
  readonly limit: CallLimit | undefined;
}

/** A generated message's encoder. */
export interface Encodable<T> {
  encode(message: T): { finish(): Uint8Array };
}

/** A unary method: its name on the wire, its messages, and what it does. */
export interface UnaryMethod<Request, Response> {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly request: Decodable<Request>;
  readonly response: Encodable<Response>;
  /**
   * Answers; `budgetMs` is how long the call may take, 0 or less where there is no time left. What the answer may take
   * is held in `memory` before it is read.
   */
  handle(request: Request, budgetMs: number, memory: AnswerReservation): Promise<Result<Response, CallFailure>>;
}

type Judged<Request> = Result<Request, CallFailure>;

/** When a connection that doesn't read should try again. */
const UNREAD_RETRY_AFTER_MS = 1_000;
/** When a caller that found every place taken should. */
const CALLS_RETRY_AFTER_MS = 250;

/** Registers a method with the server. */
export function serveUnary<Request, Response>(
  server: Server,
  services: CallServices,
  method: UnaryMethod<Request, Response>,
): void {
  const deserialize = (bytes: Buffer): Judged<Request> => {
    const request = decodeJudged(method.request, bytes);
    return request.ok ? request : failed({ code: 'malformed', fault: request.error });
  };
  const handler = (call: ServerUnaryCall<Judged<Request>, Buffer>, done: sendUnaryData<Buffer>): void => {
    const startedMs = services.timers.elapsedMs();
    const memory = services.budget.open(call.getPeer());
    answer(method, call, services, memory)
      .catch((error: unknown) => failed(reportBug(method.path, error, services)))
      .then((result) => {
        giveBack(memory, call, result);
        const durationMs = services.timers.elapsedMs() - startedMs;
        endCall({ path: method.path, durationMs, result, call, done }, services);
      });
  };
  server.register<Judged<Request>, Buffer>(method.path, handler, (response) => response, deserialize, 'unary');
}

async function answer<Request, Response>(
  method: UnaryMethod<Request, Response>,
  call: ServerUnaryCall<Judged<Request>, Buffer>,
  { timers, metrics, times, answers, limit }: CallServices,
  memory: AnswerReservation,
): Promise<Result<Buffer, CallFailure>> {
  if (!call.request.ok) {
    return call.request;
  }
  if (!answers.admits(call.getPeer())) {
    return failed({ code: 'answersUnread', retryAfterMs: UNREAD_RETRY_AFTER_MS });
  }
  const budgetMs = computeCallBudgetMs(call.getDeadline(), timers.wallMs(), times);
  const { value } = call.request;
  const serve = () => method.handle(value, budgetMs, memory);
  const response = await (limit === undefined ? serve() : limit.run(serve));
  if (response === undefined) {
    metrics.increment('pbft_throttled_total', { reason: 'calls' });
    return failed({ code: 'callsExhausted', retryAfterMs: CALLS_RETRY_AFTER_MS });
  }
  return response.ok ? ok(encodeMessage(method.response, response.value)) : response;
}

/** What an answer takes is held until it is written out; a call without one holds nothing any more. */
function giveBack(
  memory: AnswerReservation,
  call: ServerUnaryCall<unknown, Buffer>,
  result: Result<Buffer, unknown>,
): void {
  if (!result.ok || call.cancelled) {
    memory.release();
    return;
  }
  memory.trim(result.value.length);
  // The library's name for the end of a call, however it ends.
  call.once('cancelled', () => memory.release());
}

/** An encoded message as the library takes it, without a copy. */
export function encodeMessage<T>(type: Encodable<T>, message: T): Buffer {
  const bytes = type.encode(message).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A call that is to be answered. */
interface EndingCall {
  readonly path: string;
  readonly durationMs: number;
  readonly result: Result<Buffer, CallFailure>;
  readonly call: ServerUnaryCall<unknown, Buffer>;
  readonly done: sendUnaryData<Buffer>;
}

/** Counts a call, then answers it: who has an answer finds it counted. */
function endCall({ path, durationMs, result, call, done }: EndingCall, services: CallServices): void {
  const failure = result.ok ? undefined : answerToFailure(result.error);
  const code = call.cancelled ? status.CANCELLED : (failure?.status ?? status.OK);
  countCall(path, code, services);
  const labels = { method: methodLabel(path), code: status[code] };
  services.metrics.observe('pbft_call_duration_seconds', labels, durationMs / 1_000);
  if (result.ok) {
    services.answers.track(call, result.value.length);
    done(null, result.value);
  } else if (failure !== undefined) {
    if (result.error.code === 'answersExhausted') {
      services.metrics.increment('pbft_throttled_total', { reason: 'answer_memory' });
    }
    done(statusOfAnswer(failure));
  }
}

/** Counts a call that ended. */
export function countCall(path: string, code: status, { metrics }: Pick<CallServices, 'metrics'>): void {
  metrics.increment('pbft_calls_total', { method: methodLabel(path), code: status[code] });
}

/** `KeyValueService/Put` of `/pbft.v1.KeyValueService/Put`. */
function methodLabel(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function reportBug(path: string, error: unknown, { logger, timers }: CallServices): CallFailure {
  logger.error({ method: methodLabel(path), error }, 'a call could not be handled: this is a bug');
  if (error instanceof AssertionError) {
    timers.defer(() => {
      throw error;
    });
  }
  return { code: 'bug' };
}
