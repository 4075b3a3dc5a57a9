/** The package as a user gets it: packed, installed in an empty folder, used from JavaScript, TypeScript and a shell. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { findBasePort } from '../support/cluster-ports.js';

const ROOT = resolve(import.meta.dirname, '../..');
const EXECUTE_MAX_MS = 120_000;

/** A program in TypeScript that uses every part of the public face. */
const PROGRAM = `
import {
  ClientError, ConfigurationError, connect, initializeCluster, StartError, startReplica,
  type Client, type ExecutionContext, type ExecutionStore, type PreparedOperation, type StartedReplica, type StateMachine,
} from 'pbft';

export const counter: StateMachine = {
  name: 'counter',
  prepare: (operation: Uint8Array): PreparedOperation => ({
    keys: [new Uint8Array([1])],
    execute(_context: ExecutionContext, store: ExecutionStore): Uint8Array {
      const next = (store.get(new Uint8Array([1]))?.[0] ?? 0) + operation.length;
      store.put(new Uint8Array([1]), new Uint8Array([next]));
      return new Uint8Array([next]);
    },
  }),
  query: async () => new Uint8Array(),
};

export async function run(directory: string): Promise<void> {
  const cluster = await initializeCluster({ directory, replicaCount: 1, application: 'counter' });
  const file = cluster.replicas[0]?.configurationFile ?? '';
  const replica: StartedReplica = await startReplica({ file, stateMachine: counter, onFatal: (reason) => { throw new Error(reason); } });
  const client: Client = connect(replica.addresses.client, { timeoutMs: 5_000 });
  try {
    const { result, sequence } = await client.submit(new Uint8Array(3), { requestId: 'one' });
    const numbers: readonly number[] = [...result, sequence];
    void numbers;
  } catch (error) {
    if (error instanceof ClientError) { const known: boolean = error.outcomeKnown; void known; }
    if (error instanceof StartError || error instanceof ConfigurationError) { void error.message; }
  }
  client.close();
  await replica.stop();
}
`;

describe('the package', function () {
  this.timeout(240_000);
  let directory: string;
  let app: string;
  let files: readonly string[];

  const execute = (command: string, ...parameters: string[]): Promise<string> =>
    new Promise((done, fail) => {
      const options = {
        cwd: app,
        timeout: EXECUTE_MAX_MS,
        env: { ...process.env, npm_config_update_notifier: 'false' },
      };
      execFile(command, parameters, options, (error, stdout, stderr) =>
        error === null ? done(stdout) : fail(new Error(`${command} ${parameters.join(' ')}\n${stdout}\n${stderr}`)),
      );
    });
  const installed = (path: string): string => join(app, 'node_modules/pbft', path);

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-package-'));
    app = join(directory, 'an app');
    mkdirSync(app);
    const pack = ['pack', ROOT, '--ignore-scripts', '--json', '--pack-destination', directory];
    const [packed] = JSON.parse(await execute('npm', ...pack)) as [{ filename: string; files: { path: string }[] }];
    files = packed.files.map(({ path }) => path);
    writeFileSync(join(app, 'package.json'), '{ "name": "an-app", "type": "module", "private": true }');
    // Without install scripts: where there is a prebuilt binary nothing has to be allowed (README).
    await execute('npm', 'install', join('..', packed.filename), '--prefer-offline', '--ignore-scripts', '--no-audit');
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('holds what a user reads and runs, and nothing that develops it', () => {
    for (const wanted of [
      'README.md',
      'LICENSE',
      'docs/own-application.md',
      'examples/accounts/accounts.js',
      'proto/pbft/v1/client.proto',
      'deploy/prometheus/alerts.yml',
      'dist/index.d.ts',
    ]) {
      assert.ok(files.includes(wanted), wanted);
    }
    const stray = files.filter((path) => /\.ts$/.test(path) && !path.endsWith('.d.ts'));
    assert.deepEqual(stray, []);
    assert.deepEqual(
      files.filter((path) =>
        /^(?:src|\.|node_modules)|^test\/(?!scenario\/[^/]*\.txt$)|buf.*yaml$|tsbuildinfo$/.test(path),
      ),
      [],
    );
  });

  it('has the source of every line that a source map points to', () => {
    const maps = files.filter((path) => path.endsWith('.map'));
    assert.ok(maps.length > 100);
    for (const path of maps) {
      const { sources, sourcesContent } = JSON.parse(readFileSync(installed(path), 'utf8')) as {
        readonly sources: readonly string[];
        readonly sourcesContent?: readonly (string | null)[];
      };
      assert.equal(sourcesContent?.length, sources.length, path);
      assert.ok(
        sourcesContent?.every((content) => typeof content === 'string'),
        path,
      );
    }
  });

  it('has the files that its documents link to', () => {
    for (const document of files.filter((path) => path.endsWith('.md'))) {
      const text = readFileSync(installed(document), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\((?![a-z]+:)([^)#\s]+)/g)) {
        assert.ok(existsSync(join(installed(dirname(document)), target)), `${document} links to ${target}`);
      }
    }
  });

  it('brings none of its development dependencies', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly devDependencies: Readonly<Record<string, string>>;
    };
    const brought = Object.keys(devDependencies).filter(
      // The RPC library depends on these types itself.
      (name) => name !== '@types/node' && existsSync(join(app, 'node_modules', name)),
    );
    assert.deepEqual(brought, []);
  });

  it('says its version, and what there is', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
    assert.ok((await execute('npx', 'pbft', 'version')).startsWith(`pbft ${version} `));
    assert.match(await execute('npx', 'pbft', '--help'), /cluster/);
  });

  it('is imported from plain JavaScript, and gives nothing else away', async () => {
    writeFileSync(
      join(app, 'names.js'),
      `import * as pbft from 'pbft';
       console.log(typeof pbft.connect, typeof pbft.startReplica, typeof pbft.initializeCluster);
       await import('pbft/dist/index.js').catch((error) => console.log(error.code));`,
    );
    assert.equal(await execute('node', 'names.js'), 'function function function\nERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  it('has types for TypeScript, also for the example in JavaScript', async () => {
    writeFileSync(join(app, 'program.ts'), PROGRAM);
    const example = join(app, 'accounts');
    mkdirSync(example);
    for (const name of readdirSync(installed('examples/accounts')).filter((one) => one.endsWith('.js'))) {
      writeFileSync(join(example, name), readFileSync(installed(`examples/accounts/${name}`)));
    }
    if (!existsSync(join(app, 'node_modules/@types/node'))) {
      mkdirSync(join(app, 'node_modules/@types'), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules/@types/node'), join(app, 'node_modules/@types/node'));
    }
    const compilerOptions = {
      target: 'ES2022',
      module: 'NodeNext',
      strict: true,
      noEmit: true,
      allowJs: true,
      checkJs: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
      types: ['node'],
    };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['program.ts', 'accounts'] }));
    await execute(process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.');
  });

  it('starts a cluster of one replica, also of an own application', async () => {
    for (const more of [[], ['--application', 'node_modules/pbft/examples/accounts/accounts.js']]) {
      const home = join(app, `cluster ${more.length}`);
      const basePort = String(await findBasePort(1));
      await execute(
        'npx',
        'pbft',
        'cluster',
        '--dir',
        home,
        '--replicas',
        '1',
        '--base-port',
        basePort,
        '--detach',
        ...more,
      );
      try {
        if (more.length === 0) {
          await execute('npx', 'pbft', 'put', '--cluster', home, 'key', 'value');
          assert.equal(await execute('npx', 'pbft', 'get', '--cluster', home, 'key'), 'value\n');
        } else {
          const client = 'node_modules/pbft/examples/accounts/client.js';
          const said = await execute('node', client, `127.0.0.1:${basePort}`, '{"op":"open","account":"alice"}');
          assert.equal(said, '{"ok":true,"balance":0} (sequence 1)\n');
        }
      } finally {
        await execute('npx', 'pbft', 'cluster', '--dir', home, '--stop');
      }
    }
  });
});
