/** How the cluster and its machines are: faults and attacks, load, disks and certificates, processes. */
import type { Row } from './panel.js';

/** The rows, below those of the work. */
export const ROWS_OF_HEALTH: readonly Row[] = [
  {
    title: 'Faults and attacks',
    panels: [
      {
        type: 'lines',
        title: 'Rejections',
        description:
          'The ten most frequent kinds of messages not taken, a second. old_view, stale, duplicate and settled are daily life; signature, malformed, bad_certificate, contradiction are not.',
        unit: 'ops',
        queries: [
          [
            'topk(10, sum by (type, reason) (rate(pbft_rejected_total{@}[$__rate_interval])) > 0)',
            '{{type}}: {{reason}}',
          ],
        ],
      },
      {
        type: 'lines',
        title: 'Evidence',
        description: 'Proofs of misbehaviour: who holds one, about which kind of statement, and who signed both.',
        unit: 'short',
        isStepped: true,
        queries: [
          ['sum by (replica, kind, peer) (pbft_evidence{@}) > 0', 'replica {{replica}} about {{peer}}: {{kind}}'],
          [
            'sum by (replica, kind, peer) (increase(pbft_evidence_total{@}[$__rate_interval])) > 0',
            'new: replica {{replica}} about {{peer}}: {{kind}}',
          ],
        ],
      },
      {
        type: 'states',
        title: 'Diverged',
        description: 'Who stopped because its state differs from what a quorum signed.',
        words: [
          ['agrees', 'green'],
          ['diverged', 'red'],
        ],
        queries: [['pbft_diverged{@}', 'replica {{replica}}']],
      },
      {
        type: 'lines',
        title: 'Clock skew',
        description:
          "Each replica's clock against the median of a quorum; from half the drift (5 s by default) on it alarms.",
        unit: 's',
        isFree: true,
        queries: [['pbft_clock_skew_seconds{@}', 'replica {{replica}}']],
      },
      {
        type: 'lines',
        title: 'Configuration mismatches',
        description: 'Peers refused because their genesis or consensus parameters are others.',
        unit: 'short',
        isStepped: true,
        queries: [['sum by (replica) (pbft_config_mismatch{@}) > 0', 'replica {{replica}}']],
      },
      {
        type: 'lines',
        title: 'Storage errors',
        description: 'Failures of the stores in the last five minutes.',
        unit: 'short',
        queries: [
          [
            'sum by (replica, operation) (increase(pbft_storage_errors_total{@}[5m])) > 0',
            'replica {{replica}}: {{operation}}',
          ],
        ],
      },
      {
        type: 'lines',
        title: 'Signature checks',
        description:
          'Signatures checked a second because of what came over the link of each peer. A peer has a bounded share of each turn; one that stands out sends what is checked in vain.',
        unit: 'ops',
        queries: [
          ['sum by (peer) (rate(pbft_signature_checks_total{@}[$__rate_interval])) > 0', 'over the link of {{peer}}'],
        ],
      },
    ],
  },
  {
    title: 'Load',
    panels: [
      {
        type: 'lines',
        title: 'Queue depth',
        description: 'Events waiting for the core, by lane.',
        unit: 'short',
        queries: [['sum by (replica, lane) (pbft_queue_depth{@}) > 0', 'replica {{replica}}: {{lane}}']],
      },
      {
        type: 'lines',
        title: 'Dropped and sent away',
        description:
          'Events dropped by full lanes, messages dropped by full send queues, and callers sent away, a second.',
        unit: 'ops',
        queries: [
          ['sum by (lane) (rate(pbft_queue_dropped_total{@}[$__rate_interval])) > 0', 'lane {{lane}}'],
          ['sum by (peer) (rate(pbft_send_dropped_total{@}[$__rate_interval])) > 0', 'to peer {{peer}}'],
          ['sum by (reason) (rate(pbft_throttled_total{@}[$__rate_interval])) > 0', 'callers: {{reason}}'],
        ],
      },
      {
        type: 'lines',
        title: 'Link bytes',
        description: 'Bytes exchanged with peers, a second.',
        unit: 'Bps',
        queries: [
          [
            'sum by (replica, direction) (rate(pbft_link_bytes_total{@}[$__rate_interval]))',
            'replica {{replica}} {{direction}}',
          ],
        ],
      },
      {
        type: 'lines',
        title: 'Links up',
        description: 'Peers that each replica has a link to: n − 1 of them.',
        unit: 'short',
        isStepped: true,
        queries: [['sum by (replica) (pbft_peer_connected{@})', 'replica {{replica}}']],
      },
      {
        type: 'lines',
        title: 'Link resets',
        description: 'Links closed or refused in the last five minutes, by reason.',
        unit: 'short',
        queries: [['sum by (reason) (increase(pbft_link_resets_total{@}[5m])) > 0', '{{reason}}']],
      },
    ],
  },
  {
    title: 'Disks and certificates',
    panels: [
      {
        type: 'lines',
        title: 'Store size',
        description: 'What each data directory takes. It grows with every ordered operation, reads included.',
        unit: 'bytes',
        queries: [['pbft_store_bytes{@}', 'replica {{replica}}']],
      },
      {
        type: 'lines',
        title: 'Free space',
        description: 'What the file system of each data directory has left. At the end of it the replica stops.',
        unit: 'bytes',
        queries: [
          ['pbft_disk_available_bytes{@}', 'replica {{replica}}'],
          ['pbft_disk_size_bytes{@}', 'size, replica {{replica}}'],
        ],
      },
      {
        type: 'lines',
        title: 'Time until full',
        description: 'If the disks go on filling as in the last hour. No line: they do not fill.',
        unit: 's',
        queries: [
          ['pbft_disk_available_bytes{@} / (-deriv(pbft_disk_available_bytes{@}[1h]) > 0)', 'replica {{replica}}'],
        ],
      },
      {
        type: 'lines',
        title: 'Certificates end in',
        description: 'The certificates in use: of the links, of the client port where it has TLS, of the authority.',
        unit: 's',
        isFree: true,
        queries: [['pbft_certificate_expiry_timestamp_seconds{@} - time()', 'replica {{replica}}: {{certificate}}']],
      },
    ],
  },
  {
    title: 'Machine',
    panels: [
      {
        type: 'lines',
        title: 'Synced writes',
        description: 'The time of a synced write of the store, by replica.',
        unit: 's',
        queries: [
          [
            'histogram_quantile(0.5, sum by (replica, le) (rate(pbft_storage_sync_seconds_bucket{@}[$__rate_interval])))',
            'p50 replica {{replica}}',
          ],
          [
            'histogram_quantile(0.99, sum by (replica, le) (rate(pbft_storage_sync_seconds_bucket{@}[$__rate_interval])))',
            'p99 replica {{replica}}',
          ],
        ],
      },
      {
        type: 'lines',
        title: 'Signing',
        description: 'The time to make a signature, waiting for a thread included.',
        unit: 's',
        queries: [
          [
            'histogram_quantile(0.5, sum by (replica, le) (rate(pbft_sign_seconds_bucket{@}[$__rate_interval])))',
            'p50 replica {{replica}}',
          ],
          [
            'histogram_quantile(0.99, sum by (replica, le) (rate(pbft_sign_seconds_bucket{@}[$__rate_interval])))',
            'p99 replica {{replica}}',
          ],
        ],
      },
      {
        type: 'lines',
        title: 'Event-loop lag, p99',
        description: 'How late timers are. Above 100 ms the process is short of CPU.',
        unit: 's',
        queries: [
          [
            'histogram_quantile(0.99, sum by (replica, le) (rate(pbft_event_loop_lag_seconds_bucket{@}[$__rate_interval])))',
            'replica {{replica}}',
          ],
        ],
      },
      {
        type: 'lines',
        title: 'Memory',
        description: "Resident memory and V8's heap of each process.",
        unit: 'bytes',
        queries: [
          ['process_resident_memory_bytes{@}', 'resident, replica {{replica}}'],
          ['nodejs_heap_size_used_bytes{@}', 'heap, replica {{replica}}'],
        ],
      },
      {
        type: 'lines',
        title: 'CPU',
        description: 'CPU time a second: 1 is one core.',
        unit: 'short',
        queries: [['sum by (replica) (rate(process_cpu_seconds_total{@}[$__rate_interval]))', 'replica {{replica}}']],
      },
      {
        type: 'lines',
        title: 'Garbage collection',
        description: 'Share of the time that the process stands still for it.',
        unit: 'percentunit',
        queries: [
          ['sum by (replica) (rate(nodejs_gc_duration_seconds_sum{@}[$__rate_interval]))', 'replica {{replica}}'],
        ],
      },
      {
        type: 'lines',
        title: 'File descriptors',
        description:
          'Open file descriptors of each process, and how many of them are connections of callers and peers.',
        unit: 'short',
        queries: [
          ['process_open_fds{@}', 'replica {{replica}}'],
          ['pbft_connections{@} > 0', 'replica {{replica}}: {{port}} port'],
        ],
      },
      {
        type: 'lines',
        title: 'Array buffers',
        description: 'Memory of Buffers: messages, batches, values.',
        unit: 'bytes',
        queries: [['nodejs_array_buffer_bytes{@}', 'replica {{replica}}']],
      },
      {
        type: 'table',
        title: 'Builds',
        description: 'What runs, and since when.',
        queries: [['pbft_build_info{@}', '']],
      },
    ],
  },
];
