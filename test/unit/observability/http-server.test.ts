import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../../src/observability/http-server.js';
import type { Result } from '../../../src/util/result.js';
import { ManualTimers } from '../../support/network-manual-timers.js';

describe('the HTTP endpoints', () => {
  let reasons: readonly string[] = [];
  let remarks: readonly string[] = [];
  let faults: readonly string[] = [];
  let renderings = 0;
  let failing = false;
  let server: HttpServer;
  const counted: string[] = [];

  const options: HttpServerOptions = {
    port: 0,
    registry: {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      metrics: async () => {
        renderings += 1;
        if (failing) {
          throw new Error('what went wrong inside');
        }
        return 'pbft_view 1\n';
      },
    },
    readiness: () => reasons,
    remarks: () => remarks,
    liveness: () => faults,
    metrics: {
      increment: (name, labels) => void counted.push(`${name} ${Object.values(labels).join(' ')}`),
      set: (name, labels, value) => void counted.push(`${name} ${Object.values(labels).join(' ')} ${value}`),
      observe: () => undefined,
    },
    timers: new ManualTimers(),
  };

  const start = (changes: Partial<HttpServerOptions> = {}) =>
    new Promise<Result<HttpServer, Error>>((resolve) => startHttpServer({ ...options, ...changes }, resolve));
  const request = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);

  beforeEach(async () => {
    reasons = [];
    remarks = [];
    faults = [];
    renderings = 0;
    counted.length = 0;
    failing = false;
    const started = await start();
    assert.ok(started.ok);
    server = started.value;
  });
  afterEach(() => new Promise<void>((resolve) => server.stop(resolve)));

  it('serves the metrics', async () => {
    const response = await request('/metrics?name=x');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(await response.text(), 'pbft_view 1\n');
  });

  it('is ready where nothing speaks against it, else says what, one reason a line (OP-08)', async () => {
    const ready = await request('/readyz');
    assert.deepEqual([ready.status, await ready.text()], [200, 'ok\n']);
    reasons = ['catching up: 5 of 12', 'no quorum\nof peers'];
    const unready = await request('/readyz');
    assert.deepEqual([unready.status, await unready.text()], [503, 'catching up: 5 of 12\nno quorum of peers\n']);
  });

  it('says with its ok what else there is to know of a replica that is ready, and nothing of it to a supervisor', async () => {
    remarks = ['apart: it is in view 7,\nthe others serve in view 2'];
    const ready = await request('/readyz');
    assert.deepEqual(
      [ready.status, await ready.text()],
      [200, 'ok\napart: it is in view 7, the others serve in view 2\n'],
    );
    const json = await request('/readyz', { headers: { Accept: 'application/json' } });
    assert.deepEqual(await json.json(), { status: 'ok', reasons: [], remarks });
    assert.equal(await (await request('/livez')).text(), 'ok\n');
    reasons = ['catching up: 5 of 12'];
    const unready = await request('/readyz');
    assert.deepEqual([unready.status, await unready.text()], [503, 'catching up: 5 of 12\n']);
  });

  it('asks for readiness before it renders, so that a gauge of it is current', async () => {
    let asked = 0;
    const started = await start({
      readiness: () => {
        asked += 1;
        return [];
      },
      registry: { contentType: 'text/plain', metrics: async () => `asked ${asked}` },
    });
    assert.ok(started.ok);
    const response = await fetch(`http://127.0.0.1:${started.value.port}/metrics`);
    assert.equal(await response.text(), 'asked 1');
    await new Promise<void>((resolve) => started.value.stop(resolve));
  });

  it('is alive independently of whether it is ready', async () => {
    reasons = ['no quorum'];
    assert.equal((await request('/livez')).status, 200);
    faults = ['the store failed'];
    const response = await request('/livez');
    assert.deepEqual([response.status, await response.text()], [503, 'the store failed\n']);
  });

  it('answers in JSON where that is accepted', async () => {
    const headers = { Accept: 'application/json' };
    assert.deepEqual(await (await request('/livez', { headers })).json(), { status: 'ok', reasons: [], remarks: [] });
    reasons = ['a', 'b'];
    const response = await request('/readyz', { headers });
    assert.equal(response.status, 503);
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
    assert.deepEqual(await response.json(), { status: 'unavailable', reasons: ['a', 'b'], remarks: [] });
  });

  it('lists its paths to who asks for another, and repeats nothing of it', async () => {
    const response = await request('/%3Cscript%3E');
    assert.equal(response.status, 404);
    assert.equal(await response.text(), 'not found; there are /metrics /livez /readyz\n');
  });

  it('takes GET and HEAD only, and no body', async () => {
    const response = await request('/metrics', { method: 'DELETE' });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'GET, HEAD');
    const head = await request('/metrics', { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    const withBody = await request('/metrics', { method: 'POST', body: 'x'.repeat(100_000) }).catch(() => undefined);
    assert.ok(withBody === undefined || withBody.status === 413);
    assert.equal((await request('/livez')).status, 200);
  });

  it('renders a few times at most for a hundred scrapes in a moment (OP-08)', async () => {
    for (let round = 0; round < 2; round++) {
      const responses = await Promise.all(Array.from({ length: 50 }, () => request('/metrics')));
      assert.ok(responses.every((response) => response.status === 200));
    }
    assert.ok(renderings <= 8, `${renderings} renderings`);
  });

  it('answers 500 without details to a scrape that fails, and goes on', async () => {
    failing = true;
    const response = await request('/metrics');
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /inside/);
    failing = false;
    assert.equal((await request('/metrics')).status, 200);
  });

  it('survives what is no HTTP, and headers that are too long', async () => {
    assert.match(await speak('\u0016\u0003\u0001 hello\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(await speak(`GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
    assert.equal((await request('/livez')).status, 200);
  });

  it('FU-06: has so many connections of an address; whoever comes gets in, and the longest silent one goes', async () => {
    const started = await start({ connectionsMax: 64, connectionsOfAddressMax: 32 });
    assert.ok(started.ok);
    const { port, stop } = started.value;
    const sockets: Socket[] = [];
    for (let index = 0; index < 80; index++) {
      sockets.push((await dial(port)).resume());
    }
    await until(() => sockets.slice(0, 48).every((socket) => socket.destroyed));
    assert.ok(sockets.slice(48).every((socket) => !socket.destroyed));
    assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
    assert.equal(counted.filter((line) => line === 'pbft_connections_closed_total http displaced').length, 49);
    await new Promise<void>((resolve) => stop(resolve));
  });

  it('FU-06: a connection that asks slowly gives way before one that waits for its answer', async () => {
    let finish = (_: string): void => undefined;
    const metrics = () =>
      new Promise<string>((resolve) => {
        finish = resolve;
      });
    const started = await start({ registry: { contentType: 'text/plain', metrics }, connectionsOfAddressMax: 2 });
    assert.ok(started.ok);
    const { port, stop } = started.value;
    const waiting = fetch(`http://127.0.0.1:${port}/metrics`);
    await until(() => counted.includes('pbft_connections http 1'));
    const slow = await dial(port);
    slow.write('GET /livez HTTP/1.1\r\nHost: x\r\nX: ');
    const gone = new Promise((resolve) => slow.once('close', resolve));
    assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
    await gone;
    finish('late');
    assert.equal(await (await waiting).text(), 'late');
    await new Promise<void>((resolve) => stop(resolve));
  });

  it('listens on loopback unless told otherwise (OP-08)', async () => {
    const other = await start({ host: '127.0.0.2' });
    assert.ok(other.ok);
    await assert.rejects(fetch(`http://127.0.0.1:${other.value.port}/livez`));
    await assert.rejects(fetch(`http://127.0.0.2:${server.port}/livez`));
    await new Promise<void>((resolve) => other.value.stop(resolve));
  });

  it('names the port and the remedy where the port is in use', async () => {
    const second = await start({ port: server.port });
    assert.ok(!second.ok);
    assert.match(
      second.error.message,
      new RegExp(`at 127\\.0\\.0\\.1:${server.port}: another process uses the port \\(EADDRINUSE\\)`),
    );
    assert.match(second.error.message, /stop it, or choose another port in `listen\.http`/);
  });

  it('ends with connections open', async () => {
    const started = await start();
    assert.ok(started.ok);
    await fetch(`http://127.0.0.1:${started.value.port}/livez`);
    await new Promise<void>((resolve) => started.value.stop(resolve));
    await assert.rejects(fetch(`http://127.0.0.1:${started.value.port}/livez`));
  });

  function dial(port = server.port): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket));
      socket.on('error', reject);
    });
  }

  async function until(holds: () => boolean): Promise<void> {
    const deadlineMs = Date.now() + 5_000;
    while (!holds()) {
      assert.ok(Date.now() < deadlineMs);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async function speak(text: string): Promise<string> {
    const socket = await dial();
    socket.write(text, 'latin1');
    let answer = '';
    for await (const bytes of socket) {
      answer += String(bytes);
    }
    return answer;
  }
});
