/** Queries that are not ordered, answered from executed state: possibly stale, and the answer says of when. */
import type { Completion, StoreEntry } from '../ports/key-value-store.js';
import type { ReplicaStore } from '../ports/replica-store.js';
import type { QueryStore, StateMachine } from '../ports/state-machine.js';
import type { Digest } from '../util/digest.js';
import { ok, type Result } from '../util/result.js';
import type { Executed, SubmitFailure } from './face.js';

/** What queries are answered from. */
export interface QueryServiceOptions {
  readonly store: Pick<ReplicaStore, 'getApplication' | 'readApplication'>;
  readonly stateMachine: Pick<StateMachine, 'query'>;
  /** The last executed sequence with its header digest, and the view. */
  readonly position: () => { readonly sequence: number; readonly headerDigest: Digest; readonly view: number };
}

/** Answers one query; the state it reads is that of the returned sequence or later. */
export async function answerQuery(
  query: Uint8Array,
  { store, stateMachine, position }: QueryServiceOptions,
): Promise<Result<Executed, SubmitFailure>> {
  const asOf = position();
  const queryStore: QueryStore = {
    get: async (key) =>
      (await read<readonly (Uint8Array | undefined)[]>((done) => store.getApplication([key], done)))[0],
    range: ({ first, end, limit }) =>
      read<readonly StoreEntry[]>((done) => store.readApplication({ first, end, limit }, done)),
  };
  return ok({ result: await stateMachine.query(query, queryStore), ...asOf });
}

function read<T>(call: (done: Completion<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((result) => (result.ok ? resolve(result.value) : reject(new Error(result.error.message))));
  });
}
