/**
 * `--byzantine`: which replicas of a local cluster are traitors, and how; checked before anything is made or started.
 * The traitors themselves are src/adversary, which only the process of a traitor loads.
 *
 * 1. At most f, unless somebody says that more are wanted: then nothing is promised any more.
 * 2. On loopback only: nobody else's replica is ever lied to.
 */
import { InvalidArgumentError, Option } from 'commander';
import type { TraitorKind } from '../../adversary/traitor.js';
import { type Address, formatAddress, isLoopback } from '../../config/address.js';
import { CommandError, EXIT } from '../exit.js';
import { markRepeatable } from '../input/flags.js';

export type { TraitorKind };

/** What each kind of traitor does, for people. */
export const TRAITOR_KINDS: Readonly<Record<TraitorKind, string>> = {
  silent: 'sends the other replicas nothing but its status',
  equivocate: 'signs two different statements where there may be one, and tells everybody both',
  delay: 'sends everything late, up to 3 s',
  corrupt: 'breaks a third of its messages',
  'lie-to-clients': 'tells its own callers what is not so',
  censor: 'leaves out, as primary, what callers of the replica after it ask',
  slow: 'proposes, as primary, only just before it would be replaced',
};

/** A traitor as it was asked for. */
export interface Betrayal {
  /** Id or name. */
  readonly replica: string;
  readonly kind: TraitorKind;
}

/** The flags. */
export interface ByzantineFlags {
  readonly byzantine?: readonly Betrayal[];
  readonly beyondF?: boolean;
}

/** The flags' options. */
export function byzantineOptions(): readonly Option[] {
  const kinds = Object.keys(TRAITOR_KINDS).join(', ');
  return [
    markRepeatable(
      new Option(
        '--byzantine <replica=kind>',
        `make a traitor of a replica, on loopback; several by commas or once more; kinds: ${kinds}`,
      )
        .argParser(parseBetrayals)
        .conflicts(['stop']),
    ),
    new Option('--beyond-f', 'allow more traitors than the cluster tolerates, to see it break').conflicts(['stop']),
  ];
}

/** Whether that is a kind of traitor. */
export function isTraitorKind(text: string): text is TraitorKind {
  return Object.hasOwn(TRAITOR_KINDS, text);
}

/** Takes `2=equivocate,IBM=silent` apart and adds it to what was said before. */
function parseBetrayals(text: string, before: readonly Betrayal[] = []): readonly Betrayal[] {
  return [...before, ...text.split(',').map(parseBetrayal)];
}

function parseBetrayal(text: string): Betrayal {
  const [replica = '', kind, ...rest] = text.split('=').map((part) => part.trim());
  if (replica === '' || kind === undefined || rest.length > 0) {
    throw new InvalidArgumentError('Give replica=kind, such as 2=equivocate.');
  }
  if (!isTraitorKind(kind)) {
    const kinds = Object.entries(TRAITOR_KINDS).map(([name, what]) => `  ${name.padEnd(16)}${what}`);
    throw new InvalidArgumentError(`There is no kind "${kind}". The kinds are:\n${kinds.join('\n')}`);
  }
  return { replica, kind };
}

/** The cluster whose replicas are to betray it. */
export interface BetrayedCluster {
  /** By replica id. */
  readonly names: readonly string[];
  readonly faultsMax: number;
}

/** The kinds of the traitors by replica id. Throws a CommandError. */
export function chooseTraitors(
  { byzantine = [], beyondF }: ByzantineFlags,
  { names, faultsMax }: BetrayedCluster,
): ReadonlyMap<number, TraitorKind> {
  const traitors = new Map<number, TraitorKind>();
  for (const { replica, kind } of byzantine) {
    const id = names.findIndex((name, index) => replica === name || replica === String(index));
    if (id < 0) {
      const known = names.map((name, index) => `${index} (${name})`).join(', ');
      throw new CommandError(`there is no replica ${replica}; there are ${known}`, EXIT.usage);
    }
    if (traitors.has(id)) {
      throw new CommandError(`replica ${replica} can betray in one way only: --byzantine names it twice`, EXIT.usage);
    }
    traitors.set(id, kind);
  }
  if (traitors.size > faultsMax && beyondF !== true) {
    throw new CommandError(
      `${traitors.size} traitors among ${names.length} replicas are too many: ${faultsMax} may fail in any way\n` +
        'With --beyond-f they start all the same, and nothing is promised any more',
      EXIT.usage,
    );
  }
  return traitors;
}

/** Where a replica listens, and where it reaches others. */
export interface ReplicaAddresses {
  readonly listen: { readonly client: Address; readonly peer: Address; readonly http: Address };
  readonly peers: Readonly<Record<string, Address>>;
}

/** Its addresses that are not on this machine's loopback. */
export function addressesBeyondLoopback({ listen, peers }: ReplicaAddresses): readonly string[] {
  return [listen.client, listen.peer, listen.http, ...Object.values(peers)]
    .filter((address) => !isLoopback(address))
    .map(formatAddress);
}

/** Throws a CommandError where some address is not on this machine's loopback. */
export function refuseBeyondLoopback(addresses: readonly string[]): void {
  if (addresses.length > 0) {
    throw new CommandError(
      `--byzantine is for loopback only, and replicas here use ${[...new Set(addresses)].join(', ')}\n` +
        'Make a new cluster in another folder, without --host',
    );
  }
}
