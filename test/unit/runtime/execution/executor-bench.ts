/** An executor on fakes, and the operations and checks of its tests. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import type { Header } from '../../../../src/ledger/header.js';
import { encodeLeaf } from '../../../../src/ledger/leaf.js';
import { verifyMerklePath } from '../../../../src/ledger/merkle.js';
import type { ExecutionWrite } from '../../../../src/ports/replica-store.js';
import type { StateMachine } from '../../../../src/ports/state-machine.js';
import { sequence, view } from '../../../../src/protocol/identifiers.js';
import type { SignedRequest } from '../../../../src/protocol/messages.js';
import { BatchBodies, type BatchBody } from '../../../../src/runtime/execution/batch-bodies.js';
import type { ExecutedBatch } from '../../../../src/runtime/execution/batch-execution.js';
import { ClientTable } from '../../../../src/runtime/execution/client-table.js';
import { type BatchExecutedEvent, Executor } from '../../../../src/runtime/execution/executor.js';
import { PreparedOperations } from '../../../../src/runtime/execution/prepared-operations.js';
import type { Digest } from '../../../../src/util/digest.js';
import { decodeBatch, NULL_BATCH_BYTES } from '../../../../src/wire/batch-codec.js';
import { FakeExecutionStore, FakeLoop, LIMITS, requestOf, SCRIPTED, script, text } from '../fakes.js';

const UNLIMITED = { requestCostMax: Number.MAX_SAFE_INTEGER, batchCostMax: Number.MAX_SAFE_INTEGER };

export const GENESIS = 'ab'.repeat(32) as Digest;
export const NULL_DIGEST = sha256(NULL_BATCH_BYTES);

/** An executor on fakes, with all that it told. */
export class ExecutorBench {
  readonly loop = new FakeLoop();
  readonly store = new FakeExecutionStore(this.loop);
  readonly bodies: BatchBodies;
  readonly table = new ClientTable({ clientWindow: 16, keptResultBytesMax: 10_000 });
  readonly events: BatchExecutedEvent[] = [];
  readonly results: ExecutedBatch[] = [];
  readonly missing: number[] = [];
  readonly fatal: string[] = [];
  readonly executor: Executor;
  onResults: () => void = () => undefined;
  readonly operations: PreparedOperations;
  /** How many operations were looked at. */
  looks = 0;
  private next = 0;

  constructor(
    options: { readonly resultBytesMax?: number; readonly cost?: number; readonly groupCostMax?: number } = {},
  ) {
    const prepare: StateMachine['prepare'] = (operation) => {
      this.looks++;
      return { cost: options.cost ?? 10_000, ...SCRIPTED.prepare(operation) };
    };
    this.operations = new PreparedOperations({ name: 'scripted', prepare }, UNLIMITED);
    this.bodies = new BatchBodies({ store: this.store, decode: (bytes) => decodeBatch(bytes, LIMITS, sha256) });
    this.executor = new Executor({
      table: this.table,
      hash: sha256,
      resultBytesMax: options.resultBytesMax ?? 1_000,
      operations: this.operations,
      groupCostMax: options.groupCostMax ?? Number.MAX_SAFE_INTEGER,
      store: this.store,
      bodies: this.bodies,
      start: { lastExecuted: sequence(0), lastHeaderDigest: GENESIS, agreedTimeMs: 0 },
      onExecuted: (event) => this.events.push(event),
      onResults: (batch) => {
        this.results.push(batch);
        this.onResults();
      },
      onMissingBody: (missing) => this.missing.push(missing),
      onFatal: (reason) => this.fatal.push(reason),
    });
  }

  /** Orders a batch whose body is at hand. */
  order(body: BatchBody): void {
    this.bodies.put(body.batch, body.requests);
    this.orderDigest(body.batch.digest);
  }

  /** Orders a batch by its digest alone. */
  orderDigest(digest: Digest): void {
    this.next++;
    this.executor.execute(sequence(this.next), view(3), digest, undefined);
  }

  /** Everything that was written, by sequence. */
  get writes(): readonly ExecutionWrite[] {
    return this.store.commits.flat();
  }

  get headers(): readonly Header[] {
    return this.writes.map(({ header }) => header);
  }

  /** The results as text, by batch and request. */
  get texts(): readonly (readonly (readonly (string | undefined)[] | undefined)[])[] {
    return this.results.map(({ outcomes }) => outcomes.map(({ results }) => results?.map(text)));
  }
}

let numbers = 0;

/** A request with the next number, which acknowledges all before it. */
export function request(...operations: readonly Uint8Array[]): SignedRequest {
  numbers++;
  return requestOf({ number: numbers, acknowledged: numbers - 1, operations });
}

/** An operation that puts a value. */
export function put(key: string, value: string): Uint8Array {
  return script({ put: [key, value] });
}

/** An operation that announces a key and reads it. */
export function get(key: string): Uint8Array {
  return script({ announce: [key], get: key });
}

/** Asserts that each outcome lies under the root of its header. */
export function checkPaths({ header, outcomes, paths }: ExecutedBatch): void {
  for (const { request: signed, leafIndex, outcome, resultsDigest } of outcomes) {
    const { clientId, number, digest } = signed;
    const leaf = encodeLeaf({ clientId, number, requestDigest: digest, outcome, resultsDigest });
    const path = paths[leafIndex] ?? [];
    assert.ok(verifyMerklePath({ leaf, leafIndex, path, root: header.resultsRoot }, sha256));
  }
}
