/** How one direction between two replicas behaves. Faults change these; nothing else does. */

/** One direction of a link. */
export interface LinkCondition {
  /** Every message takes at least this, */
  delayMinMs: number;
  /** and this more on average. */
  delayMeanMs: number;
  /** The share of messages that is lost. */
  loss: number;
  /** The share of messages that comes twice. */
  duplication: number;
  /** Whether messages keep their order. */
  isOrdered: boolean;
  /** Everything is lost, and neither end is told. */
  isBlocked: boolean;
  /** Nothing moves; it comes when this ends. */
  isClogged: boolean;
}

/** A local network in good health. */
export function healthyCondition(): LinkCondition {
  return {
    delayMinMs: 0.2,
    delayMeanMs: 0.3,
    loss: 0,
    duplication: 0,
    isOrdered: true,
    isBlocked: false,
    isClogged: false,
  };
}
