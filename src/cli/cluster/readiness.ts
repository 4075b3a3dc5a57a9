/** Asks replicas over HTTP whether they serve. */
import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parseAddress } from '../../config/address.js';

const ASK_TIMEOUT_MS = 2_000;
const ASK_INTERVAL_MS = 100;
const BODY_BYTES_MAX = 65_536;

/** Why the replica whose HTTP port this is does not serve; empty where it serves. */
export function askReadiness(address: string): Promise<readonly string[]> {
  const { host, port } = parseAddress(address) ?? { host: '', port: 0 };
  return new Promise((resolve) => {
    const silent = (): void => resolve(['it does not answer yet']);
    const request = get({ host, port, path: '/readyz', agent: false, timeout: ASK_TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes <= BODY_BYTES_MAX) {
          chunks.push(chunk);
        }
      });
      response.on('error', silent);
      response.on('end', () => {
        const lines = Buffer.concat(chunks).toString('utf8').trim().split('\n');
        resolve(response.statusCode === 200 ? [] : lines);
      });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', silent);
  });
}

/** What is waited for. */
export interface AwaitServing {
  /** The HTTP address of the replica. */
  readonly http: string;
  /** Waiting makes no sense any more. */
  readonly isOver: () => boolean;
}

/** Waits until the replica serves: true; or until waiting is over: why it didn't serve. */
export async function awaitServing({ http, isOver }: AwaitServing): Promise<true | readonly string[]> {
  for (;;) {
    const reasons = await askReadiness(http);
    if (reasons.length === 0) {
      return true;
    }
    if (isOver()) {
      return reasons;
    }
    await delay(ASK_INTERVAL_MS);
  }
}
