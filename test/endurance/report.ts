/** What an endurance run prints: a line a round, and what all of them were like. */
import type { RoundReport } from './rounds.js';

/** A round in a line. */
export function formatRound(report: RoundReport, rounds: number): string {
  const { plan, hitPrimary, acknowledged, failed, unknown, servesMs, levelMs, view, sequence } = report;
  const who = plan.victims.length > 1 ? 'all' : `replica ${plan.victims[0]}`;
  const killed = `${who}${hitPrimary && plan.victims.length === 1 ? ', the primary,' : ''} ${plan.signal === 'SIGKILL' ? 'killed' : 'stopped'}`;
  const calls = `${acknowledged} puts acknowledged, ${failed} calls failed, ${unknown} puts of unknown outcome`;
  const times = `serves after ${seconds(servesMs)}, level after ${seconds(levelMs)}`;
  return `round ${plan.round} of ${rounds}: ${killed}; ${calls}; ${times}; view ${view}, sequence ${sequence}`;
}

/** All rounds together. */
export function formatSummary(reports: readonly RoundReport[], tookMs: number): string {
  const count = (isOne: (report: RoundReport) => boolean): number => reports.filter(isOne).length;
  const sum = (of: (report: RoundReport) => number): string =>
    reports.reduce((total, report) => total + of(report), 0).toLocaleString('en');
  const all = count(({ plan }) => plan.victims.length > 1);
  const primaries = count(({ plan, hitPrimary }) => hitPrimary && plan.victims.length === 1);
  const serves = reports.map(({ servesMs }) => servesMs).sort((left, right) => left - right);
  const last = reports.at(-1);
  return [
    `${reports.length} rounds took ${Math.round(tookMs / 1_000)} s: all replicas ended in ${all}, the primary alone in ${primaries}, a backup in ${reports.length - all - primaries}`,
    `${sum(({ acknowledged }) => acknowledged)} puts acknowledged, all there; ${sum(({ failed }) => failed)} calls failed, ${sum(({ unknown }) => unknown)} puts of unknown outcome`,
    `served again after ${seconds(serves[serves.length >> 1] ?? 0)} in the median, ${seconds(serves.at(-1) ?? 0)} at most; ended in view ${last?.view ?? 0} at sequence ${last?.sequence ?? 0}`,
  ].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
