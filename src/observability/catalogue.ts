/**
 * Every metric of ports/metrics.ts with its help text, its labels' closed sets and, of a histogram, its buckets.
 *
 * 1. Each name and label of the port stands here, by type.
 * 2. Times are in seconds, sizes in bytes; counters end in `_total` (`promtool check metrics` finds nothing).
 * 3. Buckets cover what docs/benchmarks.md shows and one step beyond, so that a quantile is never the last bound.
 */
import type { CounterLabels, GaugeLabels, HistogramLabels } from '../ports/metrics.js';
import {
  BUFFERS,
  CALL_CODES,
  CALL_METHODS,
  CERTIFICATES,
  CONNECTION_CLOSINGS,
  EVIDENCE_KINDS,
  FETCH_KINDS,
  FETCH_RESULTS,
  LEAVING_TIMERS,
  LINK_RESET_REASONS,
  PHASES,
  PORT_NAMES,
  QUEUE_LANES,
  REJECTED_TYPES,
  REJECTION_REASONS,
  STORAGE_OPERATIONS,
  THROTTLE_REASONS,
  TIMERS,
  VIEW_CHANGE_CAUSES,
} from './label-values.js';

/** The values of one label: a set known now, or the peers that the configuration names. */
export type LabelSet = readonly string[] | 'peers';

/** What stands in the catalogue of a metric whose labels are `Labels`; no label where it has none. */
interface Definition<Labels> {
  readonly help: string;
  readonly labels: { readonly [L in keyof Labels]: [Labels[L]] extends [never] ? never : LabelSet };
}

interface HistogramDefinition<Labels> extends Definition<Labels> {
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  /** Its labels have too many combinations to show those that never happen: each appears with its first measurement. */
  readonly startsEmpty?: true;
}

/**
 * What becomes of a gauge when its process starts again. A gauge that is 0 until somebody knows better looks like one
 * that fell to 0, so only what truly is 0 in a new process begins so.
 */
export const RESTART_RULES = {
  zero: '0: what it counts does not outlive the process',
  refound: '0 until it is found again',
  stored: 'not there until the store is read, then as before',
  measured: 'not there until it is measured',
  configured: 'as the files say',
} as const;

/** One of them. */
export type RestartRule = keyof typeof RESTART_RULES;

/** Whether a gauge shows 0 before it is set. */
export function isZeroAtStart(rule: RestartRule): boolean {
  return rule === 'zero' || rule === 'refound';
}

interface GaugeDefinition<Labels> extends Definition<Labels> {
  readonly restart: RestartRule;
}

/** From half a millisecond, below what a loopback cluster needs, to where callers have given up. */
const LATENCY_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** To the longest that a call may take by default. */
const CALL_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const SYNC_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const SIGN_BUCKETS = [0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1];
const OPERATION_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const VIEW_CHANGE_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The counters. */
export const COUNTERS: { readonly [N in keyof CounterLabels]: Definition<CounterLabels[N]> } = {
  pbft_committed_operations_total: { help: 'Operations executed by this replica.', labels: {} },
  pbft_committed_requests_total: { help: "Clients' requests executed by this replica.", labels: {} },
  pbft_committed_batches_total: { help: 'Batches executed by this replica.', labels: {} },
  pbft_rejected_total: {
    help: 'Messages of peers and clients that were not taken, by what they were and why.',
    labels: { type: REJECTED_TYPES, reason: REJECTION_REASONS },
  },
  pbft_evidence_total: {
    help: 'Proofs of misbehaviour that this process found, by what they are about and the peer; pbft_evidence has all.',
    labels: { kind: EVIDENCE_KINDS, peer: 'peers' },
  },
  pbft_view_changes_total: {
    help: 'View changes that this replica took part in, by what made it leave its view.',
    labels: { cause: VIEW_CHANGE_CAUSES },
  },
  pbft_timer_expirations_total: {
    help: 'Timers of the protocol that came to their end; request: what waits is relayed or its primary left.',
    labels: { timer: TIMERS },
  },
  pbft_link_bytes_total: {
    help: 'Bytes of messages exchanged with a peer, before encryption.',
    labels: { peer: 'peers', direction: ['sent', 'received'] },
  },
  pbft_link_resets_total: {
    help: 'Links to a peer that were closed or refused, by reason.',
    labels: { peer: 'peers', reason: LINK_RESET_REASONS },
  },
  pbft_send_dropped_total: {
    help: 'Messages to a peer that were dropped because its queue was full or its link down; they are sent again.',
    labels: { peer: 'peers' },
  },
  pbft_signature_checks_total: {
    help: 'Signatures checked because of messages that came over the link of a peer, whoever signed them.',
    labels: { peer: 'peers' },
  },
  pbft_queue_dropped_total: {
    help: 'Events dropped because their lane of the event queue was full.',
    labels: { lane: QUEUE_LANES },
  },
  pbft_throttled_total: {
    help: "Callers' operations sent away before anything was ordered, by reason.",
    labels: { reason: THROTTLE_REASONS },
  },
  pbft_identity_conflicts_total: {
    help: 'Times that a second process showed up under the identity of a peer whose link was alive.',
    labels: { peer: 'peers' },
  },
  pbft_connections_closed_total: {
    help: 'Connections that this replica closed or did not take at a port, by reason.',
    labels: { port: PORT_NAMES, reason: CONNECTION_CLOSINGS },
  },
  pbft_fetches_total: {
    help: 'Fetches from peers of what this replica lacked, by what it was and how it ended.',
    labels: { kind: FETCH_KINDS, result: FETCH_RESULTS },
  },
  pbft_storage_errors_total: {
    help: 'Failures of the store, by what it was asked for.',
    labels: { operation: STORAGE_OPERATIONS },
  },
  pbft_calls_total: {
    help: 'gRPC calls of callers and operators that ended, by method and status code.',
    labels: { method: CALL_METHODS, code: CALL_CODES },
  },
};

/** The gauges. */
export const GAUGES: { readonly [N in keyof GaugeLabels]: GaugeDefinition<GaugeLabels[N]> } = {
  pbft_view: { help: 'The view that this replica is in.', labels: {}, restart: 'stored' },
  pbft_is_active: {
    help: '1 where this replica is active in its view, 0 between two views.',
    labels: {},
    restart: 'stored',
  },
  pbft_apart: {
    help: '1 where this replica was left alone in a later view than the one in which the others serve, and does not vote.',
    labels: {},
    restart: 'refound',
  },
  pbft_is_primary: { help: '1 where this replica is the active primary of its view.', labels: {}, restart: 'stored' },
  pbft_is_ready: {
    help: '1 where this replica serves callers; /readyz says why where it does not.',
    labels: {},
    restart: 'zero',
  },
  pbft_last_executed_sequence: { help: 'The sequence of the batch executed last.', labels: {}, restart: 'stored' },
  pbft_low_watermark: { help: 'The sequence of the stable checkpoint.', labels: {}, restart: 'stored' },
  pbft_queue_depth: {
    help: 'Events waiting in a lane of the event queue.',
    labels: { lane: QUEUE_LANES },
    restart: 'zero',
  },
  pbft_waiting_requests: { help: 'Requests waiting at this replica to be executed.', labels: {}, restart: 'zero' },
  pbft_oldest_request_age_seconds: {
    help: 'How long the oldest request has waited that no quorum committed; 0 where none waits.',
    labels: {},
    restart: 'zero',
  },
  pbft_timeout_seconds: {
    help: 'The delay of the request timer and the new-view timer now: it doubles as view changes fail.',
    labels: {},
    restart: 'measured',
  },
  pbft_timer_running: {
    help: '1 where a timer runs at whose end this replica leaves its view.',
    labels: { timer: LEAVING_TIMERS },
    restart: 'zero',
  },
  pbft_buffered_messages: {
    help: "Messages of other replicas kept until their time comes, by what they are; each sender's are bounded.",
    labels: { class: BUFFERS },
    restart: 'zero',
  },
  pbft_evidence: {
    help: 'Proofs of misbehaviour in the store: two contradicting statements, by what they are about and the peer who signed both.',
    labels: { kind: EVIDENCE_KINDS, peer: 'peers' },
    restart: 'stored',
  },
  pbft_peer_connected: { help: '1 where the link to a peer is up.', labels: { peer: 'peers' }, restart: 'zero' },
  pbft_config_mismatch: {
    help: '1 where a peer was refused because its genesis or consensus parameters are others.',
    labels: { peer: 'peers' },
    restart: 'refound',
  },
  pbft_connections: {
    help: 'Connections that are open at a port; of peers those that have not proven yet who they are.',
    labels: { port: PORT_NAMES },
    restart: 'zero',
  },
  pbft_diverged: {
    help: '1 where this replica stopped because its state differs from what a quorum signed.',
    labels: {},
    restart: 'stored',
  },
  pbft_clock_skew_seconds: {
    help: "This replica's clock minus the median of a quorum's.",
    labels: {},
    restart: 'measured',
  },
  pbft_unsafe_mode: {
    help: '1 where this replica runs with a setting that gives up durability.',
    labels: {},
    restart: 'configured',
  },
  pbft_store_bytes: {
    help: 'What the data directory takes on its disk. It grows with every ordered operation, reads included.',
    labels: {},
    restart: 'measured',
  },
  pbft_disk_available_bytes: {
    help: "Free space of the data directory's file system that this process may use.",
    labels: {},
    restart: 'measured',
  },
  pbft_disk_size_bytes: { help: "Size of the data directory's file system.", labels: {}, restart: 'measured' },
  pbft_certificate_expiry_timestamp_seconds: {
    help: 'When a certificate in use ends, in seconds since 1970; of a chain the one that ends first.',
    labels: { certificate: CERTIFICATES },
    restart: 'configured',
  },
};

/** The histograms. */
export const HISTOGRAMS: { readonly [N in keyof HistogramLabels]: HistogramDefinition<HistogramLabels[N]> } = {
  pbft_commit_latency_seconds: {
    help: 'From taking a batch into this replica (proposed or accepted) to its execution.',
    labels: {},
    buckets: LATENCY_BUCKETS,
  },
  pbft_call_duration_seconds: {
    help: 'gRPC calls as callers see them, without the way there and back: from the request to its answer, by method and status.',
    labels: { method: CALL_METHODS, code: CALL_CODES },
    buckets: CALL_BUCKETS,
    startsEmpty: true,
  },
  pbft_phase_latency_seconds: {
    help: 'The part of a phase in the commit latency.',
    labels: { phase: PHASES },
    buckets: LATENCY_BUCKETS,
  },
  pbft_batch_operations: { help: 'Operations in a batch.', labels: {}, buckets: OPERATION_BUCKETS },
  pbft_sign_seconds: {
    help: 'Making one signature, waiting for a thread included.',
    labels: {},
    buckets: SIGN_BUCKETS,
  },
  pbft_storage_sync_seconds: { help: 'One synced write of the store.', labels: {}, buckets: SYNC_BUCKETS },
  pbft_view_change_seconds: {
    help: 'From leaving the last view in which this replica was active to entering the next.',
    labels: {},
    buckets: VIEW_CHANGE_BUCKETS,
  },
  pbft_event_loop_lag_seconds: {
    help: 'How late a timer of the event loop was, sampled ten times a second.',
    labels: {},
    buckets: LAG_BUCKETS,
  },
};
