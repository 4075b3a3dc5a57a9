/** Transports with real keys, real TLS and free ports of the loopback, for the tests of src/network. */
import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { makeAuthorityCertificate, makeReplicaCertificate } from '../../src/crypto/certificates.js';
import { sha256 } from '../../src/crypto/hash.js';
import { computeKeyPin, generatePrivateKey, privatePem, publicKeyOf } from '../../src/crypto/keys.js';
import { createSigner, createVerifier } from '../../src/crypto/signatures.js';
import { createGrpcTransport, type GrpcTransport } from '../../src/network/grpc-transport.js';
import type { GrpcTransportOptions, LinkTls, PeerAddress } from '../../src/network/transport-options.js';
import type { Logger } from '../../src/ports/logger.js';
import type { Metrics } from '../../src/ports/metrics.js';
import type { TimerService } from '../../src/ports/timer-service.js';
import type { TransportHandlers } from '../../src/ports/transport.js';
import { type ReplicaId, replicaId } from '../../src/protocol/identifiers.js';
import { utf8 } from '../../src/util/bytes.js';
import type { Digest } from '../../src/util/digest.js';

/** Replicas in these tests. */
const REPLICA_COUNT = 4;
export const CLUSTER_ID = sha256(utf8('a cluster for tests of the network'));
export const LIMITS = { messageBytesMax: 1024 * 1024, queueBytesMax: 4 * 1024 * 1024, queueMessagesMax: 10_000 };
const WAIT_MS = 8_000;

/** The clock of this machine. */
const realTimers: TimerService = {
  elapsedMs: () => performance.now(),
  wallMs: () => Date.now(),
  startTimer: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  defer: (run) => {
    setImmediate(run);
  },
  random: () => Math.random(),
};

/** Resolves when the condition holds, and fails with what was waited for where it doesn't within some seconds. */
export async function until(condition: () => boolean, what: string, deadlineMs = WAIT_MS): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - startMs < deadlineMs, `waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Counters and gauges as they were set. */
export class RecordingMetrics implements Metrics {
  private readonly values = new Map<string, number>();

  increment(name: string, labels: object, by = 1): void {
    const key = RecordingMetrics.keyOf(name, labels);
    this.values.set(key, (this.values.get(key) ?? 0) + by);
  }

  set(name: string, labels: object, value: number): void {
    this.values.set(RecordingMetrics.keyOf(name, labels), value);
  }

  observe(): void {}

  /** The value, 0 where it was never set. */
  value(name: string, labels: object): number {
    return this.values.get(RecordingMetrics.keyOf(name, labels)) ?? 0;
  }

  private static keyOf(name: string, labels: object): string {
    return `${name}${JSON.stringify(Object.entries(labels).sort())}`;
  }
}

/** Keeps what is logged. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = [];

  error(fields: object, message: string): void {
    this.write('error', fields, message);
  }

  warn(fields: object, message: string): void {
    this.write('warn', fields, message);
  }

  info(fields: object, message: string): void {
    this.write('info', fields, message);
  }

  debug(fields: object, message: string): void {
    this.write('debug', fields, message);
  }

  private write(level: string, fields: object, message: string): void {
    this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  }
}

/** What a transport told its handlers. */
export class RecordingHandlers implements TransportHandlers {
  readonly events: string[] = [];
  readonly messages: { readonly peer: ReplicaId; readonly bytes: Uint8Array }[] = [];
  onEach: (peer: ReplicaId) => void = () => undefined;

  onConnected(peer: ReplicaId): void {
    this.events.push(`connected ${peer}`);
  }

  onDisconnected(peer: ReplicaId, reason: string): void {
    this.events.push(`disconnected ${peer}: ${reason}`);
  }

  onMessage(peer: ReplicaId, message: Uint8Array): void {
    this.messages.push({ peer, bytes: message });
    this.onEach(peer);
  }

  /** The messages as text. */
  textsFrom(peer: number): string[] {
    return this.messages.filter((one) => one.peer === peer).map((one) => Buffer.from(one.bytes).toString());
  }
}

/** All keys of a cluster. */
export interface ClusterKeys {
  readonly authorityKey: KeyObject;
  readonly authorityPem: string;
  readonly tlsKeys: readonly KeyObject[];
  readonly signingKeys: readonly KeyObject[];
  readonly tlsPins: readonly Digest[];
}

let clusterKeys: Promise<ClusterKeys> | undefined;

async function generateKeys(): Promise<ClusterKeys> {
  const generate = (count: number): Promise<KeyObject[]> =>
    Promise.all(Array.from({ length: count }, () => generatePrivateKey()));
  const [authorityKey, ...keys] = await generate(1 + 2 * REPLICA_COUNT);
  assert.ok(authorityKey !== undefined);
  const tlsKeys = keys.slice(0, REPLICA_COUNT);
  const authorityPem = makeAuthorityCertificate({ clusterId: CLUSTER_ID, authorityKey, nowMs: Date.now() });
  const tlsPins = tlsKeys.map((key) => computeKeyPin(key));
  return { authorityKey, authorityPem, tlsKeys, signingKeys: keys.slice(REPLICA_COUNT), tlsPins };
}

/** The keys, made once a process. */
export function keysOfCluster(): Promise<ClusterKeys> {
  clusterKeys ??= generateKeys();
  return clusterKeys;
}

/** Key and certificate of a replica. */
export function tlsOf(keys: ClusterKeys, replica: number): LinkTls {
  const tlsKey = keys.tlsKeys[replica];
  assert.ok(tlsKey !== undefined);
  const { authorityKey, authorityPem } = keys;
  const certificatePem = makeReplicaCertificate({
    clusterId: CLUSTER_ID,
    authorityKey,
    nowMs: Date.now(),
    replica: replicaId(replica),
    tlsKey,
  });
  return { keyPem: privatePem(tlsKey), certificatePem, authorityPem };
}

/** A transport with everything that it talks to. */
export interface TestReplica {
  readonly id: ReplicaId;
  readonly transport: GrpcTransport;
  readonly handlers: RecordingHandlers;
  readonly metrics: RecordingMetrics;
  readonly logger: RecordingLogger;
}

/** What a test may want otherwise than usual. */
export type Overrides = Partial<Omit<GrpcTransportOptions, 'own' | 'metrics' | 'logger'>>;

/** Makes transports that find each other on free ports, and stops them all in the end. */
export class TestCluster {
  readonly keys: ClusterKeys;
  readonly addresses = new Map<ReplicaId, PeerAddress>();
  private readonly replicas: TestReplica[] = [];

  private constructor(keys: ClusterKeys) {
    this.keys = keys;
  }

  static async create(): Promise<TestCluster> {
    return new TestCluster(await keysOfCluster());
  }

  /** The usual options of a replica. */
  options(replica: number, overrides: Overrides = {}): Omit<GrpcTransportOptions, 'metrics' | 'logger'> {
    const signingKey = this.keys.signingKeys[replica];
    assert.ok(signingKey !== undefined);
    const replicaKeys = this.keys.signingKeys.map((key) => publicKeyOf(key));
    const clusterId = overrides.clusterId ?? CLUSTER_ID;
    return {
      own: replicaId(replica),
      clusterId,
      parametersDigest: sha256(utf8('parameters')),
      protocolVersion: 1,
      listen: { host: '127.0.0.1', port: 0 },
      peers: this.addresses,
      tls: tlsOf(this.keys, replica),
      tlsPins: this.keys.tlsPins,
      limits: LIMITS,
      hash: sha256,
      signer: createSigner(signingKey, clusterId),
      verifier: createVerifier({ replicaKeys, clientKeys: new Map(), clusterId }),
      timers: realTimers,
      ...overrides,
    };
  }

  /** A transport that isn't started. */
  make(replica: number, overrides: Overrides = {}): TestReplica {
    const metrics = new RecordingMetrics();
    const logger = new RecordingLogger();
    const transport = createGrpcTransport({ ...this.options(replica, overrides), metrics, logger });
    const made = { id: replicaId(replica), transport, handlers: new RecordingHandlers(), metrics, logger };
    this.replicas.push(made);
    return made;
  }

  /** Starts a transport, and tells the others where it is. */
  async start(replica: number, overrides: Overrides = {}): Promise<TestReplica> {
    const made = this.make(replica, overrides);
    const error = await startTransport(made);
    assert.equal(error, undefined);
    const address = made.transport.address();
    assert.ok(address !== undefined);
    this.addresses.set(made.id, address);
    return made;
  }

  /** Starts two and waits until both are connected. */
  async startPair(overrides: Overrides = {}): Promise<{ low: TestReplica; high: TestReplica }> {
    const low = await this.start(0, overrides);
    const high = await this.start(1, overrides);
    await until(() => isConnected(low, 1) && isConnected(high, 0), 'the link of replicas 0 and 1');
    return { low, high };
  }

  /** Stops all that were made. */
  async stop(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => stopTransport(replica)));
  }
}

/** Starts a transport and returns why it couldn't. */
export function startTransport(replica: TestReplica): Promise<Error | undefined> {
  return new Promise((resolve) => replica.transport.start(replica.handlers, resolve));
}

/** Stops a transport; harmless on one that is stopped. */
function stopTransport(replica: TestReplica): Promise<void> {
  return new Promise((resolve) => replica.transport.stop(resolve));
}

/** Whether the replica has a link to the peer. */
export function isConnected(replica: TestReplica, peer: number): boolean {
  return replica.transport.links().some((link) => link.peer === peer && link.connected);
}

/** The last error that the replica shows for the peer. */
export function lastError(replica: TestReplica, peer: number): string {
  return replica.transport.links().find((link) => link.peer === peer)?.lastError ?? '';
}
