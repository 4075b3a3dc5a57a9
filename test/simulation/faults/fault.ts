/** What can go wrong with machines and networks, as data: a plan can be drawn, printed, and made smaller. */

import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { CrashLoss } from '../machine/disk.js';
import type { LinkCondition } from '../machine/link-condition.js';

/** A direction between two replicas. */
export type Direction = readonly [from: ReplicaId, to: ReplicaId];

/** What goes wrong. */
export type FaultEffect =
  /** Loss, delay, repetition, disorder. */
  | {
      readonly kind: 'weather';
      readonly directions: readonly Direction[];
      readonly condition: Partial<LinkCondition>;
    }
  /** Nothing moves until it ends. */
  | { readonly kind: 'clog'; readonly directions: readonly Direction[] }
  /** Everything is lost, silently. */
  | {
      readonly kind: 'partition' | 'isolation' | 'deafness' | 'muteness';
      readonly directions: readonly Direction[];
    }
  /** Links break again and again. */
  | { readonly kind: 'breaks'; readonly pairs: readonly Direction[]; readonly everyMs: number }
  /** Processes end, in the middle of a turn where `afterCalls` is not 0, and are down until it ends. */
  | {
      readonly kind: 'crash' | 'crashAll';
      readonly replicas: readonly ReplicaId[];
      readonly afterCalls: number;
      readonly loss: CrashLoss;
    }
  /** A process ends and starts all the time. */
  | { readonly kind: 'blink'; readonly replica: ReplicaId; readonly everyMs: number; readonly loss: CrashLoss }
  | { readonly kind: 'pause'; readonly replicas: readonly ReplicaId[] }
  /** Whoever is primary is cut off for a while, again and again: views change under way. */
  | { readonly kind: 'toppling'; readonly everyMs: number; readonly cutMs: number }
  /** What comes through depends on what it is and on its view: some prepare what others don't, and views change on. */
  | { readonly kind: 'selectiveLoss'; readonly salt: number }
  | { readonly kind: 'slowDisk'; readonly replica: ReplicaId; readonly slowness: number }
  | { readonly kind: 'fullDisk'; readonly replica: ReplicaId }
  /** It is copied when this begins; when it ends the process ends, and starts again with the copy, or with nothing. */
  | { readonly kind: 'olderDisk' | 'wipedDisk'; readonly replica: ReplicaId }
  | { readonly kind: 'clock'; readonly replica: ReplicaId; readonly offsetMs: number };

/** Something that goes wrong for a while. */
export interface Fault {
  readonly atMs: number;
  readonly durationMs: number;
  readonly effect: FaultEffect;
}

/** Kinds that any plan may have. */
export const COMMON_FAULT_KINDS = [
  'weather',
  'clog',
  'partition',
  'isolation',
  'deafness',
  'muteness',
  'breaks',
  'crash',
  'crashAll',
  'blink',
  'pause',
  'toppling',
  'slowDisk',
  'fullDisk',
  'clock',
] as const satisfies readonly FaultEffect['kind'][];

/** Kinds after which a replica has forgotten what it said: it is one of the f from then on. */
export const FORGETTING_FAULT_KINDS = ['olderDisk', 'wipedDisk'] as const satisfies readonly FaultEffect['kind'][];

/** All kinds: also those that have plans of their own. */
export const FAULT_KINDS = [
  ...COMMON_FAULT_KINDS,
  ...FORGETTING_FAULT_KINDS,
  'selectiveLoss',
] as const satisfies readonly FaultEffect['kind'][];

/** The name of one. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** A fault in a line. */
export function describeFault({ atMs, durationMs, effect }: Fault): string {
  const { kind, ...details } = effect;
  return `${kind} from ${atMs.toFixed(0)} for ${durationMs.toFixed(0)} ms ${JSON.stringify(details)}`;
}
