/** Why a link ended: a closed set, used as a metric's label and as a gRPC status. */
import { status } from '@grpc/grpc-js';

/** Kinds of ends. */
export type EndReason =
  /** The network or the other side ended it. */
  | 'closed'
  /** No connection came about. */
  | 'unreachable'
  /** The TLS certificate is not that of the replica it should be. */
  | 'identity'
  /** The handshake was broken: a wrong nonce, addressee, signature. */
  | 'handshake'
  /** Another cluster, other parameters, another version. */
  | 'mismatch'
  /** Bytes that are no frame. */
  | 'malformed'
  /** A message above the link's limit. */
  | 'oversized'
  /** Another process runs under the identity, and its link is alive. */
  | 'conflict'
  /** A newer stream of the same replica took its place. */
  | 'replaced'
  /** Too many attempts, or streams, at once. */
  | 'throttled'
  /** The handshake took too long. */
  | 'timeout'
  /** This replica stops. */
  | 'stopped';

/** The end of a link or of an attempt to make one. */
export interface LinkEnd {
  readonly reason: EndReason;
  /** For the operator, with the values that differ. */
  readonly text: string;
}

/** The status under which a listener ends a stream. */
export const STATUS_OF_END: Readonly<Record<EndReason, status>> = {
  closed: status.UNAVAILABLE,
  unreachable: status.UNAVAILABLE,
  identity: status.PERMISSION_DENIED,
  handshake: status.UNAUTHENTICATED,
  mismatch: status.FAILED_PRECONDITION,
  malformed: status.INVALID_ARGUMENT,
  oversized: status.RESOURCE_EXHAUSTED,
  conflict: status.ALREADY_EXISTS,
  replaced: status.ABORTED,
  throttled: status.RESOURCE_EXHAUSTED,
  timeout: status.DEADLINE_EXCEEDED,
  stopped: status.UNAVAILABLE,
};

const TEXT_LENGTH_MAX = 300;

/** Text from the other side, made harmless for logs and terminals. */
export function foreignText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, TEXT_LENGTH_MAX);
}
