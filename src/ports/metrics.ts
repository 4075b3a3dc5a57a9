/**
 * What is measured. Names and labels are closed: a label's values come from the code or the configuration, never from a
 * caller. The adapter gives each its help text, buckets and registry.
 */

import type { BufferClass, LeavingTimer, ViewChangeCause } from '../protocol/explanation.js';
import type { Evidence } from '../protocol/log-record.js';
import type { InputType } from '../protocol/notes.js';
import type { RejectionCode } from '../protocol/rejection.js';
import type { TimerName } from '../protocol/timers.js';

/** What is not taken: the core's inputs, and what never gets as far as the core. */
export type RejectedType = InputType | 'frame' | 'fetch' | 'fetchAnswer';

/** Why it is not taken: the core's codes, and those of the edge. */
export type RejectionReason =
  | RejectionCode
  /** Bytes that are no message of this kind, or break a limit. */
  | 'malformed'
  /** A message of another kind than may stand there. */
  | 'misplaced'
  /** A Status that came over another's link. */
  | 'relayed'
  /** An answer to what was not asked, or of another than was asked. */
  | 'unasked'
  /** This replica's own statement, from a peer. */
  | 'own'
  /** The batch is not the one that the statement names. */
  | 'digest'
  | 'signature'
  /** Of a request in a batch. */
  | 'requestSignature'
  /** The request is executed or dead. */
  | 'settled'
  /** The request's number is too far above what the client acknowledged. */
  | 'beyondWindow';

/** The lanes of the event queue; those of all peers are one. */
export type QueueLane = 'local' | 'peer' | 'client';

/** Why a link was closed or refused. */
export type LinkResetReason =
  | 'closed'
  | 'conflict'
  | 'handshake'
  | 'identity'
  | 'malformed'
  | 'mismatch'
  | 'oversized'
  | 'replaced'
  | 'stopped'
  | 'throttled'
  | 'timeout'
  | 'unreachable';

/** Why a caller was sent away. */
export type ThrottleReason = 'answer_memory' | 'answers_unread' | 'calls' | 'notReady' | 'queueFull';

/** The ports of a replica. */
export type PortName = 'client' | 'http' | 'peer';

/** Why a connection was closed at the door of its port. */
export type ConnectionClosing = 'accept_failed' | 'displaced' | 'refused' | 'silent';

/** What is fetched from peers, and how it ended. */
export type FetchKind = 'batch' | 'ledger' | 'checkpointCertificate' | 'viewChange';
export type FetchResult = 'ok' | 'not_found' | 'wrong' | 'timeout';

/** What the store was asked for. */
export type StorageOperation = 'recover' | 'append' | 'execute' | 'discard' | 'read' | 'reserve' | 'close';

/** The certificates that a replica uses: of its links, of its client port where that has TLS, of the cluster's authority. */
export type CertificateKind = 'peer' | 'client' | 'authority';

/** The steps that a batch's commit latency is made of. */
export type Phase = 'prepare' | 'commit' | 'execute';

/** Monotonic counts, with their labels. */
export interface CounterLabels {
  readonly pbft_committed_operations_total: Record<string, never>;
  readonly pbft_committed_requests_total: Record<string, never>;
  readonly pbft_committed_batches_total: Record<string, never>;
  readonly pbft_rejected_total: { readonly type: RejectedType; readonly reason: RejectionReason };
  readonly pbft_evidence_total: { readonly kind: Evidence['kind']; readonly peer: string };
  readonly pbft_view_changes_total: { readonly cause: ViewChangeCause };
  readonly pbft_timer_expirations_total: { readonly timer: TimerName };
  readonly pbft_link_bytes_total: { readonly peer: string; readonly direction: 'sent' | 'received' };
  readonly pbft_link_resets_total: { readonly peer: string; readonly reason: LinkResetReason };
  readonly pbft_send_dropped_total: { readonly peer: string };
  readonly pbft_signature_checks_total: { readonly peer: string };
  readonly pbft_queue_dropped_total: { readonly lane: QueueLane };
  readonly pbft_throttled_total: { readonly reason: ThrottleReason };
  readonly pbft_identity_conflicts_total: { readonly peer: string };
  readonly pbft_connections_closed_total: { readonly port: PortName; readonly reason: ConnectionClosing };
  readonly pbft_fetches_total: { readonly kind: FetchKind; readonly result: FetchResult };
  readonly pbft_storage_errors_total: { readonly operation: StorageOperation };
  readonly pbft_calls_total: { readonly method: string; readonly code: string };
}

/** Values that go up and down. */
export interface GaugeLabels {
  readonly pbft_view: Record<string, never>;
  readonly pbft_is_active: Record<string, never>;
  readonly pbft_apart: Record<string, never>;
  readonly pbft_is_primary: Record<string, never>;
  readonly pbft_is_ready: Record<string, never>;
  readonly pbft_last_executed_sequence: Record<string, never>;
  readonly pbft_low_watermark: Record<string, never>;
  readonly pbft_queue_depth: { readonly lane: QueueLane };
  readonly pbft_waiting_requests: Record<string, never>;
  readonly pbft_oldest_request_age_seconds: Record<string, never>;
  readonly pbft_timeout_seconds: Record<string, never>;
  readonly pbft_timer_running: { readonly timer: LeavingTimer['name'] };
  readonly pbft_buffered_messages: { readonly class: BufferClass };
  /** What the store holds. `peer`: who signed both; `replica` is the label of the target that holds the proof. */
  readonly pbft_evidence: { readonly kind: Evidence['kind']; readonly peer: string };
  readonly pbft_peer_connected: { readonly peer: string };
  readonly pbft_config_mismatch: { readonly peer: string };
  readonly pbft_connections: { readonly port: PortName };
  readonly pbft_diverged: Record<string, never>;
  readonly pbft_clock_skew_seconds: Record<string, never>;
  readonly pbft_unsafe_mode: Record<string, never>;
  readonly pbft_store_bytes: Record<string, never>;
  readonly pbft_disk_available_bytes: Record<string, never>;
  readonly pbft_disk_size_bytes: Record<string, never>;
  readonly pbft_certificate_expiry_timestamp_seconds: { readonly certificate: CertificateKind };
}

/** Distributions; times in seconds. */
export interface HistogramLabels {
  readonly pbft_commit_latency_seconds: Record<string, never>;
  /** Unary calls: both labels are names of the code's own. */
  readonly pbft_call_duration_seconds: { readonly method: string; readonly code: string };
  readonly pbft_phase_latency_seconds: { readonly phase: Phase };
  readonly pbft_batch_operations: Record<string, never>;
  readonly pbft_sign_seconds: Record<string, never>;
  readonly pbft_storage_sync_seconds: Record<string, never>;
  /** From leaving the last view in which this replica was active to entering the next. */
  readonly pbft_view_change_seconds: Record<string, never>;
  readonly pbft_event_loop_lag_seconds: Record<string, never>;
}

/** Where measurements go. Never throws. */
export interface Metrics {
  increment<N extends keyof CounterLabels>(name: N, labels: CounterLabels[N], by?: number): void;
  set<N extends keyof GaugeLabels>(name: N, labels: GaugeLabels[N], value: number): void;
  observe<N extends keyof HistogramLabels>(name: N, labels: HistogramLabels[N], value: number): void;
}
