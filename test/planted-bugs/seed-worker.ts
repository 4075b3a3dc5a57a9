/** A process that runs seeds with the code of one checkout, patched or not. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Violation } from '../simulation/checks/observer.js';

/** What a seed showed. */
export interface SeedAnswer {
  readonly violation?: Violation | undefined;
  /** The run itself broke: no invariant says anything then. */
  readonly failure?: string;
  /** A bug may also make a run last for hours: it was ended, and showed nothing. */
  readonly isUnfinished?: boolean;
}

/** Runs seeds, one at a time. */
export class SeedWorker {
  private child: ChildProcess;
  private errors = '';

  /** Seeds may take so long, the start of the process included. */
  constructor(
    private readonly root: string,
    private readonly seedMsMax: number,
  ) {
    this.child = this.start();
  }

  /** Runs one seed. */
  run(seed: number): Promise<SeedAnswer> {
    const { child, seedMsMax } = this;
    return new Promise((resolve) => {
      const finish = (answer: SeedAnswer): void => {
        clearTimeout(deadline);
        child.off('message', onMessage).off('exit', onExit);
        resolve(answer);
      };
      const onMessage = (answer: unknown): void => finish(answer as SeedAnswer);
      const onExit = (): void => finish({ failure: `seed ${seed} ended its process: ${this.firstError()}` });
      const deadline = setTimeout(() => {
        finish({ isUnfinished: true });
        this.stop();
        this.child = this.start();
      }, seedMsMax);
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

  private start(): ChildProcess {
    const child = fork(join(this.root, 'test/planted-bugs/seed-server.ts'), [], {
      cwd: this.root,
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(0, 4_000);
    });
    return child;
  }

  private firstError(): string {
    return this.errors.split('\n').find((line) => line.includes('Error')) ?? 'it said nothing';
  }
}
