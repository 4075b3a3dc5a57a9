/**
 * Holds the replicas of a cluster together in the foreground: their logs with a prefix each, word of any that ends, and
 * an orderly stop of all. A replica that ends is not started again: what a cluster does without it is what one wants to
 * see here.
 */

import { argv } from 'node:process';
import type { Context } from '../context.js';
import { readLogLine } from '../output/log-line.js';
import { CLUSTER_FORMAT, type ClusterFile } from './cluster-file.js';
import type { LocalCluster, Member } from './members.js';
import { commandLineOf } from './process-identity.js';
import { awaitServing } from './readiness.js';
import { ReplicaProcess } from './replica-process.js';
import { programName, restartCommand } from './report.js';

/** After that a replica that was asked to stop is killed: it stops within 5 s by itself. */
const STOP_MAX_MS = 6_000;
const PATIENCE_MS = 15_000;

interface Ward {
  readonly member: Member;
  readonly process: ReplicaProcess;
}

/** The replicas of one cluster, from start to end. */
export class ClusterSupervisor {
  private readonly context: Context;
  private readonly wards: readonly Ward[];
  private isStopping = false;

  /** Starts all replicas. */
  constructor({ members }: LocalCluster, context: Context) {
    this.context = context;
    const width = Math.max(...members.map(({ name }) => name.length));
    this.wards = members.map((member) => {
      const prefix = context.colours.ofReplica(member.id, `${member.name.padEnd(width)} |`);
      const onLine = (line: string): void => context.out(`${prefix} ${readLogLine(line, context.colours).text}\n`);
      const { configurationFile, traitor } = member;
      const { environment } = context;
      const process = new ReplicaProcess({ configurationFile, environment, traitor, output: { onLine } });
      process.ended.then(({ text }) => {
        if (!this.isStopping) {
          context.out(`${prefix} ${context.colours.red(`has ended: ${text}`)}\n`);
          context.out(`${prefix} start it again with: ${restartCommand(member, programName(argv[1]))}\n`);
        }
      });
      return { member, process };
    });
  }

  /** Settled when no replica runs any more. */
  async ended(): Promise<void> {
    await Promise.all(this.wards.map(({ process }) => process.ended));
  }

  /** Waits until all replicas that live serve, and returns them; says what is missing when it takes long. */
  async serving(): Promise<readonly Member[]> {
    const patience = setTimeout(
      () => this.context.out('Not all replicas serve yet: see what they say above\n'),
      PATIENCE_MS,
    );
    const results = await Promise.all(
      this.wards.map(async ({ member, process }) => {
        const isOver = (): boolean => process.end !== undefined || this.isStopping;
        return (await awaitServing({ http: member.http, isOver })) === true ? [member] : [];
      }),
    );
    clearTimeout(patience);
    return results.flat();
  }

  /** Stops all; the promise says whether all stopped by themselves. */
  async stop(): Promise<boolean> {
    this.isStopping = true;
    const killed: Ward[] = [];
    const deadline = setTimeout(() => {
      killed.push(...this.wards.filter(({ process }) => process.end === undefined));
      this.kill();
    }, STOP_MAX_MS);
    const ends = this.wards.map(async ({ process }) => {
      const hasRun = process.end === undefined;
      process.signal('SIGTERM');
      const { isClean } = await process.ended;
      return isClean || !hasRun;
    });
    const isClean = (await Promise.all(ends)).every((each) => each);
    clearTimeout(deadline);
    for (const { member } of killed) {
      this.context.note(`pbft: ${member.name} did not stop within ${STOP_MAX_MS / 1_000} s and was killed`);
    }
    return isClean;
  }

  /** Ends all at once, without a word to them. */
  kill(): void {
    this.isStopping = true;
    for (const { process } of this.wards) {
      process.signal('SIGKILL');
    }
  }

  /** What `cluster.json` says of it. */
  describe({ genesis }: LocalCluster): ClusterFile {
    return {
      format: CLUSTER_FORMAT,
      clusterId: genesis.clusterId,
      clusterName: genesis.clusterName,
      startedAt: new Date().toISOString(),
      supervisor: { pid: process.pid, commandLine: commandLineOf(process.pid) ?? '' },
      replicas: this.wards.flatMap(({ member, process: { pid } }) =>
        pid === undefined ? [] : [{ ...fileEntryOf(member, pid), logFile: null }],
      ),
    };
  }
}

/** A replica as `cluster.json` names it, but for its log. */
export function fileEntryOf({ id, name, client, peer, http, configurationFile, traitor }: Member, pid: number) {
  return { id, name, pid, client, peer, http, configurationFile, byzantine: traitor ?? null };
}
