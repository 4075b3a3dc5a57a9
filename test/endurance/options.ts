/** What an endurance run is made of: from flags, over defaults. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { isReplicaCountAllowed } from '../../src/protocol/quorum.js';

/** The choices of a run. */
export interface EnduranceOptions {
  readonly rounds: number;
  /** Decides who is killed, when, and where is read. */
  readonly seed: number;
  readonly replicaCount: number;
  /** What ends them: SIGKILL, or a signal at which all of them must end with code 0 in time. */
  readonly signal: EndSignal;
  /** How long the load lasts at least before replicas are ended. */
  readonly loadSeconds: number;
}

/** The signals by which a round ends replicas. */
export type EndSignal = (typeof END_SIGNALS)[number];
const END_SIGNALS = ['SIGKILL', 'SIGINT', 'SIGTERM'] as const;

/** A wrong choice, in words for who made it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** How it is called. */
export const USAGE =
  'usage: make endurance [ROUNDS=100] [SEED=a number] [N=4] [SIGNAL=SIGKILL|SIGINT|SIGTERM] [LOAD_SECONDS=0]';

const SEED_MAX = 2 ** 32 - 1;
const ROUNDS_MAX = 100_000;
const LOAD_SECONDS_MAX = 3_600;

/** Reads the choices; throws a UsageError. */
export function readOptions(flags: readonly string[]): EnduranceOptions {
  const given = parseFlags(flags);
  const replicaCount = readNumber(given['replicas'], { name: 'N', min: 4, max: 100 }) ?? 4;
  if (!isReplicaCountAllowed(replicaCount)) {
    throw new UsageError(`no cluster has ${replicaCount} replicas`);
  }
  return {
    rounds: readNumber(given['rounds'], { name: 'ROUNDS', min: 1, max: ROUNDS_MAX }) ?? 100,
    seed: readNumber(given['seed'], { name: 'SEED', min: 0, max: SEED_MAX }) ?? randomInt(SEED_MAX),
    replicaCount,
    signal: readSignal(given['signal']),
    loadSeconds: readNumber(given['load-seconds'], { name: 'LOAD_SECONDS', min: 0, max: LOAD_SECONDS_MAX }) ?? 0,
  };
}

function parseFlags(flags: readonly string[]): Readonly<Record<string, string | undefined>> {
  const text = { type: 'string' } as const;
  try {
    const options = { rounds: text, seed: text, replicas: text, signal: text, 'load-seconds': text };
    return parseArgs({ args: [...flags], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readSignal(name = 'SIGKILL'): EndSignal {
  const signal = END_SIGNALS.find((one) => one === name);
  if (signal === undefined) {
    throw new UsageError(`SIGNAL is one of ${END_SIGNALS.join(', ')}, not ${name}`);
  }
  return signal;
}

function readNumber(
  text: string | undefined,
  { name, min, max }: { readonly name: string; readonly min: number; readonly max: number },
): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`${name} is a whole number from ${min} to ${max}, not ${text}`);
  }
  return value;
}
