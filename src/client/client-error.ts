/** Why a call failed, as the caller of the client library sees it. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { decodeRichStatus, STATUS_DETAILS_TRAILER } from '../wire/rich-status.js';

/** What a ClientError says beside its message. */
export interface ClientErrorFields {
  /** The gRPC status code's name, such as `INVALID_ARGUMENT`. */
  readonly code: string;
  /** The replica's reason, such as `QUEUE_FULL`; of a failure that no replica told, `CONNECTION` or `CALL`. */
  readonly reason: string;
  /** The request's field that is wrong, where one is. */
  readonly field: string | undefined;
  /** When trying again makes sense, where the replica said so. */
  readonly retryAfterMs: number | undefined;
  /** False where the operation may have been executed or may be executed yet: then it is not to be repeated blindly. */
  readonly outcomeKnown: boolean;
}

/** A failed call. */
export class ClientError extends Error implements ClientErrorFields {
  override readonly name = 'ClientError';
  readonly code: string;
  readonly reason: string;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly outcomeKnown: boolean;

  constructor(message: string, fields: ClientErrorFields) {
    super(message);
    this.code = fields.code;
    this.reason = fields.reason;
    this.field = fields.field;
    this.retryAfterMs = fields.retryAfterMs;
    this.outcomeKnown = fields.outcomeKnown;
  }
}

/**
 * Codes with which a server refuses a call before any operation is taken. RESOURCE_EXHAUSTED without details is the
 * RPC library's, for a message that is too long: ours to the server, because the client takes answers of any length
 * that a replica gives.
 */
const REFUSALS: ReadonlySet<status> = new Set([
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.RESOURCE_EXHAUSTED,
]);

/** How the library says that a call never left; anything else that ends a connection leaves the outcome open. */
const NEVER_SENT = /^(?:No connection established|Name resolution failed)/;

/** The error of a call that the RPC library reports. `readsOnly`: the call can't have changed anything. */
export function clientErrorOf(error: ServiceError, address: string, readsOnly: boolean): ClientError {
  const code = status[error.code] ?? 'UNKNOWN';
  const [trailer] = error.metadata?.get(STATUS_DETAILS_TRAILER) ?? [];
  const told = Buffer.isBuffer(trailer) ? decodeRichStatus(trailer) : undefined;
  if (told !== undefined) {
    return new ClientError(told.message, {
      code,
      reason: told.reason,
      field: told.violation?.field,
      retryAfterMs: told.retryAfterMs,
      outcomeKnown: readsOnly || told.fate !== 'unknown',
    });
  }
  const neverSent = error.code === status.UNAVAILABLE && NEVER_SENT.test(error.details);
  const outcomeKnown = readsOnly || neverSent || REFUSALS.has(error.code);
  const consequence = outcomeKnown ? '' : '; the outcome is not known';
  return new ClientError(`${wordsOf(error, address, neverSent)}${consequence}`, {
    code,
    reason: error.code === status.UNAVAILABLE ? 'CONNECTION' : 'CALL',
    field: undefined,
    retryAfterMs: undefined,
    outcomeKnown,
  });
}

/** Why a connection could not be made, without the library's words around it and the address, which is said already. */
function causeOf(details: string, address: string): string {
  return details
    .replace(/^No connection established\. Last error: (?:Error: )?/, '')
    .replace(/\.? Resolution note:.*$/s, '')
    .replace(` ${address}`, '');
}

function wordsOf(error: ServiceError, address: string, neverSent: boolean): string {
  switch (error.code) {
    case status.UNAVAILABLE:
      return neverSent
        ? `nobody answers at ${address}: ${causeOf(error.details, address)}`
        : `the connection to ${address} was lost`;
    case status.DEADLINE_EXCEEDED:
      return `${address} did not answer in time`;
    default:
      return `${address} answered: ${error.details}`;
  }
}
