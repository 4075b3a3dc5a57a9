import assert from 'node:assert/strict';
import { askInTurn, type Connect } from '../../../src/cli/ask.js';
import { CommandError } from '../../../src/cli/command-error.js';
import type { Target } from '../../../src/cli/reach.js';
import type { Client } from '../../../src/client/client.js';
import { ClientError, type ClientErrorFields } from '../../../src/client/client-error.js';

const TARGETS: readonly Target[] = ['a', 'b', 'c'].map((label) => ({ label, address: `${label}:1`, connect: {} }));

function failure(fields: Partial<ClientErrorFields>): ClientError {
  const known = { code: 'UNAVAILABLE', reason: 'NOT_READY', field: undefined, retryAfterMs: 1, outcomeKnown: true };
  return new ClientError('not now', { ...known, ...fields });
}

/** Clients whose puts end as told, by address; notes who was asked and who was closed. */
function fakes(ends: Readonly<Record<string, ClientError | number>>) {
  const asked: string[] = [];
  const closed: string[] = [];
  const connectTo: Connect = (address) => {
    const refuse = (): Promise<never> => Promise.reject(new Error('not called here'));
    const client: Client = {
      put: async () => {
        asked.push(address);
        const end = ends[address];
        if (typeof end !== 'number') {
          throw end;
        }
        return { version: end, sequence: 1, view: 0, headerDigest: undefined };
      },
      get: refuse,
      delete: refuse,
      compareAndSwap: refuse,
      range: refuse,
      submit: refuse,
      status: refuse,
      close: () => closed.push(address),
    };
    return client;
  };
  const put = (targets: readonly Target[]) =>
    askInTurn(targets, 1_000, async (client) => (await client.put('key', 'value')).version, connectTo);
  return { put, asked, closed };
}

describe('asking replicas in turn', () => {
  it('takes the first answer and asks nobody else', async () => {
    const { put, asked } = fakes({ 'a:1': 7 });
    assert.equal(await put(TARGETS), 7);
    assert.deepEqual(asked, ['a:1']);
  });

  it('asks the next where one took nothing, and closes every connection', async () => {
    const { put, asked, closed } = fakes({ 'a:1': failure({}), 'b:1': failure({ reason: 'CONNECTION' }), 'c:1': 9 });
    assert.equal(await put(TARGETS), 9);
    assert.deepEqual(asked, ['a:1', 'b:1', 'c:1']);
    assert.deepEqual(closed, asked);
  });

  it('never submits again what may have been executed', async () => {
    const unknown = failure({ outcomeKnown: false });
    const { put, asked, closed } = fakes({ 'a:1': unknown, 'b:1': 9 });
    await assert.rejects(put(TARGETS), (error) => error === unknown);
    assert.deepEqual(asked, ['a:1']);
    assert.deepEqual(closed, ['a:1']);
  });

  it('does not take a refusal elsewhere that is the same everywhere', async () => {
    const { put, asked } = fakes({ 'a:1': failure({ code: 'INVALID_ARGUMENT' }), 'b:1': 9 });
    await assert.rejects(put(TARGETS), { code: 'INVALID_ARGUMENT' });
    assert.deepEqual(asked, ['a:1']);
  });

  it('says what each replica said where none took it', async () => {
    const { put } = fakes({ 'a:1': failure({}), 'b:1': failure({}), 'c:1': failure({}) });
    await assert.rejects(put(TARGETS), (error) => {
      assert.ok(error instanceof CommandError);
      assert.deepEqual(error.message.split('\n'), ['no replica took it', 'a: not now', 'b: not now', 'c: not now']);
      return true;
    });
  });

  it('says what the only replica said in its own words', async () => {
    const { put } = fakes({ 'a:1': failure({}) });
    await assert.rejects(put(TARGETS.slice(0, 1)), { name: 'ClientError', message: 'not now' });
  });
});
