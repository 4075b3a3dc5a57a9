/** How much the client port reads for callers: memory for answers, and answers no longer than they have to be. */
import assert from 'node:assert/strict';
import type { ClientServerOptions } from '../../src/api/client-server.js';
import { type Client, connect } from '../../src/client/client.js';
import { KeyValueOperation } from '../../src/wire/gen/pbft/v1/key_value.js';
import { ApiSubject, until } from './api-subject.js';

describe('answers of the client port', () => {
  /** What a test opened, to be closed whatever becomes of it. */
  const opened: (() => void | Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) {
      await close();
    }
  });

  function createSubject(options: Partial<ClientServerOptions> = {}): ApiSubject {
    const subject = new ApiSubject(options);
    opened.push(() => subject.stop());
    return subject;
  }

  function connectClient(address: string): Client {
    const client = connect(address);
    opened.push(() => client.close());
    return client;
  }

  function boundsOf(subject: ApiSubject): readonly number[] {
    return subject.replica.submitted.map(({ operation }) => KeyValueOperation.decode(operation).answerBytesMax);
  }

  it('FU-03: reads nothing for which there is no memory, says when to try again, and gives memory back', async () => {
    const subject = createSubject({ limits: { answerBytesMax: 600_000 } });
    const address = await subject.start();
    subject.replica.mode = 'hold';
    const [first, second] = [connectClient(address), connectClient(address)];
    const held = first.range({ prefix: '' }, { consistency: 'local', timeoutMs: 500 }).catch(() => undefined);
    await until(() => subject.replica.queries === 1, 'a read is held');
    await assert.rejects(second.range({ prefix: '' }, { consistency: 'local' }), {
      code: 'RESOURCE_EXHAUSTED',
      reason: 'ANSWERS_EXHAUSTED',
      outcomeKnown: true,
    });
    assert.equal(subject.replica.queries, 1);
    assert.ok(subject.counted.includes('pbft_throttled_total answer_memory'));
    await held;
    subject.replica.mode = 'execute';
    assert.deepEqual((await second.range({ prefix: '' }, { consistency: 'local' })).entries, []);
  });

  it('FU-03: gives the memory of an answer back when the answer is read', async () => {
    const subject = createSubject({ limits: { answerBytesMax: 1_000_000 } });
    const client = connectClient(await subject.start());
    const value = 'x'.repeat(200_000);
    await client.put('k', value);
    for (let round = 0; round < 20; round++) {
      assert.equal((await client.get('k', { consistency: 'local' })).value, value);
    }
  });

  it('FU-05: asks for a short answer first, and then for as much as there is, ordered and local', async () => {
    const subject = createSubject();
    const client = connectClient(await subject.start());
    const value = 'x'.repeat(100_000);
    await client.put('long', value);
    await client.put('longer', value);
    subject.replica.submitted.splice(0);
    assert.equal((await client.get('long')).value, value);
    assert.equal((await client.get('long', { consistency: 'local' })).value, value);
    const bounds = () => boundsOf(subject);
    assert.deepEqual(bounds(), [16_384, 100_000]);
    const page = await client.range({ prefix: 'long' });
    assert.deepEqual([page.entries.length, page.continuation.length], [2, 0]);
    assert.deepEqual(bounds().slice(2), [65_536, 524_288]);
    const both = await client.range({ prefix: 'long' }, { consistency: 'local' });
    assert.deepEqual([both.entries.length, both.continuation.length], [2, 0]);
  });

  it('FU-05: orders one get for a value that was long a moment ago, and answers what it is now', async () => {
    const subject = createSubject();
    const client = connectClient(await subject.start());
    await client.put('k', 'x'.repeat(100_000));
    await client.get('k');
    subject.replica.submitted.splice(0);
    assert.equal((await client.get('k')).value, 'x'.repeat(100_000));
    const [asked, ...more] = boundsOf(subject);
    assert.ok(asked !== undefined && asked >= 100_000 && asked < 101_000, `${asked}`);
    assert.deepEqual(more, []);
    await client.put('k', 'y'.repeat(300_000));
    assert.equal((await client.get('k')).value, 'y'.repeat(300_000));
    await client.put('k', 'z');
    assert.equal((await client.get('k')).value, 'z');
    assert.equal((await client.get('k')).value, 'z');
    assert.equal(boundsOf(subject).at(-1), 16_384, 'what became short is asked for as such');
    await client.delete('k');
    assert.equal((await client.get('k')).value, undefined);
  });

  it('FU-05: a get without memory for its long value waits a while and is refused, and nothing was ordered', async () => {
    const subject = createSubject({ limits: { answerBytesMax: 600_000 } });
    const address = await subject.start();
    const [first, second] = [connectClient(address), connectClient(address)];
    await second.put('k', 'x'.repeat(100_000));
    await second.get('k');
    subject.replica.submitted.splice(0);
    subject.replica.mode = 'hold';
    const held = first.range({ prefix: '' }, { consistency: 'local', timeoutMs: 2_000 }).catch(() => undefined);
    await until(() => subject.replica.queries === 1, 'a read is held');
    subject.replica.mode = 'execute';
    const startedMs = performance.now();
    await assert.rejects(second.get('k', { timeoutMs: 2_000 }), { reason: 'ANSWERS_EXHAUSTED' });
    assert.ok(performance.now() - startedMs > 700, 'it is told only after a while');
    assert.deepEqual(boundsOf(subject), []);
    const waiting = second.get('k', { timeoutMs: 10_000 });
    await held;
    assert.equal((await waiting).value?.length, 100_000);
    assert.equal(boundsOf(subject).length, 1);
  });
});
