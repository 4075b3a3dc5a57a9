/** Whatever goes wrong, a program that uses the client library learns it as a ClientError. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Client, connect } from '../../src/client/client.js';
import { CLIENT_ERROR_CODES, ClientError } from '../../src/client/client-error.js';
import { ApiSubject } from './api-subject.js';

/** Resolves with what a call ended with. */
async function failureOf(call: () => unknown): Promise<ClientError> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof ClientError, `not a ClientError: ${String(error)}`);
    assert.ok(CLIENT_ERROR_CODES.includes(error.code));
    return error;
  }
  return assert.fail('it did not fail');
}

/** Plain JavaScript gives what types forbid. */
const anything = (value: unknown) => value as never;

const BROKEN = Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');

type Maker = (client: Client) => Promise<unknown>;

const WRITES: Readonly<Record<string, Maker>> = {
  put: (client) => client.put('key', 'value'),
  delete: (client) => client.delete('key'),
  compareAndSwap: (client) => client.compareAndSwap('key', { expected: { absent: true }, value: 'v' }),
  submit: (client) => client.submit(new Uint8Array([1])),
};
const READS: Readonly<Record<string, Maker>> = {
  get: (client) => client.get('key'),
  range: (client) => client.range({}),
  status: (client) => client.status(),
};
const CALLS = { ...WRITES, ...READS };

describe('a failure of the client library', function () {
  this.timeout(30_000);
  let subject: ApiSubject;
  let address: string;
  /** Takes connections and says nothing. */
  let silent: Server;
  const sockets = new Set<Socket>();
  let silentAddress: string;

  before(async () => {
    subject = new ApiSubject();
    address = await subject.start();
    silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    silentAddress = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  });
  after(async () => {
    for (const socket of sockets) {
      socket.destroy();
    }
    silent.close();
    await subject.stop();
  });

  it('is a ClientError after close(), for every call, and nothing was done', async () => {
    const client = connect(address);
    await client.put('before', 'x');
    client.close();
    client.close();
    for (const [name, make] of Object.entries(CALLS)) {
      const { code, reason, message, outcomeKnown } = await failureOf(() => make(client));
      assert.deepEqual([code, reason, outcomeKnown], ['CANCELLED', 'CLOSED', true], name);
      assert.equal(message, 'the client is closed');
    }
  });

  it('is one for calls that are under way when it is closed', async () => {
    const client = connect(silentAddress);
    const calls = Object.values(CALLS).map((make) => failureOf(() => make(client)));
    client.close();
    for (const error of await Promise.all(calls)) {
      assert.equal(error.code, 'CANCELLED');
    }
  });

  it('is none of many calls at one time, of which nothing is warned', async () => {
    const warnings: string[] = [];
    const warn = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', warn);
    const client = connect([address, '127.0.0.1:1']);
    await Promise.all(Array.from({ length: 100 }, (_, index) => client.put(`key-${index}`, 'value')));
    client.close();
    process.off('warning', warn);
    assert.deepEqual(warnings, []);
  });

  it('is one where nobody listens, and where nobody answers in time', async () => {
    const closed = createServer();
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    for (const [nobody, timeoutMs] of [
      [`127.0.0.1:${port}`, 5_000],
      [silentAddress, 200],
    ] as const) {
      const client = connect(nobody, { timeoutMs });
      for (const [name, make] of Object.entries(CALLS)) {
        const { code, reason, outcomeKnown } = await failureOf(() => make(client));
        assert.deepEqual([code, reason, outcomeKnown], ['UNAVAILABLE', 'CONNECTION', true], `${name} ${nobody}`);
      }
      client.close();
    }
  });

  it('is one for a deadline that passes, also for one of no time at all', async () => {
    const client = connect(address);
    for (const [name, make] of Object.entries({
      put: () => client.put('key', 'value', { timeoutMs: 0 }),
      get: () => client.get('key', { timeoutMs: 0 }),
    })) {
      const { code } = await failureOf(make);
      assert.ok(code === 'DEADLINE_EXCEEDED' || code === 'UNAVAILABLE', `${name}: ${code}`);
    }
    client.close();
  });

  it('is one where the host has no address', async () => {
    const client = connect('no-such-host.invalid:7400', { timeoutMs: 3_000 });
    const { code, outcomeKnown } = await failureOf(() => client.put('key', 'value'));
    assert.deepEqual([code, outcomeKnown], ['UNAVAILABLE', true]);
    client.close();
  });

  it('names the argument that is wrong, and nothing leaves', async () => {
    const client = connect(address);
    const wrong: readonly (readonly [string, () => unknown])[] = [
      ['key', () => client.put(anything(undefined), 'v')],
      ['key', () => client.get(anything(7))],
      ['key', () => client.get('\ud800')],
      ['key', () => client.delete(anything({}))],
      ['value', () => client.put('k', anything(null))],
      ['value', () => client.put('k', anything([1, 2]))],
      ['value', () => client.put('k', 'half \udc00')],
      ['options', () => client.put('k', 'v', anything(null))],
      ['options', () => client.get('k', anything('local'))],
      ['requestId', () => client.put('k', 'v', { requestId: anything(12) })],
      ['timeoutMs', () => client.put('k', 'v', { timeoutMs: Number.NaN })],
      ['timeoutMs', () => client.get('k', { timeoutMs: -1 })],
      ['timeoutMs', () => client.status({ timeoutMs: anything('1000') })],
      ['timeoutMs', () => client.status({ timeoutMs: Number.POSITIVE_INFINITY })],
      ['signal', () => client.status({ signal: anything({ aborted: false }) })],
      ['consistency', () => client.get('k', { consistency: anything('eventual') })],
      ['change', () => client.compareAndSwap('k', anything(null))],
      ['expected', () => client.compareAndSwap('k', anything({ value: 'v' }))],
      ['expected', () => client.compareAndSwap('k', { expected: anything({ absent: false }), value: 'v' })],
      ['expected.version', () => client.compareAndSwap('k', { expected: { version: 2 ** 53 }, value: 'v' })],
      ['expected.version', () => client.compareAndSwap('k', { expected: { version: 0.5 }, value: 'v' })],
      ['value', () => client.compareAndSwap('k', anything({ expected: { absent: true } }))],
      ['limit', () => client.range({ limit: -1 })],
      ['limit', () => client.range({ limit: 2 ** 32 })],
      ['prefix', () => client.range({ prefix: anything(1) })],
      ['continuation', () => client.range({ continuation: anything('abc') })],
      ['range', () => client.range(anything(null))],
      ['operation', () => client.submit(anything('text'))],
      ['operation', () => client.submit(anything(undefined))],
      ['address', () => connect('')],
      ['address', () => connect('localhost')],
      ['address', () => connect('127.0.0.1:0')],
      ['address', () => connect('127.0.0.1:65536')],
      ['address', () => connect('::1:7400')],
      ['address', () => connect(anything(undefined))],
      ['address', () => connect(['127.0.0.1:7400', anything({})])],
      ['replicas', () => connect([])],
      ['options', () => connect('127.0.0.1:7400', anything(null))],
      ['timeoutMs', () => connect('127.0.0.1:7400', { timeoutMs: anything('5 s') })],
      ['tls.rootCertificates', () => connect('127.0.0.1:7400', { tls: anything({}) })],
      ['tls.rootCertificates', () => connect('127.0.0.1:7400', { tls: { rootCertificates: Buffer.from('x') } })],
      ['tls.rootCertificates', () => connect('127.0.0.1:7400', { tls: { rootCertificates: BROKEN } })],
    ];
    for (const [field, make] of wrong) {
      const error = await failureOf(make);
      assert.deepEqual([error.code, error.reason, error.field], ['INVALID_ARGUMENT', 'ARGUMENT', field], error.message);
      assert.equal(error.outcomeKnown, true);
    }
    client.close();
  });

  it("is the replica's own word where the replica refuses", async () => {
    const client = connect(address);
    const { code, reason, field, replica } = await failureOf(() => client.put('', 'value'));
    assert.deepEqual([code, reason, field, replica], ['INVALID_ARGUMENT', 'INVALID_FIELD', 'key', address]);
    client.close();
  });

  it('is one where the other side speaks something else', async () => {
    const talker = createServer((socket) => {
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    talker.listen(0, '127.0.0.1');
    await once(talker, 'listening');
    const client = connect(`127.0.0.1:${(talker.address() as AddressInfo).port}`, { timeoutMs: 1_000 });
    for (const make of Object.values(CALLS)) {
      await failureOf(() => make(client));
    }
    client.close();
    talker.close();
  });
});
