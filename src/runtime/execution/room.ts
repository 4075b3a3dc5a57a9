/** Execution: operations as the state machine sees them, the batches at hand, the client table, and the executor that works with them. */
import { decodeBatch } from '../../wire/batch-codec.js';
import type { RoomOptions } from '../replica-runtime-options.js';
import { BatchBodies } from './batch-bodies.js';
import { ClientTable } from './client-table.js';
import { Executor, type ExecutorOptions } from './executor.js';
import { PreparedOperations } from './prepared-operations.js';

/** What execution shows to the other rooms. */
export interface ExecutionRoom {
  readonly operations: PreparedOperations;
  readonly table: ClientTable;
  readonly bodies: BatchBodies;
  readonly executor: Executor;
}

/** Whom execution tells. */
export interface ExecutionNeighbours {
  /** loop/loop.ts: tells the core, own callers, and those who fetch. */
  readonly loop: Pick<ExecutorOptions, 'onExecuted' | 'onResults' | 'onMissingBody'>;
}

/** Makes it. */
export function createExecution(options: RoomOptions, { loop }: ExecutionNeighbours): ExecutionRoom {
  const { consensus, limits, hash, store, stateMachine, recovered, clientTable, agreedTimeMs } = options;
  const operations = new PreparedOperations(stateMachine, consensus);
  const table = new ClientTable(consensus);
  table.load(clientTable);
  const bodies = new BatchBodies({ store, decode: (bytes) => decodeBatch(bytes, limits, hash) });
  const { lastExecuted, lastHeaderDigest } = recovered;
  const executor = new Executor({
    ...options,
    operations,
    table,
    bodies,
    resultBytesMax: consensus.resultBytesMax,
    groupCostMax: consensus.batchCostMax,
    start: { lastExecuted, lastHeaderDigest, agreedTimeMs },
    onExecuted: (event) => loop.onExecuted(event),
    onResults: (batch) => loop.onResults(batch),
    onMissingBody: (sequence, digest) => loop.onMissingBody(sequence, digest),
  });
  return { operations, table, bodies, executor };
}
