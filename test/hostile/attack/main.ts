/**
 * The command that measures attacks: `make attack`, or, where dist/ is up to date,
 *
 *     node --import tsx test/hostile/attack/main.ts [--attacks local-ranges,…] [--seconds 10] [--callers 32]
 *
 * docs/security.md says how to read it. Ends with 0, with 1 where something acknowledged was lost, and with 2 for a
 * wrong choice. What callers lose under an attack is printed, not judged: the tests judge.
 */
import { parseArgs } from 'node:util';
import { createColours } from '../../../src/cli/output/colours.js';
import { formatTable } from '../../../src/cli/output/table.js';
import { readMachine } from '../../bench/settings.js';
import type { Attack } from './attack.js';
import { ATTACKS, findAttack } from './attacks.js';
import { type AttackFigures, measureAttack } from './measure.js';

const USAGE = 'usage: make attack [ATTACK=NAME,NAME…] [SECONDS=10]';
const MIB = 1_048_576;

class UsageError extends Error {}

interface Choices {
  readonly attacks: readonly Attack[];
  readonly seconds: number;
  readonly callers: number;
}

function readChoices(): Choices {
  const text = { type: 'string' } as const;
  let given: Readonly<Record<string, string | undefined>>;
  try {
    given = parseArgs({ options: { attacks: text, seconds: text, callers: text } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const names = given['attacks']?.split(',') ?? ATTACKS.map(({ name }) => name);
  const attacks = names.map((name) => {
    const attack = findAttack(name);
    if (attack === undefined) {
      throw new UsageError(`there is no attack ${name}; there are ${ATTACKS.map(({ name: one }) => one).join(', ')}`);
    }
    return attack;
  });
  return { attacks, seconds: wholeNumber('seconds', given, 10), callers: wholeNumber('callers', given, 32) };
}

function wholeNumber(name: string, given: Readonly<Record<string, string | undefined>>, fallback: number): number {
  const value = Number(given[name] ?? fallback);
  if (!Number.isInteger(value) || value < 1 || value > 3_600) {
    throw new UsageError(`--${name} is a whole number from 1 to 3600, not ${given[name]}`);
  }
  return value;
}

function rowOf({ name, fault }: Attack, figures: AttackFigures): readonly string[] {
  const { before, during, failedCalls, targetBytesBefore, targetBytes, othersBytes, targetIsBack, viewChanged } =
    figures;
  const mebibytes = (bytes: number): string => `${Math.round(bytes / MIB)}`;
  return [
    `${fault} ${name}`,
    ...[before, during].map((rate) => Math.round(rate).toLocaleString('en')),
    `${Math.round((100 * during) / before)} %`,
    String(failedCalls),
    `${mebibytes(targetBytesBefore)} → ${mebibytes(targetBytes)}`,
    mebibytes(othersBytes),
    targetIsBack ? 'back' : 'HUNG',
    viewChanged ? 'changed' : 'stayed',
    figures.attackerCores.toFixed(2),
    Object.entries(figures.tally)
      .map(([what, count]) => `${count.toLocaleString('en')} ${what}`)
      .join(', '),
  ];
}

const HEADER = [
  'attack',
  'puts/s',
  'attacked',
  'kept',
  'failed',
  'target MiB',
  'others',
  'target',
  'view',
  'cores',
  'attacker',
];

async function main(): Promise<void> {
  const { attacks, seconds, callers } = readChoices();
  const { node, cpuModel, cores, loadAverage } = readMachine();
  console.log(
    `n = 4, ${callers} honest callers at replicas that are not attacked, windows of ${seconds} s, defaults otherwise; the attacker on the same machine\n` +
      `${cpuModel}, ${cores} cores, Node ${node}, load before ${loadAverage.map((load) => load.toFixed(2)).join(' ')}\n`,
  );
  const rows: (readonly string[])[] = [];
  for (const attack of attacks) {
    console.error(`${attack.name}: ${attack.title} …`);
    rows.push(rowOf(attack, await measureAttack(attack, { callers, windowMs: seconds * 1_000 })));
  }
  console.log(formatTable(HEADER, rows, createColours(false)));
  console.log('Nothing acknowledged was lost or done twice');
}

try {
  await main();
  process.exitCode = 0;
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  console.error(error instanceof UsageError ? `attack: ${text}\n${USAGE}` : `attack: ${text}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
