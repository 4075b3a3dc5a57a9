/** What happens in a round: drawn from the seed and the round's number alone, so that a run can be repeated. */
import { Random } from '../simulation/kernel/random.js';
import type { EndSignal, EnduranceOptions } from './options.js';

/** One round. */
export interface RoundPlan {
  readonly round: number;
  /** Ended together: one replica, or all. */
  readonly victims: readonly number[];
  readonly signal: EndSignal;
  /** Puts that are acknowledged before the kill. */
  readonly putsBefore: number;
  /** How long the load lasts at least before that. */
  readonly loadSeconds: number;
  /** Puts that the others acknowledge before the victim is started again; none where all were killed. */
  readonly putsWithout: number;
  /** Where everything is read back. */
  readonly readAt: number;
}

/** One round in so many kills all. */
const ALL_EACH = 4;
const PUTS_BEFORE_MAX = 150;
const PUTS_WITHOUT_MAX = 60;

/** Draws a round, counted from 1. A stop by request is what goes wrong seldom: there all are stopped in each round. */
export function drawRound(
  {
    seed,
    replicaCount,
    signal,
    loadSeconds,
  }: Pick<EnduranceOptions, 'seed' | 'replicaCount' | 'signal' | 'loadSeconds'>,
  round: number,
): RoundPlan {
  const random = new Random(`endurance/${seed}/${round}`);
  const replicas = Array.from({ length: replicaCount }, (_, id) => id);
  const isAll = random.chance(1 / ALL_EACH) || signal !== 'SIGKILL';
  const victims = isAll ? replicas : [random.pick(replicas)];
  return {
    round,
    victims,
    signal,
    loadSeconds,
    putsBefore: random.integer(10, PUTS_BEFORE_MAX),
    putsWithout: victims.length === 1 ? random.integer(0, PUTS_WITHOUT_MAX) : 0,
    readAt: random.pick(replicas),
  };
}
