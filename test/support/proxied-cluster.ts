/**
 * A cluster of processes whose replicas reach each other through proxies, so that each direction of each link can be
 * cut, delayed and throttled while it runs. Of each pair the replica with the higher id dials.
 *
 *     const { cluster, network } = await startProxiedCluster({ replicas: 4 });
 *     network.part([0], [1, 2, 3]);
 *     network.heal();
 */
import assert from 'node:assert/strict';
import { makeCluster, type TestCluster, type TestClusterOptions } from './cluster.js';
import { type DirectionCondition, type LinkDirection, LinkProxy } from './link-proxy.js';

/** The links between all replicas. */
export class ProxiedNetwork {
  /** By `dialler-listener`. */
  readonly #proxies = new Map<string, LinkProxy>();
  #peerPorts: readonly number[] = [];

  /** Proxies for so many replicas, which accept connections from now on. */
  static async open(replicaCount: number): Promise<ProxiedNetwork> {
    const network = new ProxiedNetwork();
    for (let dialler = 1; dialler < replicaCount; dialler++) {
      for (let listener = 0; listener < dialler; listener++) {
        const proxy = await LinkProxy.open(() => network.#peerPorts[listener] ?? 0);
        network.#proxies.set(`${dialler}-${listener}`, proxy);
      }
    }
    return network;
  }

  /** Says where the replicas listen. */
  setPeerPorts(peerPorts: readonly number[]): void {
    this.#peerPorts = peerPorts;
  }

  /** The settings by which a replica finds its peers through the proxies. */
  settingsOf(replica: number): Readonly<Record<string, string>> {
    const own = [...this.#proxies].filter(([name]) => name.startsWith(`${replica}-`));
    return Object.fromEntries(
      own.map(([name, { port }]) => [`peers.${name.slice(name.indexOf('-') + 1)}`, `127.0.0.1:${port}`]),
    );
  }

  /** What one replica sends to another. */
  direction(from: number, to: number): LinkDirection {
    const proxy = this.#proxies.get(`${Math.max(from, to)}-${Math.min(from, to)}`);
    assert.ok(proxy !== undefined, `there is no link from ${from} to ${to}`);
    return from > to ? proxy.towards : proxy.back;
  }

  /** Makes what each of these sends to each of those so. */
  set(from: readonly number[], to: readonly number[], condition: DirectionCondition): void {
    for (const sender of from) {
      for (const receiver of to) {
        this.direction(sender, receiver).set(condition);
      }
    }
  }

  /** Cuts both directions of every link between these and those. */
  part(left: readonly number[], right: readonly number[]): void {
    this.set(left, right, { isCut: true });
    this.set(right, left, { isCut: true });
  }

  /** Restores every direction of every link. */
  heal(): void {
    for (const { towards, back } of this.#proxies.values()) {
      towards.restore();
      back.restore();
    }
  }

  /** Ends all connections and accepts no more. */
  async close(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
  }
}

/** A cluster with its network. */
export interface ProxiedCluster {
  readonly cluster: TestCluster;
  readonly network: ProxiedNetwork;
  /** Ends all processes and connections and removes the folder. */
  stop(): Promise<void>;
}

/** Makes a cluster, starts it, and waits until it serves. Leaves nothing behind where that fails. */
export async function startProxiedCluster(options: TestClusterOptions & { readonly replicas: number }) {
  const network = await ProxiedNetwork.open(options.replicas);
  const cluster = await makeCluster({ ...options, settings: (replica) => network.settingsOf(replica) });
  network.setPeerPorts(cluster.peerPorts);
  const proxied: ProxiedCluster = {
    cluster,
    network,
    async stop() {
      await cluster.stop();
      await network.close();
    },
  };
  try {
    for (const { id } of cluster.replicas) {
      cluster.start(id);
    }
    await cluster.waitReady();
    return proxied;
  } catch (error) {
    await proxied.stop();
    throw error;
  }
}
