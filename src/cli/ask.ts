/** Asks the replicas that a command may ask: one, or in turn as the client library does. */
import { type CallOptions, type Client, connect } from '../client/client.js';
import type { Target } from './reach.js';

/** A call to a replica. */
export type Call<Answer> = (client: Client, options: Required<Omit<CallOptions, 'signal'>>) => Promise<Answer>;

/** Makes the call at one of the targets. Rejects with a ClientError. */
export async function ask<Answer>(targets: readonly Target[], timeoutMs: number, call: Call<Answer>): Promise<Answer> {
  const client = connect(targets);
  try {
    return await call(client, { timeoutMs });
  } finally {
    client.close();
  }
}
