/** A caller of the key-value store whose calls are written down in a history, for the checkers of linearizability. */
import type { Client, ClientExpectation, WriteOptions } from '../../src/client/client.js';
import { ClientError } from '../../src/client/client-error.js';
import type { HistoryRecorder } from '../simulation/work/history-recorder.js';
import type { ExpectedState, KeyValueInput, KeyValueOutput } from './linearizability/history.js';

/** What every answer has. */
interface Answer {
  readonly sequence: number;
  readonly view: number;
}

/** What a caller needs. */
export interface RecordedCallerOptions {
  readonly id: number;
  /** Asked for at each call: a replica that is started again has another one. */
  readonly client: () => Client;
  readonly history: HistoryRecorder;
  readonly timeoutMs: number;
}

/** One caller, one call at a time. Every call rejects with a ClientError, as those of a client do. */
export class RecordedCaller {
  readonly #options: RecordedCallerOptions;

  constructor(options: RecordedCallerOptions) {
    this.#options = options;
  }

  /** Puts a text; resolves with the place and the version that it got. */
  put(key: string, value: string): Promise<Answer & { readonly version: number }> {
    const call = (options: WriteOptions) => this.#options.client().put(key, value, options);
    return this.#record({ kind: 'put', key, value }, call, ({ version }) => ({ kind: 'put', version }));
  }

  /** Reads a text in order. */
  get(key: string): Promise<Answer & { readonly value: string | undefined; readonly version: number }> {
    const call = async (options: WriteOptions) => {
      const { value, ...rest } = await this.#options.client().get(key, options);
      return { ...rest, value: value === undefined ? undefined : String(value) };
    };
    return this.#record({ kind: 'get', key }, call, ({ value, version }) => ({ kind: 'get', value, version }));
  }

  /** Puts a text where the key has this version; 0 where it is absent. */
  swap(
    key: string,
    change: { readonly version: number; readonly value: string },
  ): Promise<Answer & { readonly swapped: boolean; readonly version: number }> {
    const { version, value } = change;
    const isFirst = version === 0;
    const expected: ClientExpectation = isFirst ? { absent: true } : { version };
    const recorded: ExpectedState = isFirst ? { kind: 'absent' } : { kind: 'version', version };
    return this.#record(
      { kind: 'compareAndSwap', key, expected: recorded, value },
      (options) => this.#options.client().compareAndSwap(key, { expected, value }, options),
      (answer) => ({ kind: 'compareAndSwap', swapped: answer.swapped, version: answer.version }),
    );
  }

  async #record<T extends Answer>(
    input: KeyValueInput,
    call: (options: WriteOptions) => Promise<T>,
    outputOf: (answer: T) => KeyValueOutput,
  ): Promise<T> {
    const { history, id, timeoutMs } = this.#options;
    const open = history.invoke(id, input);
    try {
      const answer = await call({ timeoutMs });
      open.answer(outputOf(answer), answer.sequence);
      return answer;
    } catch (error) {
      // What was surely not taken, or could change nothing, never happened.
      if (error instanceof ClientError && error.outcomeKnown) {
        open.refuse();
      }
      throw error;
    }
  }
}
