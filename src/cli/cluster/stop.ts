/** Stops a running cluster: only processes that are proven to be replicas of this folder (running-replicas.ts). */
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../context.js';
import { CommandError } from '../exit.js';
import { type ClusterFile, clusterFilePath, readClusterFile, removeClusterFile } from './cluster-file.js';
import { isSupervisorAlive, signal } from './process-identity.js';
import { findRunningReplicas, type RunningReplica } from './running-replicas.js';

/** A replica stops within 5 s by itself; after that it is killed. */
const STOP_MAX_MS = 7_000;
const KILL_MAX_MS = 5_000;
const LOOK_INTERVAL_MS = 50;

function namesOf(replicas: readonly RunningReplica[]): string {
  return replicas.map(({ name, pid }) => `${name} (process ${pid})`).join(', ');
}

/** What of a cluster runs, looked at again each time. */
interface Running {
  replicas(): readonly RunningReplica[];
  isSupervised(): boolean;
}

async function awaitEnd(running: Running, durationMs: number): Promise<boolean> {
  const untilMs = Date.now() + durationMs;
  for (;;) {
    if (running.replicas().length === 0 && !running.isSupervised()) {
      return true;
    }
    if (Date.now() >= untilMs) {
      return false;
    }
    await delay(LOOK_INTERVAL_MS);
  }
}

/** Throws a CommandError where replicas of the cluster in this folder run. */
export function refuseRunning(directory: string, stopCommand: string, context: Context): void {
  const running = findRunningReplicas(resolve(directory), context);
  if (running.length > 0) {
    throw new CommandError(`this cluster runs already: ${namesOf(running)}\nStop it with \`${stopCommand}\``);
  }
}

/** Signals the process that holds replicas together, if there is one, which stops those; and all others. */
function signalAll(file: ClusterFile | undefined, replicas: readonly RunningReplica[]): void {
  const supervisor = file !== undefined && isSupervisorAlive(file) ? file.supervisor : null;
  const supervised = new Set(supervisor === null ? [] : file?.replicas.map(({ pid }) => pid));
  if (supervisor !== null) {
    signal(supervisor.pid, 'SIGTERM');
  }
  for (const { pid } of replicas.filter((replica) => !supervised.has(replica.pid))) {
    signal(pid, 'SIGTERM');
  }
}

/** Stops all and waits for them. */
export async function stopCluster(directory: string, context: Context): Promise<void> {
  const folder = resolve(directory);
  const file = readClusterFile(folder);
  const running: Running = {
    replicas: () => findRunningReplicas(folder, context),
    isSupervised: () => file !== undefined && isSupervisorAlive(file),
  };
  const replicas = running.replicas();
  if (file === undefined && replicas.length === 0) {
    context.note(`No cluster runs in ${folder}: there is no ${clusterFilePath(folder)}`);
    return;
  }
  signalAll(file, replicas);
  if (!(await awaitEnd(running, STOP_MAX_MS))) {
    const late = running.replicas();
    for (const { pid } of late) {
      signal(pid, 'SIGKILL');
    }
    context.note(`pbft: did not stop within ${STOP_MAX_MS / 1_000} s and was killed: ${namesOf(late)}`);
    if (!(await awaitEnd(running, KILL_MAX_MS))) {
      throw new CommandError(`still running: ${namesOf(running.replicas())}`);
    }
  }
  removeClusterFile(folder);
  const count = replicas.length;
  context.out(count === 0 ? 'No replica was running\n' : `Stopped ${count} ${count === 1 ? 'replica' : 'replicas'}\n`);
}
