/**
 * One seed, from beginning to end. Safety: faults come and go while invariants are checked after every step. Liveness:
 * a quorum of correct replicas is healed, every other fault stays for good, and within a bound every caller must be
 * answered and everything that waits executed. Then the histories are judged.
 */
import { sha256 } from '../../src/crypto/hash.js';
import { NULL_BATCH_BYTES } from '../../src/wire/batch-codec.js';
import { refuseAgainstLedger } from '../support/linearizability/ledger-order.js';
import { searchLinearization } from '../support/linearizability/search.js';
import { IdleTraffic } from './checks/idle-traffic.js';
import type { Violation } from './checks/observer.js';
import { type ViewSituation, ViewTally } from './checks/view-tally.js';
import type { ByzantineKind } from './cluster/byzantine.js';
import { Cluster } from './cluster/cluster.js';
import type { SimulatedReplica } from './cluster/simulated-replica.js';
import type { FaultKind } from './faults/fault.js';
import { FaultRunner } from './faults/fault-runner.js';
import { Random } from './kernel/random.js';
import { countParts, drawScenario, type Scenario, withoutParts } from './scenario.js';
import { computeServingBoundMs, judgeSettled } from './settling.js';
import { SimulatedClient } from './work/client.js';
import { HistoryRecorder } from './work/history-recorder.js';
import { LedgerRecorder } from './work/ledger-recorder.js';

/** What is asked of a run. */
export interface RunOptions {
  readonly seed: number;
  /** Whether to keep a line an event. */
  readonly keepsTrace: boolean;
  /** Parts of the plan, by their place in it, that are left out. */
  readonly leftOut?: ReadonlySet<number>;
}

/** What a run showed. */
export interface RunOutcome {
  readonly seed: number;
  readonly violation: Violation | undefined;
  readonly traceHash: string;
  readonly traceLines: readonly string[];
  readonly replicaCount: number;
  /** How many parts the plan has: faults, and what Byzantine replicas do. */
  readonly plannedParts: number;
  readonly steps: number;
  readonly messages: number;
  readonly virtualMs: number;
  readonly operations: number;
  readonly unknownOutcomes: number;
  readonly sequences: number;
  readonly views: number;
  readonly hasRealSignatures: boolean;
  /** How often each kind of fault began. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** How the replicas were that were not correct. */
  readonly strategies: readonly ByzantineKind[];
  /** How often it came to the places where view changes go wrong. */
  readonly situations: Readonly<Partial<Record<ViewSituation, number>>>;
  /** Whether a search for an order of the callers' history was given up. */
  readonly undecided: boolean;
}

const KEYS = ['a', 'b', 'c', 'd', 'e'] as const;
/** Operations of each caller that the healed quorum has to answer. */
const OPERATIONS_AFTER_HEALING = 2;
/** Less than half the request timeout: nobody's timer may be taken for another's. */
const PULSE_MS_MEAN = 700;

/** Runs one seed. */
export function runSeed(options: RunOptions): RunOutcome {
  const planned = drawScenario(options.seed);
  const scenario = options.leftOut === undefined ? planned : withoutParts(planned, options.leftOut);
  return { ...new Run(scenario, options).outcome(), plannedParts: countParts(planned) };
}

class Run {
  private readonly history = new HistoryRecorder();
  private readonly ledger: LedgerRecorder;
  private readonly traffic = new IdleTraffic();
  private readonly tally = new ViewTally(sha256(NULL_BATCH_BYTES));
  private readonly cluster: Cluster;
  private readonly faults: FaultRunner;
  private readonly clients: readonly SimulatedClient[];
  /** Asks now and then after healing where somebody censors: a victim must not be served only when all others rest. */
  private readonly pulse: SimulatedClient;
  private isHealed = false;
  private undecided = false;

  constructor(
    private readonly scenario: Scenario,
    private readonly options: RunOptions,
  ) {
    const { name, parameters } = scenario;
    this.ledger = new LedgerRecorder({
      limits: parameters.limits,
      clientWindow: parameters.consensus.clientWindow,
      isCorrectClient: (clientId) =>
        this.cluster.correct.some(({ id }) => this.cluster.world.signatures.clientOf(id) === clientId),
    });
    this.cluster = new Cluster({
      seed: name,
      parameters,
      byzantine: scenario.byzantine,
      hasRealSignatures: scenario.hasRealSignatures,
      keepsTrace: options.keepsTrace,
      observers: [this.ledger, this.traffic, this.tally],
    });
    const random = new Random(name);
    this.faults = new FaultRunner(this.cluster.world, this.cluster.replicas, random.fork('fault runner'));
    this.clients = Array.from({ length: scenario.clientCount }, (_, id) =>
      this.createClient(id, random.fork(`client ${id}`), scenario.thinkMsMean),
    );
    this.pulse = this.createClient(scenario.clientCount, random.fork('pulse'), PULSE_MS_MEAN);
  }

  /** Does all of it. */
  outcome(): Omit<RunOutcome, 'plannedParts'> {
    const { cluster, scenario, options } = this;
    const { world } = cluster;
    this.faults.schedule(scenario.faults);
    cluster.start();
    for (const client of this.clients) {
      client.allow(scenario.operationsOfClient);
      client.start();
    }
    cluster.runUntil(scenario.faultsMs);
    this.heal();
    this.judgeHistory();
    return {
      seed: options.seed,
      violation: world.violations.first,
      traceHash: world.trace.hash,
      traceLines: world.trace.lines,
      replicaCount: scenario.parameters.sizes.replicaCount,
      steps: world.loop.steps,
      messages: world.network.deliveredMessages,
      virtualMs: world.loop.nowMs,
      operations: this.clients.reduce((sum, client) => sum + client.answered, 0),
      unknownOutcomes: this.clients.reduce((sum, client) => sum + client.unknown, 0),
      sequences: cluster.agreement.height,
      views: Math.max(0, ...cluster.correct.map((replica) => replica.status()?.view ?? 0)),
      hasRealSignatures: scenario.hasRealSignatures,
      faults: Object.fromEntries(this.faults.begun),
      strategies: [...new Set([...scenario.byzantine.values()].flat())],
      situations: Object.fromEntries(this.tally.counts),
      undecided: this.undecided,
    };
  }

  private createClient(id: number, random: Random, thinkMsMean: number): SimulatedClient {
    const { cluster } = this;
    return new SimulatedClient({
      id,
      world: cluster.world,
      random,
      history: this.history,
      gateways: () => this.eligible().filter((replica) => replica.isRunning && !replica.isPaused),
      keys: KEYS,
      thinkMsMean,
    });
  }

  /** Whom callers may ask, and who has to make progress. */
  private eligible(): readonly SimulatedReplica[] {
    const { healed } = this.scenario;
    return this.cluster.correct.filter(({ id }) => !this.isHealed || healed.has(id));
  }

  private heal(): void {
    const { cluster, scenario, clients } = this;
    const { loop, trace, violations } = cluster.world;
    trace.add('phase', [1], () => `healed for good: ${[...scenario.healed].join(', ')}`);
    this.isHealed = true;
    this.faults.heal(scenario.healed, scenario.permanent);
    const due = clients.map((client) => client.answered + OPERATIONS_AFTER_HEALING);
    // More than due: who has his answers asks on for a while, as others still wait for theirs.
    for (const client of clients) {
      client.allow(OPERATIONS_AFTER_HEALING + 4);
      client.persist();
    }
    if ([...scenario.byzantine.values()].flat().includes('censoring')) {
      this.pulse.allow(Number.POSITIVE_INFINITY);
      this.pulse.start();
    }
    const isAnswered = (): boolean => clients.every((client, index) => client.answered >= (due[index] ?? 0));
    const boundMs = computeServingBoundMs({ cluster, scenario });
    const isAnsweredInTime = cluster.runUntil(loop.nowMs + boundMs, isAnswered);
    if (!isAnsweredInTime) {
      violations.report(15, `callers had no answers for ${boundMs} ms: ${this.describe()}`);
    }
    for (const client of clients) {
      client.stop();
    }
    const stoppedAtMs = loop.nowMs;
    if (!cluster.runUntil(stoppedAtMs + boundMs, () => this.isCalm(stoppedAtMs))) {
      violations.report(15, `what waits was not executed for ${boundMs} ms: ${this.describe()}`);
    }
    judgeSettled({ cluster, scenario, traffic: this.traffic });
  }

  /**
   * Whether all callers have their answers, the healed replicas executed the same, and nothing waits at them but what a
   * Byzantine client asked since the callers stopped: one that asks backups only has something waiting all the time.
   */
  private isCalm(stoppedAtMs: number): boolean {
    if (this.cluster.world.loop.steps % CALM_CHECK_STEPS !== 0 || this.clients.some((client) => client.isCalling)) {
      return false;
    }
    const { agreement, world } = this.cluster;
    const sinceStopMs = world.loop.nowMs - stoppedAtMs;
    const kinds = [...this.scenario.byzantine.values()].flat();
    const isAskedOn = kinds.some((kind) => ASKING.includes(kind));
    return this.eligible().every((replica) => {
      const status = replica.status();
      if (status === undefined || status.lastExecuted !== agreement.height) {
        return false;
      }
      const waitedMs = status.explanation?.oldestRequest?.waitedMs ?? Number.POSITIVE_INFINITY;
      return status.waitingRequests === 0 || (isAskedOn && waitedMs < sinceStopMs);
    });
  }

  private describe(): string {
    const rows = this.eligible().map((replica) => {
      const status = replica.status();
      return status === undefined
        ? `replica ${replica.id} is down`
        : `replica ${replica.id}: view ${status.view}, executed ${status.lastExecuted}, ` +
            `${status.waitingRequests} wait, ${status.waitingFor}`;
    });
    return [`executed anywhere ${this.cluster.agreement.height}`, ...rows].join('\n  ');
  }

  private judgeHistory(): void {
    const { violations } = this.cluster.world;
    if (violations.first !== undefined) {
      return;
    }
    const refusal = refuseAgainstLedger(this.history.entries, this.ledger.operations());
    if (refusal !== undefined) {
      violations.report(14, refusal);
    }
    const found = searchLinearization(this.history.entries);
    if (found.kind === 'refused') {
      violations.report(14, `the calls on key ${found.key} are not linearizable: ${found.reason}`);
    }
    this.undecided = found.kind === 'undecided';
  }
}

/** Who asks for something as a client, on and on. */
const ASKING: readonly ByzantineKind[] = ['flooding', 'lyingClient'];
/** A status costs something; it need not be asked for at each step. */
const CALM_CHECK_STEPS = 64;
