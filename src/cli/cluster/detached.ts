/** Starts the replicas of a cluster so that they live on, each with its own log file, and waits until all serve. */
import { join } from 'node:path';
import type { Context } from '../context.js';
import { CommandError } from '../exit.js';
import { StopSignals } from '../stop-signals.js';
import { CLUSTER_FORMAT, removeClusterFile, writeClusterFile } from './cluster-file.js';
import type { LocalCluster, Member } from './members.js';
import { awaitServing } from './readiness.js';
import { ReplicaProcess } from './replica-process.js';
import { fileEntryOf } from './supervisor.js';

const STOP_MAX_MS = 6_000;

interface Started {
  readonly member: Member;
  readonly logFile: string;
  readonly process: ReplicaProcess;
}

function start(member: Member, context: Context): Started {
  const logFile = join(member.directory, 'replica.log');
  const { configurationFile, traitor } = member;
  const { environment } = context;
  const process = new ReplicaProcess({ configurationFile, environment, traitor, output: { logFile } });
  return { member, logFile, process };
}

async function stopAll(started: readonly Started[]): Promise<void> {
  for (const { process } of started) {
    process.signal('SIGTERM');
  }
  const deadline = setTimeout(() => {
    for (const { process } of started) {
      process.signal('SIGKILL');
    }
  }, STOP_MAX_MS);
  await Promise.all(started.map(({ process }) => process.ended));
  clearTimeout(deadline);
}

/** Waits for all; a line for each that will not serve. As soon as one has ended, the others are not waited for. */
async function awaitAll(
  started: readonly Started[],
  deadlineMs: number,
  stop: StopSignals,
): Promise<readonly string[]> {
  const isOver = (): boolean =>
    Date.now() >= deadlineMs || stop.first !== undefined || started.some(({ process }) => process.end !== undefined);
  const faults = await Promise.all(
    started.map(async ({ member, process, logFile }) => {
      const result = await awaitServing({ http: member.http, isOver });
      if (process.end !== undefined) {
        return [`${member.name} has ended: ${process.end.text} (see ${logFile})`];
      }
      return result === true ? [] : [`${member.name} does not serve: ${result.join('; ')} (see ${logFile})`];
    }),
  );
  const ended = started.flatMap(({ process }, index) => (process.end === undefined ? [] : (faults[index] ?? [])));
  return ended.length > 0 ? ended : faults.flat();
}

/**
 * Starts all replicas and writes `cluster.json`. Throws a CommandError where not all serve by the deadline
 * (milliseconds since 1970) or one ends; then none is left running.
 */
export async function startDetached(cluster: LocalCluster, context: Context, deadlineMs: number): Promise<void> {
  const { directory, genesis, members } = cluster;
  const stop = new StopSignals();
  const started = members.map((member) => start(member, context));
  try {
    writeClusterFile(directory, {
      format: CLUSTER_FORMAT,
      clusterId: genesis.clusterId,
      clusterName: genesis.clusterName,
      startedAt: new Date().toISOString(),
      supervisor: null,
      replicas: started.flatMap(({ member, logFile, process: { pid } }) =>
        pid === undefined ? [] : [{ ...fileEntryOf(member, pid), logFile }],
      ),
    });
    const faults = await awaitAll(started, deadlineMs, stop);
    if (stop.first !== undefined) {
      throw new CommandError(`interrupted by ${stop.first}: no replica was left running`);
    }
    if (faults.length > 0) {
      throw new CommandError([...faults, 'No replica was left running'].join('\n'));
    }
  } catch (error) {
    await stopAll(started);
    removeClusterFile(directory);
    throw error;
  } finally {
    stop.release();
  }
}
