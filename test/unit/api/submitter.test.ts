import assert from 'node:assert/strict';
import { createSubmitter } from '../../../src/api/submitter.js';
import { createKeyValueStateMachine } from '../../../src/application/key-value-state-machine.js';
import { put, text } from '../application/operations.js';
import { FakeReplica, sha256 } from './fake-replica.js';
import { ManualTimers } from './manual-timers.js';

const OPERATION = put('k', text('v'));

function createSubject(idsMax = 100) {
  const face = new FakeReplica(createKeyValueStateMachine());
  const timers = new ManualTimers();
  const times = { defaultMs: 10_000, maxMs: 60_000 };
  const memory = { idsMax, bytesMax: 10_000, keepMs: 1_000_000 };
  return { face, timers, submitter: createSubmitter({ face, timers, hash: sha256, times, memory }) };
}

describe('the submitter', () => {
  it('gives the replica as long as the call may take', async () => {
    const { face, submitter } = createSubject();
    const outcome = await submitter.submit({ operation: OPERATION, requestId: '', budgetMs: 1_234 });
    assert.equal(outcome.ok, true);
    assert.deepEqual(
      face.submitted.map(({ timeoutMs }) => timeoutMs),
      [1_234],
    );
  });

  it('takes nothing where no time is left', async () => {
    const { face, submitter } = createSubject();
    for (const requestId of ['', 'id']) {
      const outcome = await submitter.submit({ operation: OPERATION, requestId, budgetMs: 0 });
      assert.equal(outcome.ok ? undefined : outcome.error.code, 'deadlineTooShort');
    }
    assert.equal(face.submitted.length, 0);
  });

  it('executes calls with one request id once, and gives every one the same outcome', async () => {
    const { face, submitter, timers } = createSubject();
    const submission = { operation: OPERATION, requestId: 'id', budgetMs: 1_000 };
    const outcomes = await Promise.all([submitter.submit(submission), submitter.submit(submission)]);
    outcomes.push(await submitter.submit(submission));
    assert.equal(face.submitted.length, 1);
    assert.deepEqual(
      outcomes.map((outcome) => outcome.ok && outcome.value.sequence),
      [1, 1, 1],
    );
    assert.equal(timers.running, 0, 'no timer is left behind');
  });

  it('lets a repeat join after the first caller gave up: the operation goes on', async () => {
    const { face, submitter, timers } = createSubject();
    face.mode = 'hold';
    const first = submitter.submit({ operation: OPERATION, requestId: 'id', budgetMs: 100 });
    timers.advance(100);
    const gaveUp = await first;
    assert.equal(gaveUp.ok ? undefined : gaveUp.error.code, 'outcomeUnknown');
    const second = submitter.submit({ operation: OPERATION, requestId: 'id', budgetMs: 100 });
    const [submitted] = face.submitted;
    assert.ok(submitted !== undefined);
    assert.equal(submitted.timeoutMs, 60_000, 'it waits as long as the replica does at all');
    submitted.done(face.execute(submitted.operation));
    assert.equal((await second).ok, true);
    assert.equal(face.submitted.length, 1);
  });

  it('refuses a request id with another operation', async () => {
    const { submitter } = createSubject();
    await submitter.submit({ operation: OPERATION, requestId: 'id', budgetMs: 100 });
    const outcome = await submitter.submit({ operation: put('k', text('w')), requestId: 'id', budgetMs: 100 });
    assert.equal(outcome.ok ? undefined : outcome.error.code, 'requestIdReused');
  });

  it('takes 64 bytes of UTF-8 as a request id and no more', async () => {
    const { submitter } = createSubject();
    const submit = (requestId: string) => submitter.submit({ operation: OPERATION, requestId, budgetMs: 100 });
    assert.equal((await submit('é'.repeat(32))).ok, true);
    for (const requestId of ['é'.repeat(33), 'x'.repeat(65)]) {
      const outcome = await submit(requestId);
      assert.equal(!outcome.ok && outcome.error.code === 'invalid' && outcome.error.field, 'request_id');
    }
  });

  it('refuses with a retry hint where every request id it may keep is awaited', async () => {
    const { face, submitter } = createSubject(1);
    face.mode = 'hold';
    void submitter.submit({ operation: OPERATION, requestId: 'one', budgetMs: 100 });
    const outcome = await submitter.submit({ operation: OPERATION, requestId: 'two', budgetMs: 100 });
    assert.equal(outcome.ok ? undefined : outcome.error.code, 'requestIdsExhausted');
  });

  it('settles a request id whose submission throws: a repeat does not wait for nothing', async () => {
    const { face, submitter } = createSubject();
    face.mode = 'throw';
    const submission = { operation: OPERATION, requestId: 'id', budgetMs: 100 };
    await assert.rejects(async () => submitter.submit(submission));
    const outcome = await submitter.submit(submission);
    assert.equal(outcome.ok ? undefined : outcome.error.code, 'outcomeUnknown');
  });

  it('ends a query that does not answer in time', async () => {
    const { face, submitter, timers } = createSubject();
    face.mode = 'hold';
    const asked = submitter.query(OPERATION, 100);
    timers.advance(100);
    const outcome = await asked;
    assert.equal(outcome.ok ? undefined : outcome.error.code, 'readTimedOut');
  });
});
