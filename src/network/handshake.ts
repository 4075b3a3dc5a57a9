/**
 * The handshake of a link [protocol.md 2]: the dialler's Greeting, then each end's signed Hello, the listener's first.
 * A Hello names both ends, both nonces and both TLS certificates, so it can't be relayed to another replica, nor
 * replayed on another connection. Pure: builds and judges; link-handshake.ts speaks.
 *
 * 1. A Hello is judged only from the replica that TLS proved.
 * 2. What both ends must agree on is compared before the signature, so that a replica of another genesis, whose
 *    signatures can't verify here, is told from a liar: TLS vouches for who says it.
 */
import type { ReplicaId } from '../protocol/identifiers.js';
import { equalBytes } from '../util/bytes.js';
import type { Digest } from '../util/digest.js';
import type { Greeting, Hello } from '../wire/hello-codec.js';
import type { LinkEnd } from './link-end.js';
import type { ClusterTerms } from './transport-options.js';

/** The connection that a Hello is bound to. */
export interface LinkBinding {
  readonly diallerNonce: Uint8Array;
  readonly listenerNonce: Uint8Array;
  readonly diallerCertificateDigest: Digest;
  readonly listenerCertificateDigest: Digest;
}

/** One end as it sees the link. */
export interface LinkEnds {
  readonly own: ReplicaId;
  /** As TLS proved it. */
  readonly peer: ReplicaId;
}

/** What this end signs. */
export function makeHello(ends: LinkEnds, terms: ClusterTerms, binding: LinkBinding): Hello {
  return {
    protocolVersion: terms.protocolVersion,
    clusterId: terms.clusterId,
    parametersDigest: terms.parametersDigest,
    from: ends.own,
    to: ends.peer,
    diallerNonce: binding.diallerNonce,
    listenerNonce: binding.listenerNonce,
    diallerCertificateDigest: binding.diallerCertificateDigest,
    listenerCertificateDigest: binding.listenerCertificateDigest,
  };
}

/** Judges a dialler's Greeting. */
export function rejectGreeting(greeting: Greeting, ends: LinkEnds): LinkEnd | undefined {
  if (greeting.from !== ends.peer) {
    const text = `the greeting is from replica ${greeting.from}, the TLS certificate is replica ${ends.peer}'s`;
    return { reason: 'identity', text };
  }
  if (greeting.to !== ends.own) {
    const text = `replica ${ends.peer} dialled replica ${greeting.to} and reached replica ${ends.own}: check its peers`;
    return { reason: 'identity', text };
  }
  return undefined;
}

function isBoundTo(hello: Hello, binding: LinkBinding): boolean {
  return (
    equalBytes(hello.diallerNonce, binding.diallerNonce) &&
    equalBytes(hello.listenerNonce, binding.listenerNonce) &&
    hello.diallerCertificateDigest === binding.diallerCertificateDigest &&
    hello.listenerCertificateDigest === binding.listenerCertificateDigest
  );
}

/** What differs, with both values, in the operator's words. */
function differencesOf(hello: Hello, terms: ClusterTerms): string[] {
  const rows: readonly (readonly [string, string | number, string | number])[] = [
    ['protocol version', terms.protocolVersion, hello.protocolVersion],
    ['cluster id', terms.clusterId, hello.clusterId],
    ['parameters digest', terms.parametersDigest, hello.parametersDigest],
  ];
  return rows
    .filter(([, own, theirs]) => own !== theirs)
    .map(([name, own, theirs]) => `${name}: here ${own}, at the peer ${theirs}`);
}

/** Judges the other end's Hello, but for its signature. */
export function rejectHello(
  hello: Hello,
  ends: LinkEnds,
  expected: { readonly terms: ClusterTerms; readonly binding: LinkBinding },
): LinkEnd | undefined {
  if (hello.from !== ends.peer || hello.to !== ends.own) {
    const text = `the hello is from replica ${hello.from} to replica ${hello.to}, this link is from replica ${ends.peer} to replica ${ends.own}`;
    return { reason: 'handshake', text };
  }
  if (!isBoundTo(hello, expected.binding)) {
    return { reason: 'handshake', text: `the hello of replica ${ends.peer} is for another connection` };
  }
  const differences = differencesOf(hello, expected.terms);
  if (differences.length > 0) {
    return { reason: 'mismatch', text: `replica ${ends.peer} has another configuration: ${differences.join('; ')}` };
  }
  return undefined;
}
