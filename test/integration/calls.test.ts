/** Calls of a running cluster that must be refused, by the tools that people have: which field, and when to try again. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ClientError } from '../../src/client/client-error.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement, primaryOf } from '../support/cluster-checks.js';
import { skip } from '../support/skip.js';

const BUF = resolve(import.meta.dirname, '../../node_modules/@bufbuild/buf/bin/buf');
const CALL_TIMEOUT_MS = 30_000;
const KEY_BYTES_MAX = 1_024;
const VALUE_BYTES_MAX = 1_048_576;

/** A request that is refused for one field. */
interface BadCall {
  readonly what: string;
  readonly method: string;
  readonly request: object;
  readonly field: string;
}

const BAD_CALLS: readonly BadCall[] = [
  { what: 'no key', method: 'KeyValueService/Put', request: { text: 'v' }, field: 'key' },
  { what: 'no value', method: 'KeyValueService/Put', request: { key: 'k' }, field: 'value' },
  {
    what: 'a key that is too long',
    method: 'KeyValueService/Put',
    request: { key: 'k'.repeat(KEY_BYTES_MAX + 1), text: 'v' },
    field: 'key',
  },
  {
    what: 'a value that is too long',
    method: 'KeyValueService/Put',
    request: { key: 'k', text: 'v'.repeat(VALUE_BYTES_MAX + 1) },
    field: 'text',
  },
  {
    what: 'a request id that is too long',
    method: 'KeyValueService/Put',
    request: { key: 'k', text: 'v', request_id: 'i'.repeat(65) },
    field: 'request_id',
  },
  { what: 'an empty operation', method: 'ClientService/Submit', request: {}, field: 'operation' },
  {
    what: 'an operation that is none',
    method: 'ClientService/Submit',
    request: { operation: Buffer.from('no operation').toString('base64') },
    field: 'operation',
  },
  {
    what: 'a swap that expects nothing',
    method: 'KeyValueService/CompareAndSwap',
    request: { key: 'k', value: { text: 'v' } },
    field: 'expected',
  },
];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end with a text as its input; undefined where it isn't installed. */
function run(program: string, parameters: readonly string[], input = ''): Promise<Ended | undefined> {
  return new Promise((resolveEnd) => {
    const child = execFile(program, parameters, { timeout: CALL_TIMEOUT_MS }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolveEnd(error?.code === 'ENOENT' ? undefined : { code, stdout, stderr });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

describe('calls of a running cluster', function () {
  this.timeout(60_000);
  const QUEUED_MAX = 16;
  const CALLS = 400;
  let cluster: TestCluster;
  let directory: string;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-calls-'));
    cluster = await startCluster({
      replicas: 4,
      settings: (replica): Record<string, number> => (replica === 3 ? { 'queues.clientMessagesMax': QUEUED_MAX } : {}),
    });
  });
  after(async () => {
    await cluster?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const executed = async (): Promise<number> => (await cluster.status(0)).lastExecutedSequence;

  it('are refused with INVALID_ARGUMENT and the field by buf curl, and take no place in the order', async () => {
    const before = await executed();
    for (const [index, { what, method, request, field }] of BAD_CALLS.entries()) {
      const file = join(directory, `${index}.json`);
      writeFileSync(file, JSON.stringify(request));
      const url = `http://127.0.0.1:${cluster.clientPorts[0]}/pbft.v1.${method}`;
      const options = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '-d', `@${file}`, url];
      const ended = await run(process.execPath, [BUF, ...options]);
      assert.ok(ended !== undefined && ended.code !== 0, what);
      const error = JSON.parse(ended.stderr);
      assert.equal(error.code, 'invalid_argument', `${what}: ${ended.stderr}`);
      assert.ok(error.message.startsWith(`${field} `), `${what}: ${error.message}`);
    }
    assert.equal(await executed(), before);
  });

  it('are refused with InvalidArgument and the field by grpcurl', async function () {
    if ((await run('grpcurl', ['-version'])) === undefined) {
      skip(this, 'grpcurl is not installed');
    }
    for (const { what, method, request, field } of BAD_CALLS) {
      const options = ['-plaintext', '-d', '@', `127.0.0.1:${cluster.clientPorts[1]}`, `pbft.v1.${method}`];
      const ended = await run('grpcurl', options, JSON.stringify(request));
      assert.ok(ended !== undefined && ended.code !== 0, what);
      assert.match(ended.stderr, /Code: InvalidArgument/, `${what}: ${ended.stderr}`);
      assert.match(ended.stderr, new RegExp(`"field": "${field}"`), `${what}: ${ended.stderr}`);
    }
  });

  it('are refused before they are read where they are longer than any operation', async () => {
    const error = await cluster
      .client(0)
      .submit(new Uint8Array(4 * VALUE_BYTES_MAX))
      .then(
        () => assert.fail('it was taken'),
        (failure: unknown) => failure,
      );
    assert.ok(error instanceof ClientError);
    assert.ok(error.code === 'RESOURCE_EXHAUSTED' || error.code === 'INVALID_ARGUMENT', error.message);
    assert.equal(error.outcomeKnown, true);
  });

  it('are refused with RESOURCE_EXHAUSTED and when to try again where too many wait', async () => {
    const primary = await primaryOf(cluster);
    const paused = [0, 1, 2].filter((replica) => replica !== primary).slice(0, 2);
    await Promise.all(paused.map((replica) => cluster.kill(replica, 'SIGSTOP')));
    const calls = Array.from({ length: CALLS }, (_, index) =>
      cluster
        .client(3)
        .put(`waiting-${index}`, 'v', { timeoutMs: 2_000 })
        .then(
          () => undefined,
          (failure: unknown) => failure,
        ),
    );
    const ended = await Promise.all(calls);
    await Promise.all(paused.map((replica) => cluster.kill(replica, 'SIGCONT')));
    const failures = ended.flatMap((one) => (one instanceof ClientError ? [one] : []));
    const refused = failures.filter(({ code }) => code === 'RESOURCE_EXHAUSTED');
    assert.ok(refused.length > 0, [...new Set(failures.map(({ message }) => message))].join('\n'));
    for (const { reason, retryAfterMs, outcomeKnown, message } of refused) {
      assert.equal(reason, 'QUEUE_FULL', message);
      assert.equal(outcomeKnown, true);
      assert.ok(retryAfterMs !== undefined && retryAfterMs > 0 && retryAfterMs <= 10_000, message);
    }
    for (const { code, message } of failures) {
      assert.ok(code === 'RESOURCE_EXHAUSTED' || code === 'DEADLINE_EXCEEDED', message);
    }
    await awaitAgreement(cluster);
    assert.ok((await cluster.client(3).put('afterwards', 'v')).version > 0);
  });
});
