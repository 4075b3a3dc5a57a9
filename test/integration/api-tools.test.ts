/** The client port by the tools that people have: no .proto files, no client library (GR-10). */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { skip } from '../support/skip.js';
import { ApiSubject } from './api-subject.js';

const ROOT = resolve(import.meta.dirname, '../..');
const BUF = join(ROOT, 'node_modules/@bufbuild/buf/bin/buf');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; undefined where it isn't installed. */
function run(program: string, parameters: readonly string[]): Promise<Ended | undefined> {
  return new Promise((resolveEnd) => {
    execFile(program, parameters, { timeout: 30_000 }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolveEnd(error?.code === 'ENOENT' ? undefined : { code, stdout, stderr });
    });
  });
}

describe('the client port, asked by tools', function () {
  this.timeout(60_000);
  let subject: ApiSubject;
  let address: string;

  before(async () => {
    subject = new ApiSubject();
    address = await subject.start();
  });

  after(() => subject.stop());

  const bufCurl = async (method: string, request: string): Promise<Ended> => {
    const url = `http://${address}/${method}`;
    const options = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '-d', request, url];
    const ended = await run(process.execPath, [BUF, ...options]);
    assert.ok(ended !== undefined);
    return ended;
  };

  it('GR-10: buf curl puts and gets by reflection', async () => {
    const written = await bufCurl('pbft.v1.KeyValueService/Put', '{"key": "buf", "text": "hello"}');
    assert.equal(written.code, 0, written.stderr);
    const { version } = JSON.parse(written.stdout);
    assert.equal(typeof version, 'string', '64-bit numbers are strings in JSON');
    const read = await bufCurl('pbft.v1.KeyValueService/Get', '{"key": "buf"}');
    const answer = JSON.parse(read.stdout);
    assert.deepEqual([answer.found, answer.text, answer.version], [true, 'hello', version]);
  });

  it('GR-10: buf curl shows code, message and details of an error', async () => {
    const failed = await bufCurl('pbft.v1.KeyValueService/Put', '{"key": "k"}');
    assert.notEqual(failed.code, 0);
    const error = JSON.parse(failed.stderr);
    assert.equal(error.code, 'invalid_argument');
    assert.match(error.message, /^value must be set/);
    const types = error.details.map(({ type }: { type: string }) => type);
    assert.deepEqual(types, ['google.rpc.ErrorInfo', 'google.rpc.BadRequest']);
  });

  describe('grpcurl', () => {
    const grpcurl = async (...parameters: string[]): Promise<Ended> => {
      const ended = await run('grpcurl', ['-plaintext', ...parameters]);
      assert.ok(ended !== undefined);
      return ended;
    };

    before(async function () {
      if ((await run('grpcurl', ['-version'])) === undefined) {
        skip(this, 'grpcurl is not installed');
      }
    });

    it('GR-10: lists the services of this port, and no others', async () => {
      const { stdout } = await grpcurl(address, 'list');
      assert.deepEqual(stdout.trim().split('\n'), [
        'grpc.health.v1.Health',
        'pbft.v1.AdminService',
        'pbft.v1.ClientService',
        'pbft.v1.KeyValueService',
      ]);
    });

    it('GR-10: describes each service and its messages', async () => {
      for (const name of ['pbft.v1.KeyValueService', 'pbft.v1.ClientService', 'pbft.v1.AdminService']) {
        assert.match((await grpcurl(address, 'describe', name)).stdout, /is a service:/);
      }
      assert.match((await grpcurl(address, 'describe', 'grpc.health.v1.Health')).stdout, /rpc Watch/);
      const put = await grpcurl(address, 'describe', 'pbft.v1.PutRequest');
      const uncommented = put.stdout.replaceAll(/^\s*\/\/.*\n/gm, '');
      assert.match(uncommented, /oneof value \{\s+string text = 2;\s+bytes data = 3;/);
    });

    it('GR-10: describes with the comments of the schema', async () => {
      const schema = readFileSync(join(ROOT, 'proto/pbft/v1/client.proto'), 'utf8');
      const commentsOf = (text: string) => [...text.matchAll(/^\s*\/\/ (.*)$/gm)].map(([, comment]) => comment);
      const service = await grpcurl(address, 'describe', 'pbft.v1.ClientService');
      const message = await grpcurl(address, 'describe', 'pbft.v1.SubmitRequest');
      const shown = [...commentsOf(service.stdout), ...commentsOf(message.stdout)];
      const written = schema.slice(schema.indexOf('// Takes operations'), schema.indexOf('// The result of one'));
      assert.ok(shown.length > 5);
      assert.deepEqual(shown, commentsOf(written));
    });

    it('GR-10: calls without .proto files, with bytes as base64', async () => {
      const written = await grpcurl('-d', '{"key": "curl", "data": "AP8="}', address, 'pbft.v1.KeyValueService/Put');
      assert.equal(written.code, 0, written.stderr);
      const read = await grpcurl('-d', '{"key": "curl"}', address, 'pbft.v1.KeyValueService/Get');
      assert.equal(JSON.parse(read.stdout).data, 'AP8=');
      const state = await grpcurl(address, 'pbft.v1.AdminService/GetStatus');
      assert.equal(JSON.parse(state.stdout).name, 'replica-2');
    });

    it('GR-10: shows the field and the reason of an error', async () => {
      const { code, stderr } = await grpcurl(address, 'pbft.v1.KeyValueService/Get');
      assert.notEqual(code, 0);
      assert.match(stderr, /InvalidArgument/);
      assert.match(stderr, /"field": "key"/);
      assert.match(stderr, /"reason": "INVALID_FIELD"/);
    });

    it('GR-10: says of a method that does not exist that it does not', async () => {
      const { code, stderr } = await grpcurl(address, 'pbft.v1.KeyValueService/Nothing');
      assert.notEqual(code, 0);
      assert.match(stderr, /does not include a method named "Nothing"/);
    });
  });
});
