/**
 * What an operation of the key-value store costs those who execute it, by its bytes alone: see `PreparedOperation.cost`.
 *
 * 1. A byte that is answered costs one: it is read, encoded, hashed, kept for a repeat and sent. So does a byte of the
 *    operation, which is written, or compared with one that is read.
 * 2. Beside that only heads are read, which are short (stored-value.ts).
 * 3. What a range answers is bounded by its page, and each of its entries costs something by itself.
 */
import type { KeyValueCommand } from './key-value-command.js';

/** Any operation, with the head that it reads. */
const OPERATION_COST = 3_072;
/** An entry of a range beside its bytes. */
const ENTRY_COST = 32;

/** The cost of an operation of `operationBytes` bytes. */
export function computeKeyValueCost(command: KeyValueCommand, operationBytes: number): number {
  const cost = OPERATION_COST + operationBytes;
  switch (command.kind) {
    case 'put':
    case 'delete':
    case 'compareAndSwap':
    case 'invalid':
      return cost;
    case 'get':
      return cost + command.answerBytesMax;
    case 'range':
      return cost + command.answerBytesMax + command.range.limit * ENTRY_COST;
  }
}
