/** Operations of callers that wait to be put into a request, in the order in which they came; bounded by the door. */
import type { Result } from '../util/result.js';
import type { DeadlineSlot } from './deadlines.js';
import type { Executed, SubmitFailure } from './face.js';

/** How a caller is answered. */
export type SubmitDone = (result: Result<Executed, SubmitFailure>) => void;

/** A caller with his operation. */
export interface Call {
  readonly operation: Uint8Array;
  /** Undefined once answered. */
  done: SubmitDone | undefined;
  slot: DeadlineSlot | undefined;
}

/** The most that goes into one request. */
export interface BundleLimits {
  readonly operationsMax: number;
  /** One operation that is longer goes alone. */
  readonly bytesMax: number;
}

/** More than the tag and length of an operation take. */
const OPERATION_OVERHEAD_BYTES = 8;

/** The waiting calls. */
export class WaitingCalls {
  private readonly calls = new Set<Call>();
  private heldBytes = 0;

  /** How many wait. */
  get size(): number {
    return this.calls.size;
  }

  /** The bytes of their operations. */
  get sizeBytes(): number {
    return this.heldBytes;
  }

  /** Adds a call at the end. */
  add(call: Call): void {
    this.calls.add(call);
    this.heldBytes += call.operation.length;
  }

  /** Removes a call; returns whether it was waiting. */
  remove(call: Call): boolean {
    const wasWaiting = this.calls.delete(call);
    this.heldBytes -= wasWaiting ? call.operation.length : 0;
    return wasWaiting;
  }

  /** Takes the oldest calls, as many as go into one request and at least one. */
  takeBundle({ operationsMax, bytesMax }: BundleLimits): readonly Call[] {
    const bundle: Call[] = [];
    let sizeBytes = 0;
    for (const call of this.calls) {
      sizeBytes += call.operation.length + OPERATION_OVERHEAD_BYTES;
      if (bundle.length > 0 && (bundle.length === operationsMax || sizeBytes > bytesMax)) {
        break;
      }
      bundle.push(call);
      this.remove(call);
    }
    return bundle;
  }

  /** Takes all calls. */
  takeAll(): readonly Call[] {
    const all = [...this.calls];
    this.calls.clear();
    this.heldBytes = 0;
    return all;
  }
}
