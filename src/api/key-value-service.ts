/**
 * KeyValueService: each call becomes one operation of the key-value application, as ClientService.Submit would take it,
 * and its result the answer. What an operation may be is the application's to judge; only what isn't part of the
 * operation, request id and consistency, is judged here.
 */
import type { Server } from '@grpc/grpc-js';
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
import type { CallFailure } from './failures.js';
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
  const { put, get, delete: remove, compareAndSwap, range } = KeyValueServiceService;
  const serve = <Request, Response extends Placed>(method: KeyValueMethod<Request, Response>) =>
    serveUnary(server, services, {
      ...method,
      handle: (request, budgetMs) => executeCall(submitter, method, request, budgetMs),
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

async function executeCall<Request, Response extends Placed>(
  submitter: Submitter,
  method: KeyValueMethod<Request, Response>,
  request: Request,
  budgetMs: number,
): Promise<Result<Response, CallFailure>> {
  const operation = method.operationOf(request);
  const bytes = KeyValueOperation.encode({ operation }).finish();
  let executed: Result<Executed, CallFailure>;
  switch (method.consistencyOf?.(request) ?? Consistency.ORDERED) {
    case Consistency.UNSPECIFIED:
    case Consistency.ORDERED:
      executed = await submitter.submit({ operation: bytes, requestId: method.requestIdOf?.(request) ?? '', budgetMs });
      break;
    case Consistency.LOCAL:
      executed = await submitter.query(bytes, budgetMs);
      break;
    default: {
      const description = 'must be CONSISTENCY_ORDERED or CONSISTENCY_LOCAL';
      return failed({ code: 'invalid', field: 'consistency', description });
    }
  }
  return executed.ok ? answerOf(method, operation, executed.value) : failed(inTermsOfCaller(operation, executed.error));
}

function answerOf<Request, Response extends Placed>(
  method: KeyValueMethod<Request, Response>,
  operation: Operation,
  executed: Executed,
): Result<Response, CallFailure> {
  const result = decodeStrictly(KeyValueResult, executed.result)?.result;
  assert(result !== undefined, 'an executed operation of the key-value store has a result');
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
