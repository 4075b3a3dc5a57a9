/**
 * Queries that are not ordered, answered from executed state: possibly stale, and the answer says of when.
 *
 * 1. What a query reads is bounded as the application announces it, bytes included.
 * 2. So many read at a time, cheap and costly ones apart: those who read much take turns among themselves, and don't
 *    fill the memory and the disk's queue before those who read little. What waits is bounded by the callers' port.
 */
import type { Completion, StoreEntry } from '../../ports/key-value-store.js';
import type { ReplicaStore } from '../../ports/replica-store.js';
import type { QueryStore, StateMachine } from '../../ports/state-machine.js';
import type { Digest } from '../../util/digest.js';
import { Fifo } from '../../util/fifo.js';
import { ok, type Result } from '../../util/result.js';
import type { PreparedOperations } from '../execution/prepared-operations.js';
import type { Executed, SubmitFailure } from '../face.js';
import { type Lane, laneOf } from './waiting-calls.js';

/** What queries are answered from. */
export interface QueryServiceOptions {
  readonly store: Pick<ReplicaStore, 'getApplication' | 'readApplication'>;
  readonly stateMachine: Pick<StateMachine, 'query'>;
  readonly operations: Pick<PreparedOperations, 'prepare'>;
  /** The last executed sequence with its header digest. */
  readonly executed: () => { readonly lastExecuted: number; readonly lastHeaderDigest: Digest };
  readonly view: () => number;
}

/** The most queries that read at one time. */
const READING_MAX: Readonly<Record<Lane, number>> = { cheap: 64, costly: 4 };

/** Answers queries. */
export class QueryService {
  private readonly reading: Record<Lane, number> = { cheap: 0, costly: 0 };
  private readonly waiting: Readonly<Record<Lane, Fifo<() => void>>> = { cheap: new Fifo(), costly: new Fifo() };

  constructor(private readonly options: QueryServiceOptions) {}

  /** Answers one query; the state it reads is that of the returned sequence or later. */
  async answer(query: Uint8Array): Promise<Result<Executed, SubmitFailure>> {
    const lane = laneOf(this.options.operations.prepare(query).cost);
    if (this.reading[lane] >= READING_MAX[lane]) {
      await new Promise<void>((resolve) => {
        this.waiting[lane].push(resolve);
      });
    } else {
      this.reading[lane]++;
    }
    try {
      return await this.read(query);
    } finally {
      // The place goes to whoever waits longest.
      const next = this.waiting[lane].shift();
      if (next === undefined) {
        this.reading[lane]--;
      } else {
        next();
      }
    }
  }

  private async read(query: Uint8Array): Promise<Result<Executed, SubmitFailure>> {
    const { store, stateMachine, executed, view } = this.options;
    const { lastExecuted: sequence, lastHeaderDigest: headerDigest } = executed();
    const asOf = { sequence, headerDigest, view: view() };
    const queryStore: QueryStore = {
      get: async (key) =>
        (await complete<readonly (Uint8Array | undefined)[]>((done) => store.getApplication([key], done)))[0],
      range: ({ first, end, limit, bytesMax = RANGE_BYTES_MAX }) =>
        complete<readonly StoreEntry[]>((done) => store.readApplication({ first, end, limit, bytesMax }, done)),
    };
    return ok({ result: await stateMachine.query(query, queryStore), ...asOf });
  }
}

/** What one range reads where the application gives no bound, at least one entry. */
const RANGE_BYTES_MAX = 2_097_152;

function complete<T>(call: (done: Completion<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((result) => (result.ok ? resolve(result.value) : reject(new Error(result.error.message))));
  });
}
