/**
 * Asks replicas in turn until one answers. Another one is asked only where the first says, or the network proves, that
 * the operation was not taken: so nothing is ever submitted twice.
 */
import { type CallOptions, type Client, connect } from '../client/client.js';
import { ClientError } from '../client/client-error.js';
import { CommandError } from './command-error.js';
import type { Target } from './reach.js';

/** A call to a replica. */
export type Call<Answer> = (client: Client, options: Required<CallOptions>) => Promise<Answer>;

/** How the client library is reached; tests give another one. */
export type Connect = typeof connect;

/** Makes the call at one replica. Rejects with a ClientError. */
export async function askOne<Answer>(
  { address, connect: options }: Target,
  timeoutMs: number,
  call: Call<Answer>,
  connectTo: Connect = connect,
): Promise<Answer> {
  const client = connectTo(address, options);
  try {
    return await call(client, { timeoutMs });
  } finally {
    client.close();
  }
}

function mayAskAnother(error: unknown): error is ClientError {
  return error instanceof ClientError && error.outcomeKnown && error.code === 'UNAVAILABLE';
}

/** Makes the call at the first replica that takes it, within the time. Rejects with a ClientError or a CommandError. */
export async function askInTurn<Answer>(
  targets: readonly Target[],
  timeoutMs: number,
  call: Call<Answer>,
  connectTo: Connect = connect,
): Promise<Answer> {
  const untilMs = Date.now() + timeoutMs;
  const refusals: string[] = [];
  for (const target of targets) {
    try {
      return await askOne(target, Math.max(1, untilMs - Date.now()), call, connectTo);
    } catch (error) {
      if (targets.length === 1 || !mayAskAnother(error)) {
        throw error;
      }
      refusals.push(`${target.label}: ${error.message}`);
    }
  }
  throw new CommandError(['no replica took it', ...refusals].join('\n'));
}
