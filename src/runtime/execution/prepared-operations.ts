/**
 * Operations as the state machine looked at them, once for each request that this replica has: what they read, what they
 * cost (protocol.md 4), and how they are executed. The cost is a pure function of bytes, the same at all replicas; limits
 * on it are judged at the door, at ingress, and by those who fill requests and batches.
 *
 * What was looked at is remembered by the request's own list of operations, until that is executed or nobody has it.
 */
import { type ApplicationRange, DEFAULT_RESULT_BYTES_MAX, type StateMachine } from '../../ports/state-machine.js';
import type { ConsensusParameters } from '../../protocol/parameters.js';
import { assert } from '../../util/assert.js';
import { type Announcement, nameOfKey } from './execution-store.js';

/** What any operation costs at least: looking at it, executing it, its result's place. */
const OPERATION_COST_MIN = 512;

const NO_RANGES: readonly ApplicationRange[] = [];

/** Something with operations: a request, whoever verified it. */
interface WithOperations {
  readonly operations: readonly Uint8Array[];
}

type FromStateMachine = ReturnType<StateMachine['prepare']>;

/** An operation that was looked at. */
export interface Prepared {
  readonly announcement: Announcement;
  readonly cost: number;
  readonly objection: FromStateMachine['objection'];
  readonly execute: FromStateMachine['execute'];
}

/** The operations of one application under one cluster's limits. */
export class PreparedOperations {
  private readonly known = new WeakMap<readonly Uint8Array[], readonly Prepared[]>();
  private looks = 0;

  constructor(
    private readonly stateMachine: Pick<StateMachine, 'prepare' | 'name'>,
    private readonly limits: Pick<ConsensusParameters, 'requestCostMax' | 'batchCostMax'>,
  ) {}

  /** Looks at an operation. Total. */
  prepare(operation: Uint8Array): Prepared {
    this.looks++;
    const prepared = this.stateMachine.prepare(operation);
    const { keys, ranges = NO_RANGES, objection } = prepared;
    const cost = prepared.cost ?? operation.length + DEFAULT_RESULT_BYTES_MAX;
    const isCost = Number.isSafeInteger(cost) && cost >= 0;
    assert(isCost, `the cost of an operation of ${this.stateMachine.name} is a safe integer from 0`);
    return {
      announcement: { keys, names: keys.map(nameOfKey), ranges },
      cost: Math.max(OPERATION_COST_MIN, cost),
      objection,
      execute: (context, store) => prepared.execute(context, store),
    };
  }

  /** A request's operations, each looked at once. */
  of({ operations }: WithOperations): readonly Prepared[] {
    const known = this.known.get(operations);
    if (known !== undefined) {
      return known;
    }
    const prepared = operations.map((operation) => this.prepare(operation));
    this.known.set(operations, prepared);
    return prepared;
  }

  /** Remembers what was looked at before it became a request. */
  remember({ operations }: WithOperations, prepared: readonly Prepared[]): void {
    assert(prepared.length === operations.length, 'each operation was looked at');
    this.known.set(operations, prepared);
  }

  /** A request is done with: its bytes may be kept for others, and are looked at again if it comes again. */
  forget({ operations }: WithOperations): void {
    this.known.delete(operations);
  }

  /** How many operations were looked at since the last call, whoever sent them. */
  takeLooks(): number {
    const { looks } = this;
    this.looks = 0;
    return looks;
  }

  /** The cost of a request: of its operations together. */
  costOf(request: WithOperations): number {
    return this.of(request).reduce((sum, { cost }) => sum + cost, 0);
  }

  /** The cost of a batch: of its requests together. */
  costOfBatch(requests: readonly WithOperations[]): number {
    return requests.reduce((sum, request) => sum + this.costOf(request), 0);
  }

  /** Whether no replica takes the request. */
  isRequestTooCostly(request: WithOperations): boolean {
    return this.costUpToLimit(request) > this.limits.requestCostMax;
  }

  /** Whether no replica votes for a batch of these requests. */
  isBatchTooCostly(requests: readonly { readonly request: WithOperations }[]): boolean {
    let batchCost = 0;
    return requests.some(({ request }) => {
      const cost = this.costUpToLimit(request);
      batchCost += cost;
      return cost > this.limits.requestCostMax || batchCost > this.limits.batchCostMax;
    });
  }

  /** The cost of a request, looked at no further than it takes to know that it is too much. */
  private costUpToLimit(request: WithOperations): number {
    if (this.known.has(request.operations)) {
      return this.costOf(request);
    }
    const prepared: Prepared[] = [];
    let costOfAll = 0;
    for (const operation of request.operations) {
      const one = this.prepare(operation);
      prepared.push(one);
      costOfAll += one.cost;
      if (costOfAll > this.limits.requestCostMax) {
        return costOfAll;
      }
    }
    this.remember(request, prepared);
    return costOfAll;
  }
}
