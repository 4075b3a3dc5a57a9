/**
 * The loop that everything goes through. What comes in waits in the inbox; a turn takes it, has peers' messages judged,
 * steps the core and does the effects; group commit makes the turn durable. What the other rooms finish comes back here
 * as events, and whoever waits for it is told.
 *
 * A loop is made before the rooms around it, which get it as their neighbour, and begins when they all are there. Until
 * then nothing comes: making a room starts nothing.
 */
import type { Core, CoreView } from '../../protocol/core.js';
import type { Event } from '../../protocol/events.js';
import type { Explanation } from '../../protocol/explanation.js';
import type { Sequence } from '../../protocol/identifiers.js';
import type { SignedRequest, Verified } from '../../protocol/messages.js';
import { assert, defined } from '../../util/assert.js';
import type { Digest } from '../../util/digest.js';
import type { CatchUpRoom } from '../catch-up/room.js';
import type { EgressRoom } from '../egress/room.js';
import type { ExecutedBatch } from '../execution/batch-execution.js';
import type { BatchExecutedEvent } from '../execution/executor.js';
import type { ExecutionRoom } from '../execution/room.js';
import type { GatewayRoom } from '../gateway/room.js';
import type { IngressRoom } from '../ingress/room.js';
import type { RoomOptions } from '../replica-runtime-options.js';
import type { Instrumentation } from '../report/instrumentation.js';
import { CoreTimers } from './core-timers.js';
import { Driver } from './driver.js';
import { runEffect } from './effects.js';
import { GroupCommit } from './group-commit.js';
import { Inbox } from './inbox.js';
import { Reception } from './reception.js';

/** The rooms around the loop, and the core in it. */
export interface LoopRooms {
  readonly core: Core;
  readonly ingress: IngressRoom;
  readonly egress: EgressRoom;
  readonly execution: ExecutionRoom;
  readonly catchUp: CatchUpRoom;
  readonly gateway: GatewayRoom;
}

/** The rooms, and the driver that turns for them. */
interface Begun {
  readonly rooms: LoopRooms;
  readonly driver: Driver;
}

/** What comes in, turn by turn. */
export class Loop {
  readonly inbox: Inbox;
  readonly groupCommit: GroupCommit;
  private readonly timers: CoreTimers;
  private begun: Begun | undefined;

  constructor(
    private readonly options: RoomOptions,
    private readonly report: Instrumentation,
  ) {
    const { timers, consensus, onFatal } = options;
    const wake = (): void => this.begun?.driver.wake();
    this.inbox = new Inbox({
      ...options,
      onDropped: (lane, peer) => report.onDropped(lane, peer),
      onQueued: wake,
    });
    this.groupCommit = new GroupCommit({
      ...options,
      recordsMax: 2 * consensus.windowSize,
      onWaiting: wake,
      onFailed: ({ code, message }) => onFatal(`writing the log failed (${code}): ${message}`),
    });
    this.timers = new CoreTimers(timers, (event) => this.submitEvent(event));
  }

  /** Turns from now on. Once. */
  begin(rooms: LoopRooms): void {
    assert(this.begun === undefined && this.inbox.queue.length === 0, 'a loop begins once, with an empty queue');
    const { core, execution } = rooms;
    const { inbox, groupCommit, timers, report } = this;
    const reception = new Reception({ ...rooms, ...execution, inbox });
    const targets = { ...this.options, ...rooms, groupCommit, coreTimers: timers, report };
    const driver = new Driver({
      core,
      queue: inbox.queue,
      timers: this.options.timers,
      admit: (item) => reception.admit(item),
      run: (effect) => runEffect(effect, targets),
      settle: (message, event, effects) => reception.settle(message, event, effects),
      flush: () => groupCommit.flush(),
      isBehind: () => groupCommit.isBehind,
      afterTurn: () => this.afterTurn(rooms),
    });
    this.begun = { rooms, driver };
    report.onRecovered(this.showState(rooms));
  }

  /** Nothing is stepped any more, and no timer runs. */
  stop(): void {
    this.begun?.driver.stop();
    this.timers.stopAll();
  }

  /** Takes an event of this replica's own. */
  submitEvent(event: Event): void {
    this.inbox.submitEvent(event);
  }

  /** Takes a request of own callers. */
  submitRequest(request: Verified<SignedRequest>): void {
    this.inbox.submitRequest(request);
  }

  /** Runs something when every record that was added before is durable. */
  afterDurable(run: () => void): void {
    this.groupCommit.afterDurable(run);
  }

  /** A batch is executed and written: the core hears of it, and nobody fetches it any more. */
  onExecuted(event: BatchExecutedEvent): void {
    this.submitEvent(event);
    this.rooms.catchUp.fetcher.onExecuted(event.sequence);
  }

  /** Its results are there: own callers get theirs. */
  onResults(batch: ExecutedBatch): void {
    this.report.onExecuted(batch);
    this.rooms.gateway.calls.onResults(batch);
  }

  /** Execution lacks a batch. */
  onMissingBody(sequence: Sequence, digest: Digest): void {
    this.rooms.catchUp.fetcher.fetch({ kind: 'batch', sequence, digest });
  }

  /** Something was fetched: execution may have waited for it. */
  onFetched(event: Event): void {
    this.submitEvent(event);
    this.rooms.execution.executor.retry();
  }

  /** What the replica waits for at this moment. */
  explain(): Explanation {
    return this.rooms.core.explain(this.options.timers.elapsedMs());
  }

  /** Measures what is worth measuring only when somebody looks. */
  measure(): void {
    const { core } = this.rooms;
    const { evidence } = core.inspect(0);
    this.report.measure(this.explain(), { buffered: core.buffered(), evidence });
  }

  private get rooms(): LoopRooms {
    return defined(this.begun, 'the loop has begun').rooms;
  }

  private afterTurn(rooms: LoopRooms): void {
    this.inbox.resumeDrained();
    const { diverged, serveFrom, lastExecuted } = this.showState(rooms);
    if (serveFrom !== undefined && lastExecuted >= serveFrom) {
      rooms.gateway.calls.start();
    }
    if (diverged) {
      // What was handed over before is executed no more either.
      rooms.execution.executor.stop();
    }
  }

  private showState({ core, catchUp }: LoopRooms): CoreView {
    const state = core.inspect(0);
    this.report.onTurn(state, () => this.explain());
    catchUp.fetcher.onTurn(state);
    this.inbox.showDepths();
    return state;
  }
}
