/**
 * A client of one replica: typed calls and typed errors. It trusts the replica that it asks; the SDK that signs its
 * requests and believes only f + 1 equal answers is another one.
 */
import { Client as Channel, ChannelCredentials, type ServiceError } from '@grpc/grpc-js';
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
import { type Decodable, decodeStrictly } from '../wire/strict-decode.js';
import { ClientError, clientErrorOf } from './client-error.js';

/** A value: text as a string, anything else as bytes. It is given back in the form in which it was put. */
export type ClientValue = string | Uint8Array;

/** How to reach a replica. */
export interface ConnectOptions {
  /** Absent for plaintext. */
  readonly tls?: {
    /** The authorities to trust, in PEM. */
    readonly rootCertificates: Uint8Array;
    /** The name in the replica's certificate, where it isn't the host of the address. */
    readonly serverName?: string;
  };
  /** For calls that say nothing else; 10 s by default. */
  readonly timeoutMs?: number;
}

/** What every call may say. */
export interface CallOptions {
  /** How long to wait for the answer. */
  readonly timeoutMs?: number;
}

/** What a call that changes something may say. */
export interface WriteOptions extends CallOptions {
  /** At most 64 bytes: a repeat through the same replica joins the first instead of being executed again. */
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

/** Calls to one replica. Every one rejects with a ClientError. */
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

/** Far above the longest answer that a replica gives. */
const ANSWER_BYTES_MAX = 67_108_864;

/** Makes a client of the replica at `host:port`; it connects at the first call. */
export function connect(address: string, options: ConnectOptions = {}): Client {
  const caller = new Caller(address, options);
  const { put, get, delete: remove, compareAndSwap, range } = KeyValueServiceService;
  return {
    async put(key, value, { requestId = '', ...call } = {}) {
      const request = { key, value: formOf(value), requestId };
      const answer = await caller.call({ path: put.path, request: PutRequest, response: PutResponse }, request, call);
      return { ...placeOf(answer), version: answer.version };
    },
    async get(key, { consistency, ...call } = {}) {
      const method = { path: get.path, request: GetRequest, response: GetResponse, readsOnly: true };
      const answer = await caller.call(method, { key, consistency: consistencyOf(consistency) }, call);
      return {
        ...placeOf(answer),
        value: answer.found ? (answer.value?.value ?? '') : undefined,
        version: answer.version,
      };
    },
    async delete(key, { requestId = '', ...call } = {}) {
      const method = { path: remove.path, request: DeleteRequest, response: DeleteResponse };
      const answer = await caller.call(method, { key, requestId }, call);
      return { ...placeOf(answer), found: answer.found };
    },
    async compareAndSwap(key, change, { requestId = '', ...call } = {}) {
      const method = { path: compareAndSwap.path, request: CompareAndSwapRequest, response: CompareAndSwapResponse };
      const expected = { expected: expectationOf(change.expected) };
      const request = { key, expected, value: { value: formOf(change.value) }, requestId };
      const answer = await caller.call(method, request, call);
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
      const answer = await caller.call(method, request, call);
      const entries = answer.entries.map(({ key, value, version }) => ({ key, value: value?.value ?? '', version }));
      return { ...placeOf(answer), entries, continuation: answer.continuation };
    },
    async submit(operation, { requestId = '', ...call } = {}) {
      const method = { path: ClientServiceService.submit.path, request: SubmitRequest, response: SubmitResponse };
      const { result, execution } = await caller.call(method, { operation: Buffer.from(operation), requestId }, call);
      return { ...placeOf(execution ?? { sequence: 0, view: 0, headerDigest: Buffer.alloc(0) }), result };
    },
    status(call = {}) {
      const { path } = AdminServiceService.getStatus;
      return caller.call({ path, request: GetStatusRequest, response: GetStatusResponse, readsOnly: true }, {}, call);
    },
    close: () => caller.close(),
  };
}

interface Method<Request, Response> {
  readonly path: string;
  readonly request: { encode(message: Request): { finish(): Uint8Array } };
  readonly response: Decodable<Response>;
  /** It can't change anything, so its outcome is never in doubt. */
  readonly readsOnly?: boolean;
}

/** Makes unary calls over one channel. */
class Caller {
  readonly #address: string;
  readonly #channel: Channel;
  readonly #timeoutMs: number;

  constructor(address: string, { tls, timeoutMs = DEFAULT_TIMEOUT_MS }: ConnectOptions) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    const credentials =
      tls === undefined
        ? ChannelCredentials.createInsecure()
        : ChannelCredentials.createSsl(Buffer.from(tls.rootCertificates));
    const serverName = tls?.serverName;
    this.#channel = new Channel(address, credentials, {
      'grpc.max_receive_message_length': ANSWER_BYTES_MAX,
      ...(serverName === undefined
        ? {}
        : { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
    });
  }

  call<Request, Response>(
    { path, request, response, readsOnly = false }: Method<Request, Response>,
    message: Request,
    { timeoutMs = this.#timeoutMs }: CallOptions,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: Response): void => {
        if (error !== null) {
          reject(clientErrorOf(error, this.#address, readsOnly));
        } else if (answer === undefined) {
          reject(malformedAnswer(this.#address, readsOnly));
        } else {
          resolve(answer);
        }
      };
      this.#channel.makeUnaryRequest<Request, Response | undefined>(
        path,
        (value) => Buffer.from(request.encode(value).finish()),
        (bytes) => decodeStrictly(response, bytes),
        message,
        { deadline: Date.now() + timeoutMs },
        done,
      );
    });
  }

  close(): void {
    this.#channel.close();
  }
}

function malformedAnswer(address: string, readsOnly: boolean): ClientError {
  return new ClientError(`${address} answered with something that is not an answer to this call`, {
    code: 'UNKNOWN',
    reason: 'CALL',
    field: undefined,
    retryAfterMs: undefined,
    outcomeKnown: readsOnly,
  });
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
