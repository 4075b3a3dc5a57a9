/** What every state machine must do, whatever it computes (src/ports/state-machine.ts). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { StateMachine } from '../../src/ports/state-machine.js';
import { MemoryApplicationStore } from '../unit/application/memory-application-store.js';

/** How the suite makes a state machine and operations for it. */
export interface StateMachineSubject {
  create(): StateMachine;
  /** Well-formed operations, reads and writes. */
  readonly operations: fc.Arbitrary<Uint8Array>;
}

/** Declares the suite for one state machine. */
export function describeStateMachine(name: string, { create, operations }: StateMachineSubject): void {
  const any = fc.oneof(operations, fc.uint8Array({ maxLength: 64 }), operations.map(flipOneByte));

  describe(`the state machine ${name}`, () => {
    it('gives the same results and writes at every replica, read ahead or not', () => {
      const property = fc.property(fc.array(any, { maxLength: 40 }), (list) => {
        const [one, other] = [create(), create()];
        const [oneStore, otherStore] = [new MemoryApplicationStore(), new MemoryApplicationStore()];
        list.forEach((operation, index) => {
          // The other replica has its own copy of the bytes and looked ahead at all of them before.
          const copy = operation.slice();
          other.prepare(copy);
          const result = oneStore.execute(one, operation, { sequence: 7, index });
          assert.deepEqual(otherStore.execute(other, copy, { sequence: 7, index }), result);
        });
        assert.deepEqual(otherStore.rows, oneStore.rows);
      });
      fc.assert(property, { numRuns: 100 });
    });

    it('executes an operation again from the same bytes as it did at first', () => {
      const property = fc.property(operations, (operation) => {
        const machine = create();
        const first = new MemoryApplicationStore().execute(machine, operation, { sequence: 1, index: 0 });
        assert.deepEqual(new MemoryApplicationStore().execute(machine, operation, { sequence: 1, index: 0 }), first);
      });
      fc.assert(property, { numRuns: 100 });
    });

    it('IV-08: is total: arbitrary bytes have a result, announce nothing that throws, and can be queried', async () => {
      const property = fc.asyncProperty(any, async (operation) => {
        const store = new MemoryApplicationStore();
        const machine = create();
        const result = store.execute(machine, operation, { sequence: 1, index: 65_535 });
        assert.ok(result instanceof Uint8Array);
        const { cost = Number.MAX_SAFE_INTEGER, objection } = machine.prepare(operation);
        assert.ok(
          Number.isSafeInteger(cost) && cost >= result.length,
          `a result of ${result.length} bytes for ${cost}`,
        );
        assert.ok((await machine.query(operation, store.queryStore())) instanceof Uint8Array);
        assert.ok(objection === undefined || (objection.field !== '' && objection.description !== ''));
      });
      await fc.assert(property, { numRuns: 300 });
    });

    it('changes nothing for an operation that it refuses at the door', () => {
      const property = fc.property(any, (operation) => {
        const store = new MemoryApplicationStore();
        const machine = create();
        store.execute(machine, operation, { sequence: 1, index: 0 });
        fc.pre(machine.prepare(operation).objection !== undefined);
        assert.equal(store.rows.size, 0);
      });
      fc.assert(property, { numRuns: 100 });
    });

    it('keeps neither the operation nor its length: an executed operation may be overwritten', () => {
      const property = fc.property(operations, (operation) => {
        const machine = create();
        const bytes = operation.slice();
        const store = new MemoryApplicationStore();
        store.execute(machine, bytes, { sequence: 1, index: 0 });
        const before = structuredClone(store.rows);
        bytes.fill(0xff);
        assert.deepEqual(store.rows, before);
      });
      fc.assert(property, { numRuns: 100 });
    });
  });
}

function flipOneByte(operation: Uint8Array): Uint8Array {
  const flipped = operation.slice();
  const at = Math.floor(flipped.length / 2);
  flipped[at] = (flipped[at] ?? 0) ^ 0x41;
  return flipped;
}
