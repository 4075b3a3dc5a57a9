/** Looks for ports that are taken before any replica is started, so that all are named at once. */
import { createServer } from 'node:net';
import { parseAddress } from '../../config/address.js';
import { CommandError } from '../exit.js';
import type { Member } from './members.js';

const USES = [
  ['client', 'callers'],
  ['peer', 'peers'],
  ['http', 'metrics and health'],
] as const;

/** Who wants to listen where. */
export type PortUser = Pick<Member, 'name' | 'client' | 'peer' | 'http'>;

/** Why nobody can listen there now; undefined where one can. */
export function findListenFault(address: string): Promise<string | undefined> {
  const { host, port } = parseAddress(address) ?? { host: '', port: 0 };
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(describe(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function describe({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'is in use by another process';
    case 'EACCES':
      return 'is not for this user: ports below 1024 need more rights';
    case 'EADDRNOTAVAIL':
      return 'is no address of this machine';
    default:
      return `can not be used (${code ?? message})`;
  }
}

/** Throws a CommandError that names every port that can't be used. */
export async function checkPorts(members: readonly PortUser[]): Promise<void> {
  const checks = members.flatMap((member) =>
    USES.map(async ([kind, use]) => {
      const fault = await findListenFault(member[kind]);
      return fault === undefined ? [] : [`${member[kind]}, where ${member.name} would serve ${use}, ${fault}`];
    }),
  );
  const faults = (await Promise.all(checks)).flat();
  if (faults.length > 0) {
    const remedy =
      "Stop what listens there, give a new cluster other ports with --base-port, or change an existing one's in " +
      'listen and peers of each replica-*/config.yaml';
    throw new CommandError([...faults, remedy].join('\n'));
  }
}
