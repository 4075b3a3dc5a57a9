/**
 * One whole replica without its adapters: the core, the loop around it, execution, the own callers, catching up. What
 * it stands on (store, links, keys, clock) comes in through ports, so that the simulator runs the same replica.
 *
 * It starts by reading the store, then listens, then steps `started`; it stops by refusing callers, finishing the write
 * under way, and closing links and store. After a fatal error it neither votes nor answers any more.
 */
import type { Completion, StoreError } from '../ports/key-value-store.js';
import type { RecoveredState } from '../protocol/log-record.js';
import { failed, type Result } from '../util/result.js';
import type { Executed, ReplicaFace, ReplicaStatus, SubmitFailure } from './face.js';
import type { FatalKind, ReplicaRuntimeOptions } from './replica-runtime-options.js';
import { countStoreErrors } from './report/counted-store.js';
import {
  computeNotReadableReasons,
  computeNotReadyReasons,
  computeReadyRemarks,
  computeReplicaStatus,
  type StatusSources,
} from './report/replica-status.js';
import { areIdle, createRooms, type Rooms, stopRooms } from './rooms.js';

/** A replica that can be started once and stopped once. */
export class ReplicaRuntime implements ReplicaFace {
  private rooms: Rooms | undefined;
  private isStopping = false;
  private fatal: string | undefined;

  private readonly options: ReplicaRuntimeOptions;

  constructor(options: ReplicaRuntimeOptions) {
    this.options = { ...options, store: countStoreErrors(options.store, options.metrics) };
  }

  /** Reads the store, then listens and takes part; `done` says that it listens, or why it can't. */
  start(done: (error: Error | undefined) => void): void {
    const { store } = this.options;
    const fail = (error: StoreError): void => done(new Error(error.message));
    store.recover(
      orFail(fail, (recovered) => {
        store.readLastHeader(
          orFail(fail, (header) => {
            store.readClientTable(
              orFail(fail, (clientTable) => {
                this.begin(
                  createRooms({
                    ...this.options,
                    recovered,
                    clientTable,
                    agreedTimeMs: header?.timestampMs ?? 0,
                    notReadyReasons: () => this.notReadyReasons(),
                    onFatal: (reason, kind) => this.fail(reason, kind),
                  }),
                  recovered,
                  done,
                );
              }),
            );
          }),
        );
      }),
    );
  }

  private begin(rooms: Rooms, recovered: RecoveredState, done: (error: Error | undefined) => void): void {
    if (this.isStopping) {
      done(new Error('stopped while starting'));
      return;
    }
    const { logger, transport, identity } = this.options;
    this.rooms = rooms;
    logger.info(
      { lastExecuted: recovered.lastExecuted, view: recovered.view, engine: identity.storageEngine },
      'the store is read',
    );
    const { inbox } = rooms.loop;
    inbox.submitEvent({ kind: 'started' });
    transport.start(
      {
        onConnected: (peer) => inbox.connected(peer),
        onDisconnected: (peer) => inbox.submitEvent({ kind: 'peerDisconnected', peer }),
        onMessage: (peer, message) => inbox.submitMessage(peer, message),
      },
      done,
    );
  }

  submit(operation: Uint8Array, timeoutMs: number, done: (result: Result<Executed, SubmitFailure>) => void): void {
    const reasons = this.notReadyReasons();
    if (this.rooms === undefined || reasons.length > 0) {
      done(failed({ code: 'notReady', reasons, retryAfterMs: NOT_READY_RETRY_MS }));
      return;
    }
    this.rooms.gateway.calls.submit(operation, timeoutMs, done);
  }

  async query(query: Uint8Array): Promise<Result<Executed, SubmitFailure>> {
    const reasons = computeNotReadableReasons(this.sources());
    return this.rooms === undefined || reasons.length > 0
      ? failed({ code: 'notReady', reasons, retryAfterMs: NOT_READY_RETRY_MS })
      : this.rooms.gateway.queries.answer(query);
  }

  costOf(operation: Uint8Array): number {
    return this.rooms?.execution.operations.prepare(operation).cost ?? 0;
  }

  status(): ReplicaStatus {
    return computeReplicaStatus(this.options.identity, this.sources(), this.rooms?.loop.explain());
  }

  /** Why this replica gave up, undefined where it didn't. */
  get fatalReason(): string | undefined {
    return this.fatal;
  }

  /** Why this replica can't serve callers now; empty where it can. */
  notReadyReasons(): readonly string[] {
    return computeNotReadyReasons(this.options.identity, this.sources());
  }

  /** What an operator should know though this replica serves callers; empty for nothing. */
  readyRemarks(): readonly string[] {
    return computeReadyRemarks(this.sources());
  }

  /** Brings those metrics up to date that are measured only when somebody looks. */
  measure(): void {
    this.rooms?.loop.measure();
  }

  /** Refuses callers, ends links and timers, closes the store. */
  stop(done: () => void): void {
    if (this.isStopping) {
      done();
      return;
    }
    this.isStopping = true;
    this.whenIdle(this.options.timers.elapsedMs() + DRAIN_MS, () => {
      this.stopRooms();
      this.options.transport.stop(() => {
        this.options.store.close((closed) => {
          if (!closed.ok) {
            this.options.logger.error({ error: closed.error }, 'the store could not be closed');
          }
          done();
        });
      });
    });
  }

  /** Waits until own callers are answered and what is committed is executed, or the time is up. */
  private whenIdle(untilMs: number, done: () => void): void {
    const { timers } = this.options;
    const isIdle = this.rooms === undefined || this.fatal !== undefined || areIdle(this.rooms);
    if (isIdle || timers.elapsedMs() >= untilMs) {
      done();
    } else {
      timers.startTimer(DRAIN_POLL_MS, () => this.whenIdle(untilMs, done));
    }
  }

  private sources(): StatusSources {
    const { rooms, isStopping, fatal } = this;
    const { timers, transport } = this.options;
    return {
      core: rooms?.core.inspect(timers.elapsedMs()),
      links: transport.links(),
      isStopping,
      fatal,
      agreedTimeMs: rooms?.execution.executor.executed.agreedTimeMs ?? 0,
    };
  }

  private stopRooms(): void {
    if (this.rooms !== undefined) {
      stopRooms(this.rooms);
    }
  }

  private fail(reason: string, kind: FatalKind = 'failed'): void {
    if (this.fatal !== undefined || this.isStopping) {
      return;
    }
    this.fatal = reason;
    this.stopRooms();
    this.options.logger.error({ reason }, 'this replica can not go on');
    this.options.onFatal(reason, kind);
  }
}

const NOT_READY_RETRY_MS = 500;
/** Stopping takes no longer than this before callers learn that their outcome is unknown. */
const DRAIN_MS = 2_000;
const DRAIN_POLL_MS = 10;

/** A completion that goes on with the value, or tells the error. */
function orFail<T>(fail: (error: StoreError) => void, goOn: (value: T) => void): Completion<T> {
  return (result) => (result.ok ? goOn(result.value) : fail(result.error));
}
