/**
 * Executes committed batches in order (protocol.md 4, 7): loads their bodies, reads ahead, runs the operations, and
 * writes application, client table, header and last executed sequence in one atomic write for as many batches as are
 * due. Then, and only then, others hear of it.
 *
 * 1. Batches come with consecutive sequences; one group is under way at a time.
 * 2. A batch is executed only when its record is written: the store wants the bytes of everything that was executed.
 * 3. What a group changes is in the store in one call of `commitExecution`, or the replica stops: an exception of the
 *    application and an error of the store are fatal.
 */
import type { StoreEntry, StoreError } from '../../ports/key-value-store.js';
import type { ReplicaStore } from '../../ports/replica-store.js';
import type { ApplicationRange } from '../../ports/state-machine.js';
import type { CommitCertificate } from '../../protocol/certificates.js';
import type { Effect } from '../../protocol/effects.js';
import type { Event } from '../../protocol/events.js';
import { type Sequence, sequenceAfter, type View } from '../../protocol/identifiers.js';
import { AssertionError, assert } from '../../util/assert.js';
import type { Digest } from '../../util/digest.js';
import { Fifo } from '../../util/fifo.js';
import type { BatchBodies, BatchBody } from './batch-bodies.js';
import {
  type BatchExecution,
  type DueBatch,
  type ExecutedBatch,
  type ExecutionContextOptions,
  GroupExecution,
  type ReadNeed,
} from './batch-execution.js';
import { readMergedRange } from './range-reading.js';

/** What the core orders: its `execute` effect. */
type ExecuteOrder = Omit<Extract<Effect, { kind: 'execute' }>, 'kind'>;

/** What the core is told of an executed batch. */
export type BatchExecutedEvent = Extract<Event, { kind: 'batchExecuted' }>;

/** Answers whoever waits for results. */
export type ResultListener = (batch: ExecutedBatch) => void;

/** Where execution goes on: what the store says at the start. */
export interface ExecutionStart {
  readonly lastExecuted: Sequence;
  /** The genesis digest where nothing is executed. */
  readonly lastHeaderDigest: Digest;
  /** The last header's timestamp; 0 where nothing is executed. */
  readonly agreedTimeMs: number;
}

/** What the executor works with and whom it tells. */
export interface ExecutorOptions extends ExecutionContextOptions {
  readonly store: Pick<ReplicaStore, 'commitExecution' | 'getApplication' | 'readApplication'>;
  readonly bodies: BatchBodies;
  /** Batches that cost more together are executed and written one after the other. */
  readonly groupCostMax: number;
  readonly start: ExecutionStart;
  /** For each batch, in order, after its writes are in the store; before its results. */
  readonly onExecuted: (event: BatchExecutedEvent) => void;
  readonly onResults: ResultListener;
  /** Neither memory nor the store has the batch; execution waits for `retry`. */
  readonly onMissingBody: (sequence: Sequence, batchDigest: Digest) => void;
  /** The replica can't go on; nothing is executed any more. */
  readonly onFatal: (reason: string) => void;
}

/** A group ends when it has so many batches or bytes, or costs as much as a batch may. */
const GROUP_BATCHES_MAX = 16;
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

const NO_ENTRIES: readonly (readonly StoreEntry[])[] = [];

type Run = ReturnType<GroupExecution['run']>;

/** Executes what is ordered. */
export class Executor {
  private readonly orders = new Fifo<ExecuteOrder>();
  private lastOrdered: Sequence;
  private position: ExecutionStart;
  private isBusy = false;
  /** The next batch's body is missing. */
  private isWaitingForBody = false;
  private isStopped = false;

  constructor(private readonly options: ExecutorOptions) {
    this.position = options.start;
    this.lastOrdered = options.start.lastExecuted;
  }

  /** The last sequence whose writes are in the store, with its header digest and the agreed time. */
  get executed(): ExecutionStart {
    return this.position;
  }

  /** How many batches are ordered and not executed. */
  get waitingBatches(): number {
    return this.lastOrdered - this.position.lastExecuted;
  }

  /** Orders the batch of the next sequence. It begins in this call where nothing is under way. */
  execute(sequence: Sequence, view: View, batchDigest: Digest, certificate: CommitCertificate | undefined): void {
    assert(sequence === sequenceAfter(this.lastOrdered), `sequence ${sequence} is ordered after ${this.lastOrdered}`);
    this.lastOrdered = sequence;
    this.orders.push({ sequence, view, batchDigest, certificate });
    this.startNext();
  }

  /** What execution waits for may be there now: a missing body, or the record of a batch in the store. */
  retry(): void {
    this.isWaitingForBody = false;
    this.startNext();
  }

  /** Nothing begins any more; what is under way is neither written nor told. */
  stop(): void {
    this.isStopped = true;
  }

  private startNext(): void {
    const next = this.orders.peek();
    if (next === undefined || this.isBusy || this.isWaitingForBody || this.isStopped) {
      return;
    }
    const { bodies, onMissingBody } = this.options;
    // The store wants a batch's bytes before its execution; `retry` comes when they are there.
    if (bodies.isPending(next.sequence, next.batchDigest)) {
      return;
    }
    this.isBusy = true;
    bodies.load(next.sequence, next.batchDigest, (result) => {
      if (this.isStopped) {
        return;
      }
      if (!result.ok) {
        this.failStore('reading a batch', result.error);
      } else if (result.value === undefined) {
        this.isBusy = false;
        this.isWaitingForBody = true;
        onMissingBody(next.sequence, next.batchDigest);
      } else {
        this.executeGroup(this.takeGroup(result.value));
      }
    });
  }

  /** The first order with its body, and those after it whose bodies are in memory. */
  private takeGroup(firstBody: BatchBody): readonly DueBatch[] {
    const { bodies, operations, groupCostMax } = this.options;
    const group: DueBatch[] = [];
    let sizeBytes = 0;
    let cost = 0;
    let body: BatchBody | undefined = firstBody;
    const isFull = (): boolean =>
      group.length >= GROUP_BATCHES_MAX || sizeBytes >= GROUP_BYTES_MAX || cost >= groupCostMax;
    while (body !== undefined && !isFull()) {
      const order = this.orders.shift();
      assert(order?.batchDigest === body.batch.digest, 'the body is that of the next order');
      group.push({ ...order, body });
      sizeBytes += body.batch.sizeBytes;
      cost += operations.costOfBatch(body.requests);
      const next = this.orders.peek();
      const isDue = next !== undefined && !bodies.isPending(next.sequence, next.batchDigest);
      body = isDue ? bodies.get(next.batchDigest) : undefined;
    }
    return group;
  }

  private executeGroup(group: readonly DueBatch[]): void {
    const execution = new GroupExecution(this.options, group);
    const { lastHeaderDigest, agreedTimeMs } = this.position;
    const run = execution.run({ headerDigest: lastHeaderDigest, agreedTimeMs });
    this.resume(execution, run, NO_ENTRIES);
  }

  /** Goes on with what was read, until the next read or the end. */
  private resume(execution: GroupExecution, run: Run, entries: readonly (readonly StoreEntry[])[]): void {
    let step: ReturnType<Run['next']>;
    try {
      step = run.next(entries);
    } catch (error) {
      if (error instanceof AssertionError) {
        throw error;
      }
      const reason = error instanceof Error ? error.message : String(error);
      this.fail(`the application failed after sequence ${this.position.lastExecuted}: ${reason}`);
      return;
    }
    if (step.done === true) {
      this.commit(step.value);
    } else {
      this.read(execution, run, step.value);
    }
  }

  private read(execution: GroupExecution, run: Run, need: ReadNeed): void {
    if (need.kind === 'ranges') {
      this.readRanges(execution, run, { ranges: need.ranges, entries: [] });
      return;
    }
    this.options.store.getApplication(need.keys, (result) => {
      if (this.isStopped) {
        return;
      }
      if (!result.ok) {
        this.failStore('reading keys', result.error);
        return;
      }
      execution.store.setReadAhead(need.names, result.value);
      this.resume(execution, run, NO_ENTRIES);
    });
  }

  /** Reads one range after the other, then goes on. */
  private readRanges(
    execution: GroupExecution,
    run: Run,
    reading: { readonly ranges: readonly ApplicationRange[]; readonly entries: (readonly StoreEntry[])[] },
  ): void {
    const { ranges, entries } = reading;
    const range = ranges[entries.length];
    if (range === undefined) {
      this.resume(execution, run, entries);
      return;
    }
    readMergedRange(this.options.store, range, execution.store.writesIn(range), (result) => {
      if (this.isStopped) {
        return;
      }
      if (!result.ok) {
        this.failStore('reading a range', result.error);
        return;
      }
      entries.push(result.value);
      this.readRanges(execution, run, reading);
    });
  }

  private commit(executions: readonly BatchExecution[]): void {
    const writes = executions.map(({ write }) => write);
    this.options.store.commitExecution(writes, (result) => {
      if (this.isStopped) {
        return;
      }
      if (!result.ok) {
        this.failStore('writing executed batches', result.error);
        return;
      }
      // Whoever is told may order more at once: it begins when all is told.
      this.tell(executions);
      this.isBusy = false;
      this.startNext();
    });
  }

  private tell(executions: readonly BatchExecution[]): void {
    const { bodies, onExecuted, onResults } = this.options;
    for (const { executed } of executions) {
      bodies.markPersisted(executed.sequence, executed.header.batchDigest);
      this.position = {
        lastExecuted: executed.sequence,
        lastHeaderDigest: executed.headerDigest,
        agreedTimeMs: executed.header.timestampMs,
      };
      onExecuted(eventOf(executed));
      onResults(executed);
    }
  }

  private failStore(action: string, error: StoreError): void {
    this.fail(`${action} failed (${error.code}): ${error.message}`);
  }

  private fail(reason: string): void {
    this.isStopped = true;
    this.options.onFatal(reason);
  }
}

function eventOf({ sequence, headerDigest, outcomes, acknowledged }: ExecutedBatch): BatchExecutedEvent {
  return {
    kind: 'batchExecuted',
    sequence,
    headerDigest,
    settled: outcomes.map(({ request }) => ({ clientId: request.clientId, number: request.number })),
    acknowledged: acknowledged.map((client) => ({ clientId: client.clientId, number: client.acknowledged })),
  };
}
