/**
 * Every way in which a call can fail, in one closed table: status code, reason, what became of the operation, and what
 * the caller is told. Nothing else reaches a caller: no exception's text, no stack, no internals.
 *
 * `INTERNAL` stands here for own bugs alone; nothing answers it on purpose.
 */
import { status } from '@grpc/grpc-js';
import type { SubmitFailure } from '../runtime/face.js';
import type { OperationFate, RichStatus } from '../wire/rich-status.js';
import type { DecodeFault } from '../wire/strict-decode.js';

/** Why a call has no answer. */
export type CallFailure =
  | SubmitFailure
  /** The bytes aren't the request's message. */
  | { readonly code: 'malformed'; readonly fault: DecodeFault }
  /** The message is longer than any legal one. */
  | { readonly code: 'messageTooLong'; readonly limitBytes: number }
  /** The deadline had passed when the call was looked at; nothing was taken. */
  | { readonly code: 'deadlineTooShort' }
  /** A read that isn't ordered did not finish in time. */
  | { readonly code: 'readTimedOut' }
  /** The request id was used with another operation. */
  | { readonly code: 'requestIdReused' }
  /** As many calls with request ids wait as this replica keeps. */
  | { readonly code: 'requestIdsExhausted'; readonly retryAfterMs: number }
  /** As many calls are served as this replica serves at one time. */
  | { readonly code: 'callsExhausted'; readonly retryAfterMs: number }
  /** Health was asked of a service that isn't here. */
  | { readonly code: 'serviceUnknown' }
  /** As many watchers as this replica keeps. */
  | { readonly code: 'watchersExhausted'; readonly retryAfterMs: number }
  /** The answers under way take as much memory as they may. */
  | { readonly code: 'answersExhausted'; readonly retryAfterMs: number }
  /** The caller's connection has too many answers that it doesn't read. */
  | { readonly code: 'answersUnread'; readonly retryAfterMs: number }
  /** An own bug; the log has it. */
  | { readonly code: 'bug' };

/** When a caller for whose answer there was no memory should try again. */
export const ANSWERS_RETRY_AFTER_MS = 250;

interface TableRow {
  readonly status: status;
  /** UPPER_SNAKE_CASE, for google.rpc.ErrorInfo; part of the interface. */
  readonly reason: string;
  readonly fate: OperationFate;
}

const TABLE: Readonly<Record<CallFailure['code'], TableRow>> = {
  malformed: { status: status.INVALID_ARGUMENT, reason: 'MALFORMED_MESSAGE', fate: 'not_taken' },
  messageTooLong: { status: status.INVALID_ARGUMENT, reason: 'MESSAGE_TOO_LONG', fate: 'not_taken' },
  invalid: { status: status.INVALID_ARGUMENT, reason: 'INVALID_FIELD', fate: 'not_taken' },
  queueFull: { status: status.RESOURCE_EXHAUSTED, reason: 'QUEUE_FULL', fate: 'not_taken' },
  requestIdsExhausted: { status: status.RESOURCE_EXHAUSTED, reason: 'REQUEST_IDS_EXHAUSTED', fate: 'not_taken' },
  callsExhausted: { status: status.RESOURCE_EXHAUSTED, reason: 'CALLS_EXHAUSTED', fate: 'not_taken' },
  watchersExhausted: { status: status.RESOURCE_EXHAUSTED, reason: 'WATCHERS_EXHAUSTED', fate: 'not_taken' },
  answersExhausted: { status: status.RESOURCE_EXHAUSTED, reason: 'ANSWERS_EXHAUSTED', fate: 'not_taken' },
  answersUnread: { status: status.RESOURCE_EXHAUSTED, reason: 'ANSWERS_UNREAD', fate: 'not_taken' },
  notReady: { status: status.UNAVAILABLE, reason: 'NOT_READY', fate: 'not_taken' },
  deadlineTooShort: { status: status.DEADLINE_EXCEEDED, reason: 'DEADLINE_TOO_SHORT', fate: 'not_taken' },
  readTimedOut: { status: status.DEADLINE_EXCEEDED, reason: 'READ_TIMED_OUT', fate: 'not_taken' },
  outcomeUnknown: { status: status.DEADLINE_EXCEEDED, reason: 'OUTCOME_UNKNOWN', fate: 'unknown' },
  resultDropped: { status: status.OUT_OF_RANGE, reason: 'RESULT_TOO_LONG', fate: 'executed' },
  requestIdReused: { status: status.FAILED_PRECONDITION, reason: 'REQUEST_ID_REUSED', fate: 'not_taken' },
  serviceUnknown: { status: status.NOT_FOUND, reason: 'SERVICE_UNKNOWN', fate: 'not_taken' },
  bug: { status: status.INTERNAL, reason: 'INTERNAL_ERROR', fate: 'unknown' },
};

/** What the caller is told of a failure. */
export interface FailureAnswer extends TableRow, Pick<RichStatus, 'message' | 'violation' | 'retryAfterMs'> {}

/** The answer to a failure. Total. */
export function answerToFailure(failure: CallFailure): FailureAnswer {
  return {
    ...TABLE[failure.code],
    message: messageOf(failure),
    violation: violationOf(failure),
    retryAfterMs: 'retryAfterMs' in failure ? failure.retryAfterMs : undefined,
  };
}

function violationOf(failure: CallFailure): FailureAnswer['violation'] {
  switch (failure.code) {
    case 'invalid':
      return { field: failure.field, description: failure.description };
    case 'requestIdReused':
      return { field: 'request_id', description: 'was used with another operation' };
    case 'serviceUnknown':
      return { field: 'service', description: 'names no service of this server' };
    default:
      return undefined;
  }
}

const MALFORMED: Readonly<Record<DecodeFault, string>> = {
  encoding: 'the message is not what this method takes',
  text: 'a text in the message is not valid UTF-8',
  number: `a number in the message is above ${Number.MAX_SAFE_INTEGER} (2^53 − 1), the largest that there can be`,
};

function messageOf(failure: CallFailure): string {
  switch (failure.code) {
    case 'malformed':
      return MALFORMED[failure.fault];
    case 'messageTooLong':
      return `the message is longer than ${failure.limitBytes} bytes, the longest that this replica takes; nothing was taken: split the operation, trying again does not help`;
    case 'invalid':
      return `${failure.field} ${failure.description}`;
    case 'queueFull':
      return `too many operations wait at this replica; nothing was taken: try again in ${failure.retryAfterMs} ms`;
    case 'requestIdsExhausted':
      return `too many calls with request ids wait at this replica; nothing was taken: try again in ${failure.retryAfterMs} ms`;
    case 'callsExhausted':
      return `too many calls are served by this replica; nothing was taken: try again in ${failure.retryAfterMs} ms`;
    case 'watchersExhausted':
      return `too many callers watch this replica's health: try again in ${failure.retryAfterMs} ms`;
    case 'answersExhausted':
      return `the answers under way take all the memory that this replica has for them; nothing was taken: try again in ${failure.retryAfterMs} ms`;
    case 'answersUnread':
      return `this connection does not read the answers it has; nothing was taken: try again in ${failure.retryAfterMs} ms`;
    case 'notReady':
      return `this replica can't serve now (${failure.reasons.join('; ')}); nothing was taken: try another or again in ${failure.retryAfterMs} ms`;
    case 'deadlineTooShort':
      return 'the deadline left no time to take the operation; nothing was taken';
    case 'readTimedOut':
      return 'the local read did not finish before the deadline';
    case 'outcomeUnknown':
      return `the outcome is not known (${failure.reason}): the operation may have been executed, may be executed later, or never`;
    case 'resultDropped':
      return `the operation was executed at sequence ${failure.sequence}, but its result is longer than the result limit`;
    case 'requestIdReused':
      return 'request_id was used with another operation; a repeat has to be equal, and another operation needs another id';
    case 'serviceUnknown':
      return 'service names no service of this server';
    case 'bug':
      return "the replica failed to handle the call; its log says more, and the operation's outcome is not known";
  }
}
