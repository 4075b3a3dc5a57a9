/** What a replica stands on, made from its files: the links to peers, the ports it serves. */
import { type ClientServer, createClientServer } from '../api/client-server.js';
import { ipAddressesIn } from '../config/setting-kinds.js';
import { sha256 } from '../crypto/hash.js';
import { createSigner, createVerifier } from '../crypto/signatures.js';
import { createGrpcTransport } from '../network/grpc-transport.js';
import { findOwnLinks, type OwnLink } from '../network/own-links.js';
import type { GrpcTransportOptions } from '../network/transport-options.js';
import { type HttpServer, startHttpServer } from '../observability/http-server.js';
import type { MetricsHandle } from '../observability/metrics.js';
import type { Logger } from '../ports/logger.js';
import type { Transport } from '../ports/transport.js';
import { replicaId } from '../protocol/identifiers.js';
import type { ReplicaFace } from '../runtime/face.js';
import type { ReplicaRuntime } from '../runtime/replica-runtime.js';
import { DiskWatch } from './disk-watch.js';
import type { ReplicaFiles } from './initialize-check.js';
import { machineTimers } from './machine-timers.js';
import { IdentityInUseError } from './start-error.js';
import { PROTOCOL_VERSION, VERSION } from './version.js';

/** What measures and tells. */
export interface Observers {
  readonly metrics: MetricsHandle;
  readonly logger: Logger;
}

/**
 * Refuses to go on where this replica runs elsewhere (FU-02): f + 1 peers have a live link of its identity, so that one
 * of them is correct. What fewer say is logged alone, so that a lying peer keeps nobody from starting. Call it before
 * anything listens or dials.
 */
export async function refuseTwin(files: ReplicaFiles, { metrics, logger }: Observers): Promise<void> {
  const { configuration, genesis } = files;
  const proofCount = genesis.quorumSizes.faultsMax + 1;
  const found = await new Promise<readonly OwnLink[]>((resolve) => {
    findOwnLinks(transportOptions(files, { metrics, logger }), proofCount, resolve);
  });
  const told = found.map(
    ({ peer, address, ageMs }) => `replica ${peer} has its link from ${address} for ${Math.round(ageMs / 1_000)} s`,
  );
  if (found.length >= proofCount) {
    throw new IdentityInUseError(
      `another process runs as replica ${configuration.replica}: ${told.join('; ')}. Stop that one, or don't start this one; ` +
        'never run two with one identity: together they break promises that each keeps. ' +
        'A copy of its data on another machine is no spare',
    );
  }
  if (found.length > 0) {
    logger.error({ told }, 'a peer says that another process runs as this replica; one peer alone is no proof');
  }
}

/** The links to the peers; nothing listens or dials yet. */
export function createTransport(files: ReplicaFiles, observers: Observers): Transport {
  return createGrpcTransport(transportOptions(files, observers));
}

function transportOptions(
  { configuration, genesis, keys, budget }: ReplicaFiles,
  { metrics, logger }: Observers,
): GrpcTransportOptions {
  const own = replicaId(configuration.replica);
  return {
    own,
    clusterId: genesis.clusterId,
    parametersDigest: genesis.parametersDigest,
    protocolVersion: PROTOCOL_VERSION,
    listen: configuration.listen.peer,
    peers: new Map(
      Object.entries(configuration.peers)
        .map(([id, address]) => [replicaId(Number(id)), address] as const)
        .filter(([id]) => id !== own),
    ),
    tls: keys.tls,
    tlsPins: genesis.replicas.map(({ tlsKeyPin }) => tlsKeyPin),
    limits: {
      messageBytesMax: configuration.link.messageBytesMax,
      queueMessagesMax: configuration.link.queuedMessagesMax,
      queueBytesMax: configuration.link.queuedBytesMax,
    },
    ...(budget === undefined ? {} : { pendingConnectionsMax: budget.pendingConnections }),
    hash: sha256,
    signer: createSigner(keys.signingKey, genesis.clusterId),
    verifier: createVerifier(genesis),
    timers: machineTimers,
    metrics: metrics.metrics,
    logger,
  };
}

/**
 * Serves metrics and health. A replica that gave up is not alive; one that diverged is, and not ready: starting it again
 * heals nothing, and the operator wants to ask it what happened.
 */
export function startHttp(
  { configuration }: ReplicaFiles,
  runtime: ReplicaRuntime,
  { metrics: { registry, metrics }, logger }: Observers,
): Promise<HttpServer> {
  const disk = new DiskWatch({
    directory: configuration.dataDirectory,
    metrics,
    logger,
    elapsedMs: () => machineTimers.elapsedMs(),
  });
  disk.refresh();
  const readiness = (): readonly string[] => {
    const reasons = runtime.notReadyReasons();
    metrics.set('pbft_is_ready', {}, reasons.length === 0 ? 1 : 0);
    runtime.measure();
    disk.refresh();
    return reasons;
  };
  const liveness = (): readonly string[] => {
    const reason = runtime.fatalReason;
    return reason === undefined ? [] : [`stopped: ${reason}`];
  };
  return new Promise((resolve, reject) => {
    const { listen, http } = configuration;
    const remarks = () => runtime.readyRemarks();
    const observed = { registry, readiness, remarks, liveness, metrics, timers: machineTimers, logger };
    startHttpServer({ ...listen.http, ...http, ...observed }, (result) =>
      result.ok ? resolve(result.value) : reject(result.error),
    );
  });
}

/** The client port; it doesn't listen yet. */
export function createServer(
  { configuration, genesis, clientTls }: ReplicaFiles,
  face: ReplicaFace,
  { metrics, logger }: Observers,
): ClientServer {
  const { clients, listen } = configuration;
  return createClientServer({
    face,
    timers: machineTimers,
    metrics: metrics.metrics,
    logger,
    hash: sha256,
    host: listen.client.host,
    port: listen.client.port,
    security:
      clientTls === undefined
        ? { kind: 'plaintext', allowRemote: clients.allowPlaintext }
        : {
            kind: 'tls',
            certificateChain: Buffer.from(clientTls.certificatePem),
            privateKey: Buffer.from(clientTls.keyPem),
          },
    application: genesis.application,
    version: VERSION,
    limits: {
      operationBytesMax: genesis.parameters.requestBytesMax,
      callsMax: clients.callsMax,
      answerBytesMax: clients.answerBytesMax,
      times: { defaultMs: clients.callTimeoutMs, maxMs: clients.callTimeoutMaxMs },
      connectionsMax: clients.connectionsMax,
      connectionsOfAddressMax: clients.connectionsOfAddressMax,
      connectionsReserved: clients.connectionsReserved,
      operatorAddresses: ipAddressesIn(clients.operatorAddresses),
      silentConnectionMs: clients.silentConnectionMs,
    },
  });
}
