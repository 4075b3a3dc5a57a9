/**
 * What can be put around the parts of a replica before they are connected: how a process that means to misbehave, for
 * a demonstration on one machine, is made of the same replica as every other. Nothing in production gives any.
 */
import { sha256 } from '../crypto/hash.js';
import { computeClientId } from '../crypto/keys.js';
import { createSigner } from '../crypto/signatures.js';
import type { Signer } from '../ports/signatures.js';
import type { TimerService } from '../ports/timer-service.js';
import type { Transport } from '../ports/transport.js';
import { type ReplicaId, replicaId } from '../protocol/identifiers.js';
import type { Executed, ReplicaFace, ReplicaStatus } from '../runtime/face.js';
import type { ClientId, Hash } from '../util/digest.js';
import { ok } from '../util/result.js';
import type { WireLimits } from '../wire/limits.js';
import type { ReplicaFiles } from './initialize-check.js';
import { machineTimers } from './machine-timers.js';

/** What a wrapper of the links may use. */
export interface WrapperParts {
  readonly own: ReplicaId;
  readonly ownClientId: ClientId;
  /** Every other replica. */
  readonly peers: readonly ReplicaId[];
  /** The client that each replica is for its callers, by replica id. */
  readonly replicaClients: readonly ClientId[];
  readonly requestTimeoutMs: number;
  readonly limits: WireLimits;
  readonly hash: Hash;
  /** Signs with the replica's own key. */
  readonly signer: Signer;
  readonly timers: TimerService;
}

/** One wrapper for each side of a replica: its peers, its callers. */
export interface Wrapping {
  readonly transport: (transport: Transport, parts: WrapperParts) => Transport;
  /** What a caller is answered instead. */
  readonly answer: (answer: Executed) => Executed;
  /** What the replica says of itself instead. */
  readonly status: (status: ReplicaStatus) => ReplicaStatus;
}

/** The face with other answers. */
export function wrapFace(face: ReplicaFace, { answer, status }: Wrapping): ReplicaFace {
  return {
    submit: (operation, timeoutMs, done) =>
      face.submit(operation, timeoutMs, (result) => done(result.ok ? ok(answer(result.value)) : result)),
    query: async (query) => {
      const result = await face.query(query);
      return result.ok ? ok(answer(result.value)) : result;
    },
    costOf: (operation) => face.costOf(operation),
    status: () => status(face.status()),
  };
}

/** The links of a replica, wrapped. */
export function wrapTransport(transport: Transport, files: ReplicaFiles, wrapping: Wrapping): Transport {
  const { configuration, genesis, keys } = files;
  const { replicas, quorumSizes, parameters, clusterId } = genesis;
  const own = replicaId(configuration.replica);
  return wrapping.transport(transport, {
    own,
    ownClientId: computeClientId(keys.signingKey),
    peers: replicas.map(({ id }) => id).filter((id) => id !== own),
    replicaClients: replicas.map(({ signingKey }) => computeClientId(signingKey)),
    requestTimeoutMs: configuration.agreement.requestTimeoutMs,
    limits: { ...parameters, replicaCount: quorumSizes.replicaCount },
    hash: sha256,
    signer: createSigner(keys.signingKey, clusterId),
    timers: machineTimers,
  });
}
