/** All attacks that `make attack` knows. */
import type { Attack } from './attack.js';
import { localRanges } from './local-ranges.js';

export const ATTACKS: readonly Attack[] = [localRanges];

/** The attack of this name. */
export function findAttack(name: string): Attack | undefined {
  return ATTACKS.find((attack) => attack.name === name);
}
