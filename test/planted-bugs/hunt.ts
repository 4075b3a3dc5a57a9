/**
 * Looking for a planted bug: seeds from a starting point until one shows a violation, or the test file that has to fail.
 * What the unpatched code doesn't stand either catches nothing: each seed that shows the bug, and each test file, is
 * run with the unpatched code too.
 */
import { performance } from 'node:perf_hooks';
import type { SuiteResult } from '../support/suite-run.js';
import { PatchedCopy } from './patched-copy.js';
import type { PlantedBug } from './planted-bug.js';
import { SeedWorker } from './seed-worker.js';

/** How a bug was caught, or why it was not. */
export type Verdict =
  | {
      readonly kind: 'caught';
      /** The invariants' numbers or the test file. */
      readonly by: string;
      /** What showed it: a violation's text or a test's title. */
      readonly shown: string;
      /** Seeds to detection, from each starting point; empty for a test. */
      readonly seeds: readonly number[];
    }
  | { readonly kind: 'missed'; readonly reason: string };

/** What became of a bug. */
export interface HuntReport {
  readonly bug: PlantedBug;
  readonly verdict: Verdict;
  readonly wallMs: number;
}

/** What a hunt works with. */
export interface HuntOptions {
  readonly checkout: string;
  /** Where to begin: the bug's own quick seed, or the same seeds for all bugs. */
  readonly startingPoints: readonly number[] | 'quick';
  /** So many seeds from a starting point must be enough. */
  readonly seedsMax: number;
  /** A seed that takes longer shows nothing. */
  readonly seedMsMax: number;
  /** Runs a test file in a checkout. */
  readonly runTest: (root: string, file: string) => Promise<SuiteResult>;
  /** What test files show with the unpatched code: filled by all hunters that share it. */
  readonly controlTests: Map<string, Promise<SuiteResult>>;
}

/** Looks for bugs, one after the other. */
export class Hunter {
  private readonly copy: PatchedCopy;
  private control: SeedWorker | undefined;

  constructor(private readonly options: HuntOptions) {
    this.copy = new PatchedCopy(options.checkout);
  }

  /** Plants the bug and looks for it. */
  async hunt(bug: PlantedBug): Promise<HuntReport> {
    const startedMs = performance.now();
    const verdict = await this.judge(bug);
    return { bug, verdict, wallMs: performance.now() - startedMs };
  }

  /** Ends what runs for it, and deletes its copy. */
  stop(): void {
    this.control?.stop();
    this.copy.remove();
  }

  private async judge({ path, catcher }: PlantedBug): Promise<Verdict> {
    const { copy } = this;
    const refusal = copy.plant(path);
    if (refusal !== undefined) {
      return { kind: 'missed', reason: refusal };
    }
    try {
      return catcher.kind === 'test'
        ? await this.huntByTest(copy.root, catcher.file)
        : await this.huntBySeeds(copy.root, catcher.quickSeed);
    } finally {
      copy.restore();
    }
  }

  private async huntByTest(root: string, file: string): Promise<Verdict> {
    const { checkout, runTest, controlTests } = this.options;
    const { failures, passed } = await runTest(root, file);
    const [title] = failures;
    if (title === undefined) {
      return { kind: 'missed', reason: `${file} passes` };
    }
    if (passed === 0) {
      return { kind: 'missed', reason: `nothing in ${file} passes, so it may not even run: ${title}` };
    }
    const control = controlTests.get(file) ?? runTest(checkout, file);
    controlTests.set(file, control);
    const [unpatched] = (await control).failures;
    return unpatched === undefined
      ? { kind: 'caught', by: file, shown: title.slice(`${file}: `.length), seeds: [] }
      : { kind: 'missed', reason: `the unpatched code fails too: ${unpatched}` };
  }

  private async huntBySeeds(root: string, quickSeed: number): Promise<Verdict> {
    const { startingPoints, seedMsMax } = this.options;
    const worker = new SeedWorker(root, seedMsMax);
    try {
      const invariants = new Map<number, number>();
      const seeds: number[] = [];
      let shown = '';
      for (const first of startingPoints === 'quick' ? [quickSeed] : startingPoints) {
        const found = await this.searchFrom(worker, first);
        if ('reason' in found) {
          return { kind: 'missed', reason: found.reason };
        }
        invariants.set(found.invariant, (invariants.get(found.invariant) ?? 0) + 1);
        seeds.push(found.seeds);
        shown ||= found.shown;
      }
      const by = [...invariants].sort(([, left], [, right]) => right - left).map(([invariant]) => invariant);
      return { kind: 'caught', by: `invariant ${by.join(', ')}`, shown, seeds };
    } finally {
      worker.stop();
    }
  }

  private async searchFrom(
    worker: SeedWorker,
    first: number,
  ): Promise<
    { readonly invariant: number; readonly seeds: number; readonly shown: string } | { readonly reason: string }
  > {
    const { seedsMax, seedMsMax, checkout } = this.options;
    for (let seeds = 1; seeds <= seedsMax; seeds++) {
      const seed = first + seeds - 1;
      const { violation, failure } = await worker.run(seed);
      if (failure !== undefined) {
        return { reason: failure };
      }
      if (violation !== undefined) {
        this.control ??= new SeedWorker(checkout, seedMsMax);
        const unpatched = await this.control.run(seed);
        const text = unpatched.isUnfinished ? 'it does not end' : (unpatched.failure ?? unpatched.violation?.text);
        return text === undefined
          ? { invariant: violation.invariant, seeds, shown: `seed ${seed}: ${violation.text}` }
          : { reason: `the unpatched code fails too with seed ${seed}: ${text}` };
      }
    }
    return { reason: `${seedsMax} seeds from ${first} show nothing` };
  }
}
