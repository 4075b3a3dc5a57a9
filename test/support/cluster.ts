/**
 * A cluster of real processes for integration tests: compiled code, real gRPC with mutual TLS, a real store, loopback.
 *
 *     const cluster = await startCluster({ replicas: 4 });
 *     try {
 *       await cluster.client(0).put('key', 'value');
 *       await cluster.kill(3);
 *     } finally {
 *       await cluster.stop();
 *     }
 *
 * Its processes end with the test process, however that ends. `make build` makes what they run.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TraitorKind } from '../../src/cli/cluster/byzantine.js';
import { askReadiness } from '../../src/cli/cluster/readiness.js';
import { type ProcessEnd, ReplicaProcess } from '../../src/cli/cluster/replica-process.js';
import type { Status } from '../../src/cli/output/status-report.js';
import { type Client, connect } from '../../src/client/client.js';
import { initializeCluster } from '../../src/replica/initialize.js';
import type { InitializedReplica } from '../../src/replica/initialize-plan.js';
import { eventually } from './cluster-deadline.js';
import { findBasePort } from './cluster-ports.js';

/** How a cluster is made. */
export interface TestClusterOptions {
  /** 4 by default. */
  readonly replicas?: number;
  readonly names?: readonly string[];
  /** Must be empty, and stays; a folder that is removed afterwards by default. */
  readonly directory?: string;
  /** Free ones by default. */
  readonly basePort?: number;
  /** For all replicas, over the test's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Settings by path, such as `peers.2`, over those of config.yaml. */
  readonly settings?: (replica: number) => Readonly<Record<string, string | number | boolean>>;
  /** Changes the text of config.yaml before the first start. */
  readonly configure?: (replica: number, yaml: string) => string;
  /** Parameters of the genesis that differ from the defaults. */
  readonly parameters?: NonNullable<Parameters<typeof initializeCluster>[0]['parameters']>;
  /** An own application: its name and the module that exports it. The built-in one by default. */
  readonly application?: { readonly name: string; readonly file: string };
  /** The replicas that betray the others, and how; none by default. */
  readonly byzantine?: Readonly<Record<number, TraitorKind>>;
  /** The replicas that are started and waited for; all by default. */
  readonly starting?: readonly number[];
}

const READY_MAX_MS = 30_000;
const STOP_MAX_MS = 7_000;

/** Signals after which a process lives on. */
const PAUSING: ReadonlySet<NodeJS.Signals> = new Set(['SIGSTOP', 'SIGCONT', 'SIGUSR1']);

/** A cluster under test. Replicas are numbered from 0. */
export class TestCluster {
  readonly directory: string;
  readonly replicas: readonly InitializedReplica[];
  readonly #options: TestClusterOptions;
  readonly #processes = new Map<number, ReplicaProcess>();
  readonly #logs = new Map<number, string[]>();
  readonly #clients = new Map<number, Client>();

  constructor(directory: string, replicas: readonly InitializedReplica[], options: TestClusterOptions) {
    this.directory = directory;
    this.replicas = replicas;
    this.#options = options;
  }

  get clientPorts(): readonly number[] {
    return this.replicas.map(({ listen }) => listen.client.port);
  }

  get peerPorts(): readonly number[] {
    return this.replicas.map(({ listen }) => listen.peer.port);
  }

  get httpPorts(): readonly number[] {
    return this.replicas.map(({ listen }) => listen.http.port);
  }

  /** The configuration file of a replica. */
  configurationFile(replica: number): string {
    return this.#replica(replica).configurationFile;
  }

  /**
   * Starts a replica that doesn't run, and doesn't wait for it. `environment`: for this start only, as is `traitor`, the
   * way in which it betrays the others, by default that of the options.
   */
  start(
    replica: number,
    environment: Readonly<Record<string, string>> = {},
    traitor: TraitorKind | undefined = this.#options.byzantine?.[replica],
  ): ReplicaProcess {
    const running = this.#processes.get(replica);
    if (running !== undefined && running.end === undefined) {
      throw new Error(`replica ${replica} runs already`);
    }
    // Its channel would wait before it connects again.
    this.#clients.get(replica)?.close();
    this.#clients.delete(replica);
    const lines = this.#logs.get(replica) ?? [];
    this.#logs.set(replica, lines);
    const settings = Object.entries(this.#options.settings?.(replica) ?? {});
    const started = new ReplicaProcess({
      configurationFile: this.configurationFile(replica),
      environment: { ...process.env, ...this.#options.environment, ...environment },
      flags: settings.flatMap(([path, value]) => ['--set', `${path}=${value}`]),
      traitor,
      output: { onLine: (line) => lines.push(line) },
    });
    this.#processes.set(replica, started);
    return started;
  }

  /** Signals a replica and waits for its end; not for that of one that is only paused or goes on. */
  async kill(replica: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<ProcessEnd | undefined> {
    const running = this.#process(replica);
    running.signal(signal);
    return PAUSING.has(signal) ? undefined : running.ended;
  }

  /** The replica's process id. */
  pid(replica: number): number {
    const { pid } = this.#process(replica);
    if (pid === undefined) {
      throw new Error(`replica ${replica} could not be started`);
    }
    return pid;
  }

  /** Whether the replica's process lives. */
  isRunning(replica: number): boolean {
    const running = this.#processes.get(replica);
    return running !== undefined && running.end === undefined;
  }

  /** Waits until these replicas serve, all running ones by default. */
  async waitReady(replicas: readonly number[] = this.#running(), withinMs = READY_MAX_MS): Promise<void> {
    await Promise.all(replicas.map((replica) => this.#waitReady(replica, withinMs)));
  }

  async #waitReady(replica: number, withinMs: number): Promise<void> {
    const http = `127.0.0.1:${this.#replica(replica).listen.http.port}`;
    let reasons: readonly string[] = [];
    const isReady = async (): Promise<boolean> => {
      const { end } = this.#process(replica);
      if (end !== undefined) {
        throw new Error(`replica ${replica} does not serve: ${end.text}\n${this.logs(replica)}`);
      }
      reasons = await askReadiness(http);
      return reasons.length === 0;
    };
    const describe = (): string => `replica ${replica} does not serve: ${reasons.join('; ')}\n${this.logs(replica)}`;
    await eventually(isReady, { withinMs, describe });
  }

  /** A client of this replica, closed with the cluster. */
  client(replica: number): Client {
    const client = this.#clients.get(replica) ?? connect(`127.0.0.1:${this.#replica(replica).listen.client.port}`);
    this.#clients.set(replica, client);
    return client;
  }

  /** What a replica says of itself. */
  status(replica: number): Promise<Status> {
    return this.client(replica).status();
  }

  /** What a replica logged since the cluster was made, one record a line. */
  logs(replica: number): string {
    return (this.#logs.get(replica) ?? []).join('\n');
  }

  /** Ends all processes and removes the folder. Never leaves anything behind. */
  async stop(): Promise<void> {
    for (const client of this.#clients.values()) {
      client.close();
    }
    const processes = [...this.#processes.values()];
    for (const running of processes) {
      running.signal('SIGCONT');
      running.signal('SIGTERM');
    }
    const deadline = setTimeout(() => {
      for (const running of processes) {
        running.signal('SIGKILL');
      }
    }, STOP_MAX_MS);
    await Promise.all(processes.map(({ ended }) => ended));
    clearTimeout(deadline);
    if (this.#options.directory === undefined) {
      rmSync(this.directory, { recursive: true, force: true });
    }
  }

  #running(): readonly number[] {
    return this.replicas.map(({ id }) => id).filter((id) => this.isRunning(id));
  }

  #replica(replica: number): InitializedReplica {
    const found = this.replicas[replica];
    if (found === undefined) {
      throw new Error(`there is no replica ${replica}`);
    }
    return found;
  }

  #process(replica: number): ReplicaProcess {
    const found = this.#processes.get(replica);
    if (found === undefined) {
      throw new Error(`replica ${replica} was not started`);
    }
    return found;
  }
}

/** Makes a cluster and starts nothing. */
export async function makeCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const replicaCount = options.replicas ?? options.names?.length ?? 4;
  const basePort = options.basePort ?? (await findBasePort(replicaCount));
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'pbft-cluster-'));
  const { replicas } = await initializeCluster({
    directory,
    basePort,
    ...(options.names === undefined ? { replicaCount } : { names: options.names }),
    ...(options.parameters === undefined ? {} : { parameters: options.parameters }),
    ...(options.application === undefined
      ? {}
      : { application: options.application.name, applicationFile: options.application.file }),
  });
  const { configure } = options;
  if (configure !== undefined) {
    for (const { id, configurationFile } of replicas) {
      writeFileSync(configurationFile, configure(id, readFileSync(configurationFile, 'utf8')));
    }
  }
  return new TestCluster(directory, replicas, options);
}

/** Makes a cluster, starts it, and waits until it serves. Leaves nothing behind where that fails. */
export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await makeCluster(options);
  try {
    for (const replica of options.starting ?? cluster.replicas.map(({ id }) => id)) {
      cluster.start(replica);
    }
    await cluster.waitReady();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
