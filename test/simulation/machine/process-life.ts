/**
 * One life of a process, from start to crash. Everything that goes in or out passes here, which is how a process can
 * stop between any two of its effects: after its end nothing that it still computes has any effect, and nothing reaches
 * it any more.
 */

/** One incarnation of a process. */
export class ProcessLife {
  private over = false;
  /** What waits while the process is paused; undefined while it runs. */
  private held: (() => void)[] | undefined;
  /** Calls to the machine that are left before it crashes. */
  private fuse: number | undefined;

  constructor(
    /** The fuse burnt down: the process ends in the middle of what it does. */
    private readonly onFuse: () => void,
    /** It threw something, which no process should. */
    private readonly onThrown: (error: unknown) => void,
  ) {}

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.over;
  }

  /** Whether it is paused. */
  get isPaused(): boolean {
    return this.held !== undefined;
  }

  /** The process calls the machine: returns whether that has any effect. */
  act(): boolean {
    if (this.over) {
      return false;
    }
    if (this.fuse !== undefined) {
      if (this.fuse <= 0) {
        this.fuse = undefined;
        this.onFuse();
        return !this.over;
      }
      this.fuse--;
    }
    return true;
  }

  /** The machine calls the process: now, when it goes on, or never. */
  enter(run: () => void): void {
    if (this.over) {
      return;
    }
    if (this.held !== undefined) {
      this.held.push(run);
      return;
    }
    try {
      run();
    } catch (error) {
      // What a process does after its end is nobody's business.
      if (!this.over) {
        this.onThrown(error);
      }
    }
  }

  /** After so many more calls to the machine it crashes. */
  lightFuse(calls: number): void {
    this.fuse = calls;
  }

  /** It does not crash by itself any more. */
  putOutFuse(): void {
    this.fuse = undefined;
  }

  /** Stops it where it stands, as SIGSTOP does. */
  pause(): void {
    this.held ??= [];
  }

  /** Goes on with what came meanwhile, in order. */
  resume(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const run of held) {
      this.enter(run);
    }
  }

  /** The end. */
  end(): void {
    this.over = true;
    this.held = undefined;
  }
}
