/**
 * A client of replicas: typed calls and typed errors. It trusts the replica that it asks; the SDK that signs its
 * requests and believes only f + 1 equal answers is another one.
 */
import { setMaxListeners } from 'node:events';
import { type Digest, digestOf } from '../util/digest.js';
import { AdminServiceService, GetStatusRequest, GetStatusResponse } from '../wire/gen/pbft/v1/admin.js';
import { ClientServiceService, SubmitRequest, SubmitResponse } from '../wire/gen/pbft/v1/client.js';
import {
  CompareAndSwapRequest,
  CompareAndSwapResponse,
  Consistency,
  DeleteRequest,
  DeleteResponse,
  GetRequest,
  GetResponse,
  KeyValueServiceService,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
} from '../wire/gen/pbft/v1/key_value.js';
import {
  bytesOf,
  type ClientExpectation,
  type ClientValue,
  endpointsOf,
  expectationOf,
  formOf,
  integerOf,
  isLocal,
  objectOf,
  signalOf,
  textOf,
  timeoutOf,
} from './arguments.js';
import type { Endpoint, Method, TlsOptions } from './caller.js';
import { asClientError, closedClient, wrongArgument } from './client-error.js';
import { TurnCaller } from './in-turn.js';

export type { ClientExpectation, ClientValue } from './arguments.js';

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
  /** Ends all connections. Calls under way are given up: what of them was sent may be executed all the same. */
  close(): void;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Makes a client of the replica at `host:port`, or of several that are asked in turn (in-turn.ts): the next where one
 * can't be reached, refuses or, for a read, is slow. It connects at the first call. Throws a ClientError where an
 * address, certificate or option can't be one.
 *
 * @example
 * ```ts
 * import { connect } from 'pbft';
 *
 * const client = connect(['127.0.0.1:7400', '127.0.0.1:7401'], { timeoutMs: 5_000 });
 * await client.put('colour', 'blue');
 * const { swapped } = await client.compareAndSwap('colour', { expected: { value: 'blue' }, value: 'green' });
 * const { value } = await client.get('colour');
 * console.log(swapped, value); //> true green
 * client.close();
 * ```
 */
export function connect(
  replicas: string | Endpoint | readonly (string | Endpoint)[],
  options: ConnectOptions = {},
): Client {
  const { tls, timeoutMs = DEFAULT_TIMEOUT_MS } = objectOf('options', options);
  const endpoints = endpointsOf(replicas, tls);
  const calls = new Calls(makeTurnCaller(endpoints), timeoutOf(timeoutMs));
  return {
    ...keyValueCalls(calls),
    submit: (operation, given) =>
      calls.write(given, async (call) => {
        const method = { path: ClientServiceService.submit.path, request: SubmitRequest, response: SubmitResponse };
        const request = { operation: bytesOf('operation', operation), requestId: call.requestId };
        const { result, execution } = await calls.make(method, request, call);
        return { ...placeOf(execution ?? { sequence: 0, view: 0, headerDigest: Buffer.alloc(0) }), result };
      }),
    status: (given) =>
      calls.read(given, (call) => {
        const { path } = AdminServiceService.getStatus;
        return calls.make({ path, request: GetStatusRequest, response: GetStatusResponse, readsOnly: true }, {}, call);
      }),
    close: () => calls.close(),
  };
}

function makeTurnCaller(endpoints: readonly Endpoint[]): TurnCaller {
  try {
    return new TurnCaller(endpoints);
  } catch (error) {
    // What Node.js can't read as certificates.
    throw wrongArgument('tls', `can't be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A call's options with the defaults. */
interface Call {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Empty for none. */
  readonly requestId: string;
  readonly consistency: Consistency;
}

/** Calls of one client, whose every failure is a ClientError. */
class Calls {
  private readonly turn: TurnCaller;
  private readonly timeoutMs: number;
  private readonly closing = new AbortController();

  constructor(turn: TurnCaller, timeoutMs: number) {
    this.turn = turn;
    this.timeoutMs = timeoutMs;
    // Each call under way listens.
    setMaxListeners(0, this.closing.signal);
  }

  /** A call that may change something. */
  write<Answer>(given: WriteOptions | undefined, make: (call: Call) => Promise<Answer>): Promise<Answer> {
    return this.guard(false, given, make);
  }

  /** A call that changes nothing, so that its outcome is never in doubt. */
  read<Answer>(given: ReadOptions | undefined, make: (call: Call) => Promise<Answer>): Promise<Answer> {
    return this.guard(true, given, make);
  }

  make<Request, Response>(method: Method<Request, Response>, message: Request, call: Call): Promise<Response> {
    return this.turn.call(method, message, call);
  }

  /** Gives up what is under way, and ends the connections. */
  close(): void {
    this.closing.abort();
    this.turn.close();
  }

  private async guard<Answer>(
    isRead: boolean,
    given: (WriteOptions & ReadOptions) | undefined,
    make: (call: Call) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      const options = objectOf('options', given);
      const { requestId = '', timeoutMs = this.timeoutMs } = options;
      const signal = signalOf(options.signal);
      const closing = this.closing.signal;
      if (closing.aborted) {
        throw closedClient();
      }
      return await make({
        timeoutMs: timeoutOf(timeoutMs),
        signal: signal === undefined ? closing : AbortSignal.any([closing, signal]),
        requestId: textOf('requestId', requestId),
        consistency: isLocal(options.consistency) ? Consistency.LOCAL : Consistency.ORDERED,
      });
    } catch (error) {
      throw asClientError(error, isRead);
    }
  }
}

function keyValueCalls(calls: Calls): Pick<Client, 'put' | 'get' | 'delete' | 'compareAndSwap' | 'range'> {
  const { put, get, delete: remove, compareAndSwap, range } = KeyValueServiceService;
  return {
    put: (key, value, given) =>
      calls.write(given, async (call) => {
        const request = { key: textOf('key', key), value: formOf('value', value), requestId: call.requestId };
        const method = { path: put.path, request: PutRequest, response: PutResponse };
        const answer = await calls.make(method, request, call);
        return { ...placeOf(answer), version: answer.version };
      }),
    get: (key, given) =>
      calls.read(given, async (call) => {
        const method = { path: get.path, request: GetRequest, response: GetResponse, readsOnly: true };
        const request = { key: textOf('key', key), consistency: call.consistency };
        const { found, value, version, ...place } = await calls.make(method, request, call);
        return { ...placeOf(place), value: found ? (value?.value ?? '') : undefined, version };
      }),
    delete: (key, given) =>
      calls.write(given, async (call) => {
        const method = { path: remove.path, request: DeleteRequest, response: DeleteResponse };
        const answer = await calls.make(method, { key: textOf('key', key), requestId: call.requestId }, call);
        return { ...placeOf(answer), found: answer.found };
      }),
    compareAndSwap: (key, change, given) =>
      calls.write(given, async (call) => {
        const { expected, value } = objectOf('change', change);
        const request = {
          key: textOf('key', key),
          expected: { expected: expectationOf(expected) },
          value: { value: formOf('value', value) },
          requestId: call.requestId,
        };
        const method = { path: compareAndSwap.path, request: CompareAndSwapRequest, response: CompareAndSwapResponse };
        const answer = await calls.make(method, request, call);
        return { ...placeOf(answer), swapped: answer.swapped, version: answer.version };
      }),
    range: (asked, given) =>
      calls.read(given, async (call) => {
        const { prefix = '', limit = 0, continuation = new Uint8Array() } = objectOf('range', asked);
        const request = {
          prefix: textOf('prefix', prefix),
          limit: integerOf('limit', limit),
          continuation: bytesOf('continuation', continuation),
          consistency: call.consistency,
        };
        const method = { path: range.path, request: RangeRequest, response: RangeResponse, readsOnly: true };
        const answer = await calls.make(method, request, call);
        const entries = answer.entries.map((entry) => ({
          key: entry.key,
          value: entry.value?.value ?? '',
          version: entry.version,
        }));
        return { ...placeOf(answer), entries, continuation: answer.continuation };
      }),
  };
}

function placeOf(answer: {
  readonly sequence: number;
  readonly view: number;
  readonly headerDigest: Uint8Array;
}): Place {
  return { sequence: answer.sequence, view: answer.view, headerDigest: digestOf(answer.headerDigest) };
}
