/** Why a call failed, as the caller of the client library sees it. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { decodeRichStatus, STATUS_DETAILS_TRAILER } from '../wire/rich-status.js';
import type { DecodeFault } from '../wire/strict-decode.js';
import { judgeConnection, type Unreached } from './connection-failure.js';

/**
 * The gRPC status codes that aren't success, by their numbers from 1 on: there are no others.
 *
 * @example
 * ```ts
 * import { CLIENT_ERROR_CODES } from 'pbft';
 *
 * console.log(CLIENT_ERROR_CODES.length); //> 16
 * ```
 */
export const CLIENT_ERROR_CODES = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** What kind of failure it is. */
export type ClientErrorCode = (typeof CLIENT_ERROR_CODES)[number];

/** What a ClientError says beside its message. */
export interface ClientErrorFields {
  /** The gRPC status code's name, such as `INVALID_ARGUMENT`. */
  readonly code: ClientErrorCode;
  /**
   * The replica's reason, such as `QUEUE_FULL`. Of a failure that no replica told: `CALL`, `NO_REPLICA` where several
   * failed differently, `ARGUMENT` for what the program gave, `CLOSED` after `close()`, `LIBRARY` for an error of this
   * library; and of a connection that never was `CONNECTION`, `NOT_TLS`, `NOT_PLAINTEXT`, `CERTIFICATE_UNTRUSTED`,
   * `CERTIFICATE_EXPIRED`, `CERTIFICATE_NAME` or `NOT_FOR_CALLERS`.
   */
  readonly reason: string;
  /** The request's field that is wrong, where one is. */
  readonly field: string | undefined;
  /** When trying again makes sense, where the replica said so. */
  readonly retryAfterMs: number | undefined;
  /** False where the operation may have been executed or may be executed yet: then it is not to be repeated blindly. */
  readonly outcomeKnown: boolean;
  /** The name or address of the replica that said so, or that the outcome depends on; undefined for several. */
  readonly replica?: string | undefined;
}

/**
 * A failed call.
 *
 * @example
 * ```ts
 * import { ClientError, connect } from 'pbft';
 *
 * const client = connect('127.0.0.1:7400');
 * try {
 *   await client.put('', 'a key must not be empty');
 * } catch (error) {
 *   if (error instanceof ClientError) {
 *     console.log(error.code, error.reason, error.field, error.outcomeKnown);
 *   }
 * }
 * client.close();
 * //> INVALID_ARGUMENT INVALID_FIELD key true
 * ```
 */
export class ClientError extends Error implements ClientErrorFields {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  readonly reason: string;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly outcomeKnown: boolean;
  readonly replica: string | undefined;

  constructor(message: string, fields: ClientErrorFields) {
    super(message);
    this.code = fields.code;
    this.reason = fields.reason;
    this.field = fields.field;
    this.retryAfterMs = fields.retryAfterMs;
    this.outcomeKnown = fields.outcomeKnown;
    this.replica = fields.replica;
  }
}

/**
 * Codes with which a server refuses a call before any operation is taken, whoever wrote it. RESOURCE_EXHAUSTED is none
 * of them: a replica gives details with it, and without them it is the RPC library's here, for an answer that is longer
 * than any replica's.
 */
const REFUSALS: ReadonlySet<status> = new Set([
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
]);

/** What nobody said. */
const UNTOLD = { field: undefined, retryAfterMs: undefined } as const;

/** How the library says that a call never left; anything else that ends a connection leaves the outcome open. */
const NEVER_SENT = /^(?:No connection established|Name resolution failed)/;

/** A replica as errors name it. */
interface NamedEndpoint extends Unreached {
  readonly name?: string;
}

function nameOf({ name, address }: NamedEndpoint): string {
  return name ?? address;
}

/** The error of a call that the RPC library reports. `readsOnly`: the call can't have changed anything. */
export function clientErrorOf(error: ServiceError, endpoint: NamedEndpoint, readsOnly: boolean): ClientError {
  const { address } = endpoint;
  const code = CLIENT_ERROR_CODES[error.code - 1] ?? 'UNKNOWN';
  const [trailer] = error.metadata?.get(STATUS_DETAILS_TRAILER) ?? [];
  const told = Buffer.isBuffer(trailer) ? decodeRichStatus(trailer) : undefined;
  if (told !== undefined) {
    return new ClientError(told.message, {
      code,
      reason: told.reason,
      field: told.violation?.field,
      retryAfterMs: told.retryAfterMs,
      outcomeKnown: readsOnly || told.fate !== 'unknown',
      replica: nameOf(endpoint),
    });
  }
  if (error.code === status.UNAVAILABLE && NEVER_SENT.test(error.details)) {
    const { message, reason } = judgeConnection(error.details, endpoint);
    return new ClientError(message, { ...UNTOLD, code, reason, outcomeKnown: true, replica: nameOf(endpoint) });
  }
  const outcomeKnown = readsOnly || REFUSALS.has(error.code);
  const consequence = outcomeKnown ? '' : '; the outcome is not known';
  return new ClientError(`${wordsOf(error, address)}${consequence}`, {
    code,
    reason: error.code === status.UNAVAILABLE ? 'CONNECTION' : 'CALL',
    field: undefined,
    retryAfterMs: undefined,
    outcomeKnown,
    replica: nameOf(endpoint),
  });
}

/** The error of an argument that can't be sent. */
export function wrongArgument(field: string, description: string): ClientError {
  return new ClientError(`${field} ${description}`, {
    ...UNTOLD,
    code: 'INVALID_ARGUMENT',
    reason: 'ARGUMENT',
    field,
    outcomeKnown: true,
  });
}

/** The error of a call after `close()`. */
export function closedClient(): ClientError {
  return new ClientError('the client is closed', {
    ...UNTOLD,
    code: 'CANCELLED',
    reason: 'CLOSED',
    outcomeKnown: true,
  });
}

/** Any failure as a ClientError: what is none yet is an error of this library, and nobody knows how far it came. */
export function asClientError(error: unknown, readsOnly: boolean): ClientError {
  if (error instanceof ClientError) {
    return error;
  }
  const { message } = error instanceof Error ? error : { message: String(error) };
  const consequence = readsOnly ? '' : '; the outcome is not known';
  const failure = new ClientError(`the client library failed: ${message}${consequence}`, {
    ...UNTOLD,
    code: 'INTERNAL',
    reason: 'LIBRARY',
    outcomeKnown: readsOnly,
  });
  failure.cause = error;
  return failure;
}

const WRONG: Readonly<Record<DecodeFault, string>> = {
  encoding: 'something that is not an answer to this call',
  text: 'a text that is not valid UTF-8',
  number: 'a number above 2^53 − 1, which can not be held exactly',
};

/** The error of an answer that is none. */
export function notAnAnswer(endpoint: NamedEndpoint, readsOnly: boolean, fault?: DecodeFault): ClientError {
  const what = fault === undefined ? WRONG.encoding : WRONG[fault];
  return new ClientError(`${endpoint.address} answered with ${what}`, {
    ...UNTOLD,
    code: 'UNKNOWN',
    reason: 'CALL',
    outcomeKnown: readsOnly,
    replica: nameOf(endpoint),
  });
}

/** The error of a replica with which no connection came about in the time: nothing of the call has left. */
export function silentReplica(endpoint: NamedEndpoint, timeoutMs: number): ClientError {
  const cause = 'the process there may be paused or hang, or something between may drop what is sent';
  return new ClientError(
    `nobody answered at ${endpoint.address} within ${timeoutMs / 1_000} s, so nothing was sent: ${cause}`,
    { ...UNTOLD, code: 'UNAVAILABLE', reason: 'CONNECTION', outcomeKnown: true, replica: nameOf(endpoint) },
  );
}

/** The error of a call that was given up before it was sent. */
export function cancelledCall(): ClientError {
  return new ClientError('the call was given up before it was sent', {
    ...UNTOLD,
    code: 'CANCELLED',
    reason: 'CALL',
    outcomeKnown: true,
  });
}

/** What replicas that were asked in turn said, in one error; a single one's own words. At least one failure. */
export function noneTookIt(failures: readonly ClientError[], readsOnly: boolean): ClientError {
  const [first, ...others] = failures;
  if (first === undefined || others.length === 0) {
    return first ?? cancelledCall();
  }
  const lines = failures.map(({ replica, message }) => (replica === undefined ? message : `${replica}: ${message}`));
  const retries = failures.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  return new ClientError([readsOnly ? 'no replica answered' : 'no replica took it', ...lines].join('\n'), {
    code: others.every(({ code }) => code === first.code) ? first.code : 'UNAVAILABLE',
    reason: others.every(({ reason }) => reason === first.reason) ? first.reason : 'NO_REPLICA',
    field: undefined,
    retryAfterMs: retries.length === 0 ? undefined : Math.min(...retries),
    outcomeKnown: failures.every(({ outcomeKnown }) => outcomeKnown),
  });
}

/** The error of a repeat that could not reach the one replica that may have taken the first. */
export function stillUnknown(failure: ClientError, requestId: string): ClientError {
  const why = `the request id ${JSON.stringify(requestId)} was sent there before, so it is repeated nowhere else`;
  return new ClientError(`${failure.message}; ${why}; the outcome is not known`, { ...failure, outcomeKnown: false });
}

function wordsOf(error: ServiceError, address: string): string {
  switch (error.code) {
    case status.UNAVAILABLE:
      return `the connection to ${address} was lost`;
    case status.DEADLINE_EXCEEDED:
      return `${address} did not answer in time`;
    case status.CANCELLED:
      return `the call to ${address} was given up`;
    default:
      return `${address} answered: ${error.details}`;
  }
}
