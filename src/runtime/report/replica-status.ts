/** What a replica says of itself: its state, whether it can serve callers, and what it waits for, in words. */
import type { LinkState } from '../../ports/transport.js';
import type { CoreView } from '../../protocol/core.js';
import type { Explanation } from '../../protocol/explanation.js';
import type { ReplicaId, View } from '../../protocol/identifiers.js';
import type { QuorumSizes } from '../../protocol/quorum.js';
import type { ReplicaStatus } from '../face.js';
import type { ReplicaIdentity } from '../replica-runtime-options.js';
import { explanationText } from './explanation-text.js';

/** What the status is made of. */
export interface StatusSources {
  /** Undefined until the store is read. */
  readonly core: CoreView | undefined;
  readonly links: readonly LinkState[];
  readonly isStopping: boolean;
  /** Why the replica gave up, undefined where it didn't. */
  readonly fatal: string | undefined;
  readonly agreedTimeMs: number;
}

/** How many replicas, the own among them, this one is connected with. */
function connectedReplicas(links: readonly LinkState[]): number {
  return 1 + links.filter(({ connected }) => connected).length;
}

/**
 * What at least one correct peer has executed, by its own word: the weak-quorum-th largest of the peers' claims. A single
 * liar can't make everybody else seem behind.
 */
function computeExecutedByOthers({ peerExecuted }: CoreView, { weakQuorum }: QuorumSizes): number {
  return [...peerExecuted.values()].sort((left, right) => right - left)[weakQuorum - 1] ?? 0;
}

/** Why this replica can't answer reads from its executed state, which may be stale; empty where it can. */
export function computeNotReadableReasons({ core, isStopping, fatal }: StatusSources): readonly string[] {
  if (fatal !== undefined) {
    return [`stopped: ${fatal}`];
  }
  if (isStopping) {
    return ['stopping'];
  }
  if (core === undefined) {
    return ['starting: reading the store'];
  }
  return core.diverged ? ['diverged: the state differs from what a quorum certified'] : [];
}

/** What a replica that started waits for before its first vote. */
function startingText({ answeredBy }: CoreView, quorum: number): string {
  const needed = quorum - 1;
  return answeredBy.length < needed
    ? `starting: waits for Status of a quorum before its first vote: ${answeredBy.length} of ${needed} peers answered`
    : 'starting: catches up with the stable checkpoint of the peers that answered before its first vote';
}

/** Why this replica can't serve callers now; empty where it can. */
export function computeNotReadyReasons(identity: ReplicaIdentity, sources: StatusSources): readonly string[] {
  const { core, links, isStopping, fatal } = sources;
  const reasons = [...computeNotReadableReasons(sources)];
  if (core === undefined || isStopping || fatal !== undefined) {
    return reasons;
  }
  const { quorum, replicaCount } = identity.sizes;
  const connected = connectedReplicas(links);
  if (connected < quorum) {
    reasons.push(
      `no quorum: in touch with ${connected} of ${replicaCount} replicas, itself included; ${quorum} are needed`,
    );
  }
  if (!core.mayVote && !core.diverged) {
    reasons.push(startingText(core, quorum));
  } else if (core.serveFrom !== undefined && core.lastExecuted < core.serveFrom) {
    reasons.push(`catching up: executed ${core.lastExecuted} of ${core.serveFrom}, before it takes what callers ask`);
  }
  const known = Math.max(core.lowWatermark, computeExecutedByOthers(core, identity.sizes));
  // Within an interval it is no reason: a loaded backup executes a batch after others made its checkpoint stable, and a
  // call through it only waits for that.
  if (known - core.lastExecuted > identity.checkpointInterval) {
    reasons.push(`catching up: executed ${core.lastExecuted} of ${known}`);
  }
  return reasons;
}

/**
 * The view in which the others serve, where this replica is apart: left alone in a later view. It is ready all the same,
 * but its vote is missing. Undefined where it isn't apart, or doesn't vote yet for another reason.
 */
export function computeApartFrom({ mayVote, viewOfOthers }: CoreView): View | undefined {
  return mayVote ? viewOfOthers : undefined;
}

/** What an operator should know of this replica though it serves; empty where there is nothing. */
export function computeReadyRemarks({ core }: StatusSources): readonly string[] {
  const others = core && computeApartFrom(core);
  return core === undefined || others === undefined
    ? []
    : [
        `apart: it is in view ${core.view}, the others serve in view ${others}; it serves reads and passes on what ` +
          'callers ask; it does not vote',
      ];
}

/** The whole status. */
export function computeReplicaStatus(
  identity: ReplicaIdentity,
  sources: StatusSources,
  explanation: Explanation | undefined,
): ReplicaStatus {
  const { core, links, agreedTimeMs } = sources;
  return {
    replica: identity.replica,
    name: nameOf(identity, identity.replica),
    clusterId: identity.clusterId,
    replicaCount: identity.sizes.replicaCount,
    faultsMax: identity.sizes.faultsMax,
    view: core?.view ?? 0,
    primary: core?.primary ?? 0,
    active: core?.active ?? false,
    viewOfOthers: core && computeApartFrom(core),
    notReadyReasons: computeNotReadyReasons(identity, sources),
    lastExecuted: core?.lastExecuted ?? 0,
    headerDigest: core?.lastHeaderDigest ?? identity.clusterId,
    stableCheckpoint: core?.lowWatermark ?? 0,
    peers: links.map((link) => ({
      ...link,
      name: nameOf(identity, link.peer),
      lastExecuted: core?.peerExecuted.get(link.peer) ?? 0,
    })),
    waitingRequests: core?.waitingRequests ?? 0,
    agreedTimeMs,
    evidence: core?.evidence ?? [],
    storageEngine: identity.storageEngine,
    waitingFor: computeWaitingFor(identity, sources, explanation),
    explanation,
  };
}

function nameOf(identity: ReplicaIdentity, replica: ReplicaId): string {
  return identity.names[replica] ?? String(replica);
}

/**
 * What the replica waits for, in words; empty for nothing worth a word: a replica that is active in its view and executes
 * what is asked within the request timeout lacks nothing for long.
 */
function computeWaitingFor(
  identity: ReplicaIdentity,
  { core, links }: StatusSources,
  explanation: Explanation | undefined,
): string {
  if (core === undefined || explanation === undefined) {
    return 'the store';
  }
  if (core.diverged || (core.mayVote && core.active && core.oldestWaitMs < identity.requestTimeoutMs)) {
    return '';
  }
  const others = computeApartFrom(core);
  if (others !== undefined) {
    return (
      `the others: it is apart, in view ${core.view}, and they serve in view ${others}; it serves reads and ` +
      'passes on what callers ask, and votes again when they come to its view or a later one'
    );
  }
  const isPrimaryAway = links.some(({ peer, connected }) => peer === core.primary && !connected);
  const inTouch = isPrimaryAway
    ? `the primary, ${nameOf(identity, core.primary)}, is not connected`
    : `in touch with ${connectedReplicas(links)} of ${identity.sizes.replicaCount} replicas`;
  return `${explanationText(explanation, core.view, (replica) => nameOf(identity, replica))}; ${inTouch}`;
}
