/** What is measured: from flags, over environment variables, over defaults. */
import { parseArgs } from 'node:util';
import { isReplicaCountAllowed } from '../../src/protocol/quorum.js';

/** The choices of a run. */
export interface BenchOptions {
  readonly replicaCount: number;
  /** Of the measurements with many callers. */
  readonly callers: number;
  /** The length of each measured window. */
  readonly windowMs: number;
  /** Before the first window. */
  readonly warmUpMs: number;
  /** Before each further one. */
  readonly settleMs: number;
  /** How often the cluster is measured with all replicas and without one, in turn. */
  readonly rounds: number;
  readonly valueBytes: number;
  /** Operations a second of an open loop; undefined for a closed one. */
  readonly ratePerSecond: number | undefined;
  /** Where the JSON goes. */
  readonly resultsDirectory: string;
  readonly isSmoke: boolean;
}

/** A wrong choice, in words for who made it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface NumberChoice {
  readonly flag: string;
  readonly variable: string;
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
}

const CALLERS = { flag: 'callers', variable: 'CALLERS', min: 1, max: 10_000, isWhole: true };
const SECONDS = { flag: 'seconds', variable: 'SECONDS', min: 0.1, max: 3_600, isWhole: false };
const ROUNDS = { flag: 'rounds', variable: 'ROUNDS', min: 1, max: 100, isWhole: true };
const VALUE_BYTES = { flag: 'value-bytes', variable: 'VALUE_BYTES', min: 0, max: 1_048_576, isWhole: true };
const REPLICAS = { flag: 'replicas', variable: 'N', min: 1, max: 100, isWhole: true };
const RATE = { flag: 'rate', variable: 'RATE', min: 0.1, max: 1_000_000, isWhole: false };

/** How it is called. */
export const USAGE = `usage: make bench [CALLERS=64] [SECONDS=10] [ROUNDS=3] [VALUE_BYTES=200] [N=4] [RATE=operations a second]
   or: node --import tsx test/bench/main.ts [--callers 64] [--seconds 10] [--rounds 3] [--value-bytes 200]
       [--replicas 4] [--rate operations a second] [--results folder] [--smoke]`;

const WARM_UP_MS = 5_000;
const SETTLE_MS = 1_000;

/** A smoke run's load takes 2 s altogether. */
const SMOKE = { windowSeconds: 0.4, warmUpMs: 400, settleMs: 130 };

/** Reads the choices; throws a UsageError. `resultsDirectory`: where the JSON goes by default. */
export function readOptions(
  flags: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  resultsDirectory: string,
): BenchOptions {
  const given = parseFlags(flags);
  const isSmoke = given['smoke'] === true;
  const read = (choice: NumberChoice): number | undefined => {
    const flag = given[choice.flag];
    return typeof flag === 'string'
      ? readNumber(flag, `--${choice.flag}`, choice)
      : readNumber(environment[choice.variable] ?? '', choice.variable, choice);
  };
  const replicaCount = read(REPLICAS) ?? 4;
  if (!isReplicaCountAllowed(replicaCount)) {
    throw new UsageError(`a cluster has 1 or at least 4 replicas, not ${replicaCount}`);
  }
  const results = given['results'];
  return {
    replicaCount,
    callers: read(CALLERS) ?? 64,
    windowMs: 1_000 * (read(SECONDS) ?? (isSmoke ? SMOKE.windowSeconds : 10)),
    warmUpMs: isSmoke ? SMOKE.warmUpMs : WARM_UP_MS,
    settleMs: isSmoke ? SMOKE.settleMs : SETTLE_MS,
    rounds: read(ROUNDS) ?? (isSmoke ? 1 : 3),
    valueBytes: read(VALUE_BYTES) ?? 200,
    ratePerSecond: read(RATE),
    resultsDirectory: typeof results === 'string' ? results : resultsDirectory,
    isSmoke,
  };
}

function parseFlags(flags: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const text = { type: 'string' } as const;
  const options = {
    ...Object.fromEntries([CALLERS, SECONDS, ROUNDS, VALUE_BYTES, REPLICAS, RATE].map(({ flag }) => [flag, text])),
    results: text,
    smoke: { type: 'boolean' } as const,
  };
  try {
    return parseArgs({ args: [...flags], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** An empty text is none: make hands on a variable that nobody set. */
function readNumber(text: string, name: string, { min, max, isWhole }: NumberChoice): number | undefined {
  if (text === '') {
    return undefined;
  }
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max) || (isWhole && !Number.isInteger(value))) {
    throw new UsageError(`${name} is ${isWhole ? 'a whole number' : 'a number'} from ${min} to ${max}, not ${text}`);
  }
  return value;
}
