/** Real connections in this process that don't come about: what the RPC library says of them is still understood. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type ConnectOptions, connect } from '../../../src/client/client.js';
import { ClientError } from '../../../src/client/client-error.js';
import { initializeCluster } from '../../../src/replica/initialize.js';

describe('a connection that does not come about', function () {
  this.timeout(60_000);
  let base: string;
  const servers: Server[] = [];
  const http = createServer();

  const bytesOf = (...parts: readonly string[]): Buffer => readFileSync(join(base, ...parts));
  const serve = (credentials: ServerCredentials): Promise<string> => {
    const server = new Server();
    servers.push(server);
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', credentials, (error, port) =>
        error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
      );
    });
  };
  const secure = (mutual: boolean): Promise<string> => {
    const pair = {
      private_key: bytesOf('own', 'replica-0', 'tls.key'),
      cert_chain: bytesOf('own', 'replica-0', 'tls.crt'),
    };
    return serve(ServerCredentials.createSsl(bytesOf('own', 'ca', 'ca.crt'), [pair], mutual));
  };

  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'pbft-words-'));
    await initializeCluster({ directory: join(base, 'own'), replicaCount: 1 });
    await initializeCluster({ directory: join(base, 'another'), replicaCount: 1 });
  });
  after(() => {
    for (const server of servers) {
      server.forceShutdown();
    }
    http.close();
    rmSync(base, { recursive: true, force: true });
  });

  const failureOf = async (address: string, tls?: ConnectOptions['tls']): Promise<ClientError> => {
    const client = connect(address, tls === undefined ? {} : { tls });
    try {
      await client.put('key', 'value');
    } catch (error) {
      assert.ok(error instanceof ClientError, String(error));
      assert.deepEqual([error.code, error.outcomeKnown], ['UNAVAILABLE', true], error.message);
      return error;
    } finally {
      client.close();
    }
    return assert.fail('it was put');
  };
  const trusting = (cluster: string) => ({ rootCertificates: bytesOf(cluster, 'client-0', 'ca.crt') });

  it('says that a port speaks no TLS', async () => {
    const { reason } = await failureOf(await serve(ServerCredentials.createInsecure()), trusting('own'));
    assert.equal(reason, 'NOT_TLS');
  });

  it('says that a port may want TLS', async () => {
    assert.equal((await failureOf(await secure(false))).reason, 'NOT_PLAINTEXT');
  });

  it('says that a certificate is of no trusted authority, or names somebody else', async () => {
    const address = await secure(false);
    assert.equal((await failureOf(address, trusting('another'))).reason, 'CERTIFICATE_UNTRUSTED');
    const named = await failureOf(address, { ...trusting('own'), serverName: 'example.org' });
    assert.equal(named.reason, 'CERTIFICATE_NAME');
    assert.match(named.message, /does not name "example\.org", but .*DNS:localhost/);
  });

  it('says that a port is not for callers: one for replicas, or for HTTP', async () => {
    assert.equal((await failureOf(await secure(true), trusting('own'))).reason, 'NOT_FOR_CALLERS');
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    assert.equal((await failureOf(`127.0.0.1:${port}`)).reason, 'NOT_FOR_CALLERS');
  });

  it('says that nobody is there', async () => {
    assert.equal((await failureOf('127.0.0.1:1')).reason, 'CONNECTION');
  });
});
