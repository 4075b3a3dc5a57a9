/** Finds ports for a cluster of processes on this machine. */
import { randomInt } from 'node:crypto';
import { findListenFault } from '../../src/cli/cluster/port-check.js';

/** Below the ports that the machine gives to outgoing connections. */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_000;
const ATTEMPTS_MAX = 50;
const OFFSETS = [0, 100, 200] as const;

/** A base port whose `3 × replicaCount` ports are free now. */
export async function findBasePort(replicaCount: number): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const base = randomInt(FIRST_PORT, LAST_PORT);
    const ports = OFFSETS.flatMap((offset) => Array.from({ length: replicaCount }, (_, id) => base + offset + id));
    const faults = await Promise.all(ports.map((port) => findListenFault(`127.0.0.1:${port}`)));
    if (faults.every((fault) => fault === undefined)) {
      return base;
    }
  }
  throw new Error(`no free ports for ${replicaCount} replicas after ${ATTEMPTS_MAX} attempts`);
}
