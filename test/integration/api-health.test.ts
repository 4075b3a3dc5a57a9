/** gRPC health: what load balancers and supervisors ask. */
import assert from 'node:assert/strict';
import { ChannelCredentials, type ClientReadableStream, status } from '@grpc/grpc-js';
import {
  type HealthCheckResponse,
  HealthClient,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../src/wire/gen/grpc/health/v1/health.js';
import { ApiSubject, until } from './api-subject.js';

describe('the health of the client port', () => {
  let subject: ApiSubject;
  let client: HealthClient;

  beforeEach(async () => {
    subject = new ApiSubject();
    client = new HealthClient(await subject.start(), ChannelCredentials.createInsecure());
  });

  afterEach(async () => {
    client.close();
    await subject.stop();
  });

  /** The status of a service, or the code of the error. */
  function check(service: string): Promise<ServingStatus | { readonly code: status }> {
    return new Promise((resolve) => {
      client.check({ service }, (error, answer) => resolve(error === null ? answer.status : { code: error.code }));
    });
  }

  function watch(service: string): { readonly seen: ServingStatus[]; readonly call: ClientReadableStream<unknown> } {
    const seen: ServingStatus[] = [];
    const call = client.watch({ service });
    call.on('data', (answer: HealthCheckResponse) => seen.push(answer.status));
    call.on('error', () => undefined);
    return { seen, call };
  }

  it('is SERVING while the replica is ready, for the server and each service', async () => {
    for (const service of ['', 'pbft.v1.KeyValueService', 'pbft.v1.ClientService', 'pbft.v1.AdminService']) {
      assert.equal(await check(service), ServingStatus.SERVING);
    }
    subject.replica.notReadyReasons = ['recovering'];
    assert.equal(await check(''), ServingStatus.NOT_SERVING);
    assert.equal(await check('pbft.v1.KeyValueService'), ServingStatus.NOT_SERVING);
  });

  it('is NOT_FOUND for a service that is not here', async () => {
    assert.deepEqual(await check('pbft.v1.PeerService'), { code: status.NOT_FOUND });
    assert.deepEqual(await check('__proto__'), { code: status.NOT_FOUND });
  });

  it('lists all', async () => {
    const statuses = await new Promise<Record<string, HealthCheckResponse>>((resolve, reject) => {
      client.list({}, (error, answer) => (error === null ? resolve(answer.statuses) : reject(error)));
    });
    assert.equal(Object.keys(statuses).length, 4);
    assert.equal(statuses['pbft.v1.KeyValueService']?.status, ServingStatus.SERVING);
  });

  it('tells those who watch of each change, once', async () => {
    const { seen, call } = watch('');
    await until(() => seen.length === 1, 'the status at first');
    subject.replica.notReadyReasons = ['recovering'];
    await until(() => seen.length === 2, 'not serving');
    subject.replica.notReadyReasons = [];
    await until(() => seen.length === 3, 'serving again');
    assert.deepEqual(seen, [ServingStatus.SERVING, ServingStatus.NOT_SERVING, ServingStatus.SERVING]);
    call.cancel();
    await until(() => subject.counted.includes('pbft_calls_total Health/Watch CANCELLED'), 'the watcher is gone');
  });

  it('tells those who watch an unknown service so, and does not end the call', async () => {
    const { seen, call } = watch('nothing');
    let ended = false;
    call.on('end', () => {
      ended = true;
    });
    await until(() => seen.length === 1, 'the answer');
    assert.equal(await check(''), ServingStatus.SERVING);
    assert.deepEqual([seen, ended], [[ServingStatus.SERVICE_UNKNOWN], false]);
    call.cancel();
  });

  it('FU-06: lets one connection watch a few times at once, and again when it ends a watch', async () => {
    const watches = Array.from({ length: 8 }, () => watch(''));
    await until(() => watches.every(({ seen }) => seen.length === 1), 'all watch');
    const refused = watch('');
    const error = await new Promise<{ readonly code?: number }>((resolve) => refused.call.on('error', resolve));
    assert.equal(error.code, status.RESOURCE_EXHAUSTED);
    watches[0]?.call.cancel();
    await until(() => subject.counted.includes('pbft_calls_total Health/Watch CANCELLED'), 'one watcher is gone');
    const { seen } = watch('');
    await until(() => seen.length === 1, 'it watches again');
  });

  it('tells those who watch that it stops', async () => {
    const { seen } = watch('');
    await until(() => seen.length === 1, 'the status at first');
    await subject.stop();
    await until(() => seen.length === 2, 'the last status');
    assert.equal(seen[1], ServingStatus.NOT_SERVING);
  });
});
