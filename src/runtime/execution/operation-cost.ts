/**
 * What operations, requests and batches cost (protocol.md 4): a pure function of bytes, the same at all replicas, asked
 * of the state machine. Limits on it are judged at the door, at ingress, and by those who fill requests and batches.
 */
import { DEFAULT_RESULT_BYTES_MAX, type StateMachine } from '../../ports/state-machine.js';
import type { ConsensusParameters } from '../../protocol/parameters.js';
import { assert } from '../../util/assert.js';

/** What any operation costs at least: looking at it, executing it, its result's place. */
const OPERATION_COST_MIN = 512;

/** Something with operations: a request, whoever verified it. */
interface WithOperations {
  readonly operations: readonly Uint8Array[];
}

/** The costs of one application under one cluster's limits. */
export class Costs {
  constructor(
    private readonly stateMachine: Pick<StateMachine, 'costOf' | 'name'>,
    private readonly limits: Pick<ConsensusParameters, 'requestCostMax' | 'batchCostMax'>,
  ) {}

  /** The cost of an operation. */
  ofOperation(operation: Uint8Array): number {
    const { name } = this.stateMachine;
    const cost = this.stateMachine.costOf?.(operation) ?? operation.length + DEFAULT_RESULT_BYTES_MAX;
    assert(Number.isSafeInteger(cost) && cost >= 0, `the cost of an operation of ${name} is a safe integer from 0`);
    return Math.max(OPERATION_COST_MIN, cost);
  }

  /** The cost of a request: of its operations together. */
  ofRequest({ operations }: WithOperations): number {
    return operations.reduce((sum, operation) => sum + this.ofOperation(operation), 0);
  }

  /** The cost of a batch: of its requests together. */
  ofBatch(requests: readonly WithOperations[]): number {
    return requests.reduce((sum, request) => sum + this.ofRequest(request), 0);
  }

  /** Whether no replica takes the request. */
  isRequestTooCostly(request: WithOperations): boolean {
    return this.ofRequest(request) > this.limits.requestCostMax;
  }

  /** Whether no replica votes for a batch of these requests. */
  isBatchTooCostly(requests: readonly { readonly request: WithOperations }[]): boolean {
    let batchCost = 0;
    return requests.some(({ request }) => {
      const cost = this.ofRequest(request);
      batchCost += cost;
      return cost > this.limits.requestCostMax || batchCost > this.limits.batchCostMax;
    });
  }
}
