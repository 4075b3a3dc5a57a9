/** How views are left and begun. */
import type { Row } from './panel.js';

/** The row, below those of the work. */
export const ROW_OF_VIEWS: Row = {
  title: 'View changes',
  panels: [
    {
      type: 'lines',
      title: 'View',
      description: 'The view of each replica.',
      unit: 'short',
      isStepped: true,
      isFree: true,
      queries: [['pbft_view{@}', 'replica {{replica}}']],
    },
    {
      type: 'states',
      title: 'Primary',
      description: 'Who is the active primary of its view.',
      words: [
        ['backup', 'text'],
        ['primary', 'blue'],
      ],
      queries: [['pbft_is_primary{@}', 'replica {{replica}}']],
    },
    {
      type: 'states',
      title: 'Between views',
      description:
        'Which replicas are active in their view. Red: it left one and has not entered the next. Orange: so, and the others serve in a lower one.',
      words: [
        ['between two views', 'red'],
        ['active', 'green'],
        ['apart', 'orange'],
      ],
      queries: [['pbft_is_active{@} + 2 * pbft_apart{@}', 'replica {{replica}}']],
    },
    {
      type: 'lines',
      title: 'View changes',
      description: 'View changes of the last five minutes, by what made a replica leave its view.',
      unit: 'short',
      queries: [['sum by (cause) (increase(pbft_view_changes_total{@}[5m])) > 0', '{{cause}}']],
    },
    {
      type: 'lines',
      title: 'View change duration',
      description:
        'From leaving the last view in which a replica was active to entering the next: nothing new is agreed on meanwhile.',
      unit: 's',
      queries: [
        ['histogram_quantile(0.5, sum by (le) (rate(pbft_view_change_seconds_bucket{@}[5m]))) > 0', 'p50'],
        ['histogram_quantile(0.99, sum by (le) (rate(pbft_view_change_seconds_bucket{@}[5m]))) > 0', 'p99'],
      ],
    },
    {
      type: 'lines',
      title: 'View changes by replica',
      description:
        'How often each replica left its view. One that leaves more often than the others is slow or badly connected itself.',
      unit: 'short',
      queries: [['sum by (replica) (increase(pbft_view_changes_total{@}[5m])) > 0', 'replica {{replica}}']],
    },
    {
      type: 'lines',
      title: 'Timeout',
      description:
        'The delay of the request timer and the new-view timer. It doubles with each view change until a checkpoint is stable.',
      unit: 's',
      queries: [['pbft_timeout_seconds{@}', 'replica {{replica}}']],
    },
    {
      type: 'lines',
      title: 'Timers running',
      description: 'How many replicas run a timer at whose end they leave their view.',
      unit: 'short',
      queries: [['sum by (timer) (pbft_timer_running{@}) > 0', '{{timer}}']],
    },
    {
      type: 'lines',
      title: 'Timeouts',
      description:
        'Expiries of the last five minutes that may end in a view change. request: what waits is passed on to all, or its primary left; new_view: a primary did not begin its view in time.',
      unit: 'short',
      queries: [
        [
          'sum by (replica, timer) (increase(pbft_timer_expirations_total{@, timer=~"new_view|request"}[5m])) > 0',
          'replica {{replica}}: {{timer}}',
        ],
      ],
    },
    {
      type: 'lines',
      title: 'Everyday timers',
      description: 'Expiries a second that mean nothing by themselves: batches that waited for company, heartbeats.',
      unit: 'ops',
      queries: [
        [
          'sum by (timer) (rate(pbft_timer_expirations_total{@, timer!~"new_view|request"}[$__rate_interval])) > 0',
          '{{timer}}',
        ],
      ],
    },
    {
      type: 'lines',
      title: 'Oldest request',
      description:
        'How long the oldest request has waited that no quorum committed. At the timeout a backup leaves the primary.',
      unit: 's',
      queries: [['pbft_oldest_request_age_seconds{@}', 'replica {{replica}}']],
    },
    {
      type: 'lines',
      title: 'Buffered messages',
      description:
        'Messages of other replicas kept until their time comes: ViewChanges held, votes and proposals of a later view, proposals ahead of the clock.',
      unit: 'short',
      queries: [['sum by (replica, class) (pbft_buffered_messages{@}) > 0', 'replica {{replica}}: {{class}}']],
    },
  ],
};
