/**
 * What callers of the key-value store did and were told: invocations and responses on one monotonic clock. A call whose
 * outcome is unknown has no response: it may take effect at any time after its invocation, or never.
 */

/** What a compare-and-swap expects of the key. */
export type ExpectedState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'version'; readonly version: number };

/** An operation on one key. */
export type KeyValueInput =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'delete'; readonly key: string }
  | {
      readonly kind: 'compareAndSwap';
      readonly key: string;
      readonly expected: ExpectedState;
      readonly value: string;
    };

/** What it answered; the version is 0 where the key is absent. */
export type KeyValueOutput =
  | { readonly kind: 'put'; readonly version: number }
  | { readonly kind: 'get'; readonly value: string | undefined; readonly version: number }
  | { readonly kind: 'delete'; readonly found: boolean }
  | { readonly kind: 'compareAndSwap'; readonly swapped: boolean; readonly version: number };

/** A response. */
export interface Completion {
  /** After the invocation; no two moments of a history are equal. */
  readonly at: number;
  readonly output: KeyValueOutput;
  /** The place in the total order that the answer named. */
  readonly sequence: number;
}

/** One call. */
export interface HistoryEntry {
  readonly client: number;
  readonly input: KeyValueInput;
  readonly invokedAt: number;
  /** Undefined where the outcome is unknown. */
  readonly completion: Completion | undefined;
}

/** A call in a line, for whoever reads why a history is refused. */
export function describeEntry({ client, input, invokedAt, completion }: HistoryEntry): string {
  const { kind, key, ...rest } = input;
  const response =
    completion === undefined
      ? 'outcome unknown'
      : `${JSON.stringify(completion.output)} at ${completion.at}, sequence ${completion.sequence}`;
  return `client ${client} at ${invokedAt}: ${kind} ${key} ${JSON.stringify(rest)} → ${response}`;
}
