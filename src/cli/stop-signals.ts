/** The signals by which a person or a supervisor asks this process to stop. */

const NAMES = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Catches them until it is released: nothing but this decides how the process ends. */
export class StopSignals {
  /** Settled at the first signal. */
  readonly requested: Promise<NodeJS.Signals>;
  private firstName: NodeJS.Signals | undefined;
  private readonly listener: (name: NodeJS.Signals) => void;

  /** `onRepeat` is called for every further signal. */
  constructor(onRepeat: () => void = () => undefined) {
    let settle: (name: NodeJS.Signals) => void = () => undefined;
    this.requested = new Promise((resolve) => {
      settle = resolve;
    });
    this.listener = (name) => {
      if (this.firstName === undefined) {
        this.firstName = name;
        settle(name);
      } else {
        onRepeat();
      }
    };
    for (const name of NAMES) {
      process.on(name, this.listener);
    }
  }

  /** The first signal, undefined while there was none. */
  get first(): NodeJS.Signals | undefined {
    return this.firstName;
  }

  /** Catches no more. */
  release(): void {
    for (const name of NAMES) {
      process.off(name, this.listener);
    }
  }
}
