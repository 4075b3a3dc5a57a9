/** All that a seed decides about a run before it begins. */

import { type ReplicaId, replicaId } from '../../src/protocol/identifiers.js';
import type { QuorumSizes } from '../../src/protocol/quorum.js';
import { defined } from '../../src/util/assert.js';
import { BYZANTINE_KINDS, type ByzantineKind } from './cluster/byzantine.js';
import { type ClusterParameters, drawParameters } from './cluster/parameters.js';
import { drawFaults, drawForgetting, drawPermanentFault, drawSelectiveLoss } from './faults/draw-faults.js';
import type { Fault, FaultEffect } from './faults/fault.js';
import { Random } from './kernel/random.js';

/** A run as it is planned. */
export interface Scenario {
  readonly name: string;
  readonly parameters: ClusterParameters;
  readonly clientCount: number;
  /** How many operations each caller begins while faults come and go, */
  readonly operationsOfClient: number;
  /** and how long it thinks between them. */
  readonly thinkMsMean: number;
  /** How long faults come and go. */
  readonly faultsMs: number;
  readonly faults: readonly Fault[];
  /** The replicas that are not correct, and how. */
  readonly byzantine: ReadonlyMap<ReplicaId, readonly ByzantineKind[]>;
  readonly hasRealSignatures: boolean;
  /** The correct replicas that are healed in the end: a quorum. */
  readonly healed: ReadonlySet<ReplicaId>;
  /** What stays wrong with the others. */
  readonly permanent: readonly FaultEffect[];
}

/** Real signatures are slow: few seeds have them, and no large clusters. */
const REAL_SIGNATURES_EVERY = 13;
const REAL_SIGNATURES_REPLICAS_MAX = 5;

const FORGETFUL_SHARE = 0.14;

const FAULTS_MS_MIN = 2_000;
const FAULTS_MS_MAX = 20_000;
/** Where the network picks what comes through, views shall change often: for longer, and with less patience. */
const SELECTIVE_FAULTS_MS = 20_000;
const SELECTIVE_REQUEST_TIMEOUT_MS = 500;
/** About how many messages of agreement a run has: a bound on what a seed costs. */
const MESSAGES_MIN = 500;
const MESSAGES_MAX = 4_000;

/** The plan of a seed. */
export function drawScenario(seed: number): Scenario {
  const name = `pbft ${seed}`;
  const random = new Random(name);
  const drawn = drawParameters(random.fork('parameters'));
  const { replicaCount, quorum } = drawn.sizes;
  const commonMs = random.between(FAULTS_MS_MIN, FAULTS_MS_MAX);
  const selectiveLoss = drawSelectiveLoss(random.fork('selective loss'), SELECTIVE_FAULTS_MS + commonMs);
  const faultsMs = selectiveLoss?.durationMs ?? commonMs;
  const parameters = selectiveLoss === undefined ? drawn : withRequestTimeout(drawn, SELECTIVE_REQUEST_TIMEOUT_MS);
  const ids = Array.from({ length: replicaCount }, (_, id) => replicaId(id));
  const liars = drawByzantine(seed, random.fork('byzantine'), parameters.sizes);
  const forgetful = drawForgetful(random.fork('forgetful'), liars, parameters.sizes);
  const byzantine = forgetful?.byzantine ?? liars;
  const correct = random.shuffle(ids.filter((id) => !byzantine.has(id)));
  const healed = new Set(random.chance(0.7) ? correct.slice(0, quorum) : correct);
  const permanent = correct
    .filter((id) => !healed.has(id))
    .map((id) => drawPermanentFault(random.fork(`permanent ${id}`), id, replicaCount));
  const clientCount = random.integer(1, 6);
  const messagesOfOperation = 2 * replicaCount ** 2;
  const operations = random.between(MESSAGES_MIN, MESSAGES_MAX) / messagesOfOperation;
  const operationsOfClient = Math.ceil(operations / clientCount);
  return {
    name,
    parameters,
    clientCount,
    operationsOfClient,
    // Some work all the time, some in bursts.
    thinkMsMean: random.chance(0.8) ? faultsMs / operationsOfClient : 10,
    faultsMs,
    faults: [
      ...(selectiveLoss === undefined ? [] : [selectiveLoss]),
      ...drawFaults({ random: random.fork('faults'), replicaCount, phaseMs: faultsMs }),
      ...(forgetful === undefined ? [] : drawForgetting(random.fork('forgetting'), forgetful.replica, faultsMs)),
    ],
    byzantine,
    hasRealSignatures: seed % REAL_SIGNATURES_EVERY === 0 && replicaCount <= REAL_SIGNATURES_REPLICAS_MAX,
    healed,
    permanent,
  };
}

function withRequestTimeout(parameters: ClusterParameters, requestTimeoutMs: number): ClusterParameters {
  return { ...parameters, local: { ...parameters.local, requestTimeoutMs } };
}

/** At most f, in a share of runs none; together they may follow one strategy or each its own. */
function drawByzantine(
  seed: number,
  random: Random,
  { replicaCount, faultsMax }: QuorumSizes,
): ReadonlyMap<ReplicaId, readonly ByzantineKind[]> {
  const ids = Array.from({ length: replicaCount }, (_, id) => replicaId(id));
  const count = random.chance(0.1) ? 0 : random.integer(1, faultsMax);
  const common = drawKinds(seed, random);
  const isCoalition = random.chance(0.6);
  // The first primaries have the most to lie about.
  const first = random.integer(0, 2);
  const order = random.chance(0.5) ? [...ids.slice(first), ...ids.slice(0, first)] : random.shuffle(ids);
  const liars = order.slice(0, count);
  return new Map(liars.map((id) => [id, isCoalition ? common : drawKinds(seed + id, random)]));
}

/**
 * In a share of runs one of the f does nothing wrong but for its disk, which is replaced. It takes the place of a liar
 * where there are f.
 */
function drawForgetful(
  random: Random,
  liars: ReadonlyMap<ReplicaId, readonly ByzantineKind[]>,
  { replicaCount, faultsMax }: QuorumSizes,
): { readonly replica: ReplicaId; readonly byzantine: ReadonlyMap<ReplicaId, readonly ByzantineKind[]> } | undefined {
  if (!random.chance(FORGETFUL_SHARE)) {
    return undefined;
  }
  const others = [...liars].slice(0, faultsMax - 1);
  const free = Array.from({ length: replicaCount }, (_, id) => replicaId(id)).filter(
    (id) => !others.some(([liar]) => liar === id),
  );
  // The first primaries propose most.
  const replica = random.chance(0.5) ? defined(free[0], 'there are more than f replicas') : random.pick(free);
  return { replica, byzantine: new Map([...others, [replica, []]]) };
}

/**
 * One or two, each in turn by seed and in every pair, so that none is rare; forging helps those who tell two stories
 * most.
 */
function drawKinds(turn: number, random: Random): readonly ByzantineKind[] {
  if (random.chance(0.03)) {
    return ['equivocating', 'forging'];
  }
  const count = BYZANTINE_KINDS.length;
  const step = 1 + (Math.floor(turn / count) % (count - 1));
  const [first, second] = [turn, turn + step].map((place) => BYZANTINE_KINDS[place % count] ?? 'silent');
  return [first, ...(random.chance(0.1) ? [] : [second])].filter((kind) => kind !== undefined);
}

/** How many parts a plan has that can be left out: its faults, and what each Byzantine replica does. */
export function countParts({ faults, byzantine }: Scenario): number {
  return faults.length + [...byzantine.values()].flat().length;
}

/** The plan without these of its parts. A replica that does nothing wrong any more is still not held to anything. */
export function withoutParts(scenario: Scenario, leftOut: ReadonlySet<number>): Scenario {
  let part = scenario.faults.length;
  const byzantine = new Map(
    [...scenario.byzantine].map(([replica, kinds]) => [replica, kinds.filter(() => !leftOut.has(part++))]),
  );
  return { ...scenario, byzantine, faults: scenario.faults.filter((_, index) => !leftOut.has(index)) };
}
