/**
 * What an operation of the key-value store costs those who execute it, by its bytes alone: see `StateMachine.costOf`.
 *
 * 1. A byte that is answered costs one: it is read, encoded, hashed, kept for a repeat and sent.
 * 2. A row that is read without being answered costs a sixteenth of the longest one: how long it is, nobody knows by
 *    the operation.
 * 3. What a range answers is bounded by its page, and each of its entries costs something by itself.
 */
import type { KeyValueCommand } from './key-value-command.js';

/** Any operation, whatever it does. */
const OPERATION_COST = 1_024;
/** A row of any length that is read and need not be answered. */
const READ_COST = 65_536;
/** An entry of a range beside its bytes. */
const ENTRY_COST = 32;

/** The cost of an operation of `operationBytes` bytes. */
export function computeKeyValueCost(command: KeyValueCommand, operationBytes: number): number {
  const cost = OPERATION_COST + operationBytes;
  switch (command.kind) {
    case 'put':
    case 'invalid':
      return cost;
    case 'delete':
    case 'compareAndSwap':
      return cost + READ_COST;
    case 'get':
      return cost + READ_COST + command.answerBytesMax;
    case 'range':
      return cost + READ_COST + command.answerBytesMax + command.range.limit * ENTRY_COST;
  }
}
