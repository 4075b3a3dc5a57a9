import assert from 'node:assert/strict';
import { type Outcome, RequestMemory } from '../../../src/api/request-memory.js';
import { failed, ok } from '../../../src/util/result.js';
import { digestAt } from './fake-replica.js';

const A = digestAt(1);
const B = digestAt(2);
const LIMITS = { idsMax: 3, bytesMax: 10_000, keepMs: 1_000 };

const executed = (sizeBytes = 0): Outcome =>
  ok({ result: new Uint8Array(sizeBytes), sequence: 1, view: 0, headerDigest: A });

describe('the memory of request ids', () => {
  it('has an id executed once: repeats join the first, and get its outcome again afterwards', () => {
    const memory = new RequestMemory(LIMITS);
    assert.equal(memory.begin('id', A, 0).kind, 'first');
    assert.equal(memory.begin('id', A, 0).kind, 'awaited');
    const heard: Outcome[] = [];
    memory.join('id', (outcome) => heard.push(outcome));
    memory.join('id', (outcome) => heard.push(outcome));
    const outcome = executed();
    memory.settle('id', outcome, 1);
    assert.deepEqual(heard, [outcome, outcome]);
    assert.deepEqual(memory.begin('id', A, 2), { kind: 'settled', outcome });
  });

  it('refuses an id with another operation, awaited or settled', () => {
    const memory = new RequestMemory(LIMITS);
    memory.begin('id', A, 0);
    assert.equal(memory.begin('id', B, 0).kind, 'reused');
    memory.settle('id', executed(), 0);
    assert.equal(memory.begin('id', B, 0).kind, 'reused');
  });

  it('remembers an unknown outcome, so that a repeat is not executed a second time', () => {
    const memory = new RequestMemory(LIMITS);
    memory.begin('id', A, 0);
    memory.settle('id', failed({ code: 'outcomeUnknown', reason: 'late' }), 0);
    assert.equal(memory.begin('id', A, 0).kind, 'settled');
  });

  it('forgets a failure that took nothing, so that a repeat is a new try', () => {
    const memory = new RequestMemory(LIMITS);
    memory.begin('id', A, 0);
    memory.settle('id', failed({ code: 'queueFull', retryAfterMs: 1 }), 0);
    assert.equal(memory.begin('id', B, 0).kind, 'first');
  });

  it('does not call a waiter that left', () => {
    const memory = new RequestMemory(LIMITS);
    memory.begin('id', A, 0);
    memory.join('id', () => assert.fail('it left'))();
    memory.settle('id', executed(), 0);
  });

  it('forgets outcomes when their time is over, and not before', () => {
    const memory = new RequestMemory(LIMITS);
    memory.begin('id', A, 0);
    memory.settle('id', executed(), 500);
    assert.equal(memory.begin('id', A, 1_499).kind, 'settled');
    assert.equal(memory.begin('id', A, 1_500).kind, 'first');
  });

  it('holds so many ids, and forgets the outcome settled first', () => {
    const memory = new RequestMemory(LIMITS);
    for (const id of ['one', 'two', 'three']) {
      memory.begin(id, A, 0);
    }
    for (const id of ['two', 'one', 'three']) {
      memory.settle(id, executed(), 0);
    }
    assert.equal(memory.begin('four', A, 0).kind, 'first');
    assert.equal(memory.size, 3);
    assert.equal(memory.begin('one', A, 0).kind, 'settled');
    assert.equal(memory.begin('two', A, 0).kind, 'first', 'it was settled first');
  });

  it('never forgets what is awaited: where all places are, it takes no more', () => {
    const memory = new RequestMemory(LIMITS);
    for (const id of ['one', 'two', 'three']) {
      memory.begin(id, A, 0);
    }
    assert.equal(memory.begin('four', A, 1_000_000).kind, 'full');
    assert.equal(memory.begin('one', A, 1_000_000).kind, 'awaited');
    memory.settle('one', failed({ code: 'queueFull', retryAfterMs: 1 }), 0);
    assert.equal(memory.begin('four', A, 0).kind, 'first');
  });

  it('holds so many bytes of results', () => {
    const memory = new RequestMemory({ ...LIMITS, idsMax: 1_000 });
    for (let index = 0; index < 1_000; index++) {
      memory.begin(`id-${index}`, A, 0);
      memory.settle(`id-${index}`, executed(index), 0);
      assert.ok(memory.sizeBytes <= LIMITS.bytesMax);
    }
    assert.equal(memory.begin('id-999', A, 0).kind, 'settled');
    assert.ok(memory.size > 5 && memory.size < 20);
  });
});
