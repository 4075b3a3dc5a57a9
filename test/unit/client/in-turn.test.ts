import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Method, Patience, Reach } from '../../../src/client/caller.js';
import { ClientError, type ClientErrorFields } from '../../../src/client/client-error.js';
import { TurnCaller, type TurnOptions } from '../../../src/client/in-turn.js';

type Message = { readonly text: string };
const METHOD: Method<Message, Message> = {
  path: '/x',
  request: { encode: () => ({ finish: () => new Uint8Array() }) },
  response: { decode: () => ({ text: '' }) },
};
const READ = { ...METHOD, readsOnly: true };

function failure(fields: Partial<ClientErrorFields> = {}, message = 'not now'): ClientError {
  const known = { reason: 'NOT_READY', field: undefined, retryAfterMs: 1, outcomeKnown: true };
  return new ClientError(message, { code: 'UNAVAILABLE', ...known, ...fields });
}
const UNKNOWN = failure({ code: 'DEADLINE_EXCEEDED', reason: 'CALL', outcomeKnown: false });

/** How a fake replica behaves: its connection, and what a call ends with; `never` says nothing, whatever is asked. */
interface Fake {
  reach?: Reach | 'never';
  end: string | ClientError | 'never';
}

/** A caller of fakes by name; notes who was sent what, and who was closed. */
function turnOf(fakes: Record<string, Fake>) {
  const sent: string[] = [];
  const closed: string[] = [];
  const waitOut = async ({ untilMs, signal }: Patience): Promise<void> => {
    await delay(untilMs - Date.now(), undefined, { ref: false, ...(signal && { signal }) }).catch(() => undefined);
  };
  const endpoints = Object.keys(fakes).map((name) => ({ name, address: `${name}:1` }));
  const turn = new TurnCaller(endpoints, (endpoint) => {
    const name = endpoint.name ?? '';
    const fake = () => fakes[name] ?? { end: 'never' };
    return {
      endpoint,
      reach: async (patience) => {
        const { reach = 'ready' } = fake();
        if (reach === 'never') {
          await waitOut(patience);
          return 'silent';
        }
        return reach;
      },
      call: async <Request, Response>(_method: Method<Request, Response>, _message: Request, patience: Patience) => {
        sent.push(name);
        const { end } = fake();
        if (end === 'never') {
          await waitOut(patience);
          throw UNKNOWN;
        }
        if (end instanceof ClientError) {
          throw new ClientError(end.message, { ...end, replica: name });
        }
        return { text: end } as Response;
      },
      close: () => closed.push(name),
    };
  });
  const ask = async (method: Method<Message, Message>, options: Partial<TurnOptions> = {}) =>
    (await turn.call(method, { text: '' }, { timeoutMs: 2_000, ...options })).text;
  return { turn, sent, closed, write: ask.bind(undefined, METHOD), read: ask.bind(undefined, READ), fakes };
}

async function timeOf(act: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await act();
  return performance.now() - beganMs;
}

describe('asking replicas in turn', () => {
  it('takes the first answer and asks nobody else', async () => {
    const { write, sent } = turnOf({ a: { end: '7' }, b: { end: '8' } });
    assert.equal(await write(), '7');
    assert.deepEqual(sent, ['a']);
  });

  it('asks the next where one took nothing, and closes every connection', async () => {
    const { write, sent, turn, closed } = turnOf({
      a: { end: failure() },
      b: { reach: 'failing', end: failure({ reason: 'CONNECTION' }) },
      c: { end: '9' },
    });
    assert.equal(await write(), '9');
    assert.deepEqual(sent, ['a', 'b', 'c']);
    turn.close();
    assert.deepEqual(closed, ['a', 'b', 'c']);
  });

  it('asks first the next time whom it got the last answer from', async () => {
    const { write, sent } = turnOf({ a: { end: failure() }, b: { end: '8' } });
    await write();
    await write();
    assert.deepEqual(sent, ['a', 'b', 'b']);
  });

  it('does not take a refusal elsewhere that is the same everywhere', async () => {
    for (const code of ['INVALID_ARGUMENT', 'FAILED_PRECONDITION', 'OUT_OF_RANGE'] as const) {
      const { write, read, sent } = turnOf({ a: { end: failure({ code }) }, b: { end: '8' } });
      await assert.rejects(write(), { code });
      await assert.rejects(read(), { code });
      assert.deepEqual(sent, ['a', 'a']);
    }
  });

  it('says what each replica said where none took it, and the only one in its own words', async () => {
    const { write } = turnOf({ a: { end: failure({ retryAfterMs: 9 }) }, b: { end: failure({ retryAfterMs: 5 }) } });
    await assert.rejects(write(), {
      name: 'ClientError',
      message: 'no replica took it\na: not now\nb: not now',
      code: 'UNAVAILABLE',
      reason: 'NOT_READY',
      retryAfterMs: 5,
      outcomeKnown: true,
    });
    await assert.rejects(turnOf({ a: { end: failure() } }).write(), { message: 'not now', replica: 'a' });
  });
});

describe('a replica that hangs among those asked in turn', () => {
  it('FU-10: costs a write its slice while nothing was sent to it', async () => {
    const { write, sent } = turnOf({ a: { reach: 'never', end: 'never' }, b: { end: '8' } });
    const tookMs = await timeOf(async () => assert.equal(await write({ timeoutMs: 60_000 }), '8'));
    assert.ok(tookMs < 2_000, `${tookMs} ms`);
    assert.deepEqual(sent, ['b']);
  });

  it('FU-10: costs a read its slice, even where the connection stood already', async () => {
    const { read, sent } = turnOf({ a: { end: 'never' }, b: { end: '8' } });
    const tookMs = await timeOf(async () => assert.equal(await read({ timeoutMs: 60_000 }), '8'));
    assert.ok(tookMs < 3_000, `${tookMs} ms`);
    assert.deepEqual(sent, ['a', 'b']);
  });

  it('FU-10: leaves each of those left a share of a short time', async () => {
    const { read } = turnOf({
      a: { end: 'never' },
      b: { end: 'never' },
      c: { reach: 'never', end: 'never' },
      d: { end: '8' },
    });
    assert.equal(await read({ timeoutMs: 400 }), '8');
  });

  it('FU-10: has nothing taken where all hang before anything was sent, and says so after the time', async () => {
    const { write, sent } = turnOf({ a: { reach: 'never', end: 'never' }, b: { reach: 'never', end: 'never' } });
    await assert.rejects(write({ timeoutMs: 100 }), (error) => {
      assert.ok(error instanceof ClientError);
      assert.ok(error.outcomeKnown);
      const [first, ...lines] = error.message.split('\n');
      assert.equal(first, 'no replica took it');
      assert.deepEqual(lines.map((line) => line.replace(/, so nothing was sent: .*/, '')).sort(), [
        'a: nobody answered at a:1 within 0.1 s',
        'b: nobody answered at b:1 within 0.1 s',
      ]);
      return true;
    });
    assert.deepEqual(sent, []);
  });

  it('FU-10: is not left for another by a write that was sent to it: the outcome is not known', async () => {
    for (const requestId of ['', 'once']) {
      const { write, sent } = turnOf({ a: { end: 'never' }, b: { end: '8' } });
      await assert.rejects(write({ timeoutMs: 100, requestId }), { outcomeKnown: false });
      assert.deepEqual(sent, ['a']);
    }
  });

  it('ends a call that its caller gives up, before it is sent or after', async () => {
    const { read, write } = turnOf({ a: { reach: 'never', end: 'never' }, b: { reach: 'never', end: 'never' } });
    await assert.rejects(read({ signal: AbortSignal.abort() }), { code: 'CANCELLED', outcomeKnown: true });
    assert.ok((await timeOf(() => assert.rejects(write({ timeoutMs: 300, signal: AbortSignal.timeout(50) })))) < 2_000);
  });
});

describe('a request id whose outcome is not known', () => {
  it('FU-11: is repeated at the same replica and at no other', async () => {
    const { write, sent, fakes } = turnOf({ a: { end: UNKNOWN }, b: { end: '8' } });
    await assert.rejects(write({ requestId: 'once' }), { outcomeKnown: false, replica: 'a' });
    assert.equal(await write({ requestId: 'another' }), '8');
    fakes['a'] = { end: '7' };
    assert.equal(await write({ requestId: 'once' }), '7');
    assert.deepEqual(sent, ['a', 'b', 'a']);
  });

  it('FU-11: stays unknown where that replica is away, and is never sent to another instead', async () => {
    const { write, sent, fakes } = turnOf({ a: { end: UNKNOWN }, b: { end: '8' } });
    await assert.rejects(write({ requestId: 'once' }));
    fakes['a'] = { reach: 'failing', end: failure({}, 'nobody answers at a:1') };
    await assert.rejects(write({ requestId: 'once' }), (error) => {
      assert.ok(error instanceof ClientError);
      assert.equal(error.outcomeKnown, false);
      assert.match(error.message, /^nobody answers at a:1; the request id "once" was sent there before/);
      return true;
    });
    assert.deepEqual(sent, ['a', 'a']);
  });

  it('FU-11: is forgotten when its outcome is known', async () => {
    const { write, sent, fakes } = turnOf({ a: { end: UNKNOWN }, b: { end: '8' } });
    await assert.rejects(write({ requestId: 'once' }));
    fakes['a'] = { end: '7' };
    await write({ requestId: 'once' });
    fakes['a'] = { end: failure() };
    assert.equal(await write({ requestId: 'once' }), '8');
    assert.deepEqual(sent, ['a', 'a', 'a', 'b']);
  });
});
