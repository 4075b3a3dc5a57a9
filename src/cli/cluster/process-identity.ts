/**
 * Which process bears an id. The machine gives ids of ended processes to others, so before a process is signalled its
 * command line is compared: a replica's names its very configuration file.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { sep } from 'node:path';
import type { ClusterFile } from './cluster-file.js';

/** How the arguments of a process that runs a replica end, before its flags; a traitor's begin otherwise. */
export function startArguments(configurationFile: string): readonly string[] {
  return ['start', '--config', configurationFile];
}

/** The command line of a process, its parts divided by spaces; undefined where there is none (any more). */
export function commandLineOf(pid: number): string | undefined {
  const text = process.platform === 'linux' ? readCommandLine(pid) : askForCommandLine(pid);
  // That of a process that has ended and was not waited for is empty.
  return text === '' ? undefined : text;
}

function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  } catch {
    return '';
  }
}

function askForCommandLine(pid: number): string {
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return (stdout ?? '').trim();
}

/** Whether this process runs the replica of that configuration file. */
export function isReplicaProcess({ pid, configurationFile }: ClusterFile['replicas'][number]): boolean {
  return commandLineOf(pid)?.includes(` ${startArguments(configurationFile).join(' ')}`) === true;
}

/** Whether this process has a file of that folder open. Absolute, without links; it is another's where nobody may know. */
export function hasOpen(pid: number, folder: string): boolean {
  const files = process.platform === 'linux' ? readOpenFiles(pid) : askForOpenFiles(pid);
  return files.some((file) => file.startsWith(`${folder}${sep}`));
}

function readOpenFiles(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((descriptor) => {
      try {
        return readlinkSync(`${folder}/${descriptor}`);
      } catch {
        // Closed meanwhile.
        return '';
      }
    });
  } catch {
    return [];
  }
}

function askForOpenFiles(pid: number): readonly string[] {
  const { stdout } = spawnSync('lsof', ['-Fn', '-p', String(pid)], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').map((line) => line.slice(1));
}

/** Whether the process that holds the cluster's replicas together is there. */
export function isSupervisorAlive({ supervisor }: ClusterFile): boolean {
  return supervisor !== null && commandLineOf(supervisor.pid) === supervisor.commandLine;
}

/** Signals a process; one that has just ended is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) {
      throw error;
    }
  }
}
