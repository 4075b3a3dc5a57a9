/**
 * KeyValueService: each call becomes one operation of the key-value application, as ClientService.Submit would take it,
 * and its result the answer. What an operation may be is the application's to judge; only what isn't part of the
 * operation, request id and consistency, is judged here.
 *
 * A read is asked for a short answer first, because what it may answer is what it costs to order and what memory is
 * held for it; where the answer is longer, it is asked again for just as much. A caller sees the last answer alone. An
 * ordered get of a value that was long a moment ago asks for that at once, and an ordered read that has no memory waits a
 * while before it is refused: being refused is no way to have reads ordered at no price (FU-05).
 */
import type { Server } from '@grpc/grpc-js';
import type { TimerService } from '../ports/timer-service.js';
import type { Executed } from '../runtime/face.js';
import { assert } from '../util/assert.js';
import { digestBytes } from '../util/digest.js';
import { failed, ok, type Result } from '../util/result.js';
import {
  CompareAndSwapRequest,
  CompareAndSwapResponse,
  Consistency,
  DeleteRequest,
  DeleteResponse,
  GetRequest,
  GetResponse,
  KeyValueOperation,
  KeyValueResult,
  KeyValueServiceService,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
} from '../wire/gen/pbft/v1/key_value.js';
import { type Decodable, decodeStrictly } from '../wire/strict-decode.js';
import type { AnswerReservation } from './answer-budget.js';
import { ANSWERS_RETRY_AFTER_MS, type CallFailure } from './failures.js';
import { LongValues, SHORT_VALUE_BYTES_MAX } from './long-values.js';
import type { Submitter } from './submitter.js';
import { type CallServices, type Encodable, serveUnary } from './unary-method.js';

type Operation = NonNullable<KeyValueOperation['operation']>;
type OperationResult = NonNullable<KeyValueResult['result']>;

/** What every answer says beside its result. */
interface Placed {
  readonly sequence: number;
  readonly view: number;
  readonly headerDigest: Buffer;
}

/** One method: its messages, the operation it stands for, and the answer in that operation's result. */
interface KeyValueMethod<Request, Response extends Placed> {
  readonly path: string;
  readonly request: Decodable<Request>;
  readonly response: Encodable<Response>;
  operationOf(request: Request): Operation;
  /** Undefined where the result is another operation's. */
  responseOf(result: OperationResult): Response | undefined;
  readonly consistencyOf?: (request: Request) => Consistency;
  readonly requestIdOf?: (request: Request) => string;
}

/** The fields of the operations as callers know them: an objection names `put.key`, a caller of Put `key`. */
const FIELD_PREFIX: Readonly<Record<Operation['$case'], string>> = {
  put: 'put.',
  get: 'get.',
  delete: 'delete.',
  compareAndSwap: 'compare_and_swap.',
  range: 'range.',
};

/** Registers the service. */
export function serveKeyValueService(server: Server, services: CallServices, submitter: Submitter): void {
  const { timers } = services;
  const longValues = new LongValues();
  const { put, get, delete: remove, compareAndSwap, range } = KeyValueServiceService;
  const serve = <Request, Response extends Placed>(method: KeyValueMethod<Request, Response>) =>
    serveUnary(server, services, {
      ...method,
      handle: (request, budgetMs, memory) =>
        executeCall({ submitter, timers, longValues, budgetMs, memory }, method, request),
    });
  serve<PutRequest, PutResponse>({
    path: put.path,
    request: PutRequest,
    response: PutResponse,
    requestIdOf: ({ requestId }) => requestId,
    operationOf: (value) => ({ $case: 'put', value: { ...value, requestId: '' } }),
    responseOf: (result) => (result.$case === 'put' ? result.value : undefined),
  });
  serve<GetRequest, GetResponse>({
    path: get.path,
    request: GetRequest,
    response: GetResponse,
    consistencyOf: ({ consistency }) => consistency,
    operationOf: (value) => ({ $case: 'get', value: { ...value, consistency: Consistency.UNSPECIFIED } }),
    responseOf: (result) => (result.$case === 'get' ? result.value : undefined),
  });
  serve<DeleteRequest, DeleteResponse>({
    path: remove.path,
    request: DeleteRequest,
    response: DeleteResponse,
    requestIdOf: ({ requestId }) => requestId,
    operationOf: (value) => ({ $case: 'delete', value: { ...value, requestId: '' } }),
    responseOf: (result) => (result.$case === 'delete' ? result.value : undefined),
  });
  serve<CompareAndSwapRequest, CompareAndSwapResponse>({
    path: compareAndSwap.path,
    request: CompareAndSwapRequest,
    response: CompareAndSwapResponse,
    requestIdOf: ({ requestId }) => requestId,
    operationOf: (value) => ({ $case: 'compareAndSwap', value: { ...value, requestId: '' } }),
    responseOf: (result) => (result.$case === 'compareAndSwap' ? result.value : undefined),
  });
  serve<RangeRequest, RangeResponse>({
    path: range.path,
    request: RangeRequest,
    response: RangeResponse,
    consistencyOf: ({ consistency }) => consistency,
    operationOf: (value) => ({ $case: 'range', value: { ...value, consistency: Consistency.UNSPECIFIED } }),
    responseOf: (result) => (result.$case === 'range' ? result.value : undefined),
  });
}

/** One call: its way to execution, the time that it has, the memory for its answer, and what is known of values. */
interface ServedCall {
  readonly submitter: Submitter;
  readonly timers: TimerService;
  readonly longValues: LongValues;
  readonly budgetMs: number;
  readonly memory: AnswerReservation;
}

/** How long an answer is asked for first: by operation, ordered and local. */
const FIRST_ANSWER_BYTES: Readonly<Partial<Record<Operation['$case'], readonly [number, number]>>> = {
  get: [SHORT_VALUE_BYTES_MAX, SHORT_VALUE_BYTES_MAX],
  range: [65_536, 524_288],
};
/** A range whose first entry is long is asked for a long page: others may be too. */
const LONG_PAGE_BYTES = 524_288;
/** Longer than any answer: a value of 1 MiB, its key, and what is beside them. */
const ANSWER_BYTES_MAX = 1_048_576 + 4_096;
/** A short answer, one as long as the value was, and, where that was changed meanwhile, the longest. */
const ATTEMPTS_MAX = 3;
/** How long an ordered read waits for memory at most, and for which part of the time that it has. */
const MEMORY_WAIT_MS = 2_000;
const MEMORY_WAIT_SHARE = 1 / 2;
/** How often it looks for it. */
const MEMORY_LOOK_MS = 100;

async function executeCall<Request, Response extends Placed>(
  call: ServedCall,
  method: KeyValueMethod<Request, Response>,
  request: Request,
): Promise<Result<Response, CallFailure>> {
  const operation = method.operationOf(request);
  const consistency = method.consistencyOf?.(request) ?? Consistency.ORDERED;
  if (consistency === Consistency.UNRECOGNIZED || consistency > Consistency.LOCAL) {
    const description = 'must be CONSISTENCY_ORDERED or CONSISTENCY_LOCAL';
    return failed({ code: 'invalid', field: 'consistency', description });
  }
  const isLocal = consistency === Consistency.LOCAL;
  const orderedKey = operation.$case === 'get' && !isLocal ? operation.value.key : undefined;
  const untilMs = call.timers.elapsedMs() + call.budgetMs;
  const firstBytes = FIRST_ANSWER_BYTES[operation.$case]?.[isLocal ? 1 : 0] ?? 0;
  let answerBytesMax = Math.max(firstBytes, knownLength(call, orderedKey));
  for (let attempt = 1; ; attempt++) {
    if (!(await holdMemory(call, answerBytesMax, isLocal ? 0 : untilMs - call.timers.elapsedMs()))) {
      return failed({ code: 'answersExhausted', retryAfterMs: ANSWERS_RETRY_AFTER_MS });
    }
    const bytes = KeyValueOperation.encode({ operation, answerBytesMax }).finish();
    const budgetMs = Math.floor(untilMs - call.timers.elapsedMs());
    const executed = isLocal
      ? await call.submitter.query(bytes, budgetMs)
      : await call.submitter.submit({ operation: bytes, requestId: method.requestIdOf?.(request) ?? '', budgetMs });
    if (!executed.ok) {
      forgetRefused(call, orderedKey, executed.error);
      return failed(inTermsOfCaller(operation, executed.error));
    }
    const result = resultOf(executed.value);
    learnLength(call, orderedKey, result.$case === 'tooLong' ? result.value.sizeBytes : executed.value.result.length);
    if (result.$case !== 'tooLong' || attempt === ATTEMPTS_MAX) {
      return answerOf(method, operation, executed.value, result);
    }
    call.memory.trim(0);
    const pageBytes = operation.$case === 'range' ? LONG_PAGE_BYTES : 0;
    answerBytesMax = attempt + 1 < ATTEMPTS_MAX ? Math.max(result.value.sizeBytes, pageBytes) : ANSWER_BYTES_MAX;
  }
}

/** Reserves memory for an answer, waiting for it for a part of this time; whether there was any. */
async function holdMemory({ memory, timers }: ServedCall, sizeBytes: number, timeMs: number): Promise<boolean> {
  const untilMs = timers.elapsedMs() + Math.min(MEMORY_WAIT_MS, timeMs * MEMORY_WAIT_SHARE);
  while (!memory.hold(sizeBytes)) {
    if (timers.elapsedMs() + MEMORY_LOOK_MS > untilMs) {
      return false;
    }
    await new Promise<void>((resolve) => timers.startTimer(MEMORY_LOOK_MS, resolve));
  }
  return true;
}

/** How long the value of an ordered get was a moment ago; 0 where that isn't known. */
function knownLength({ longValues, timers }: ServedCall, key: string | undefined): number {
  return key === undefined ? 0 : longValues.sizeOf(key, timers.elapsedMs());
}

function learnLength({ longValues, timers }: ServedCall, key: string | undefined, sizeBytes: number): void {
  if (key !== undefined) {
    longValues.note(key, sizeBytes, timers.elapsedMs());
  }
}

/** What may not be asked for at all isn't asked for first: the value may be short now. */
function forgetRefused({ longValues }: ServedCall, key: string | undefined, { code }: CallFailure): void {
  if (key !== undefined && code === 'invalid') {
    longValues.forget(key);
  }
}

function resultOf(executed: Executed): OperationResult {
  const result = decodeStrictly(KeyValueResult, executed.result)?.result;
  assert(result !== undefined, 'an executed operation of the key-value store has a result');
  return result;
}

function answerOf<Request, Response extends Placed>(
  method: KeyValueMethod<Request, Response>,
  operation: Operation,
  executed: Executed,
  result: OperationResult,
): Result<Response, CallFailure> {
  if (result.$case === 'invalid') {
    const { field, description } = result.value;
    return failed(inTermsOfCaller(operation, { code: 'invalid', field, description }));
  }
  const response = method.responseOf(result);
  assert(response !== undefined, `the result of ${operation.$case} is its own, not of ${result.$case}`);
  const { sequence, view } = executed;
  return ok({ ...response, sequence, view, headerDigest: Buffer.from(digestBytes(executed.headerDigest)) });
}

function inTermsOfCaller(operation: Operation, failure: CallFailure): CallFailure {
  const prefix = FIELD_PREFIX[operation.$case];
  return failure.code === 'invalid' && failure.field.startsWith(prefix)
    ? { ...failure, field: failure.field.slice(prefix.length) }
    : failure;
}
