/** The proxy that partition tests put between replicas does what it is told: else they would prove nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/cluster-deadline.js';
import { LinkProxy } from '../support/link-proxy.js';

const WITHIN_MS = 5_000;
/** Long enough for loopback: what has not come by then was held. */
const HELD_MS = 100;

describe('a proxy on a link', () => {
  let server: Server;
  let proxy: LinkProxy;
  let near: Socket;
  let far: Socket;
  let nearText = '';
  let farText = '';

  beforeEach(async () => {
    nearText = '';
    farText = '';
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    proxy = await LinkProxy.open(() => port);
    const accepted = once(server, 'connection');
    near = connect({ host: '127.0.0.1', port: proxy.port });
    [far] = (await accepted) as [Socket];
    near
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        nearText += bytes.toString();
      });
    far
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        farText += bytes.toString();
      });
  });
  afterEach(async () => {
    near.destroy();
    far.destroy();
    await proxy.close();
    server.close();
  });

  const says = (read: () => string, expected: string): Promise<void> =>
    eventually(() => read() === expected, { withinMs: WITHIN_MS, describe: () => `${read()} is not ${expected}` });

  it('passes both directions on', async () => {
    near.write('ping');
    await says(() => farText, 'ping');
    far.write('pong');
    await says(() => nearText, 'pong');
    assert.equal(proxy.towards.passedBytes, 4);
  });

  it('holds what is sent over a direction that is cut, not the other one, and goes on in order', async () => {
    proxy.towards.set({ isCut: true });
    near.write('one ');
    far.write('back');
    await says(() => nearText, 'back');
    near.write('two');
    await delay(HELD_MS);
    assert.equal(farText, '');
    proxy.towards.restore();
    await says(() => farText, 'one two');
  });

  it('tells nobody over a direction that is cut that the connection has ended', async () => {
    proxy.towards.set({ isCut: true });
    near.destroy();
    await delay(HELD_MS);
    assert.equal(far.destroyed, false);
    proxy.towards.restore();
    await eventually(() => far.destroyed, { withinMs: WITHIN_MS, describe: () => 'the far end is still open' });
  });

  it('makes a sender wait whose direction is cut', async () => {
    proxy.towards.set({ isCut: true });
    const chunk = Buffer.alloc(64 * 1024);
    let sentBytes = 0;
    while (near.write(chunk) || near.writableLength < 1024 * 1024) {
      sentBytes += chunk.length;
      assert.ok(sentBytes < 64 * 1024 * 1024, 'it takes everything');
      await delay(0);
    }
  });

  it('delays each byte, and limits how many pass a second', async () => {
    proxy.towards.set({ delayMs: 80 });
    const sentMs = performance.now();
    near.write('late');
    await says(() => farText, 'late');
    assert.ok(performance.now() - sentMs >= 79);
    proxy.back.set({ bytesPerSecond: 1_000 });
    const bulkMs = performance.now();
    far.write('x'.repeat(100));
    await says(() => nearText, 'x'.repeat(100));
    far.write('end');
    await says(() => nearText, `${'x'.repeat(100)}end`);
    assert.ok(performance.now() - bulkMs >= 99);
  });

  it('ends a connection whose other end is not there', async () => {
    server.close();
    far.destroy();
    await eventually(() => near.destroyed, { withinMs: WITHIN_MS, describe: () => 'the near end is still open' });
    const late = connect({ host: '127.0.0.1', port: proxy.port });
    late.on('error', () => undefined).resume();
    await once(late, 'close');
  });
});
