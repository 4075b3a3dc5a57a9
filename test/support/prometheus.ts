/**
 * A real Prometheus with the shipped configuration, pointed at the replicas of a test's cluster: its targets' ports are
 * replaced, its interval is shortened, everything else is what a user gets.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const SHIPPED = new URL('../../deploy/prometheus/', import.meta.url).pathname;
const FIRST_SHIPPED_PORT = 7600;
const START_DEADLINE_MS = 20_000;

/** One series of an instant query's result. */
export interface QueryRow {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A running Prometheus. */
export class PrometheusServer {
  private constructor(
    private readonly port: number,
    private readonly child: ChildProcess,
    private readonly directory: string,
  ) {}

  /** Starts it, scraping each port once a second; undefined where it isn't installed. */
  static async start(httpPorts: readonly number[]): Promise<PrometheusServer | undefined> {
    const directory = mkdtempSync(join(tmpdir(), 'pbft-prometheus-'));
    cpSync(SHIPPED, directory, { recursive: true });
    writeFileSync(join(directory, 'prometheus.yml'), configurationFor(httpPorts));
    const port = await findFreePort();
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let log = '';
    child.stderr.on('data', (bytes: Buffer) => {
      log = (log + bytes.toString()).slice(-4_000);
    });
    const installed = await new Promise<boolean>((resolve) => {
      child.once('spawn', () => resolve(true));
      child.once('error', () => resolve(false));
    });
    if (!installed) {
      rmSync(directory, { recursive: true });
      return undefined;
    }
    const server = new PrometheusServer(port, child, directory);
    try {
      await server.waitUntilReady();
    } catch (error) {
      await server.stop();
      throw new Error(`Prometheus did not start:\n${log}`, { cause: error });
    }
    return server;
  }

  /** The result of an instant query, now. */
  async query(expr: string): Promise<QueryRow[]> {
    const url = `http://127.0.0.1:${this.port}/api/v1/query?query=${encodeURIComponent(expr)}`;
    const body: unknown = await (await fetch(url)).json();
    assert.ok(isSuccess(body), `${expr}: ${JSON.stringify(body)}`);
    return body.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The labels `replica` of the targets that are up. */
  async targetsUp(): Promise<string[]> {
    const rows = await this.query('up{job="pbft"} == 1');
    return rows.map(({ metric }) => metric['replica'] ?? '').sort();
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGKILL');
      await exited;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async waitUntilReady(): Promise<void> {
    const deadline = Date.now() + START_DEADLINE_MS;
    for (;;) {
      assert.equal(this.child.exitCode, null, 'Prometheus ended');
      const status = await fetch(`http://127.0.0.1:${this.port}/-/ready`).then(
        (response) => response.status,
        () => 0,
      );
      if (status === 200) {
        return;
      }
      assert.ok(Date.now() < deadline, 'Prometheus is not ready in time');
      await delay(100);
    }
  }
}

interface QueryAnswer {
  readonly status: 'success';
  readonly data: { readonly result: readonly { metric: Record<string, string>; value: [number, string] }[] };
}

function isSuccess(body: unknown): body is QueryAnswer {
  return typeof body === 'object' && body !== null && 'status' in body && body.status === 'success';
}

/** The shipped configuration with other ports and a scrape a second. */
function configurationFor(httpPorts: readonly number[]): string {
  let text = readFileSync(join(SHIPPED, 'prometheus.yml'), 'utf8');
  httpPorts.forEach((port, replica) => {
    text = replaced(text, `'127.0.0.1:${FIRST_SHIPPED_PORT + replica}'`, `'127.0.0.1:${port}'`);
  });
  text = replaced(text, 'scrape_interval: 5s', 'scrape_interval: 1s');
  text = replaced(text, 'scrape_timeout: 4s', 'scrape_timeout: 1s');
  return replaced(text, 'evaluation_interval: 5s', 'evaluation_interval: 1s');
}

function replaced(text: string, shipped: string, own: string): string {
  assert.equal(text.split(shipped).length, 2, `the shipped configuration has ${shipped} once`);
  return text.replace(shipped, own);
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
