/**
 * One machine with a replica on it: it starts the real runtime on simulated ports, and can crash at any moment, start
 * again from what its disk kept, and stop for a while.
 */

import { type AdversaryOptions, createAdversary, type StrategyName } from '../../../src/adversary/adversary.js';
import { createShameless } from '../../../src/adversary/shameless.js';
import { createKeyValueStateMachine } from '../../../src/application/key-value-state-machine.js';
import { sha256 } from '../../../src/crypto/hash.js';
import type { Logger } from '../../../src/ports/logger.js';
import type { Signer } from '../../../src/ports/signatures.js';
import type { TimerService } from '../../../src/ports/timer-service.js';
import type { Transport } from '../../../src/ports/transport.js';
import { type ReplicaId, replicaId } from '../../../src/protocol/identifiers.js';
import type { Executed, ReplicaStatus, SubmitFailure } from '../../../src/runtime/face.js';
import { ReplicaRuntime } from '../../../src/runtime/replica-runtime.js';
import type { FatalKind } from '../../../src/runtime/replica-runtime-options.js';
import { createReplicaStore } from '../../../src/storage/replica-store.js';
import { withoutSync } from '../../../src/storage/without-sync.js';
import type { Result } from '../../../src/util/result.js';
import { countReplicaHeld, type ReplicaHeld, timeoutMsOf } from '../../support/held.js';
import type { Scheduled } from '../kernel/event-loop.js';
import { type CrashLoss, SimulatedDisk } from '../machine/disk.js';
import { ProcessLife } from '../machine/process-life.js';
import { createSimulatedTimers } from '../machine/timers.js';
import { createSimulatedTransport } from '../machine/transport.js';
import type { Twin, TwinLinks } from '../machine/twins.js';
import { createWatchedMetrics } from './watched-metrics.js';
import { watchStore } from './watched-store.js';
import type { World } from './world.js';

interface Running {
  readonly life: ProcessLife;
  readonly runtime: ReplicaRuntime;
}

/** A process that gave up by itself is started again after this, as a supervisor does. */
const SUPERVISOR_MS = 1_000;
const DISK_FULL = 'the disk is full';

/** A replica of a run. */
export class SimulatedReplica {
  readonly disk: SimulatedDisk;
  clockOffsetMs = 0;
  private running: Running | undefined;
  private restartTimer: Scheduled | undefined;
  private crashes = 0;
  private lossAtFuse: CrashLoss = 'some';

  constructor(
    private readonly world: World,
    readonly id: ReplicaId,
    /** What makes it Byzantine, from the wire inwards; none for a correct one. */
    private readonly strategies: readonly StrategyName[],
    /** Where it is one of two with one key. */
    private readonly twin?: { readonly links: TwinLinks; readonly which: Twin },
  ) {
    this.disk = new SimulatedDisk(world.loop, world.random.fork(`disk ${this.name}`));
  }

  private get name(): string {
    return this.twin?.which === 1 ? `${this.id} twin` : `${this.id}`;
  }

  /** Whether its process runs, paused or not. */
  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Whether its process is paused. */
  get isPaused(): boolean {
    return this.running?.life.isPaused ?? false;
  }

  /** How often it crashed or gave up. */
  get crashCount(): number {
    return this.crashes;
  }

  /** Starts the process from what the disk holds. */
  start(): void {
    const { world, id } = this;
    if (this.running !== undefined) {
      return;
    }
    const life = new ProcessLife(
      () => this.crash(this.lossAtFuse),
      (error) => this.onThrown(error),
    );
    const runtime = this.createRuntime(life);
    this.running = { life, runtime };
    world.trace.add('start', [id], () => `replica ${id}`);
    world.observer.onStarted(id);
    life.enter(() =>
      runtime.start((error) => {
        if (error !== undefined && !life.isOver) {
          this.giveUp(`could not start: ${error.message}`);
        }
      }),
    );
  }

  /** The process ends without warning. */
  crash(loss: CrashLoss): void {
    const { world, id, running } = this;
    this.restartTimer?.cancel();
    if (running === undefined) {
      return;
    }
    this.running = undefined;
    this.crashes++;
    running.life.end();
    world.trace.add('crash', [id], () => `replica ${id}; of its unsynced writes ${loss} are lost`);
    world.observer.onCrashed(id);
    this.disk.crash(loss);
    if (this.twin === undefined) {
      world.network.detach(id);
    } else {
      this.twin.links.forget(this.twin.which);
    }
  }

  /** It crashes after so many more calls to its machine. */
  crashAfter(calls: number, loss: CrashLoss): void {
    this.lossAtFuse = loss;
    this.running?.life.lightFuse(calls);
  }

  /** A crash that was announced and has not come does not come any more. */
  cancelCrash(): void {
    this.running?.life.putOutFuse();
  }

  /** Stops the process where it stands. */
  pause(): void {
    this.running?.life.pause();
  }

  /** Lets it go on. */
  resume(): void {
    this.running?.life.resume();
  }

  /** A caller of this replica. The answer never comes where the process ends before. */
  submit(operation: Uint8Array, timeoutMs: number, done: (result: Result<Executed, SubmitFailure>) => void): boolean {
    const { running } = this;
    if (running === undefined || running.life.isPaused) {
      return false;
    }
    const { life, runtime } = running;
    life.enter(() =>
      runtime.submit(operation, timeoutMs, (result) => {
        if (!life.isOver) {
          done(result);
        }
      }),
    );
    return true;
  }

  /** What it says of itself, undefined where it doesn't run. */
  status(): ReplicaStatus | undefined {
    return this.running?.runtime.status();
  }

  /** T: how long it waits for a primary, undefined where it doesn't run. */
  get timeoutMs(): number | undefined {
    return this.running && timeoutMsOf(this.running.runtime);
  }

  /** How much it holds of what others sent, undefined where it doesn't run. */
  countHeld(): ReplicaHeld | undefined {
    return this.running && countReplicaHeld(this.running.runtime);
  }

  private createRuntime(life: ProcessLife): ReplicaRuntime {
    const { world, id, disk } = this;
    const { parameters, signatures, network, loop, observer, clusterId } = world;
    const { sizes, consensus, local, queues, limits, messageBytesMax } = parameters;
    const signer = signatures.createSigner(id, loop, life);
    const timers = createSimulatedTimers({
      loop,
      life,
      random: world.random.fork(`timers ${this.name}`),
      clockOffsetMs: () => this.clockOffsetMs,
    });
    const honest =
      this.twin?.links.createTransport(this.twin.which, life) ??
      createSimulatedTransport({ network, own: id, replicaCount: sizes.replicaCount, life });
    const isLiar = this.strategies.length > 0 || this.twin !== undefined;
    const transport = this.strategies.reduce(
      (inner: Transport, strategy) => createAdversary(strategy, this.adversaryOptions(inner, signer, timers)),
      isLiar ? createShameless(honest, id, limits) : honest,
    );
    const opened = disk.openStore(life);
    const store = createReplicaStore(world.syncs ? opened : withoutSync(opened), {
      hash: sha256,
      genesisDigest: clusterId,
      limits,
    });
    return new ReplicaRuntime({
      identity: {
        replica: id,
        names: Array.from({ length: sizes.replicaCount }, (_, replica) => `replica-${replica}`),
        clusterId,
        sizes,
        checkpointInterval: consensus.checkpointInterval,
        requestTimeoutMs: local.requestTimeoutMs,
        storageEngine: 'memory',
      },
      ownClientId: signatures.clientOf(id),
      consensus,
      local,
      queues,
      answerBytesMax: messageBytesMax / 2,
      hash: sha256,
      signer,
      verifier: signatures.verifier,
      store: watchStore({ store, disk, life, replica: id, observer }),
      transport,
      timers,
      metrics: createWatchedMetrics({ replica: id, life, observer, counters: world.counters }),
      logger: this.createLogger(),
      stateMachine: createKeyValueStateMachine(),
      onFatal: (reason, kind) => this.onFatal(life, reason, kind),
    });
  }

  private adversaryOptions(transport: Transport, signer: Signer, timers: TimerService): AdversaryOptions {
    const { world, id } = this;
    const { limits, sizes, local } = world.parameters;
    const replicas = Array.from({ length: sizes.replicaCount }, (_, replica) => replicaId(replica));
    return {
      own: id,
      ownClientId: world.signatures.clientOf(id),
      peers: replicas.filter((peer) => peer !== id),
      replicaClients: replicas.map((replica) => world.signatures.clientOf(replica)),
      requestTimeoutMs: local.requestTimeoutMs,
      limits,
      hash: sha256,
      signer,
      timers,
      coalition: world.coalition,
      transport,
    };
  }

  private createLogger(): Logger {
    const { trace } = this.world;
    const log = (fields: object, message: string): void => {
      trace.add('log', [this.id], () => `replica ${this.id}: ${message} ${JSON.stringify(fields)}`);
    };
    return { error: log, warn: log, info: () => undefined, debug: () => undefined };
  }

  /** The replica gave up: the process ends with a failure, and a supervisor starts it again. */
  private onFatal(life: ProcessLife, reason: string, kind: FatalKind): void {
    if (!life.isOver) {
      this.giveUp(reason, kind);
    }
  }

  private giveUp(reason: string, kind: FatalKind = 'failed'): void {
    const { world, id, disk } = this;
    world.trace.add('log', [id], () => `replica ${id} gives up: ${reason}`);
    const isExpected = reason.includes(DISK_FULL);
    if (!isExpected && world.isCorrect(id)) {
      world.violations.report(13, `replica ${id} gave up: ${reason}`);
    }
    this.crash('some');
    if (kind === 'forgotten') {
      // A supervisor goes by the exit code, and leaves it to the operator.
      return;
    }
    world.trace.add('log', [id], () => `replica ${id} waits for its supervisor${disk.isFull ? ' and for space' : ''}`);
    this.restartTimer = world.loop.schedule(SUPERVISOR_MS, () => this.start());
  }

  private onThrown(error: unknown): void {
    const { world, id } = this;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (world.isCorrect(id)) {
      world.violations.report(13, `replica ${id} threw: ${text}`);
    }
    this.crash('some');
  }
}
