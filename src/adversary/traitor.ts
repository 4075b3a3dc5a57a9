/**
 * The ways in which a replica of a local cluster can be a traitor, under the names that people type, and what each puts
 * around the replica. Each traitor is a process of its own: what it lies it doesn't arrange with others.
 */
import type { Transport } from '../ports/transport.js';
import type { Digest } from '../util/digest.js';
import { type AdversaryOptions, createAdversary, type StrategyName } from './adversary.js';
import { lieAboutHeader, lieAboutResult } from './lying-to-callers.js';
import { createShameless } from './shameless.js';
import { createCoalition } from './strategy.js';

/** One of them. */
export type TraitorKind = 'silent' | 'equivocate' | 'delay' | 'corrupt' | 'lie-to-clients' | 'censor' | 'slow';

/** How each treats the other replicas; undefined where it is honest with them. */
const STRATEGIES: Readonly<Record<TraitorKind, StrategyName | undefined>> = {
  silent: 'silent',
  equivocate: 'contradicting',
  delay: 'delaying',
  corrupt: 'corrupting',
  'lie-to-clients': undefined,
  censor: 'censoring',
  slow: 'slowPrimary',
};

/** The links of a traitor of this kind. */
export function createTraitorTransport(
  kind: TraitorKind,
  transport: Transport,
  parts: Omit<AdversaryOptions, 'transport' | 'coalition'>,
): Transport {
  const strategy = STRATEGIES[kind];
  const links = createShameless(transport, parts.own, parts.limits);
  return strategy === undefined
    ? links
    : createAdversary(strategy, { ...parts, transport: links, coalition: createCoalition() });
}

/** What a traitor of this kind answers instead of what an operation answered. */
export function answerOfTraitor<A extends { readonly result: Uint8Array; readonly headerDigest: Digest }>(
  kind: TraitorKind,
  answer: A,
): A {
  return kind === 'lie-to-clients' ? lieAboutResult(answer) : answer;
}

/** What a traitor of this kind says of its own state. */
export function statusOfTraitor<S extends { readonly headerDigest: Digest }>(kind: TraitorKind, status: S): S {
  return kind === 'lie-to-clients' ? lieAboutHeader(status) : status;
}
