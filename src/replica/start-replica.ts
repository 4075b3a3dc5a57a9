/**
 * The composition root: a whole replica from its configuration. Everything is checked before anything is opened, the
 * store is opened before anything listens, and a failure on the way closes what was opened.
 */
import { formatAddress } from '../config/address.js';
import type { ConfigurationSources } from '../config/load-configuration.js';
import { sha256 } from '../crypto/hash.js';
import { computeClientId } from '../crypto/keys.js';
import { createSigner, createVerifier } from '../crypto/signatures.js';
import { createLogger } from '../observability/logger.js';
import { createMetrics } from '../observability/metrics.js';
import type { KeyValueStore } from '../ports/key-value-store.js';
import type { Logger } from '../ports/logger.js';
import type { StateMachine } from '../ports/state-machine.js';
import { replicaId } from '../protocol/identifiers.js';
import type { ReplicaStatus } from '../runtime/face.js';
import { ReplicaRuntime } from '../runtime/replica-runtime.js';
import type { FatalKind } from '../runtime/replica-runtime-options.js';
import { createReplicaStore } from '../storage/replica-store.js';
import { withoutSync } from '../storage/without-sync.js';
import { tellExpiries } from './certificate-watch.js';
import { fitDescriptors, readDescriptorLimit, withBudget } from './descriptor-budget.js';
import { loadReplicaFiles, type ReplicaFiles } from './initialize-check.js';
import { machineTimers } from './machine-timers.js';
import { chooseStateMachine } from './own-application.js';
import { createServer, createTransport, type Observers, refuseTwin, startHttp } from './start-adapters.js';
import { openDirectory } from './start-directory.js';
import { StartError } from './start-error.js';
import { VERSION } from './version.js';
import { type Wrapping, wrapFace, wrapTransport } from './wrapping.js';

/** What a replica is started with. */
export interface StartOptions extends ConfigurationSources {
  /**
   * The replica gave up by itself: the process should end with a failure. `forgotten`: it was shown votes of its own that
   * it doesn't remember, and starting it again would not help. Called once.
   */
  readonly onFatal: (reason: string, kind: FatalKind) => void;
  /**
   * The cluster's application, called as the genesis says; wins over the setting `applicationFile`. Absent for the
   * built-in key-value store, or for the one that `applicationFile` names.
   */
  readonly stateMachine?: StateMachine;
  /** For demonstrations only; none for a correct replica. */
  readonly wrapping?: Wrapping;
}

/** A replica that serves. */
export interface StartedReplica {
  readonly name: string;
  /** `host:port` of each port, as bound. */
  readonly addresses: { readonly client: string; readonly peer: string; readonly http: string };
  readonly logger: Logger;
  status(): ReplicaStatus;
  /** Stops taking operations, finishes what is committed, closes the store; within 5 s. */
  stop(): Promise<void>;
}

/**
 * Starts a replica. Throws a ConfigurationError or a StartError that says what is wrong and what to do.
 *
 * @example
 * ```ts
 * import { connect, initializeCluster, startReplica } from 'pbft';
 *
 * const cluster = await initializeCluster({ directory: 'one', replicaCount: 1, basePort: 9400 });
 * const replica = await startReplica({
 *   file: cluster.replicas[0]?.configurationFile ?? '',
 *   flags: { logLevel: 'error' },
 *   onFatal: (reason) => console.error(reason),
 * });
 * const client = connect(replica.addresses.client);
 * await client.put('greeting', 'hello');
 * console.log((await client.get('greeting')).value); //> hello
 * client.close();
 * await replica.stop();
 * ```
 */
export async function startReplica(options: StartOptions): Promise<StartedReplica> {
  const { files, warning } = fitFiles(loadReplicaFiles(options));
  const { configuration, genesis } = files;
  const stateMachine = await chooseStateMachine(files, options.stateMachine);
  const logger = createLogger({
    level: configuration.logLevel,
    fields: { replica: configuration.replica, name: nameOf(files) },
  });
  if (warning !== undefined) {
    logger.warn({}, warning);
  }
  const { store, warnings } = await openDirectory(files);
  for (const warning of warnings) {
    logger.warn({ engine: store.engine }, warning);
  }
  const metrics = createMetrics({
    version: VERSION,
    engine: () => store.engine,
    peers: genesis.replicas.filter(({ id }) => id !== configuration.replica).map(({ id }) => String(id)),
  });
  const stops: Stop[] = [
    (done) => store.close(() => done()),
    (done) => {
      metrics.stop();
      done();
    },
  ];
  try {
    await refuseTwin(files, { metrics, logger });
    const { onFatal, wrapping } = options;
    const runtime = createRuntime({ files, store, metrics, logger, stateMachine, onFatal, wrapping });
    // It closes the store when what is under way is written.
    stops.splice(0, 1, (done) => runtime.stop(done));
    return await serve({ files, runtime, metrics, logger, stops, wrapping });
  } catch (error) {
    await stopAll(stops);
    throw error instanceof StartError ? error : new StartError(error instanceof Error ? error.message : String(error));
  }
}

/** Lowers what doesn't fit into this process's limit of open files. */
function fitFiles(loaded: ReplicaFiles): { readonly files: ReplicaFiles; readonly warning: string | undefined } {
  const peerCount = loaded.genesis.replicas.length - 1;
  const { budget, warning } = fitDescriptors(loaded.configuration, peerCount, readDescriptorLimit());
  return { files: { ...loaded, configuration: withBudget(loaded.configuration, budget), budget }, warning };
}

function nameOf({ configuration, genesis }: ReplicaFiles): string {
  return genesis.replicas[configuration.replica]?.name ?? '';
}

interface RuntimeParts extends Observers {
  readonly files: ReplicaFiles;
  readonly store: KeyValueStore;
  readonly stateMachine: StateMachine;
  readonly onFatal: (reason: string, kind: FatalKind) => void;
  readonly wrapping: Wrapping | undefined;
}

function createRuntime(parts: RuntimeParts): ReplicaRuntime {
  const { files, metrics, logger, stateMachine, onFatal, wrapping } = parts;
  const { configuration, genesis, keys } = files;
  const { storage } = configuration;
  metrics.metrics.set('pbft_unsafe_mode', {}, storage.unsafeNoFsync ? 1 : 0);
  if (storage.unsafeNoFsync) {
    logger.warn({}, 'storage.unsafeNoFsync is set: a power cut makes this replica a liar; for experiments only');
  }
  const store = storage.unsafeNoFsync ? withoutSync(parts.store) : parts.store;
  const transport = createTransport(files, { metrics, logger });
  return new ReplicaRuntime({
    identity: {
      replica: replicaId(configuration.replica),
      names: genesis.replicas.map(({ name }) => name),
      clusterId: genesis.clusterId,
      sizes: genesis.quorumSizes,
      checkpointInterval: genesis.parameters.checkpointInterval,
      requestTimeoutMs: configuration.agreement.requestTimeoutMs,
      storageEngine: store.engine,
    },
    ownClientId: computeClientId(keys.signingKey),
    consensus: genesis.parameters,
    local: configuration.agreement,
    queues: {
      peerMessagesMax: configuration.queues.peerMessagesMax,
      peerBytesMax: configuration.queues.peerBytesMax,
      clientOperationsMax: configuration.queues.clientMessagesMax,
      clientBytesMax: configuration.queues.clientBytesMax,
    },
    answerBytesMax: Math.min(ANSWER_BYTES_MAX, configuration.link.messageBytesMax / 2),
    hash: sha256,
    signer: createSigner(keys.signingKey, genesis.clusterId),
    verifier: createVerifier(genesis),
    store: createReplicaStore(store, {
      hash: sha256,
      genesisDigest: genesis.clusterId,
      limits: { ...genesis.parameters, replicaCount: genesis.quorumSizes.replicaCount },
    }),
    transport: wrapping === undefined ? transport : wrapTransport(transport, files, wrapping),
    timers: machineTimers,
    metrics: metrics.metrics,
    logger,
    stateMachine,
    onFatal,
  });
}

/** What one answer to a fetch carries of batches: a fraction of a second's work for the asker. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

interface Serving extends Observers {
  readonly files: ReplicaFiles;
  readonly runtime: ReplicaRuntime;
  readonly stops: Stop[];
  readonly wrapping: Wrapping | undefined;
}

/** Listens, first for those who watch, then for peers, then for callers. */
async function serve({ files, runtime, stops, wrapping, ...observers }: Serving): Promise<StartedReplica> {
  const { listen } = files.configuration;
  const { metrics, logger } = observers;
  tellExpiries(files, { metrics: metrics.metrics, logger, nowMs: machineTimers.wallMs() });
  const http = await startHttp(files, runtime, observers);
  // Watched to the end.
  stops.unshift((done) => http.stop(done));
  await succeeds((done) => runtime.start(done));
  const server = createServer(files, wrapping === undefined ? runtime : wrapFace(runtime, wrapping), observers);
  stops.push((done) => server.stop(done));
  await succeeds((done) => server.start(done));
  return {
    name: nameOf(files),
    addresses: {
      client: server.address,
      peer: formatAddress(listen.peer),
      http: formatAddress({ host: listen.http.host, port: http.port }),
    },
    logger: observers.logger,
    status: () => runtime.status(),
    stop: () => stopAll(stops),
  };
}

/** Ends what was begun. */
type Stop = (done: () => void) => void;

/** Runs each once, the last one first. */
async function stopAll(stops: Stop[]): Promise<void> {
  for (const stop of stops.splice(0).reverse()) {
    await new Promise<void>((resolve) => {
      stop(resolve);
    });
  }
}

function succeeds(call: (done: (error: Error | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error === undefined ? resolve() : reject(error)));
  });
}
