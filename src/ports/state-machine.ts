/**
 * The replicated application. It gets operations in order and a store of its own, and returns results; persistence,
 * snapshots, state transfer and exactly-once execution are not its business.
 *
 * It must be deterministic: the same operations give the same results and writes at every replica. No clock, no
 * randomness, no order of a hash table, no locale; the agreed time comes with the context.
 */

/** A key of the application's own store, 0 to 4,096 bytes. */
export type Key = Uint8Array;

/** Keys from `first` (included) to `end` (excluded; undefined for no end), ordered by bytes. */
export interface ApplicationRange {
  readonly first: Key;
  readonly end: Key | undefined;
  /** 1 to 1,000. */
  readonly limit: number;
  /**
   * Reading may end before keys and values exceed this, at least one entry in; absent for no bound. What is cut off
   * may differ between replicas, so no result may depend on entries beyond it.
   */
  readonly bytesMax?: number;
}

/** What the agreement says about the operation. */
export interface ExecutionContext {
  readonly sequence: number;
  /** The operation's place in its batch, 0 to 65,535. */
  readonly index: number;
  /** Agreed time, milliseconds since 1970. */
  readonly timestampMs: number;
  /** 64 hexadecimal digits. */
  readonly clientId: string;
}

/** The application's state during execution. Keys and ranges that the operation didn't announce throw: a bug. */
export interface ExecutionStore {
  get(key: Key): Uint8Array | undefined;
  range(range: ApplicationRange): readonly { readonly key: Key; readonly value: Uint8Array }[];
  put(key: Key, value: Uint8Array): void;
  delete(key: Key): void;
}

/** The application's executed state, for queries that are not ordered. */
export interface QueryStore {
  get(key: Key): Promise<Uint8Array | undefined>;
  range(range: ApplicationRange): Promise<readonly { readonly key: Key; readonly value: Uint8Array }[]>;
}

/** The longest result of an operation that says no cost. */
export const DEFAULT_RESULT_BYTES_MAX = 65_536;

/** An operation that was looked at: what follows from its bytes alone, and how it is executed. */
export interface PreparedOperation {
  /** The keys that executing it reads; they are read ahead for a whole batch. */
  readonly keys: readonly Key[];
  /** The ranges that executing it reads; absent for none. Each costs a read of its own before the operation. */
  readonly ranges?: readonly ApplicationRange[];
  /**
   * What executing it costs at most, so that all replicas say the same whatever their state: bytes read and answered
   * together, with something for each entry; a safe integer from 0. Requests and batches hold operations up to a cost as
   * up to a length, callers take turns by it, and one that costs more than a request may is refused. It binds: a result
   * that is longer is not kept and reads as too long.
   *
   * Where it is absent, an operation costs its bytes and `DEFAULT_RESULT_BYTES_MAX`: right for an application whose
   * results are short and that reads a few short values; one that reads much must say so, or its callers can make
   * replicas do more than a batch should.
   */
  readonly cost?: number;
  /** Why it is refused at the door: the field and what is wrong with it; absent where it isn't. */
  readonly objection?: { readonly field: string; readonly description: string };
  /**
   * Executes it. Total: a malformed operation has a result too. An exception stops the replica. A result longer than the
   * genesis allows (`resultBytesMax`), or than the operation's cost, is dropped: what it did stays done.
   */
  execute(context: ExecutionContext, store: ExecutionStore): Uint8Array;
}

/**
 * An application.
 *
 * @example
 * ```ts
 * import type { StateMachine } from 'pbft';
 *
 * const KEY = new TextEncoder().encode('count');
 *
 * // Counts how many operations there were.
 * export const stateMachine: StateMachine = {
 *   name: 'counter',
 *   prepare: (operation) => ({
 *     keys: [KEY],
 *     cost: operation.length + 16,
 *     execute(_context, store) {
 *       const before = store.get(KEY);
 *       const count = 1 + Number(before === undefined ? 0 : new TextDecoder().decode(before));
 *       const after = new TextEncoder().encode(String(count));
 *       store.put(KEY, after);
 *       return after;
 *     },
 *   }),
 *   query: async (_query, store) => (await store.get(KEY)) ?? new Uint8Array(),
 * };
 * ```
 */
export interface StateMachine {
  /** Stands in the genesis, so that all replicas run the same one. */
  readonly name: string;
  /**
   * Looks at an operation, once a replica that has it: takes it apart, and says what executing it reads and costs. By its
   * bytes alone. Total, and quick: it is asked before signatures are checked, of bytes that anybody may have sent.
   */
  prepare(operation: Uint8Array): PreparedOperation;
  /** Answers a query from executed state, not ordered. */
  query(query: Uint8Array, store: QueryStore): Promise<Uint8Array>;
}
