/** A process that runs seeds with the code of one checkout, patched or not. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Violation } from '../simulation/checks/observer.js';

/** What a seed showed. */
export interface SeedAnswer {
  readonly violation?: Violation | undefined;
  /** The run itself broke: no invariant says anything then. */
  readonly failure?: string;
}

/** Longer than any seed takes: a bug may also make it run for ever. */
const SEED_MS_MAX = 120_000;

/** Runs seeds, one at a time. */
export class SeedWorker {
  private readonly child: ChildProcess;
  private errors = '';

  constructor(root: string) {
    this.child = fork(join(root, 'test/planted-bugs/seed-server.ts'), [], {
      cwd: root,
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(0, 4_000);
    });
  }

  /** Runs one seed. */
  run(seed: number): Promise<SeedAnswer> {
    const { child } = this;
    return new Promise((resolve) => {
      const finish = (answer: SeedAnswer): void => {
        clearTimeout(deadline);
        child.off('message', onMessage).off('exit', onExit);
        resolve(answer);
      };
      const onMessage = (answer: unknown): void => finish(answer as SeedAnswer);
      const onExit = (): void => finish({ failure: `seed ${seed} ended its process: ${this.firstError()}` });
      const deadline = setTimeout(() => {
        finish({ failure: `seed ${seed} did not end in ${SEED_MS_MAX / 1_000} s` });
        child.kill('SIGKILL');
      }, SEED_MS_MAX);
      child.once('message', onMessage).once('exit', onExit);
      if (child.connected) {
        child.send(seed, () => undefined);
      } else if (child.exitCode !== null) {
        onExit();
      }
    });
  }

  /** Ends the process. */
  stop(): void {
    this.child.kill('SIGKILL');
  }

  private firstError(): string {
    return this.errors.split('\n').find((line) => line.includes('Error')) ?? 'it said nothing';
  }
}
