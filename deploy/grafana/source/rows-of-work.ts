/** What the cluster does: the numbers at the top, throughput and latency, agreement. */
import type { Row } from './panel.js';

const READY = 'sum(pbft_is_ready{#} or 0 * up{#})';
const ALL = 'count(up{#})';
const QUORUM = `ceil((${ALL} + floor((${ALL} - 1) / 3) + 1) / 2)`;
/** Of how many, as a label: the number's name. */
const OF_ALL = `* on () group_right () count_values("replicas", ${ALL})`;

/** The rows, from above. */
export const ROWS_OF_WORK: readonly Row[] = [
  {
    title: 'Cluster',
    isOpen: true,
    panels: [
      {
        type: 'stat',
        title: 'Ready replicas',
        description:
          'How many serve callers. Red: fewer than a quorum, ceil((n + f + 1) / 2); nothing is committed. Orange: a quorum, not all. Of the cluster, whichever replicas are chosen.',
        unit: 'none',
        colors: ['red', 'orange', 'green'],
        queries: [
          [`(${READY} < ${QUORUM}) ${OF_ALL}`, 'of {{replicas}}'],
          [`(${READY} >= ${QUORUM} < ${ALL}) ${OF_ALL}`, 'of {{replicas}}'],
          [`(${READY} == ${ALL}) ${OF_ALL}`, 'of {{replicas}}'],
        ],
      },
      {
        type: 'stat',
        title: 'Current view',
        description: 'The highest view of the replicas. Each step up is a change of primary.',
        unit: 'none',
        queries: [['max(pbft_view{@})', '']],
      },
      {
        type: 'stat',
        title: 'Operations a second',
        description: 'Operations executed a second. Every replica executes all, so the fastest stands for the cluster.',
        unit: 'ops',
        queries: [['max(rate(pbft_committed_operations_total{@}[$__rate_interval])) or vector(0)', '']],
      },
      {
        type: 'stat',
        title: 'Call latency, p99',
        description: 'Of the calls that were answered as asked, 99 % took less at the replica. No data: nobody calls.',
        unit: 's',
        queries: [
          [
            'histogram_quantile(0.99, sum by (le) (rate(pbft_call_duration_seconds_bucket{@, code="OK", method=~"(KeyValue|Client)Service/.*"}[$__rate_interval])))',
            '',
          ],
        ],
      },
      {
        type: 'stat',
        title: 'Commit latency, p99',
        description: 'From taking a batch to executing it: 99 % of the batches are faster.',
        unit: 's',
        queries: [
          ['histogram_quantile(0.99, sum by (le) (rate(pbft_commit_latency_seconds_bucket{@}[$__rate_interval])))', ''],
        ],
      },
      {
        type: 'stat',
        title: 'Batches behind',
        description: 'How far the slowest replica is behind the fastest.',
        unit: 'none',
        steps: [['green'], ['orange', 128], ['red', 256]],
        queries: [['max(pbft_last_executed_sequence{@}) - min(pbft_last_executed_sequence{@})', '']],
      },
      {
        type: 'stat',
        title: 'Evidence kept',
        description:
          'Proofs of misbehaviour in the stores of the replicas that answer. Anything above 0 is an incident.',
        unit: 'none',
        steps: [['green'], ['red', 1]],
        queries: [['sum(pbft_evidence{@})', '']],
      },
      {
        type: 'stat',
        title: 'Alerts firing',
        description: 'Alerts of alerts.yml that fire now.',
        unit: 'none',
        steps: [['green'], ['red', 1]],
        queries: [['count(ALERTS{alertstate="firing", cluster=~"$cluster"}) or vector(0)', '']],
      },
    ],
  },
  {
    title: 'Throughput and latency',
    isOpen: true,
    panels: [
      {
        type: 'lines',
        title: 'Throughput',
        description: 'Operations executed a second by each replica. Lines that part: a replica is catching up or down.',
        unit: 'ops',
        queries: [
          ['sum by (replica) (rate(pbft_committed_operations_total{@}[$__rate_interval]))', 'replica {{replica}}'],
        ],
      },
      {
        type: 'lines',
        title: 'Batches and requests',
        description: "Batches and clients' requests executed a second; the fastest replica stands for the cluster.",
        unit: 'ops',
        queries: [
          ['max(rate(pbft_committed_batches_total{@}[$__rate_interval]))', 'batches'],
          ['max(rate(pbft_committed_requests_total{@}[$__rate_interval]))', 'requests'],
        ],
      },
      {
        type: 'lines',
        title: 'Operations in a batch',
        description: 'How full batches are. At the batch limit (1,000 by default) the cluster is saturated.',
        unit: 'short',
        queries: [
          ['histogram_quantile(0.5, sum by (le) (rate(pbft_batch_operations_bucket{@}[$__rate_interval])))', 'p50'],
          ['histogram_quantile(0.99, sum by (le) (rate(pbft_batch_operations_bucket{@}[$__rate_interval])))', 'p99'],
        ],
      },
      {
        type: 'lines',
        title: 'Call latency by method, p50',
        description: 'Of calls as callers see them, without their way to the replica and back, by method and status.',
        unit: 's',
        queries: [
          [
            'histogram_quantile(0.5, sum by (method, code, le) (rate(pbft_call_duration_seconds_bucket{@}[$__rate_interval]))) > 0',
            '{{method}}: {{code}}',
          ],
        ],
      },
      {
        type: 'lines',
        title: 'Call latency by method, p99',
        description: 'The slowest percent of the calls takes longer, by method and status.',
        unit: 's',
        queries: [
          [
            'histogram_quantile(0.99, sum by (method, code, le) (rate(pbft_call_duration_seconds_bucket{@}[$__rate_interval]))) > 0',
            '{{method}}: {{code}}',
          ],
        ],
      },
      {
        type: 'lines',
        title: 'Calls',
        description: 'The ten most frequent outcomes of gRPC calls, a second.',
        unit: 'ops',
        queries: [
          ['topk(10, sum by (method, code) (rate(pbft_calls_total{@}[$__rate_interval])) > 0)', '{{method}}: {{code}}'],
        ],
      },
      {
        type: 'lines',
        title: 'Commit latency',
        description: 'From taking a batch (proposed or accepted) to executing it, over all chosen replicas.',
        unit: 's',
        queries: [
          [
            'histogram_quantile(0.5, sum by (le) (rate(pbft_commit_latency_seconds_bucket{@}[$__rate_interval])))',
            'p50',
          ],
          [
            'histogram_quantile(0.95, sum by (le) (rate(pbft_commit_latency_seconds_bucket{@}[$__rate_interval])))',
            'p95',
          ],
          [
            'histogram_quantile(0.99, sum by (le) (rate(pbft_commit_latency_seconds_bucket{@}[$__rate_interval])))',
            'p99',
          ],
        ],
      },
      {
        type: 'lines',
        title: 'Phases, p50',
        description:
          "Where a batch's time goes: until it is prepared (its synced write and signature included), committed, executed.",
        unit: 's',
        queries: [
          [
            'histogram_quantile(0.5, sum by (phase, le) (rate(pbft_phase_latency_seconds_bucket{@}[$__rate_interval])))',
            '{{phase}}',
          ],
        ],
      },
      {
        type: 'lines',
        title: 'Commit latency by replica, p99',
        description: "A single slow line: that replica's disk, network or CPU.",
        unit: 's',
        queries: [
          [
            'histogram_quantile(0.99, sum by (replica, le) (rate(pbft_commit_latency_seconds_bucket{@}[$__rate_interval])))',
            'replica {{replica}}',
          ],
        ],
      },
    ],
  },
  {
    title: 'Agreement',
    panels: [
      {
        type: 'lines',
        title: 'Last executed',
        description: 'The sequence executed last. Lines should lie on each other.',
        unit: 'short',
        isFree: true,
        queries: [['pbft_last_executed_sequence{@}', 'replica {{replica}}']],
      },
      {
        type: 'lines',
        title: 'Stable checkpoint',
        description: 'The low watermark. It follows the last executed sequence in steps of the checkpoint interval.',
        unit: 'short',
        isStepped: true,
        isFree: true,
        queries: [['pbft_low_watermark{@}', 'replica {{replica}}']],
      },
      {
        type: 'lines',
        title: 'Behind the furthest',
        description:
          'Sequences that a replica is behind the furthest one; beyond the window (256 by default) it fetches the ledger.',
        unit: 'short',
        queries: [
          [
            'max by (cluster) (pbft_last_executed_sequence{#}) - on (cluster) group_right () pbft_last_executed_sequence{@}',
            'replica {{replica}}',
          ],
        ],
      },
      {
        type: 'states',
        title: 'Ready',
        description: "Who serves callers; /readyz of a replica says why it doesn't.",
        words: [
          ['not ready', 'red'],
          ['ready', 'green'],
        ],
        queries: [['pbft_is_ready{@} or 0 * up{@}', 'replica {{replica}}']],
      },
      {
        type: 'lines',
        title: 'Waiting requests',
        description: 'Requests waiting to be executed.',
        unit: 'short',
        queries: [['pbft_waiting_requests{@}', 'replica {{replica}}']],
      },
      {
        type: 'lines',
        title: 'Fetches',
        description: 'What replicas fetched from peers because they lacked it, a second.',
        unit: 'ops',
        queries: [
          ['sum by (kind, result) (rate(pbft_fetches_total{@}[$__rate_interval])) > 0', '{{kind}}: {{result}}'],
        ],
      },
    ],
  },
];
