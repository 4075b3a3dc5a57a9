/** What runs add up to. */
import { VIEW_SITUATIONS, type ViewSituation } from './checks/view-tally.js';
import type { RunOutcome } from './run.js';

/** What is reported of one seed. */
export type SeedReport = Omit<RunOutcome, 'traceLines' | 'situations'> &
  Partial<Pick<RunOutcome, 'situations'>> & { readonly wallMs: number };

/** What happened as views changed, in words. */
const SITUATION_WORDS: Readonly<Record<ViewSituation, string>> = {
  newViews: 'new views',
  proposing: 'that propose again',
  olderThanLast: 'from older than the last view',
  twoViews: 'with certificates of two views',
  twoDigests: 'that contradict each other',
  gaps: 'with gaps',
  minAhead: 'stable checkpoints by a new view',
  olderCommits: "executions by an older view's commits",
  startsBetweenViews: 'starts between views',
};

/** The sums over many seeds. */
export class Totals {
  seeds = 0;
  readonly failures: SeedReport[] = [];
  private steps = 0;
  private messages = 0;
  private virtualMs = 0;
  private operations = 0;
  private undecided = 0;
  private views = 0;
  private seedsWithViews = 0;
  private unknownOutcomes = 0;
  private readonly seedsWithFault = new Map<string, number>();
  private readonly situations = new Map<ViewSituation, number>();
  private readonly seedsOfSize = new Map<number, number>();
  private withRealSignatures = 0;
  private readonly wallMs: number[] = [];

  /** Adds a seed. */
  add(report: SeedReport): void {
    this.seeds++;
    this.steps += report.steps;
    this.messages += report.messages;
    this.virtualMs += report.virtualMs;
    this.operations += report.operations;
    this.views += report.views;
    this.seedsWithViews += report.views > 0 ? 1 : 0;
    this.undecided += report.undecided ? 1 : 0;
    this.unknownOutcomes += report.unknownOutcomes;
    for (const kind of [...Object.keys(report.faults), ...report.strategies]) {
      this.seedsWithFault.set(kind, (this.seedsWithFault.get(kind) ?? 0) + 1);
    }
    for (const situation of VIEW_SITUATIONS) {
      // Reports of earlier swarms may not have it.
      const count = report.situations?.[situation] ?? 0;
      this.situations.set(situation, (this.situations.get(situation) ?? 0) + count);
    }
    this.seedsOfSize.set(report.replicaCount, (this.seedsOfSize.get(report.replicaCount) ?? 0) + 1);
    this.withRealSignatures += report.hasRealSignatures ? 1 : 0;
    this.wallMs.push(report.wallMs);
    if (report.violation !== undefined) {
      this.failures.push(report);
    }
  }

  /** How long the seeds took one after the other. */
  get seedsMs(): number {
    return this.wallMs.reduce((sum, ms) => sum + ms, 0);
  }

  private sizes(): string {
    return [...this.seedsOfSize]
      .sort(([left], [right]) => left - right)
      .map(([size, seeds]) => `${seeds} of ${size}`)
      .join(', ');
  }

  private changes(): string {
    return [...this.situations].map(([situation, count]) => `${count} ${SITUATION_WORDS[situation]}`).join(', ');
  }

  /** The share of seeds in which each kind of fault began, in percent. */
  private shares(): string {
    return [...this.seedsWithFault]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([kind, seeds]) => `${kind} ${((100 * seeds) / this.seeds).toFixed(0)} %`)
      .join(', ');
  }

  /** The sums in a few lines. `elapsedMs` is how long the campaign took. */
  summary(elapsedMs: number): string {
    const virtualHours = this.virtualMs / 3_600_000;
    return [
      `seeds            ${this.seeds}, ${this.failures.length} failed`,
      `replicas         ${this.sizes()}; ${this.withRealSignatures} seeds with real signatures`,
      `events           ${this.steps}, of them ${this.messages} messages`,
      `operations       ${this.operations} answered, ${this.unknownOutcomes} with an unknown outcome`,
      `view changes     ${this.views} in ${this.seedsWithViews} seeds`,
      `as views change  ${this.changes()}`,
      `histories        ${this.seeds - this.undecided} decided by search, ${this.undecided} given up`,
      `seeds with       ${this.shares()}`,
      `virtual time     ${virtualHours.toFixed(2)} hours, ${(this.virtualMs / elapsedMs).toFixed(0)} times real time`,
      `time of a seed   median ${medianOf(this.wallMs).toFixed(0)} ms, longest ${Math.max(0, ...this.wallMs).toFixed(0)} ms`,
      `rate             ${((1_000 * this.seeds) / elapsedMs).toFixed(1)} seeds/s in ${(elapsedMs / 1_000).toFixed(1)} s`,
    ].join('\n');
  }
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
