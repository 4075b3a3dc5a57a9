/**
 * The ways in which a replica of a local cluster can be a traitor, under the names that people type, and what each puts
 * around the replica. Each traitor is a process of its own: what it lies it doesn't arrange with others.
 */
import type { Transport } from '../ports/transport.js';
import type { Digest } from '../util/digest.js';
import type { WireLimits } from '../wire/limits.js';
import { decodePeerMessage } from '../wire/peer-codec.js';
import { type AdversaryOptions, createAdversary, type StrategyName } from './adversary.js';
import { lieAboutHeader, lieAboutResult } from './lying-to-callers.js';
import { createShameless } from './shameless.js';
import { createCoalition } from './strategy.js';

/** One of them. */
export type TraitorKind = 'silent' | 'equivocate' | 'delay' | 'corrupt' | 'lie-to-clients' | 'censor' | 'slow';

/** How each treats the other replicas; undefined where it is honest with them, or says nothing. */
const STRATEGIES: Readonly<Record<TraitorKind, StrategyName | undefined>> = {
  silent: undefined,
  equivocate: 'contradicting',
  delay: 'delaying',
  corrupt: 'corrupting',
  'lie-to-clients': undefined,
  censor: 'censoring',
  slow: 'slowPrimary',
};

/**
 * The links of a replica that sends its Status and nothing else. Nobody answers one that doesn't even send that, and then
 * it serves none of its callers, who are to see what silence costs the others.
 */
function createReticent(links: Transport, limits: WireLimits): Transport {
  const isStatus = (message: Uint8Array): boolean => {
    const input = decodePeerMessage(message, limits);
    return input.ok && input.value.kind === 'signed' && input.value.envelope.type === 'status';
  };
  return {
    start: (handlers, started) => links.start(handlers, started),
    send: (peer, message, priority) => !isStatus(message) || links.send(peer, message, priority),
    setReading: (peer, reading) => links.setReading(peer, reading),
    links: () => links.links(),
    stop: (done) => links.stop(done),
  };
}

/** The links of a traitor of this kind. */
export function createTraitorTransport(
  kind: TraitorKind,
  transport: Transport,
  parts: Omit<AdversaryOptions, 'transport' | 'coalition'>,
): Transport {
  const strategy = STRATEGIES[kind];
  const links = createShameless(transport, parts.own, parts.limits);
  if (kind === 'silent') {
    return createReticent(links, parts.limits);
  }
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
