/** What the links of a replica are made with, and the limits that are nobody's to choose. */
import type { ChannelOptions } from '@grpc/grpc-js';
import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import type { Signer, Verifier } from '../ports/signatures.js';
import type { TimerService } from '../ports/timer-service.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import type { Digest, Hash } from '../util/digest.js';
import type { QueueLimits } from './send-queue.js';

/** Where a replica's peer port is. */
export interface PeerAddress {
  /** A name or an IP address. */
  readonly host: string;
  /** 0 only for listening: any free one. */
  readonly port: number;
}

/** The own key and certificates, in PEM form. */
export interface LinkTls {
  readonly keyPem: string;
  readonly certificatePem: string;
  /** The cluster's authority, the only one trusted. */
  readonly authorityPem: string;
}

/** Limits of each link. */
export interface LinkLimits extends QueueLimits {
  /** Of one encoded PeerMessage, in both directions. */
  readonly messageBytesMax: number;
}

/** What both ends say of themselves in the handshake, and must agree on. */
export interface ClusterTerms {
  readonly clusterId: Digest;
  readonly parametersDigest: Digest;
  readonly protocolVersion: number;
}

/** What a transport over gRPC needs. */
export interface GrpcTransportOptions extends ClusterTerms {
  readonly own: ReplicaId;
  readonly listen: PeerAddress;
  /** Of every replica but the own; looked up anew at each attempt to dial. */
  readonly peers: ReadonlyMap<ReplicaId, PeerAddress>;
  readonly tls: LinkTls;
  /** The pins of the genesis, in the order of the replicas' ids: SHA-256 of the TLS key's SPKI DER. */
  readonly tlsPins: readonly Digest[];
  readonly limits: LinkLimits;
  /** Connections that have not proven who they are, half of them from one address; PENDING_CONNECTIONS_MAX by default. */
  readonly pendingConnectionsMax?: number;
  readonly hash: Hash;
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly timers: TimerService;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** From a connection or an attempt to dial to a link that is up. */
export const HANDSHAKE_DEADLINE_MS = 5_000;
/**
 * Between two attempts to dial. The longest is half the default request timeout: a replica that starts again waits for
 * peers with higher ids to dial it, and must have heard its primary before a request that it learns of is overdue.
 */
export const RECONNECT_DELAY_MIN_MS = 50;
export const RECONNECT_DELAY_MAX_MS = 1_000;
/** A link that held this long is dialled again without delay when it breaks. */
export const STABLE_LINK_MS = 5_000;
/** Handshakes of one replica at its listener: so many at once, so many a second, which is what a dialler makes at most. */
export const HANDSHAKE_BURST = 10;
export const HANDSHAKES_PER_SECOND = 2;
/** Connections that have not proven who they are; half of them from one address. */
export const PENDING_CONNECTIONS_MAX = 256;
/** For a refusal to reach the other side before the connection goes. */
export const REFUSAL_GRACE_MS = 250;
/** What a frame of several messages may hold. */
export const BUNDLE_BYTES_MAX = 256 * 1024;
/** Given to grpc-js and not yet to the socket: enough to keep a link busy, little enough for votes to overtake bulk. */
export const UNFLUSHED_BYTES_MAX = 512 * 1024;
/** A frame's own bytes around one message: tag and length. */
const FRAME_OVERHEAD_BYTES = 16;

/** grpc-js's settings that are the same at both ends. */
export function commonChannelOptions(messageBytesMax: number): ChannelOptions {
  return {
    'grpc.max_receive_message_length': messageBytesMax + FRAME_OVERHEAD_BYTES,
    'grpc.max_send_message_length': messageBytesMax + FRAME_OVERHEAD_BYTES,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    // In MB: what one HTTP/2 session may hold.
    'grpc-node.max_session_memory': 64,
    'grpc.enable_channelz': 0,
  };
}
