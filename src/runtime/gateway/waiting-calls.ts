/**
 * Operations of callers that wait to be put into a request; bounded by the door. Cheap and costly ones wait apart, each
 * in the order in which they came, and never share a request: a put isn't behind hundreds of ranges.
 */

import type { Result } from '../../util/result.js';
import type { Prepared } from '../execution/prepared-operations.js';
import type { Executed, SubmitFailure } from '../face.js';
import type { DeadlineSlot } from './deadlines.js';

/** How a caller is answered. */
export type SubmitDone = (result: Result<Executed, SubmitFailure>) => void;

/** A caller with its operation. */
export interface Call {
  readonly operation: Uint8Array;
  /** The operation as the state machine looked at it. */
  readonly prepared: Prepared;
  /** What executing it costs at most. */
  readonly cost: number;
  /** Undefined once answered. */
  done: SubmitDone | undefined;
  slot: DeadlineSlot | undefined;
}

/** The most that goes into one request. */
export interface BundleLimits {
  readonly operationsMax: number;
  /** One operation that is longer goes alone. */
  readonly bytesMax: number;
  /** One operation that costs more goes alone. */
  readonly costMax: number;
}

/** Where a call waits. */
export type Lane = 'cheap' | 'costly';

/** More than the tag and length of an operation take. */
const OPERATION_OVERHEAD_BYTES = 8;
/** Reads and writes of short values are cheap; ranges, and what reads or writes long values, aren't. */
const CHEAP_COST_MAX = 32_768;

/** The lane for an operation of this cost. */
export function laneOf(cost: number): Lane {
  return cost <= CHEAP_COST_MAX ? 'cheap' : 'costly';
}

/** The lane whose turn it is after this one's. */
export function otherLane(lane: Lane): Lane {
  return lane === 'cheap' ? 'costly' : 'cheap';
}

/** The waiting calls. */
export class WaitingCalls {
  private readonly lanes: Readonly<Record<Lane, Set<Call>>> = { cheap: new Set(), costly: new Set() };
  private heldBytes = 0;

  /** How many wait. */
  get size(): number {
    return this.lanes.cheap.size + this.lanes.costly.size;
  }

  /** The bytes of their operations. */
  get sizeBytes(): number {
    return this.heldBytes;
  }

  /** How many wait in a lane. */
  countIn(lane: Lane): number {
    return this.lanes[lane].size;
  }

  /** Adds a call at the end of its lane. */
  add(call: Call): void {
    this.lanes[laneOf(call.cost)].add(call);
    this.heldBytes += call.operation.length;
  }

  /** Removes a call; returns whether it was waiting. */
  remove(call: Call): boolean {
    const wasWaiting = this.lanes[laneOf(call.cost)].delete(call);
    this.heldBytes -= wasWaiting ? call.operation.length : 0;
    return wasWaiting;
  }

  /** Takes the oldest calls of a lane, as many as go into one request and at least one if any is there. */
  takeBundle(lane: Lane, { operationsMax, bytesMax, costMax }: BundleLimits): readonly Call[] {
    const bundle: Call[] = [];
    let sizeBytes = 0;
    let cost = 0;
    for (const call of this.lanes[lane]) {
      sizeBytes += call.operation.length + OPERATION_OVERHEAD_BYTES;
      cost += call.cost;
      if (bundle.length > 0 && (bundle.length === operationsMax || sizeBytes > bytesMax || cost > costMax)) {
        break;
      }
      bundle.push(call);
      this.remove(call);
    }
    return bundle;
  }

  /** Takes all calls. */
  takeAll(): readonly Call[] {
    const all = [...this.lanes.cheap, ...this.lanes.costly];
    this.lanes.cheap.clear();
    this.lanes.costly.clear();
    this.heldBytes = 0;
    return all;
  }
}
