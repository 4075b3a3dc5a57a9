/** Draws what goes wrong in a run, from its seed. */
import { type ReplicaId, replicaId } from '../../../src/protocol/identifiers.js';
import { unreachable } from '../../../src/util/assert.js';
import type { Random } from '../kernel/random.js';
import type { LinkCondition } from '../machine/link-condition.js';
import { COMMON_FAULT_KINDS, type Direction, type Fault, type FaultEffect, FORGETTING_FAULT_KINDS } from './fault.js';

/** What a plan is drawn for. */
export interface DrawOptions {
  readonly random: Random;
  readonly replicaCount: number;
  /** How long the phase of faults is. */
  readonly phaseMs: number;
}

/** In such a share of runs the network picks what of each view comes through. */
const SELECTIVE_LOSS_SHARE = 0.2;

/** How long faults last on average, as a share of the phase. */
const DURATION_SHARE = 0.25;
const FAULTS_MAX = 7;
/** Views change where somebody makes them. */
const TOPPLING_SHARE = 0.35;
/** Correct clocks differ by less than the drift of 10 s. */
const CLOCK_OFFSET_MS_MAX = 4_500;

/** The faults of a run, in order of their beginning. A share of runs has few or none. */
export function drawFaults({ random, replicaCount, phaseMs }: DrawOptions): readonly Fault[] {
  const count = random.integer(0, FAULTS_MAX);
  // A run with few kinds goes deeper into each than one with all.
  const kinds = random.shuffle(COMMON_FAULT_KINDS).slice(0, random.integer(1, 4));
  const drawn = Array.from({ length: count }, (_, index): Fault => {
    const stream = random.fork(index);
    return {
      atMs: stream.between(0, phaseMs),
      durationMs: Math.min(phaseMs, 50 + stream.exponential(DURATION_SHARE * phaseMs)),
      effect: drawEffect(stream.pick(kinds), stream, idsOf(replicaCount)),
    };
  });
  const toppling = random.fork('toppling');
  if (toppling.chance(TOPPLING_SHARE)) {
    const effect = drawEffect('toppling', toppling, idsOf(replicaCount));
    drawn.push({ atMs: toppling.between(0, phaseMs / 4), durationMs: phaseMs, effect });
  }
  return drawn.sort((left, right) => left.atMs - right.atMs);
}

/** Loss that picks what it lets through, all the time, undefined for most runs; from a stream of its own. */
export function drawSelectiveLoss(random: Random, phaseMs: number): Fault | undefined {
  return random.chance(SELECTIVE_LOSS_SHARE)
    ? { atMs: 0, durationMs: phaseMs, effect: { kind: 'selectiveLoss', salt: random.bits() } }
    : undefined;
}

/** How often a replica that forgets does so; its copies are of different ages. */
const FORGETTING_TIMES_MAX = 2;
/** Of the phase: so much is left to see what follows. */
const FORGETTING_PHASE_SHARE = 0.7;

/** A replica's disk is replaced, by an older copy or by an empty one, once or twice. */
export function drawForgetting(random: Random, replica: ReplicaId, phaseMs: number): readonly Fault[] {
  const kind = random.pick(FORGETTING_FAULT_KINDS);
  return Array.from({ length: random.integer(1, FORGETTING_TIMES_MAX) }, (): Fault => {
    const atMs = random.between(0, FORGETTING_PHASE_SHARE * phaseMs);
    const lastsMs = random.chance(0.5) ? random.between(5, 300) : random.between(300, phaseMs / 3);
    return { atMs, durationMs: lastsMs, effect: { kind, replica } };
  });
}

function drawEffect(kind: (typeof COMMON_FAULT_KINDS)[number], random: Random, all: readonly ReplicaId[]): FaultEffect {
  const one = random.pick(all);
  const some = random.shuffle(all).slice(0, random.integer(1, Math.max(1, all.length >> 1)));
  switch (kind) {
    case 'weather':
      return { kind, directions: drawDirections(random, all), condition: drawWeather(random) };
    case 'clog':
      return { kind, directions: drawDirections(random, all) };
    case 'partition':
      return { kind, directions: drawPartition(random, all, some) };
    case 'isolation':
      return { kind, directions: [...between(all, [one]), ...between([one], all)] };
    case 'deafness':
      return { kind, directions: between(all, [one]) };
    case 'muteness':
      return { kind, directions: between([one], all) };
    case 'breaks':
      return { kind, pairs: drawDirections(random, all), everyMs: random.between(20, 1_000) };
    case 'crash':
      return { kind, replicas: random.chance(0.7) ? [one] : some, ...drawEnd(random) };
    case 'crashAll':
      return { kind, replicas: all, ...drawEnd(random) };
    case 'blink':
      return { kind, replica: one, everyMs: random.between(200, 3_000), loss: drawEnd(random).loss };
    case 'pause':
      return { kind, replicas: random.chance(0.7) ? [one] : some };
    case 'toppling':
      return { kind, everyMs: random.between(1_000, 6_000), cutMs: random.between(1_500, 5_000) };
    case 'slowDisk':
      return { kind, replica: one, slowness: random.pick([10, 100, 1_000]) };
    case 'fullDisk':
      return { kind, replica: one };
    case 'clock':
      return { kind, replica: one, offsetMs: random.between(-CLOCK_OFFSET_MS_MAX, CLOCK_OFFSET_MS_MAX) };
    default:
      return unreachable(kind);
  }
}

function drawEnd(random: Random): { readonly afterCalls: number; readonly loss: 'all' | 'some' | 'none' } {
  return {
    afterCalls: random.chance(0.2) ? 0 : random.integer(1, 60),
    loss: random.pick(['all', 'some', 'some', 'none']),
  };
}

function drawWeather(random: Random): Partial<LinkCondition> {
  return {
    loss: random.chance(0.5) ? random.between(0, 0.3) : 0,
    duplication: random.chance(0.5) ? random.between(0, 0.5) : 0,
    delayMeanMs: random.pick([0.3, 5, 30, 100]),
    isOrdered: random.chance(0.3),
  };
}

/** Two sides that don't hear each other, in one direction or both. */
function drawPartition(random: Random, all: readonly ReplicaId[], side: readonly ReplicaId[]): Direction[] {
  const rest = all.filter((replica) => !side.includes(replica));
  const isSymmetric = random.chance(0.6);
  return [...between(side, rest), ...(isSymmetric ? between(rest, side) : [])];
}

/** All directions, or a random part of them. */
function drawDirections(random: Random, all: readonly ReplicaId[]): Direction[] {
  const every = between(all, all);
  return random.chance(0.5) ? every : every.filter(() => random.chance(0.4));
}

function between(from: readonly ReplicaId[], to: readonly ReplicaId[]): Direction[] {
  return from.flatMap((sender) =>
    to.filter((receiver) => receiver !== sender).map((receiver): Direction => [sender, receiver]),
  );
}

function idsOf(replicaCount: number): readonly ReplicaId[] {
  return Array.from({ length: replicaCount }, (_, id) => replicaId(id));
}

/** What stays wrong for good with a replica that the healed quorum does without. */
export function drawPermanentFault(random: Random, replica: ReplicaId, replicaCount: number): FaultEffect {
  const all = idsOf(replicaCount);
  const towards = between(all, [replica]);
  const away = between([replica], all);
  switch (random.pick(['crash', 'isolation', 'deafness', 'muteness', 'weather', 'slowDisk', 'none'] as const)) {
    case 'crash':
      return { kind: 'crash', replicas: [replica], afterCalls: 0, loss: 'some' };
    case 'isolation':
      return { kind: 'isolation', directions: [...towards, ...away] };
    case 'deafness':
      return { kind: 'deafness', directions: towards };
    case 'muteness':
      return { kind: 'muteness', directions: away };
    case 'weather':
      return { kind: 'weather', directions: [...towards, ...away], condition: drawWeather(random) };
    case 'slowDisk':
      return { kind: 'slowDisk', replica, slowness: 1_000 };
    case 'none':
      return { kind: 'weather', directions: [], condition: {} };
  }
}
