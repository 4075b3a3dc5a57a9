/**
 * A client of replicas: typed calls and typed errors. It trusts the replica that it asks; the SDK that signs its
 * requests and believes only f + 1 equal answers is another one.
 */
import { type Digest, digestOf } from '../util/digest.js';
import { AdminServiceService, GetStatusRequest, GetStatusResponse } from '../wire/gen/pbft/v1/admin.js';
import { ClientServiceService, SubmitRequest, SubmitResponse } from '../wire/gen/pbft/v1/client.js';
import {
  CompareAndSwapRequest,
  CompareAndSwapResponse,
  Consistency,
  DeleteRequest,
  DeleteResponse,
  type ExpectedValue,
  GetRequest,
  GetResponse,
  KeyValueServiceService,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
} from '../wire/gen/pbft/v1/key_value.js';
import type { Endpoint, Method, TlsOptions } from './caller.js';
import { TurnCaller } from './in-turn.js';

/** A value: text as a string, anything else as bytes. It is given back in the form in which it was put. */
export type ClientValue = string | Uint8Array;

/** How to reach replicas. */
export interface ConnectOptions {
  /** Of endpoints that say nothing else; absent for plaintext. */
  readonly tls?: TlsOptions;
  /** For calls that say nothing else; 10 s by default. */
  readonly timeoutMs?: number;
}

/** What every call may say. */
export interface CallOptions {
  /** How long to wait for the answer, whichever replica gives it. */
  readonly timeoutMs?: number;
  /** Gives the call up; what was sent already may be executed all the same. */
  readonly signal?: AbortSignal;
}

/** What a call that changes something may say. */
export interface WriteOptions extends CallOptions {
  /**
   * At most 64 bytes of UTF-8. A repeat through the same replica joins the first instead of being executed again, as
   * long as that replica remembers it: it forgets it when it is started again, and no other replica knows it. A client
   * of several replicas sends a repeat of one whose outcome is not known to the same replica alone.
   */
  readonly requestId?: string;
}

/** What a read may say. */
export interface ReadOptions extends CallOptions {
  /** `ordered`, the default, is linearizable; `local` is what this replica executed so far. */
  readonly consistency?: 'ordered' | 'local';
}

/** Where in the order an answer belongs. */
export interface Place {
  readonly sequence: number;
  readonly view: number;
  readonly headerDigest: Digest | undefined;
}

/** A key with its value. */
export interface ClientEntry {
  readonly key: string;
  readonly value: ClientValue;
  readonly version: number;
}

/** What a compare-and-swap expects of the key: that it is absent, its version, or its value. */
export type ClientExpectation =
  | { readonly absent: true }
  | { readonly version: number }
  | { readonly value: ClientValue };

/** Calls to a replica, or to several in turn. Every one rejects with a ClientError. */
export interface Client {
  put(key: string, value: ClientValue, options?: WriteOptions): Promise<Place & { readonly version: number }>;
  /** A value of undefined means that the key is absent. */
  get(
    key: string,
    options?: ReadOptions,
  ): Promise<Place & { readonly value: ClientValue | undefined; readonly version: number }>;
  delete(key: string, options?: WriteOptions): Promise<Place & { readonly found: boolean }>;
  compareAndSwap(
    key: string,
    change: { readonly expected: ClientExpectation; readonly value: ClientValue },
    options?: WriteOptions,
  ): Promise<Place & { readonly swapped: boolean; readonly version: number }>;
  /** One answer; its continuation, empty at the end, gets the next. */
  range(
    range: { readonly prefix?: string; readonly limit?: number; readonly continuation?: Uint8Array },
    options?: ReadOptions,
  ): Promise<Place & { readonly entries: readonly ClientEntry[]; readonly continuation: Uint8Array }>;
  submit(operation: Uint8Array, options?: WriteOptions): Promise<Place & { readonly result: Uint8Array }>;
  status(options?: CallOptions): Promise<GetStatusResponse>;
  close(): void;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Makes a client of the replica at `host:port`, or of several that are asked in turn (in-turn.ts): the next where one
 * can't be reached, refuses or, for a read, is slow. It connects at the first call.
 */
export function connect(
  replicas: string | Endpoint | readonly (string | Endpoint)[],
  { tls, timeoutMs = DEFAULT_TIMEOUT_MS }: ConnectOptions = {},
): Client {
  const several: readonly (string | Endpoint)[] = Array.isArray(replicas) ? replicas : [replicas];
  const endpoints = several.map((one): Endpoint => {
    const endpoint = typeof one === 'string' ? { address: one } : one;
    return tls === undefined || endpoint.tls !== undefined ? endpoint : { ...endpoint, tls };
  });
  return createClient(new TurnCaller(endpoints), timeoutMs);
}

function createClient(turn: TurnCaller, defaultTimeoutMs: number): Client {
  const make = <Request, Response>(
    method: Method<Request, Response>,
    message: Request,
    { timeoutMs = defaultTimeoutMs, ...options }: CallOptions & { readonly requestId?: string },
  ): Promise<Response> => turn.call(method, message, { timeoutMs, ...options });
  const { put, get, delete: remove, compareAndSwap, range } = KeyValueServiceService;
  return {
    async put(key, value, { requestId = '', ...call } = {}) {
      const request = { key, value: formOf(value), requestId };
      const method = { path: put.path, request: PutRequest, response: PutResponse };
      const answer = await make(method, request, { ...call, requestId });
      return { ...placeOf(answer), version: answer.version };
    },
    async get(key, { consistency, ...call } = {}) {
      const method = { path: get.path, request: GetRequest, response: GetResponse, readsOnly: true };
      const answer = await make(method, { key, consistency: consistencyOf(consistency) }, call);
      return {
        ...placeOf(answer),
        value: answer.found ? (answer.value?.value ?? '') : undefined,
        version: answer.version,
      };
    },
    async delete(key, { requestId = '', ...call } = {}) {
      const method = { path: remove.path, request: DeleteRequest, response: DeleteResponse };
      const answer = await make(method, { key, requestId }, { ...call, requestId });
      return { ...placeOf(answer), found: answer.found };
    },
    async compareAndSwap(key, change, { requestId = '', ...call } = {}) {
      const method = { path: compareAndSwap.path, request: CompareAndSwapRequest, response: CompareAndSwapResponse };
      const expected = { expected: expectationOf(change.expected) };
      const request = { key, expected, value: { value: formOf(change.value) }, requestId };
      const answer = await make(method, request, { ...call, requestId });
      return { ...placeOf(answer), swapped: answer.swapped, version: answer.version };
    },
    async range({ prefix = '', limit = 0, continuation = new Uint8Array() }, { consistency, ...call } = {}) {
      const method = { path: range.path, request: RangeRequest, response: RangeResponse, readsOnly: true };
      const request = {
        prefix,
        limit,
        continuation: Buffer.from(continuation),
        consistency: consistencyOf(consistency),
      };
      const answer = await make(method, request, call);
      const entries = answer.entries.map(({ key, value, version }) => ({ key, value: value?.value ?? '', version }));
      return { ...placeOf(answer), entries, continuation: answer.continuation };
    },
    async submit(operation, { requestId = '', ...call } = {}) {
      const method = { path: ClientServiceService.submit.path, request: SubmitRequest, response: SubmitResponse };
      const request = { operation: Buffer.from(operation), requestId };
      const { result, execution } = await make(method, request, { ...call, requestId });
      return { ...placeOf(execution ?? { sequence: 0, view: 0, headerDigest: Buffer.alloc(0) }), result };
    },
    status(call = {}) {
      const { path } = AdminServiceService.getStatus;
      return make({ path, request: GetStatusRequest, response: GetStatusResponse, readsOnly: true }, {}, call);
    },
    close: () => turn.close(),
  };
}

function placeOf(answer: {
  readonly sequence: number;
  readonly view: number;
  readonly headerDigest: Uint8Array;
}): Place {
  return { sequence: answer.sequence, view: answer.view, headerDigest: digestOf(answer.headerDigest) };
}

function formOf(value: ClientValue): { $case: 'text'; value: string } | { $case: 'data'; value: Buffer } {
  return typeof value === 'string' ? { $case: 'text', value } : { $case: 'data', value: Buffer.from(value) };
}

function expectationOf(expected: ClientExpectation): ExpectedValue['expected'] {
  if ('absent' in expected) {
    return { $case: 'absent', value: true };
  }
  return 'version' in expected ? { $case: 'version', value: expected.version } : formOf(expected.value);
}

function consistencyOf(consistency: ReadOptions['consistency']): Consistency {
  return consistency === 'local' ? Consistency.LOCAL : Consistency.ORDERED;
}
