/**
 * Numbers of the protocol with their types, so that a view is never passed for a sequence. All are safe integers; the
 * codec refuses larger ones.
 */

/** A replica's id, 0 to n − 1. */
export type ReplicaId = number & { readonly brand: 'ReplicaId' };

/** A view, from 0; its primary is replica view mod n. */
export type View = number & { readonly brand: 'View' };

/** A position in the total order, from 1; 0 is the state before the first batch. */
export type Sequence = number & { readonly brand: 'Sequence' };

/** Marks an integer from 0 to 2^53 − 1 that was checked as a replica's id. */
export function replicaId(value: number): ReplicaId {
  return value as ReplicaId;
}

/** Marks a checked integer as a view. */
export function view(value: number): View {
  return value as View;
}

/** Marks a checked integer as a sequence. */
export function sequence(value: number): Sequence {
  return value as Sequence;
}

/** The sequence `distance` after (or, where negative, before) `from`. */
export function sequenceAfter(from: Sequence, distance = 1): Sequence {
  return (from + distance) as Sequence;
}
