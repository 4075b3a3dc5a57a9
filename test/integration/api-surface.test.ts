/** The client port from outside: the client library, command line tools, and callers that misbehave. */
import assert from 'node:assert/strict';
import { Client as Channel, ChannelCredentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type Client, connect } from '../../src/client/client.js';
import { ClientError } from '../../src/client/client-error.js';
import { AssertionError } from '../../src/util/assert.js';
import { KeyValueOperation, KeyValueResult, PutRequest } from '../../src/wire/gen/pbft/v1/key_value.js';
import { digestAt } from '../unit/api/fake-replica.js';
import { put, text } from '../unit/application/operations.js';
import { ApiSubject, until } from './api-subject.js';

const MIB = 1_048_576;

describe('the client port', () => {
  let subject: ApiSubject;
  let address: string;
  let client: Client;

  beforeEach(async () => {
    subject = new ApiSubject();
    address = await subject.start();
    client = connect(address);
  });

  afterEach(async () => {
    client.close();
    await subject.stop();
  });

  /** The error of a call that has to fail. */
  async function errorOf(call: Promise<unknown>): Promise<ClientError> {
    const outcome = await call.then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(outcome instanceof ClientError, `a ClientError, not ${String(outcome)}`);
    return outcome;
  }

  /** A call of any method with any bytes; resolves with the error or undefined. */
  function rawCall(path: string, bytes: Uint8Array, metadata = new Metadata()): Promise<ServiceError | undefined> {
    const channel = new Channel(address, ChannelCredentials.createInsecure());
    return new Promise((resolve) => {
      const identity = (value: Buffer) => value;
      const options = { deadline: Date.now() + 5_000 };
      channel.makeUnaryRequest(path, identity, identity, Buffer.from(bytes), metadata, options, (error) => {
        channel.close();
        resolve(error ?? undefined);
      });
    });
  }

  it('serves every operation of the key-value store, with its place in the order', async () => {
    const first = await client.put('greeting', 'hello');
    assert.deepEqual([first.version, first.sequence, first.view], [65_536, 1, 3]);
    assert.equal(first.headerDigest, digestAt(1));
    assert.deepEqual((await client.get('greeting')).value, 'hello');
    const swap = await client.compareAndSwap('greeting', { expected: { version: 65_536 }, value: Uint8Array.of(0xff) });
    assert.deepEqual([swap.swapped, swap.sequence], [true, 3]);
    assert.deepEqual((await client.get('greeting', { consistency: 'local' })).value, Buffer.of(0xff));
    assert.equal(subject.replica.sequence, 3, 'a local read is not ordered');
    const page = await client.range({ prefix: 'gr' });
    assert.deepEqual(page.entries, [{ key: 'greeting', value: Buffer.of(0xff), version: 3 * 65_536 }]);
    const localPage = await client.range({ prefix: 'gr' }, { consistency: 'local' });
    assert.equal(localPage.entries.length, 1);
    assert.equal((await client.delete('greeting')).found, true);
    assert.equal((await client.get('greeting')).value, undefined);
    assert.equal((await client.compareAndSwap('k', { expected: { absent: true }, value: '' })).swapped, true);
    assert.equal((await client.get('k')).value, '');
    assert.equal((await client.compareAndSwap('k', { expected: { value: 'x' }, value: 'y' })).swapped, false);
  });

  it('takes operations as bytes, and gives the result as the application encoded it', async () => {
    const answer = await client.submit(put('k', text('v')));
    assert.equal(KeyValueResult.decode(answer.result).result?.$case, 'put');
    assert.deepEqual([answer.sequence, answer.view, answer.headerDigest], [1, 3, digestAt(1)]);
  });

  it('tells the status of the replica', async () => {
    subject.replica.notReadyReasons = ['no quorum'];
    const state = await client.status();
    assert.deepEqual([state.replica, state.name, state.view, state.version], [2, 'replica-2', 3, '1.2.3']);
    assert.deepEqual([state.ready, state.notReadyReasons], [false, ['no quorum']]);
    assert.deepEqual(state.peers[1], {
      replica: 1,
      name: 'replica-1',
      connected: false,
      lastError: 'refused',
      lastExecutedSequence: 1,
    });
  });

  it('names the field that is wrong, in the words of the method called', async () => {
    const error = await errorOf(client.put('', 'v'));
    assert.deepEqual([error.code, error.reason, error.field], ['INVALID_ARGUMENT', 'INVALID_FIELD', 'key']);
    assert.equal(error.outcomeKnown, true);
    assert.equal((await errorOf(client.get(''))).field, 'key');
    assert.equal((await errorOf(client.get('', { consistency: 'local' }))).field, 'key');
    assert.equal((await errorOf(client.put('k', 'v'.repeat(MIB + 1)))).field, 'text');
    assert.equal((await errorOf(client.range({ limit: 1_001 }))).field, 'limit');
    assert.equal((await errorOf(client.put('k', 'v', { requestId: 'x'.repeat(65) }))).field, 'request_id');
    assert.equal((await errorOf(client.submit(put('', text('v'))))).field, 'put.key');
    const wrongConsistency = await rawCall('/pbft.v1.KeyValueService/Get', Buffer.from([0x0a, 1, 0x6b, 0x10, 9]));
    assert.equal(wrongConsistency?.code, status.INVALID_ARGUMENT);
    assert.match(wrongConsistency?.details ?? '', /^consistency must be/);
  });

  it('says when to try again where it takes nothing', async () => {
    subject.replica.failure = { code: 'queueFull', retryAfterMs: 750 };
    const full = await errorOf(client.put('k', 'v'));
    assert.deepEqual([full.code, full.retryAfterMs, full.outcomeKnown], ['RESOURCE_EXHAUSTED', 750, true]);
    subject.replica.failure = { code: 'notReady', reasons: ['recovering'], retryAfterMs: 1_500 };
    const notReady = await errorOf(client.put('k', 'v'));
    assert.deepEqual([notReady.code, notReady.retryAfterMs, notReady.outcomeKnown], ['UNAVAILABLE', 1_500, true]);
    assert.match(notReady.message, /recovering/);
    subject.replica.failure = { code: 'resultDropped', sequence: 9 };
    const dropped = await errorOf(client.put('k', 'v'));
    assert.deepEqual([dropped.code, dropped.outcomeKnown], ['OUT_OF_RANGE', true]);
  });

  it('answers before the caller’s deadline that the outcome is not known', async () => {
    subject.replica.mode = 'hold';
    const call = errorOf(client.put('k', 'v', { timeoutMs: 2_000 }));
    await until(() => subject.replica.submitted.length === 1, 'the operation is submitted');
    const [submitted] = subject.replica.submitted;
    assert.ok(submitted !== undefined && submitted.timeoutMs > 1_000 && submitted.timeoutMs <= 1_800);
    submitted.done({ ok: false, error: { code: 'outcomeUnknown', reason: 'the deadline passed first' } });
    const error = await call;
    assert.deepEqual([error.code, error.reason, error.outcomeKnown], ['DEADLINE_EXCEEDED', 'OUTCOME_UNKNOWN', false]);
  });

  it('answers a call with a request id, and a local read, before the deadline by itself', async () => {
    subject.replica.mode = 'hold';
    const [write, read] = await Promise.all([
      errorOf(client.put('k', 'v', { timeoutMs: 400, requestId: 'id' })),
      errorOf(client.get('k', { timeoutMs: 400, consistency: 'local' })),
    ]);
    assert.deepEqual([write.reason, write.outcomeKnown], ['OUTCOME_UNKNOWN', false]);
    assert.deepEqual([read.reason, read.outcomeKnown], ['READ_TIMED_OUT', true]);
  });

  it('executes one request id once, and refuses it with another operation', async () => {
    const calls = [client.put('k', 'v', { requestId: 'id' }), client.put('k', 'v', { requestId: 'id' })];
    const answers = await Promise.all(calls);
    assert.deepEqual(answers[0], answers[1]);
    assert.deepEqual(await client.put('k', 'v', { requestId: 'id' }), answers[0]);
    assert.equal(subject.replica.submitted.length, 1);
    const error = await errorOf(client.put('k', 'w', { requestId: 'id' }));
    assert.deepEqual([error.code, error.field], ['FAILED_PRECONDITION', 'request_id']);
  });

  it('takes and gives values of 1 MiB', async () => {
    await client.put('k', Buffer.alloc(MIB, 1));
    const { value } = await client.get('k');
    assert.ok(value instanceof Uint8Array && value.length === MIB);
  });

  it('GR-01: says of an operation that is too long that nothing was taken', async () => {
    const error = await errorOf(client.put('k', Buffer.alloc(2 * MIB)));
    assert.deepEqual([error.code, error.outcomeKnown], ['INVALID_ARGUMENT', true]);
    assert.match(error.message, /longer than 1179648 bytes/);
  });

  for (const size of [2 * MIB, 16 * MIB, 64 * MIB]) {
    it(`GR-01: refuses a message of ${size / MIB} MiB with its limit, and goes on`, async () => {
      const error = await rawCall('/pbft.v1.KeyValueService/Put', Buffer.alloc(size, 0x0a));
      assert.equal(error?.code, status.INVALID_ARGUMENT);
      assert.match(error.details, /longer than 1179648 bytes/);
      assert.equal((await client.put('k', 'v')).sequence, 1);
    });
  }

  it('IV-05: answers INVALID_ARGUMENT to what is no message of the method, or has a text that is not UTF-8', async () => {
    for (const path of ['KeyValueService/Put', 'ClientService/Submit', 'AdminService/GetStatus']) {
      const error = await rawCall(`/pbft.v1.${path}`, Uint8Array.of(0x0a, 0xff));
      assert.equal(error?.code, status.INVALID_ARGUMENT, path);
    }
    const notUtf8 = await rawCall('/pbft.v1.KeyValueService/Put', Uint8Array.of(0x0a, 2, 0xc3, 0x28, 0x12, 0));
    assert.equal(notUtf8?.code, status.INVALID_ARGUMENT);
    const deep = new Uint8Array(400_000).fill(0x1b);
    assert.equal((await rawCall('/pbft.v1.KeyValueService/Put', deep))?.code, status.INVALID_ARGUMENT, 'IV-06');
  });

  it('GR-09: a handler that throws is logged, answered without its text, and ends nothing', async () => {
    subject.replica.mode = 'throw';
    for (const call of [
      client.put('k', 'v'),
      client.put('k', 'v', { requestId: 'i' }),
      client.get('k', { consistency: 'local' }),
    ]) {
      const error = await errorOf(call);
      assert.deepEqual([error.code, error.reason], ['INTERNAL', 'INTERNAL_ERROR']);
      assert.doesNotMatch(error.message, /secret/);
    }
    assert.equal(subject.logged.length, 3);
    subject.replica.mode = 'execute';
    assert.equal((await client.put('k', 'v')).sequence, 1);
    assert.deepEqual(subject.timers.thrown, []);
  });

  it('hands a failed assertion to the process’s last handler', async () => {
    subject.replica.submit = () => {
      throw new AssertionError('broken');
    };
    assert.equal((await errorOf(client.put('k', 'v'))).code, 'INTERNAL');
    await until(() => subject.timers.thrown.length === 1, 'the assertion is thrown where nothing catches it');
  });

  it('counts and times calls by method and code, with names of its own alone', async () => {
    await client.put('k', 'v');
    await errorOf(client.put('', 'v'));
    await rawCall('/pbft.v1.KeyValueService/Nothing', new Uint8Array());
    assert.deepEqual(subject.counted, [
      'pbft_calls_total KeyValueService/Put OK',
      'pbft_calls_total KeyValueService/Put INVALID_ARGUMENT',
    ]);
    assert.deepEqual(subject.observed, [
      'pbft_call_duration_seconds KeyValueService/Put OK true',
      'pbft_call_duration_seconds KeyValueService/Put INVALID_ARGUMENT true',
    ]);
  });

  it('says that nothing was sent where nobody listens, and that the outcome is open where the connection breaks', async () => {
    subject.replica.mode = 'hold';
    const broken = errorOf(client.put('k', 'v'));
    const brokenRead = errorOf(client.get('k'));
    await until(() => subject.replica.submitted.length === 2, 'both are submitted');
    await subject.stop();
    assert.deepEqual([(await broken).outcomeKnown, (await brokenRead).outcomeKnown], [false, true]);
    const refused = await errorOf(client.put('k', 'v'));
    assert.deepEqual([refused.code, refused.reason, refused.outcomeKnown], ['UNAVAILABLE', 'CONNECTION', true]);
  });

  it('lets calls in flight end when it stops', async () => {
    subject.replica.mode = 'hold';
    const call = client.put('k', 'v');
    await until(() => subject.replica.submitted.length === 1, 'the operation is submitted');
    const stopped = subject.stop();
    const [submitted] = subject.replica.submitted;
    assert.ok(submitted !== undefined);
    submitted.done(subject.replica.execute(submitted.operation));
    assert.equal((await call).sequence, 1);
    await stopped;
  });

  it('serves no key-value store for another application', async () => {
    const other = new ApiSubject({ application: 'other' });
    const otherClient = connect(await other.start());
    assert.equal((await errorOf(otherClient.get('k'))).code, 'UNIMPLEMENTED');
    const operation = KeyValueOperation.encode({
      operation: { $case: 'put', value: PutRequest.decode(new Uint8Array()) },
      answerBytesMax: 0,
    });
    assert.equal((await errorOf(otherClient.submit(operation.finish()))).field, 'put.key');
    otherClient.close();
    await other.stop();
  });
});
