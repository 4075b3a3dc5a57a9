/** The ways in which a simulated replica is not correct: strategies on its links, and being two processes. */
import { STRATEGY_NAMES, type StrategyName } from '../../../src/adversary/adversary.js';

/** One way. */
export type ByzantineKind = StrategyName | 'twins';

/** All of them. */
export const BYZANTINE_KINDS: readonly ByzantineKind[] = [...STRATEGY_NAMES, 'twins'];

/** Those that are strategies. */
export function strategiesOf(kinds: readonly ByzantineKind[]): readonly StrategyName[] {
  return kinds.filter((kind) => kind !== 'twins');
}
