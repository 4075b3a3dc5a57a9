/** Many seeds on several processes: each takes the next seed when it is done with one. */
import { type ChildProcess, fork } from 'node:child_process';
import type { SeedReport } from './report.js';

/** What a campaign needs. */
export interface CampaignOptions {
  readonly seeds: readonly number[];
  readonly workers: number;
  /** The module that answers to seeds; it gets `--worker`. */
  readonly module: string;
  readonly onReport: (report: SeedReport) => void;
  /** Asked before each seed: whether to begin no more. */
  readonly isOver: () => boolean;
}

/** Runs the seeds; resolves when each that was begun has its report. */
export async function runCampaign(options: CampaignOptions): Promise<void> {
  const waiting = [...options.seeds];
  const count = Math.min(options.workers, waiting.length);
  await Promise.all(Array.from({ length: count }, () => runWorker(options, waiting)));
}

function runWorker({ module, onReport, isOver }: CampaignOptions, waiting: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker: ChildProcess = fork(module, ['--worker'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    let current: number | undefined;
    const next = (): void => {
      current = isOver() ? undefined : waiting.shift();
      if (current === undefined) {
        worker.disconnect();
      } else {
        worker.send(current);
      }
    };
    worker.on('message', (report) => {
      onReport(report as SeedReport);
      next();
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (current === undefined) {
        resolve();
      } else {
        reject(new Error(`the process that ran seed ${current} ended with code ${code}`));
      }
    });
    next();
  });
}

/** Answers seeds with their reports, for as long as the parent is there. */
export function serveSeeds(report: (seed: number) => SeedReport): void {
  process.on('message', (seed) => {
    process.send?.(report(Number(seed)));
  });
}
