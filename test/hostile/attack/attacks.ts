/** All attacks that `make attack` knows. */
import type { Attack } from './attack.js';
import { localRanges } from './local-ranges.js';
import { longNeighbours, orderedGets, orderedRanges, ordinarySwaps, vainSwaps } from './ordered-reads.js';
import { peerFloods } from './peer-floods.js';
import { silentConnections } from './silent-connections.js';

export const ATTACKS: readonly Attack[] = [
  localRanges,
  longNeighbours,
  orderedRanges,
  orderedGets,
  vainSwaps,
  ordinarySwaps,
  ...peerFloods,
  silentConnections,
];

/** The attack of this name. */
export function findAttack(name: string): Attack | undefined {
  return ATTACKS.find((attack) => attack.name === name);
}
