/** An application of one's own on replicas that are processes: the example of docs/own-application.md. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ClientError } from '../../src/client/client-error.js';
import { ACCOUNTS_FILE, operationOf, resultOf } from '../support/accounts.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { awaitAgreement } from '../support/cluster-checks.js';
import { pbft, RunningCommand } from '../support/cluster-command.js';
import { normalizeOutput, readConsoleSteps } from '../support/cluster-console.js';
import { eventually } from '../support/cluster-deadline.js';
import { findBasePort } from '../support/cluster-ports.js';
import { skip } from '../support/skip.js';

const EXAMPLES = join(ACCOUNTS_FILE, '..');
const GUIDE = readFileSync(resolve(EXAMPLES, '../../docs/own-application.md'), 'utf8');
const ACCOUNT_NAMES = ['alice', 'bob', 'carol', 'dave'];
const TRANSFERS = 60;

describe('an own application on a cluster', function () {
  this.timeout(90_000);
  let cluster: TestCluster;

  before(async () => {
    cluster = await startCluster({ application: { name: 'accounts', file: ACCOUNTS_FILE } });
  });
  after(() => cluster.stop());

  const submit = async (replica: number, operation: Readonly<Record<string, unknown>>) =>
    resultOf((await cluster.client(replica).submit(operationOf(operation), { timeoutMs: 20_000 })).result);

  const balances = async (replica: number): Promise<readonly number[]> => {
    const { accounts } = await submit(replica, { op: 'list' });
    return (accounts as readonly (readonly [string, number])[]).map(([, balance]) => balance);
  };

  it('executes what callers submit at any replica, and keeps the sum of money while one is killed', async () => {
    for (const [index, account] of ACCOUNT_NAMES.entries()) {
      assert.equal((await submit(index, { op: 'open', account }))['ok'], true);
      assert.deepEqual(await submit(index, { op: 'deposit', account, amount: 100 }), { ok: true, balance: 100 });
    }
    const transfer = (index: number) =>
      submit(index % 3, {
        op: 'transfer',
        from: ACCOUNT_NAMES[index % 4],
        to: ACCOUNT_NAMES[(index * 3 + 1) % 4] ?? '',
        amount: (index * 37) % 150,
        id: `t-${index}`,
      }).catch((error: unknown) => {
        assert.ok(error instanceof ClientError && error.code === 'INVALID_ARGUMENT', String(error));
        return { ok: false };
      });
    const results = Array.from({ length: TRANSFERS }, (_, index) => transfer(index));
    await cluster.kill(3);
    const done = (await Promise.all(results)).filter(({ ok }) => ok === true).length;
    assert.ok(done > 0 && done < TRANSFERS, `${done} transfers were done, others refused`);
    const after = await balances(1);
    assert.equal(
      after.reduce((sum, balance) => sum + balance, 0),
      400,
    );
    assert.ok(after.every((balance) => balance >= 0));
  });

  it('has the same balances and headers at all replicas, also at one that was away', async () => {
    cluster.start(3);
    await cluster.waitReady([3]);
    const [first, ...others] = await Promise.all([0, 1, 2, 3].map((replica) => balances(replica)));
    for (const other of others) {
      assert.deepEqual(other, first);
    }
    await awaitAgreement(cluster);
  });

  it('is called from the command line and by the example client', async () => {
    const operation = operationOf({ op: 'balance', account: 'alice' });
    const address = `127.0.0.1:${cluster.clientPorts[2]}`;
    const text = Buffer.from(operation).toString('base64');
    const { code, out, errors } = await pbft('submit', '--address', address, text);
    assert.equal(code, 0, errors);
    const { balance } = resultOf(Buffer.from(out, 'base64'));
    const client = new RunningCommand(process.execPath, [join(EXAMPLES, 'client.js'), address, operation.toString()]);
    const said = await client.ended;
    assert.equal(said.code, 0, said.errors);
    assert.match(said.out, new RegExp(`^\\{"ok":true,"balance":${balance},"openedMs":\\d+\\} \\(sequence \\d+\\)\\n$`));
  });

  it('refuses at the door what it says is malformed, and serves no KeyValueService', async () => {
    await assert.rejects(cluster.client(0).submit(operationOf({ op: 'steal' })), (error) => {
      assert.ok(error instanceof ClientError);
      assert.deepEqual([error.code, error.field], ['INVALID_ARGUMENT', 'operation']);
      assert.match(error.message, /has an op that is none of open, deposit/);
      return true;
    });
    await assert.rejects(
      cluster.client(0).put('key', 'value'),
      (error) => error instanceof ClientError && error.code === 'UNIMPLEMENTED' && error.outcomeKnown,
    );
  });
});

describe('an own application that is not deterministic', function () {
  this.timeout(90_000);
  let directory: string;
  let cluster: TestCluster;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-coin-'));
    const file = join(directory, 'coin.mjs');
    const example = JSON.stringify(pathToFileURL(ACCOUNTS_FILE).href);
    // At one replica it adds what the environment of its process says.
    writeFileSync(
      file,
      `import { stateMachine as accounts } from ${example};
       const more = process.env.COIN ?? '';
       export const stateMachine = {
         ...accounts,
         prepare(operation) {
           const prepared = accounts.prepare(operation);
           const execute = (...given) => Buffer.concat([prepared.execute(...given), Buffer.from(more)]);
           return { ...prepared, execute };
         },
       };`,
    );
    cluster = await startCluster({
      application: { name: 'accounts', file },
      parameters: { checkpointInterval: 4, windowSize: 8 },
      starting: [0, 1, 2],
    });
    cluster.start(3, { COIN: ' ' });
    await cluster.waitReady([3]);
  });
  after(async () => {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('CK-03: is noticed at the next checkpoint by the replica that differs, which stops voting; others go on', async () => {
    const said = (): boolean => /diverged/.test(cluster.logs(3));
    for (let index = 0; index < 8 && !said(); index++) {
      await cluster.client(0).submit(operationOf({ op: 'open', account: `a-${index}` }));
    }
    await eventually(said, { withinMs: 20_000, describe: () => cluster.logs(3) });
    await cluster.client(1).submit(operationOf({ op: 'open', account: 'more' }));
  });
});

describe('the command line with an own application', function () {
  this.timeout(60_000);
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-init-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('makes a cluster of it, validates it and starts it, and says where its module is gone', async () => {
    const home = join(directory, 'one');
    const basePort = String(await findBasePort(1));
    const file = join(directory, 'mine.mjs');
    writeFileSync(file, readFileSync(ACCOUNTS_FILE));
    const made = await pbft('init', '--dir', home, '--replicas', '1', '--base-port', basePort, '--application', file);
    assert.equal(made.code, 0, made.errors);
    const config = join(home, 'replica-0/config.yaml');
    assert.match(readFileSync(join(home, 'genesis.json'), 'utf8'), /"application": "accounts"/);
    assert.match(readFileSync(config, 'utf8'), /^applicationFile: ".*mine\.mjs"/m);
    assert.equal((await pbft('config', 'validate', '--config', config)).code, 0);

    const started = await pbft('cluster', '--dir', home, '--detach');
    assert.equal(started.code, 0, started.errors);
    try {
      const submitted = await pbft('submit', '--cluster', home, Buffer.from('{"op":"list"}').toString('base64'));
      assert.equal(Buffer.from(submitted.out, 'base64').toString(), '{"ok":true,"accounts":[]}', submitted.errors);
    } finally {
      await pbft('cluster', '--dir', home, '--stop');
    }

    const other = await pbft('cluster', '--dir', home, '--detach', '--application', ACCOUNTS_FILE);
    assert.match(other.errors, /runs .*mine\.mjs, not .*accounts\.js/);
    rmSync(file);
    const invalid = await pbft('config', 'validate', '--config', config);
    assert.equal(invalid.code, 1);
    assert.match(invalid.errors, /config\.yaml.*applicationFile.*mine\.mjs can't be loaded/);
    const moved = await pbft('config', 'validate', '--config', config, '--set', `applicationFile=${ACCOUNTS_FILE}`);
    assert.equal(moved.code, 0, moved.errors);
  });

  it('says which file is no application, and makes nothing', async () => {
    const home = join(directory, 'none');
    const { code, errors } = await pbft('init', '--dir', home, '--application', join(EXAMPLES, 'nothing.js'));
    assert.equal(code, 2, errors);
    assert.match(errors, /nothing\.js can't be loaded/);
    assert.match(errors, /docs\/own-application\.md/);
  });
});

describe('the guide to own applications', function () {
  this.timeout(60_000);
  let directory: string;
  let basePort: number;

  const normalize = (text: string): string =>
    normalizeOutput(text).replace(/"result": "[^"]+"/g, '"result": "<bytes>"');
  const here = (command: string): string =>
    command
      .replace(/127\.0\.0\.1:7(\d{3})/g, (_, port: string) => `127.0.0.1:${basePort + Number(port) - 400}`)
      .replaceAll('npx --no pbft', 'node bin/pbft.js')
      .replaceAll('.accounts', `'${directory}'`)
      .replace('--detach', `--detach --base-port ${basePort}`);

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-guide-'));
    basePort = await findBasePort(4);
  });
  after(async () => {
    await pbft('cluster', '--dir', directory, '--stop');
    rmSync(directory, { recursive: true, force: true });
  });

  for (const { command, output } of readConsoleSteps(GUIDE)) {
    it(`prints what it says: ${command}`, async function () {
      if (command.startsWith('grpcurl') && spawnSync('grpcurl', ['-version']).error !== undefined) {
        skip(this, 'grpcurl is not installed');
      }
      const { code, out, errors } = await new RunningCommand('sh', ['-c', here(command)]).ended;
      assert.equal(code, 0, `${out}\n${errors}`);
      if (output !== '…') {
        assert.equal(normalize(out), normalize(output));
      }
    });
  }

  it('shows of the example what stands there', () => {
    const [, shown = ''] = /```js\n(.*?)```/s.exec(GUIDE) ?? [];
    assert.ok(shown.includes('startReplica({'));
    assert.ok(readFileSync(join(EXAMPLES, 'start.js'), 'utf8').includes(shown.trim()));
  });
});
