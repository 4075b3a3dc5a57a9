/** The parts of a running replica, connected: who tells whom. */
import type { ReplicaStore } from '../ports/replica-store.js';
import type { Core, CoreView } from '../protocol/core.js';
import type { Event } from '../protocol/events.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import type { Waiting } from '../protocol/waiting.js';
import { decodeBatch } from '../wire/batch-codec.js';
import type { WireLimits } from '../wire/limits.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import { FetchServer } from './catch-up/fetch-server.js';
import { Fetcher } from './catch-up/fetcher.js';
import { countReplicaHeld } from './count-held.js';
import { Egress } from './egress/egress.js';
import { SigningQueue } from './egress/signing-queue.js';
import { BatchBodies } from './execution/batch-bodies.js';
import { ClientTable } from './execution/client-table.js';
import { Executor } from './execution/executor.js';
import { Costs } from './execution/operation-cost.js';
import { Gateway } from './gateway/gateway.js';
import { QueryService } from './gateway/query-service.js';
import type { ReplicaHeld } from './held.js';
import { CountedVerifier } from './ingress/counted-verifier.js';
import { Ingress } from './ingress/ingress.js';
import { VerifiedRequests } from './ingress/verified-requests.js';
import { ViewChangeJudge } from './ingress/view-change-judge.js';
import { CoreTimers } from './loop/core-timers.js';
import { createCore } from './loop/create-core.js';
import { Driver, type QueueItem } from './loop/driver.js';
import { type EffectTargets, runEffect } from './loop/effects.js';
import { GroupCommit } from './loop/group-commit.js';
import { Inbox } from './loop/inbox.js';
import { Reception } from './loop/reception.js';
import { peersOf, type ReplicaPartsOptions } from './replica-runtime-options.js';
import { forgottenText } from './report/forgotten-text.js';
import { Instrumentation } from './report/instrumentation.js';

/** Signatures that are being made at one time: two cores' worth, and the next ones ready. */
const SIGNING_CONCURRENCY = 4;

/** A running replica. */
export class ReplicaParts {
  readonly core: Core;
  readonly gateway: Gateway;
  readonly costs: Costs;
  readonly queries: QueryService;
  private readonly peers: readonly ReplicaId[];
  private readonly limits: WireLimits;
  /** What comes in: own events, links, messages of peers. */
  readonly inbox: Inbox;
  private readonly driver: Driver;
  private readonly instrumentation: Instrumentation;
  private readonly table: ClientTable;
  private readonly bodies: BatchBodies;
  private readonly executor: Executor;
  private readonly fetcher: Fetcher;
  private readonly fetchServer: FetchServer;
  private readonly ingress: Ingress;
  private readonly reception: Reception;
  private readonly groupCommit: GroupCommit;
  private readonly signing: SigningQueue;
  private readonly verifier: CountedVerifier;
  private readonly verifiedRequests: VerifiedRequests;
  private readonly judge: ViewChangeJudge;
  private readonly timers: CoreTimers;

  constructor(private readonly options: ReplicaPartsOptions) {
    const { identity, consensus, hash, store, timers, metrics, recovered, onFatal } = options;
    this.peers = peersOf(identity);
    this.limits = { ...consensus, replicaCount: identity.sizes.replicaCount };
    this.instrumentation = new Instrumentation({
      ...options,
      replica: identity.replica,
      peers: this.peers,
      windowSize: consensus.windowSize,
    });
    this.inbox = new Inbox({
      ...options,
      peers: this.peers,
      onDropped: (lane, peer) => this.instrumentation.onDropped(lane, peer),
      onQueued: () => this.driver.wake(),
    });
    this.costs = new Costs(options.stateMachine, consensus);
    this.core = createCore(options, this.limits, this.costs, recovered);
    this.table = new ClientTable(consensus);
    this.table.load(options.clientTable);
    this.bodies = new BatchBodies({ store, decode: (bytes) => decodeBatch(bytes, this.limits, hash) });
    this.groupCommit = new GroupCommit({
      store,
      timers,
      metrics,
      recordsMax: 2 * consensus.windowSize,
      onWaiting: () => this.driver.wake(),
      onFailed: ({ code, message }) => onFatal(`writing the log failed (${code}): ${message}`),
    });
    this.signing = new SigningQueue({ ...options, concurrencyMax: SIGNING_CONCURRENCY });
    this.verifier = new CountedVerifier(options.verifier);
    this.verifiedRequests = new VerifiedRequests(this.verifier);
    this.executor = this.createExecutor();
    const view = () => this.core.inspect(0).view;
    this.queries = new QueryService({ ...options, costs: this.costs, executed: () => this.executor.executed, view });
    this.gateway = this.createGateway(this.signing);
    this.fetchServer = this.createFetchServer(store);
    this.ingress = this.createIngress();
    this.reception = new Reception({
      core: this.core,
      ingress: this.ingress,
      inbox: this.inbox,
      verifier: this.verifier,
    });
    this.fetcher = this.createFetcher();
    this.judge = new ViewChangeJudge({
      ...options,
      statementsMax: consensus.windowSize * identity.sizes.replicaCount,
      isHeld: (digest) => this.core.findViewChange(digest) !== undefined,
      onJudged: (event) => this.inbox.submitEvent(event),
    });
    this.timers = new CoreTimers(timers, (event) => this.inbox.submitEvent(event));
    this.driver = this.createDriver(this.signing);
    this.instrumentation.onRecovered(this.showState());
  }

  /** The agreed time of the last executed batch, in milliseconds since 1970. */
  get agreedTimeMs(): number {
    return this.executor.executed.agreedTimeMs;
  }

  /** Whether everything of own callers and every batch is done, as far as it ever will be. */
  get isIdle(): boolean {
    const { gateway, executor, core } = this;
    const isDone = gateway.waitingOperations === 0 && gateway.requestsInFlight === 0 && executor.waitingBatches === 0;
    return isDone || core.inspect(0).diverged;
  }

  /** How much is held by all parts. */
  countHeld(): ReplicaHeld {
    const { core, inbox, groupCommit, signing, fetcher, fetchServer, judge, bodies, table, gateway } = this;
    const { executor, instrumentation, verifiedRequests } = this;
    const holding = { core, inbox, groupCommit, signing, fetcher, fetchServer, judge, bodies, table, gateway };
    return countReplicaHeld({ ...holding, executor, instrumentation, verifiedRequests });
  }

  /** Nothing is stepped, executed, sent or answered any more. */
  stop(): void {
    this.gateway.stop();
    this.driver.stop();
    this.executor.stop();
    this.fetcher.stop();
    this.fetchServer.stop();
    this.judge.stop();
    this.timers.stopAll();
  }

  private createExecutor(): Executor {
    const { recovered, agreedTimeMs, consensus } = this.options;
    return new Executor({
      ...this.options,
      table: this.table,
      bodies: this.bodies,
      costs: this.costs,
      resultBytesMax: consensus.resultBytesMax,
      groupCostMax: consensus.batchCostMax,
      start: {
        lastExecuted: recovered.lastExecuted,
        lastHeaderDigest: recovered.lastHeaderDigest,
        agreedTimeMs,
      },
      onExecuted: (event) => {
        this.inbox.submitEvent(event);
        this.fetcher.onExecuted(event.sequence);
      },
      onResults: (batch) => {
        this.instrumentation.onExecuted(batch);
        this.gateway.onResults(batch);
      },
      onMissingBody: (sequence, digest) => this.fetcher.fetch({ kind: 'batch', sequence, digest }),
    });
  }

  private createGateway(signer: SigningQueue): Gateway {
    const { consensus, queues, local, ownClientId } = this.options;
    return new Gateway({
      ...this.options,
      signer,
      clientId: ownClientId,
      table: this.table,
      costs: this.costs,
      ...consensus,
      resendMs: local.requestTimeoutMs,
      waitingOperationsMax: queues.clientOperationsMax,
      waitingBytesMax: queues.clientBytesMax,
      inFlightBytesMax: local.waitingBytesMax / 2,
      onRequest: (request) => this.inbox.submitRequest(request),
    });
  }

  private createFetchServer(store: ReplicaStore): FetchServer {
    const { consensus, timers, transport, answerBytesMax, onFatal } = this.options;
    return new FetchServer({
      store,
      timers,
      answerBytesMax,
      checkpointInterval: consensus.checkpointInterval,
      lastExecuted: () => this.executor.executed.lastExecuted,
      findViewChange: (digest) => this.core.findViewChange(digest),
      roomBytes: (peer) => transport.links().find((link) => link.peer === peer)?.roomBytes ?? 0,
      send: (peer, message) => transport.send(peer, message, 'bulk'),
      onRefused: (peer, reason) => this.instrumentation.onRejected('fetch', reason, peer),
      onStoreFailed: (message) => onFatal(`reading for a peer failed: ${message}`),
    });
  }

  private createIngress(): Ingress {
    const { identity } = this.options;
    return new Ingress({
      ...this.options,
      replica: identity.replica,
      elapsedMs: () => this.options.timers.elapsedMs(),
      core: this.core,
      limits: this.limits,
      verifier: this.verifier,
      verifiedRequests: this.verifiedRequests,
      costs: this.costs,
      isSettled: (key) => this.table.isSettled(key),
      isBeyondWindow: (request) => this.table.isBeyondWindow(request),
      keepBatch: (batch, requests) => this.bodies.put(batch, requests),
      onFetch: (peer, { id, what }) => this.fetchServer.serve(peer, id, what),
      onFetchAnswer: (peer, { id, answer }) => this.fetcher.onAnswer(peer, id, answer),
      onRejected: (type, reason, peer) => this.instrumentation.onRejected(type, reason, peer),
    });
  }

  private createFetcher(): Fetcher {
    const { identity, transport } = this.options;
    return new Fetcher({
      ...this.options,
      limits: this.limits,
      quorum: identity.sizes.quorum,
      connectedPeers: () =>
        transport
          .links()
          .filter(({ connected }) => connected)
          .map(({ peer }) => peer),
      send: (peer, id, what) => transport.send(peer, encodePeerMessage({ kind: 'fetch', id, what }), 'vote'),
      verifyCheckpoints: (peer, envelopes) => this.ingress.verifyCheckpoints(peer, envelopes),
      verifyViewChange: (envelope) => this.ingress.verifyViewChange(envelope),
      loadBatch: (sequence, digest, done) => this.bodies.load(sequence, digest, done),
      keepBatch: (batch, requests) => this.bodies.put(batch, requests),
      onEvent: (event) => {
        this.inbox.submitEvent(event);
        this.executor.retry();
      },
    });
  }

  private createDriver(signer: SigningQueue): Driver {
    const { identity, transport, timers, onFatal } = this.options;
    const targets: EffectTargets = {
      groupCommit: this.groupCommit,
      bodies: this.bodies,
      executor: this.executor,
      fetcher: this.fetcher,
      timers: this.timers,
      judge: this.judge,
      instrumentation: this.instrumentation,
      egress: new Egress({
        replica: identity.replica,
        peers: this.peers,
        signer,
        transport,
        groupCommit: this.groupCommit,
        loadBatch: (sequence, digest, done) => this.bodies.load(sequence, digest, done),
        onSigned: (event) => this.inbox.submitEvent(event),
        onFatal,
      }),
      giveUp: ({ forgotten, from }) => onFatal(forgottenText(forgotten.message, from), 'forgotten'),
      discard: ({ lowWatermark }) =>
        this.options.store.discard(lowWatermark, (result) => {
          if (!result.ok) {
            onFatal(`discarding the log failed: ${result.error.message}`);
          }
        }),
    };
    return new Driver({
      core: this.core,
      queue: this.inbox.queue,
      timers,
      admit: (item) => this.admit(item),
      run: (effect) => runEffect(effect, targets),
      settle: (message, event, effects) => this.reception.settle(message, event, effects),
      flush: () => this.groupCommit.flush(),
      isBehind: () => this.groupCommit.isBehind,
      afterTurn: () => this.afterTurn(),
    });
  }

  /** Judges what waited, against the state of this moment. */
  private admit(item: QueueItem): Event | undefined {
    switch (item.kind) {
      case 'event':
        return item.event;
      case 'message':
        return this.reception.judge(item.peer, item.bytes);
      case 'request':
        return this.table.isSettled(item.request) ||
          this.core.screenRequest(item.request, item.request.bytes.length) !== undefined
          ? undefined
          : { kind: 'requestReceived', request: item.request, from: 'local' };
    }
  }

  private afterTurn(): void {
    this.inbox.resumeDrained();
    const { diverged, serveFrom, lastExecuted } = this.showState();
    if (serveFrom !== undefined && lastExecuted >= serveFrom) {
      this.gateway.start();
    }
    if (diverged) {
      // What was handed over before is executed no more either.
      this.executor.stop();
    }
  }

  /** Measures what is worth measuring only when somebody looks. */
  measure(): void {
    const { evidence } = this.core.inspect(0);
    this.instrumentation.measure(this.explain(), { buffered: this.core.buffered(), evidence });
  }

  /** What the replica waits for at this moment. */
  explain(): Waiting {
    return this.core.explain(this.options.timers.elapsedMs());
  }

  private showState(): CoreView {
    const state = this.core.inspect(0);
    this.instrumentation.onTurn(state, () => this.explain());
    this.fetcher.onTurn(state);
    this.inbox.showDepths();
    return state;
  }
}
