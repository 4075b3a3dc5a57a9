/**
 * A failed call as google.rpc.Status carries it beside code and message: ErrorInfo always, BadRequest where a field is
 * wrong, RetryInfo where trying again helps. Replicas encode it, clients decode it.
 */
import type { Any } from './gen/google/protobuf/any.js';
import { BadRequest, ErrorInfo, RetryInfo } from './gen/google/rpc/error_details.js';
import { Status } from './gen/google/rpc/status.js';
import { type Decodable, decodeStrictly } from './strict-decode.js';

/** The gRPC trailer that carries it. */
export const STATUS_DETAILS_TRAILER = 'grpc-status-details-bin';

/** What became of a call's operation: nothing was taken, nobody knows yet, or it was executed. */
export type OperationFate = 'not_taken' | 'unknown' | 'executed';

/** Why a call failed. */
export interface RichStatus {
  /** Of google.rpc.Code. */
  readonly code: number;
  readonly message: string;
  /** UPPER_SNAKE_CASE; part of the interface. */
  readonly reason: string;
  readonly fate: OperationFate;
  /** The request's field that is wrong, and what is wrong with it. */
  readonly violation: { readonly field: string; readonly description: string } | undefined;
  readonly retryAfterMs: number | undefined;
}

/** The domain of this project's reasons. */
const ERROR_DOMAIN = 'pbft.v1';
const FATE_KEY = 'operation';
const TYPE_URL_PREFIX = 'type.googleapis.com/';
const ERROR_INFO = 'google.rpc.ErrorInfo';
const BAD_REQUEST = 'google.rpc.BadRequest';
const RETRY_INFO = 'google.rpc.RetryInfo';

/** The bytes of the trailer. */
export function encodeRichStatus(status: RichStatus): Uint8Array {
  const { code, message, reason, fate, violation, retryAfterMs } = status;
  const details = [
    packed(ERROR_INFO, ErrorInfo.encode({ reason, domain: ERROR_DOMAIN, metadata: { [FATE_KEY]: fate } }).finish()),
  ];
  if (violation !== undefined) {
    const fieldViolations = [{ ...violation, reason: '', localizedMessage: undefined }];
    details.push(packed(BAD_REQUEST, BadRequest.encode({ fieldViolations }).finish()));
  }
  if (retryAfterMs !== undefined) {
    const seconds = Math.floor(retryAfterMs / 1_000);
    const nanos = Math.round((retryAfterMs % 1_000) * 1_000_000);
    details.push(packed(RETRY_INFO, RetryInfo.encode({ retryDelay: { seconds, nanos } }).finish()));
  }
  return Status.encode({ code, message, details }).finish();
}

/** What the trailer says, or undefined where it isn't one of this project's. Total. */
export function decodeRichStatus(bytes: Uint8Array): RichStatus | undefined {
  const status = decodeStrictly(Status, bytes);
  const info = unpacked(status?.details, ERROR_INFO, ErrorInfo);
  if (status === undefined || info?.domain !== ERROR_DOMAIN) {
    return undefined;
  }
  const violation = unpacked(status.details, BAD_REQUEST, BadRequest)?.fieldViolations[0];
  const delay = unpacked(status.details, RETRY_INFO, RetryInfo)?.retryDelay;
  return {
    code: status.code,
    message: status.message,
    reason: info.reason,
    fate: fateOf(info.metadata[FATE_KEY]),
    violation: violation && { field: violation.field, description: violation.description },
    retryAfterMs: delay && delay.seconds * 1_000 + delay.nanos / 1_000_000,
  };
}

function fateOf(text: string | undefined): OperationFate {
  return text === 'not_taken' || text === 'executed' ? text : 'unknown';
}

function packed(name: string, bytes: Uint8Array): Any {
  return { typeUrl: TYPE_URL_PREFIX + name, value: Buffer.from(bytes) };
}

function unpacked<T>(details: readonly Any[] | undefined, name: string, type: Decodable<T>): T | undefined {
  const detail = details?.find(({ typeUrl }) => typeUrl === TYPE_URL_PREFIX + name);
  return detail && decodeStrictly(type, detail.value);
}
