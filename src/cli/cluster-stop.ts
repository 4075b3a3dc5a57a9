/** Stops a running cluster: only the processes that `cluster.json` names, and only if they still are what it says. */
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClusterFile, clusterFilePath, readClusterFile, removeClusterFile } from './cluster-file.js';
import { CommandError } from './command-error.js';
import type { Context } from './context.js';
import { isReplicaProcess, isSupervisorAlive, signal } from './process-identity.js';

/** A replica stops within 5 s by itself; after that it is killed. */
const STOP_MAX_MS = 7_000;
const KILL_MAX_MS = 5_000;
const LOOK_INTERVAL_MS = 50;

/** The replicas of it that run. */
function runningReplicas(file: ClusterFile): readonly ClusterFile['replicas'][number][] {
  return file.replicas.filter(isReplicaProcess);
}

function namesOf(replicas: readonly ClusterFile['replicas'][number][]): string {
  return replicas.map(({ name, pid }) => `${name} (process ${pid})`).join(', ');
}

async function awaitEnd(file: ClusterFile, durationMs: number): Promise<boolean> {
  const untilMs = Date.now() + durationMs;
  for (;;) {
    if (runningReplicas(file).length === 0 && !isSupervisorAlive(file)) {
      return true;
    }
    if (Date.now() >= untilMs) {
      return false;
    }
    await delay(LOOK_INTERVAL_MS);
  }
}

/** Throws a CommandError where replicas of the cluster in this folder run. */
export function refuseRunning(directory: string, stopCommand: string): void {
  const file = readClusterFile(resolve(directory));
  const running = file === undefined ? [] : runningReplicas(file);
  if (running.length > 0) {
    throw new CommandError(`this cluster runs already: ${namesOf(running)}\nStop it with \`${stopCommand}\``);
  }
}

/** Stops all and waits for them. */
export async function stopCluster(directory: string, context: Context): Promise<void> {
  const folder = resolve(directory);
  const file = readClusterFile(folder);
  if (file === undefined) {
    context.note(`No cluster runs in ${folder}: there is no ${clusterFilePath(folder)}`);
    return;
  }
  const running = runningReplicas(file);
  if (isSupervisorAlive(file) && file.supervisor !== null) {
    signal(file.supervisor.pid, 'SIGTERM');
  } else {
    for (const { pid } of running) {
      signal(pid, 'SIGTERM');
    }
  }
  if (!(await awaitEnd(file, STOP_MAX_MS))) {
    const late = runningReplicas(file);
    for (const { pid } of late) {
      signal(pid, 'SIGKILL');
    }
    context.note(`pbft: did not stop within ${STOP_MAX_MS / 1_000} s and was killed: ${namesOf(late)}`);
    if (!(await awaitEnd(file, KILL_MAX_MS))) {
      throw new CommandError(`still running: ${namesOf(runningReplicas(file))}`);
    }
  }
  removeClusterFile(folder);
  const count = running.length;
  context.out(count === 0 ? 'No replica was running\n' : `Stopped ${count} ${count === 1 ? 'replica' : 'replicas'}\n`);
}
