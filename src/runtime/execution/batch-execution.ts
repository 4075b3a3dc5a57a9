/**
 * Executing a group of batches: operations in order, synchronously, with the reads that they announced made for many
 * operations at a time. A generator without promises: it yields what it needs read and goes on when that is at hand.
 *
 * 1. What comes out of a batch follows from the state before it and the batch alone, not from how batches are grouped.
 * 2. An operation's result depends on the state and on itself, never on who shares its request or its batch.
 * 3. Nothing is allocated, hashed or scheduled for each operation but its result; hashes are one or a few a request.
 */
import { type Header, OUTCOME, type Outcome } from '../../ledger/header.js';
import { computeHeaderDigest } from '../../ledger/header-codec.js';
import { computeResultsDigest, encodeLeaf } from '../../ledger/leaf.js';
import { computeMerklePaths } from '../../ledger/merkle.js';
import { computeWritesDigest } from '../../ledger/writes-digest.js';
import type { StoreEntry } from '../../ports/key-value-store.js';
import type { ClientTableClient, ExecutionWrite } from '../../ports/replica-store.js';
import type { ApplicationRange, Key } from '../../ports/state-machine.js';
import type { CommitCertificate } from '../../protocol/certificates.js';
import type { Sequence, View } from '../../protocol/identifiers.js';
import type { SignedRequest } from '../../protocol/messages.js';
import { defined } from '../../util/assert.js';
import type { Digest, Hash } from '../../util/digest.js';
import type { BatchBody } from './batch-bodies.js';
import type { ClientTable } from './client-table.js';
import { GroupExecutionStore } from './execution-store.js';
import type { Prepared, PreparedOperations } from './prepared-operations.js';
import { ReadPlan } from './read-plan.js';
import { encodeRefusal } from './refusal.js';
import { RESULT_TOO_LONG, resultToKeep } from './result-marks.js';

/** A batch that is due, with its requests. */
export interface DueBatch {
  readonly sequence: Sequence;
  readonly view: View;
  readonly batchDigest: Digest;
  readonly certificate: CommitCertificate | undefined;
  readonly body: BatchBody;
}

/** What became of one request. */
export interface RequestOutcome {
  readonly request: SignedRequest;
  readonly leafIndex: number;
  readonly outcome: Outcome;
  /**
   * Executed: one an operation; a mark stands for one that is too long (result-marks.ts). Refused: the refusal.
   * Repeated: undefined, they are in the client table's row.
   */
  readonly results: readonly Uint8Array[] | undefined;
  readonly resultsDigest: Digest;
}

/** An executed batch, for those who answer clients. */
export interface ExecutedBatch {
  readonly sequence: Sequence;
  readonly view: View;
  readonly header: Header;
  readonly headerDigest: Digest;
  readonly operationCount: number;
  readonly outcomes: readonly RequestOutcome[];
  /** By leaf index: the Merkle path from the outcome's leaf to the header's results root. */
  readonly paths: readonly (readonly Digest[])[];
  /** What the client table acknowledges after it, of the batch's clients. */
  readonly acknowledged: readonly ClientTableClient[];
}

/** An executed batch and what it changes. */
export interface BatchExecution {
  readonly executed: ExecutedBatch;
  readonly write: ExecutionWrite;
}

/** What execution needs from the store before it goes on; answered with the ranges' entries, [] for keys. */
export type ReadNeed =
  | { readonly kind: 'keys'; readonly keys: readonly Key[]; readonly names: readonly string[] }
  | { readonly kind: 'ranges'; readonly ranges: readonly ApplicationRange[] };

/** Where the chain of headers stands. */
export interface ChainPosition {
  readonly headerDigest: Digest;
  readonly agreedTimeMs: number;
}

/** What execution works with. */
export interface ExecutionContextOptions {
  readonly operations: Pick<PreparedOperations, 'of' | 'costOfBatch' | 'forget'>;
  readonly table: ClientTable;
  readonly hash: Hash;
  /** Consensus parameter: the longest result of an operation. */
  readonly resultBytesMax: number;
}

type Reading<T> = Generator<ReadNeed, T, readonly (readonly StoreEntry[])[]>;

const NO_ENTRIES: readonly (readonly StoreEntry[])[] = [];

/** Executes batches of consecutive sequences. */
export class GroupExecution {
  readonly store = new GroupExecutionStore();
  private readonly operations: readonly Prepared[];
  private readonly plan: ReadPlan;
  /** The place in the group of the operation that comes next. */
  private nextOperation = 0;

  constructor(
    private readonly options: ExecutionContextOptions,
    private readonly group: readonly DueBatch[],
  ) {
    const { operations } = options;
    this.operations = group.flatMap(({ body }) => body.requests.flatMap((request) => operations.of(request)));
    this.plan = new ReadPlan(this.operations);
  }

  /** Runs all of it, from the end of the chain before on. */
  *run(from: ChainPosition): Reading<readonly BatchExecution[]> {
    const executions: BatchExecution[] = [];
    let position = from;
    for (const due of this.group) {
      const execution = yield* this.executeBatch(due, position);
      const { header, headerDigest } = execution.executed;
      position = { headerDigest, agreedTimeMs: header.timestampMs };
      executions.push(execution);
    }
    return executions;
  }

  private *executeBatch(due: DueBatch, position: ChainPosition): Reading<BatchExecution> {
    const { batch, requests } = due.body;
    // The null batch's timestamp is 0, so it leaves the agreed time as it is.
    const timestampMs = Math.max(position.agreedTimeMs, batch.timestampMs);
    const outcomes: RequestOutcome[] = [];
    let index = 0;
    this.options.table.beginBatch(due.sequence);
    for (const [leafIndex, request] of requests.entries()) {
      const place = { sequence: due.sequence, index, timestampMs, leafIndex };
      outcomes.push(yield* this.executeRequest(request, place));
      this.options.operations.forget(request);
      index += request.operations.length;
    }
    return this.concludeBatch(due, outcomes, { ...position, agreedTimeMs: timestampMs });
  }

  private *executeRequest(request: SignedRequest, place: RequestPlace): Reading<RequestOutcome> {
    const { table, hash } = this.options;
    const { leafIndex } = place;
    const judgement = table.judge(request);
    if (judgement.kind === 'execute') {
      const { results, kept } = yield* this.executeOperations(request, place);
      const resultsDigest = computeResultsDigest(results, hash);
      table.recordExecuted({ request, leafIndex, results: kept, resultsDigest });
      return { request, leafIndex, outcome: OUTCOME.executed, results, resultsDigest };
    }
    this.nextOperation += request.operations.length;
    if (judgement.kind === 'repeated') {
      const { resultsDigest } = judgement.entry;
      return { request, leafIndex, outcome: OUTCOME.repeated, results: undefined, resultsDigest };
    }
    const results = [encodeRefusal(judgement.code)];
    const resultsDigest = computeResultsDigest(results, hash);
    return { request, leafIndex, outcome: OUTCOME.refused, results, resultsDigest };
  }

  /** The results, one an operation, whatever became of the others'. */
  private *executeOperations(request: SignedRequest, place: RequestPlace): Reading<RequestResults> {
    const { resultBytesMax } = this.options;
    const { sequence, timestampMs } = place;
    const results: Uint8Array[] = [];
    const kept: Uint8Array[] = [];
    let index = place.index;
    for (const _ of request.operations) {
      if (!this.plan.covers(this.nextOperation)) {
        yield* this.readAhead();
      }
      const { announcement, cost, execute } = defined(this.operations[this.nextOperation], 'it is one of the group');
      const isReadingRanges = announcement.ranges.length > 0;
      const entries = isReadingRanges ? yield { kind: 'ranges', ranges: announcement.ranges } : NO_ENTRIES;
      this.store.beginOperation(announcement, entries);
      const context = { sequence, index, timestampMs, clientId: request.clientId };
      const answer = execute(context, this.store);
      // What it costs was judged by its bytes: it holds.
      const isTooLong = answer.length > Math.min(resultBytesMax, cost);
      const result = isTooLong ? RESULT_TOO_LONG : answer;
      results.push(result);
      kept.push(resultToKeep(result, this.store.hasWritten));
      this.nextOperation++;
      index++;
    }
    return { results, kept };
  }

  private *readAhead(): Reading<void> {
    const { keys, names } = this.plan.planFrom(this.nextOperation, this.store);
    if (keys.length > 0) {
      yield { kind: 'keys', keys, names };
    }
  }

  private concludeBatch(due: DueBatch, outcomes: readonly RequestOutcome[], position: ChainPosition): BatchExecution {
    const { table, hash } = this.options;
    const { sequence, view, batchDigest, certificate, body } = due;
    const leaves = outcomes.map(({ request, outcome, resultsDigest }) => {
      const { clientId, number, digest } = request;
      return encodeLeaf({ clientId, number, requestDigest: digest, outcome, resultsDigest });
    });
    const { root, paths } = computeMerklePaths(leaves, hash);
    const writes = { application: this.store.takeBatchWrites(), ...table.finishBatch(paths) };
    const header: Header = {
      sequence,
      previousHeaderDigest: position.headerDigest,
      batchDigest,
      resultsRoot: root,
      writesDigest: computeWritesDigest(writes, hash),
      timestampMs: position.agreedTimeMs,
    };
    const headerDigest = computeHeaderDigest(header, hash);
    const { operationCount } = body.batch;
    const acknowledged = this.listAcknowledged(outcomes);
    return {
      executed: { sequence, view, header, headerDigest, operationCount, outcomes, paths, acknowledged },
      write: { header, headerDigest, certificate, ...writes },
    };
  }

  /** What the table acknowledges of the batch's clients now: later batches of the group haven't touched it yet. */
  private listAcknowledged(outcomes: readonly RequestOutcome[]): readonly ClientTableClient[] {
    const clientIds = new Set(outcomes.map(({ request }) => request.clientId));
    return Array.from(clientIds, (clientId) => ({
      clientId,
      acknowledged: this.options.table.acknowledgedOf(clientId),
    }));
  }
}

/** One an operation: what it answered, and what the client table keeps of that. */
interface RequestResults {
  readonly results: readonly Uint8Array[];
  readonly kept: readonly Uint8Array[];
}

/** Where a request stands. */
interface RequestPlace {
  readonly sequence: number;
  /** Of its first operation in the batch. */
  readonly index: number;
  readonly timestampMs: number;
  readonly leafIndex: number;
}
