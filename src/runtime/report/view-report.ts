/**
 * What a replica tells of its views: metrics, and log lines that let an operator follow a view change without any other
 * source: why a view is left, which timer ran, which request waited, whose ViewChanges are held, what is missing.
 *
 * A view is left once, awaited once and entered once, so these lines follow the views and flood nothing; what goes on
 * between two views is told every ten seconds.
 */
import type { Logger } from '../../ports/logger.js';
import type { Metrics } from '../../ports/metrics.js';
import type { TimerService } from '../../ports/timer-service.js';
import type { Explanation } from '../../protocol/explanation.js';
import type { View } from '../../protocol/identifiers.js';
import type { Note } from '../../protocol/notes.js';
import { explanationText, missingText, nameById, requestText, timerText, viewChangesText } from './explanation-text.js';
import { LineLimit } from './line-limit.js';

/** What it writes to. */
export interface ViewReportOptions {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly timers: Pick<TimerService, 'elapsedMs'>;
}

const STILL_WAITING_INTERVAL_MS = 10_000;

/** Metrics and log lines about views. */
export class ViewReport {
  private readonly lineLimit: LineLimit;
  private readonly waitingLimit: LineLimit;

  constructor(private readonly options: ViewReportOptions) {
    this.lineLimit = new LineLimit(options.timers);
    this.waitingLimit = new LineLimit(options.timers, STILL_WAITING_INTERVAL_MS);
  }

  /** It left its view. */
  onLeft({ from, to, cause, timeoutMs, explanation }: Extract<Note, { kind: 'viewLeft' }>): void {
    this.options.metrics.increment('pbft_view_changes_total', { cause });
    this.options.logger.info({ from, to, cause, timeoutMs, ...waitingFields(explanation) }, 'left the view');
    // The next line about this view change comes after some time in it.
    this.waitingLimit.take('waiting');
  }

  /** A quorum left: the new primary has a timeout to begin the view. */
  onAwaited({ view, explanation }: Extract<Note, { kind: 'viewAwaited' }>): void {
    this.options.logger.info({ view, ...waitingFields(explanation) }, 'a quorum left for this view or later ones');
  }

  /** It is active in a view. */
  onEntered({
    view,
    durationMs,
    proposedAgain,
    nullBatches,
    viewChangesOf,
  }: Extract<Note, { kind: 'viewEntered' }>): void {
    this.options.metrics.observe('pbft_view_change_seconds', {}, durationMs / 1_000);
    this.options.logger.info({ view, durationMs, proposedAgain, nullBatches, viewChangesOf }, 'entered the view');
  }

  /** The oldest request waits longer than the timeout. */
  onOverdue(explanation: Explanation): void {
    const omitted = this.lineLimit.take('overdue');
    if (omitted !== undefined) {
      const fields = { waitedMs: explanation.oldestRequest?.waitedMs ?? 0, ...waitingFields(explanation), omitted };
      this.options.logger.warn(fields, 'the oldest request waits longer than the request timeout');
    }
  }

  /** It is between two views; `explain` is asked only where a line is due. */
  onBetweenViews(view: View, explain: () => Explanation): void {
    if (this.waitingLimit.take('waiting') !== undefined) {
      this.options.logger.info({ view, waitingFor: explanationText(explain(), view, nameById) }, 'between two views');
    }
  }
}

/** What a log line says of the waiting; what there is not is left out. */
function waitingFields({ oldestRequest, timer, timeoutMs, viewChanges, missing }: Explanation): Record<string, string> {
  return {
    ...(oldestRequest === undefined ? {} : { oldestRequest: requestText(oldestRequest) }),
    ...(timer === undefined ? {} : { timer: timerText(timer, timeoutMs) }),
    ...(viewChanges.length === 0 ? {} : { viewChanges: viewChangesText(viewChanges, nameById) }),
    ...(missing.length === 0 ? {} : { missing: missingText(missing, nameById) }),
  };
}
