/**
 * How many callers' operations are served at one time. One whose caller is gone counts until it is done: it holds
 * memory and a place in the replica's queues all the same.
 */

/** Counts what is under way against a bound. */
export class CallLimit {
  readonly #callsMax: number;
  #underWay = 0;

  constructor(callsMax: number) {
    this.#callsMax = callsMax;
  }

  /** Serves a call where there is a place for it; undefined where there is none. */
  async run<T>(serve: () => Promise<T>): Promise<T | undefined> {
    if (this.#underWay >= this.#callsMax) {
      return undefined;
    }
    this.#underWay++;
    try {
      return await serve();
    } finally {
      this.#underWay--;
    }
  }
}
