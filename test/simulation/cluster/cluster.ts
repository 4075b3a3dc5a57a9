/** A whole cluster on one virtual machine room, with everything that is checked of it. */
import { createCoalition } from '../../../src/adversary/strategy.js';
import { sha256 } from '../../../src/crypto/hash.js';
import { type ReplicaId, replicaId } from '../../../src/protocol/identifiers.js';
import { utf8 } from '../../../src/util/bytes.js';
import type { ClientId } from '../../../src/util/digest.js';
import { NULL_BATCH_BYTES } from '../../../src/wire/batch-codec.js';
import { AgreementCheck } from '../checks/agreement.js';
import { BegunViewsCheck } from '../checks/begun-views.js';
import { BoundsCheck } from '../checks/bounds.js';
import { CertificatesCheck } from '../checks/certificates.js';
import { ContradictionCheck } from '../checks/contradiction.js';
import { DecidedCheck } from '../checks/decided.js';
import { EvidenceCheck } from '../checks/evidence.js';
import { ForgottenVotesCheck } from '../checks/forgotten-votes.js';
import { MonotoneCheck } from '../checks/monotone.js';
import { type Observer, Observers, Violations, ViolationsBut } from '../checks/observer.js';
import { PreparedUniquenessCheck } from '../checks/prepared-uniqueness.js';
import { RequestContradictionCheck } from '../checks/request-contradiction.js';
import { RequestsCheck } from '../checks/requests.js';
import { describeMessage, MessageReader } from '../checks/seen-message.js';
import { ShownCommitsCheck } from '../checks/shown-commits.js';
import { ViewChangesCheck } from '../checks/view-changes.js';
import { WriteBeforeSendCheck } from '../checks/write-before-send.js';
import { EventLoop } from '../kernel/event-loop.js';
import { Random } from '../kernel/random.js';
import { Trace } from '../kernel/trace.js';
import { SimulatedNetwork } from '../machine/network.js';
import { createRsaScheme } from '../machine/rsa.js';
import { KeyedHashScheme, SignatureRegistry } from '../machine/signatures.js';
import { TwinLinks } from '../machine/twins.js';
import { type ByzantineKind, strategiesOf } from './byzantine.js';
import { correctOnly } from './correct-only.js';
import type { ClusterParameters } from './parameters.js';
import { SimulatedReplica } from './simulated-replica.js';
import type { Counters } from './watched-metrics.js';
import type { World } from './world.js';

/** What a cluster is made of. */
export interface ClusterOptions {
  readonly seed: string;
  readonly parameters: ClusterParameters;
  /** The replicas that are not correct, and what makes them so. */
  readonly byzantine: ReadonlyMap<ReplicaId, readonly ByzantineKind[]>;
  readonly keepsTrace: boolean;
  /** Whether signatures are real RSA ones, which cost a hundred times as much. */
  readonly hasRealSignatures?: boolean;
  /** More that watches. */
  readonly observers: readonly Observer[];
  /** A negative control: replicas that don't wait for their disks, and the invariants that are not looked at. */
  readonly withoutSync?: { readonly ignored: ReadonlySet<number> };
}

/** Counting all that is held costs as much as many steps. */
const STEPS_BETWEEN_COUNTS = 256;

/** A cluster of one run. */
export class Cluster {
  readonly world: World;
  readonly agreement: AgreementCheck;
  readonly bounds: BoundsCheck;
  readonly replicas: readonly SimulatedReplica[];
  /** Second processes of replicas that are two. */
  private readonly twins: SimulatedReplica[] = [];

  constructor(options: ClusterOptions) {
    const { seed, parameters, byzantine, keepsTrace } = options;
    const { replicaCount } = parameters.sizes;
    const loop = new EventLoop();
    const random = new Random(seed);
    const trace = new Trace(loop, keepsTrace);
    const violations =
      options.withoutSync === undefined ? new Violations() : new ViolationsBut(options.withoutSync.ignored);
    const clusterId = sha256(utf8(`cluster ${seed}`));
    const isCorrect = (replica: ReplicaId): boolean => !byzantine.has(replica);
    const ids = Array.from({ length: replicaCount }, (_, id) => replicaId(id));
    const clientIds = ids.map((id): ClientId => sha256(utf8(`client ${id}`)) as string as ClientId);
    const keys = random.fork('signatures');
    const scheme = options.hasRealSignatures
      ? createRsaScheme(replicaCount, clusterId)
      : new KeyedHashScheme(keys, clientIds);
    const signatures = new SignatureRegistry(keys, scheme, (signer, type, payload) =>
      observer.onSigned(signer, type, payload),
    );
    this.bounds = new BoundsCheck(violations, parameters);
    this.agreement = new AgreementCheck(violations, clusterId);
    const forgotten = new Map<ReplicaId, number>();
    const reader = new MessageReader(parameters.limits);
    const observer = correctOnly(
      new Observers([
        this.agreement,
        ...createChecks({ violations, signatures, parameters, isCorrect }),
        new ForgottenVotesCheck({
          violations,
          limits: parameters.limits,
          sizes: parameters.sizes,
          nowMs: () => loop.nowMs,
          forgottenAtMs: (replica) => forgotten.get(replica),
          hasLost: (from, to) => network.hasLost(from, to),
        }),
        ...options.observers,
      ]),
      isCorrect,
    );
    const network = new SimulatedNetwork({
      loop,
      random: random.fork('network'),
      trace,
      replicaCount,
      messageBytesMax: parameters.messageBytesMax,
      queueBytesMax: parameters.linkQueueBytesMax,
      onSent: (from, to, message) => observer.onSent(from, to, reader.read(message)),
      describe: (message) => describeMessage(reader.read(message)),
    });
    const counters: Counters = new Map();
    this.world = {
      forgotten,
      parameters,
      clusterId,
      loop,
      random,
      trace,
      network,
      reader,
      signatures,
      violations,
      observer,
      counters,
      coalition: createCoalition(),
      isCorrect,
      syncs: options.withoutSync === undefined,
    };
    this.replicas = ids.map((id) => this.createReplica(id, byzantine.get(id) ?? []));
  }

  private createReplica(id: ReplicaId, kinds: readonly ByzantineKind[]): SimulatedReplica {
    const { world } = this;
    const { loop, network, random, parameters } = world;
    const strategies = strategiesOf(kinds);
    if (!kinds.includes('twins')) {
      return new SimulatedReplica(world, id, strategies);
    }
    const links = new TwinLinks({
      loop,
      network,
      random: random.fork(`twins ${id}`),
      own: id,
      replicaCount: parameters.sizes.replicaCount,
    });
    this.twins.push(new SimulatedReplica(world, id, strategies, { links, which: 1 }));
    return new SimulatedReplica(world, id, strategies, { links, which: 0 });
  }

  /** The replicas that do what they should. */
  get correct(): readonly SimulatedReplica[] {
    return this.replicas.filter(({ id }) => this.world.isCorrect(id));
  }

  /** Starts every process. */
  start(): void {
    for (const replica of [...this.replicas, ...this.twins]) {
      replica.start();
    }
  }

  /** Lets things happen until the condition holds (true), an invariant doesn't, or the time has come. */
  runUntil(deadlineMs: number, isDone: () => boolean = () => false): boolean {
    const { loop, violations } = this.world;
    while (violations.first === undefined && !isDone()) {
      if (loop.nowMs >= deadlineMs || !loop.step()) {
        return false;
      }
      if (loop.steps % STEPS_BETWEEN_COUNTS === 0) {
        this.judgeBounds();
      }
    }
    return violations.first === undefined;
  }

  private judgeBounds(): void {
    for (const replica of this.correct) {
      const held = replica.countHeld();
      if (held !== undefined) {
        this.bounds.judge(replica.id, held);
      }
    }
  }
}

function createChecks({
  violations,
  signatures,
  parameters,
  isCorrect,
}: Pick<World, 'violations' | 'signatures' | 'parameters' | 'isCorrect'>): Observer[] {
  const { verifier } = signatures;
  const { sizes, consensus, limits } = parameters;
  const proofRules = {
    verifier,
    replicaCount: sizes.replicaCount,
    checkpointInterval: consensus.checkpointInterval,
    windowSize: consensus.windowSize,
  };
  const nullBatchDigest = sha256(NULL_BATCH_BYTES);
  const viewChanges = new ViewChangesCheck(violations, nullBatchDigest);
  return [
    viewChanges,
    new PreparedUniquenessCheck(violations),
    new RequestsCheck({
      violations,
      clientOf: (replica) => signatures.clientOf(replica),
      nullBatchDigest,
      mayBeNull: (sequence, view) => viewChanges.mayBeNull(sequence, view),
    }),
    new ContradictionCheck(violations, isCorrect),
    new RequestContradictionCheck({
      violations,
      limits,
      clientOf: (replica) => signatures.clientOf(replica),
      isCorrect,
    }),
    new ShownCommitsCheck(violations, isCorrect),
    new WriteBeforeSendCheck(violations, consensus.windowSize),
    new CertificatesCheck({ ...proofRules, violations, limits }),
    new BegunViewsCheck({ ...proofRules, violations, nullBatchDigest }),
    new DecidedCheck(violations, sizes),
    new EvidenceCheck({ violations, verifier, isCorrect }),
    new MonotoneCheck(violations),
  ];
}
