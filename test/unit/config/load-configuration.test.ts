/** Loading a replica's configuration: where values come from, who wins, and how each mistake is named. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { computeEffectiveSettings, formatEffectiveSettings } from '../../../src/config/effective-settings.js';
import { type ConfigurationSources, loadConfiguration } from '../../../src/config/load-configuration.js';
import { SETTINGS } from '../../../src/config/setting-table.js';
import type { LocalParameters } from '../../../src/protocol/parameters.js';
import {
  ConfigurationError,
  type ConfigurationProblem,
  describeProblem,
} from '../../../src/util/configuration-error.js';

const MINIMAL = `
replica: 1
listen: { client: "127.0.0.1:7401", peer: "127.0.0.1:7501", http: "127.0.0.1:7601" }
tls: {}
peers: { 0: "127.0.0.1:7500", 2: "[::1]:7502" }
`;

describe('the configuration', () => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-configuration-'));
    file = join(directory, 'config.yaml');
    writeFileSync(file, MINIMAL);
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  function problemsOf(sources: ConfigurationSources): readonly ConfigurationProblem[] {
    try {
      loadConfiguration(sources);
    } catch (error) {
      assert.ok(error instanceof ConfigurationError, String(error));
      return error.problems;
    }
    return assert.fail('the configuration was accepted');
  }

  /** The one problem of the minimal file with more text. */
  function problemOf(more: string, from = MINIMAL): ConfigurationProblem {
    writeFileSync(file, `${from}\n${more}\n`);
    const [problem, ...others] = problemsOf({ file });
    assert.deepEqual(others, []);
    assert.ok(problem);
    return problem;
  }

  it('needs little: the rest has defaults', () => {
    const { configuration } = loadConfiguration({ file });
    const expected: LocalParameters = {
      pipeline: 8,
      requestTimeoutMs: 2_000,
      requestTimeoutMaxMs: 60_000,
      batchDelayMs: 20,
      waitingRequestsOfClientMax: 1_024,
      waitingRequestsMax: 16_384,
      waitingBytesMax: 64 * 1024 * 1024,
    };
    assert.deepEqual(configuration.agreement, expected);
    assert.equal(configuration.link.messageBytesMax, 16 * 1024 * 1024);
    assert.equal(configuration.storage.engine, 'auto');
    assert.equal(configuration.storage.unsafeNoFsync, false);
    assert.equal(configuration.clients.allowPlaintext, false);
    assert.deepEqual(configuration.peers, { 0: { host: '127.0.0.1', port: 7500 }, 2: { host: '::1', port: 7502 } });
    assert.deepEqual(configuration.listen.http, { host: '127.0.0.1', port: 7601 });
  });

  it('takes flags over environment variables over the file over defaults', () => {
    writeFileSync(file, `${MINIMAL}\nagreement: { pipeline: 2, batchDelayMs: 3, requestTimeoutMs: 300 }\n`);
    const loaded = loadConfiguration({
      file,
      environment: { PBFT_AGREEMENT_PIPELINE: '4', PBFT_AGREEMENT_BATCH_DELAY_MS: '5', PBFT_LOG_LEVEL: '', HOME: '/' },
      flags: { 'agreement.pipeline': '6', 'storage.unsafeNoFsync': 'true' },
    });
    const { agreement, storage, logLevel } = loaded.configuration;
    assert.deepEqual([agreement.pipeline, agreement.batchDelayMs, agreement.requestTimeoutMs], [6, 5, 300]);
    assert.equal(storage.unsafeNoFsync, true);
    assert.equal(logLevel, 'info');
    const origins = new Map(computeEffectiveSettings(loaded).map((one) => [one.path, `${one.source} ${one.origin}`]));
    assert.equal(origins.get('agreement.pipeline'), 'flag agreement.pipeline');
    assert.equal(origins.get('agreement.batchDelayMs'), 'environment PBFT_AGREEMENT_BATCH_DELAY_MS');
    assert.equal(origins.get('agreement.requestTimeoutMs'), `file ${file}`);
    assert.equal(origins.get('logLevel'), 'default ');
  });

  it('lets each peer be overridden alone', () => {
    const { configuration } = loadConfiguration({
      file,
      environment: { PBFT_PEERS_0: 'proxy:1', PBFT_PEERS_3: '10.0.0.3:2' },
      flags: { 'peers.2': '10.0.0.2:3' },
    });
    assert.deepEqual(configuration.peers, {
      0: { host: 'proxy', port: 1 },
      2: { host: '10.0.0.2', port: 3 },
      3: { host: '10.0.0.3', port: 2 },
    });
    const listed = loadConfiguration({ file, environment: { PBFT_PEERS: '2=a:1, 3=b:2' } });
    assert.deepEqual(listed.configuration.peers['0'], { host: '127.0.0.1', port: 7500 });
    assert.deepEqual(listed.configuration.peers['3'], { host: 'b', port: 2 });
  });

  it('needs no file', () => {
    const { configuration } = loadConfiguration({
      workingDirectory: '/srv/replica',
      environment: {
        PBFT_REPLICA: '0',
        PBFT_LISTEN_CLIENT: 'localhost:1',
        PBFT_LISTEN_PEER: '0.0.0.0:2',
        PBFT_LISTEN_HTTP: '[::1]:3',
        PBFT_TLS_KEY_FILE: 'secrets/tls.key',
      },
    });
    assert.equal(configuration.tls.keyFile, '/srv/replica/secrets/tls.key');
    assert.equal(configuration.signingKeyFile, '/srv/replica/signing.key');
  });

  it('takes paths relative to the file they stand in, and those of variables and flags to the working directory', () => {
    const elsewhere = join(directory, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(file, `${MINIMAL}\ngenesisFile: ../genesis.json\ndataDirectory: /data\n`);
    const { configuration } = loadConfiguration({
      file: '../config.yaml',
      workingDirectory: elsewhere,
      environment: { PBFT_SIGNING_KEY_FILE: 'own.key' },
      flags: { 'tls.authorityFile': '../ca.crt' },
    });
    assert.equal(configuration.genesisFile, join(directory, '../genesis.json'));
    assert.equal(configuration.dataDirectory, '/data');
    assert.equal(configuration.signingKeyFile, join(elsewhere, 'own.key'));
    assert.equal(configuration.tls.authorityFile, join(directory, 'ca.crt'));
    assert.equal(configuration.tls.certificateFile, join(directory, 'tls.crt'));
  });

  it('names an unknown key and the nearest known one, wherever it stands', () => {
    const inGroup = problemOf('agreement: { pipelin: 3 }');
    assert.equal(inGroup.path, 'agreement.pipelin');
    assert.equal(inGroup.file, file);
    assert.match(inGroup.remedy, /Did you mean `pipeline`/);
    assert.match(problemOf('loglevel: debug').remedy, /Did you mean `logLevel`/);
    assert.match(problemOf('zzzzzzzzzzzz: 1').remedy, /known are replica, genesisFile/);
    const [flag] = problemsOf({ file, flags: { 'agreement.requestTimeoutMS': '3' } });
    assert.deepEqual([flag?.file, flag?.path], ['flags', 'agreement.requestTimeoutMS']);
    assert.match(flag?.remedy ?? '', /agreement\.requestTimeoutMs/);
    const [variable] = problemsOf({ file, environment: { PBFT_LOGLEVEL: 'debug' } });
    assert.deepEqual([variable?.file, variable?.path], ['environment', 'PBFT_LOGLEVEL']);
    assert.match(variable?.remedy ?? '', /PBFT_LOG_LEVEL/);
    assert.equal(problemsOf({ file, environment: { PBFT_PEERS_X: 'a:1' } })[0]?.path, 'PBFT_PEERS_X');
  });

  it("leaves alone the variables that Kubernetes makes of a service's name, and those of others", () => {
    const environment = {
      PBFT_0_SERVICE_HOST: '10.0.0.1',
      PBFT_SERVICE_PORT_CLIENT: '7400',
      PBFT_PORT: 'tcp://10.0.0.1:7400',
      PBFT_PORT_7400_TCP_ADDR: '10.0.0.1',
      PBFT_CLUSTER: '.cluster',
      PBFT_TEST_ANYTHING: '1',
      PBFTX: '1',
    };
    assert.equal(loadConfiguration({ file, environment }).configuration.replica, 1);
  });

  it('points at the variable or flag that gave a wrong value', () => {
    const [variable] = problemsOf({ file, environment: { PBFT_AGREEMENT_PIPELINE: 'many' } });
    assert.deepEqual([variable?.file, variable?.path], ['environment', 'PBFT_AGREEMENT_PIPELINE']);
    assert.match(variable?.message ?? '', /not a (?:whole )?number/);
    const [flag] = problemsOf({ file, flags: { 'listen.client': '7400' } });
    assert.deepEqual([flag?.file, flag?.path], ['flags', 'listen.client']);
    assert.match(flag?.message ?? '', /`7400` is not an address/);
    const [peer] = problemsOf({ file, environment: { PBFT_PEERS_3: 'nowhere' } });
    assert.deepEqual([peer?.file, peer?.path], ['environment', 'PBFT_PEERS_3']);
  });

  it('keeps every number within its bounds', () => {
    const numbers = SETTINGS.filter(({ kind, path }) => kind === 'integer' && path !== 'replica');
    assert.ok(numbers.length > 15);
    for (const { path, allowed = '' } of numbers) {
      const [min = 0, max = 0] = allowed.split(' to ').map(Number);
      assert.ok(min < max, path);
      const low = problemsOf({ file, flags: { [path]: String(min - 1) } });
      assert.ok(
        low.some((one) => one.path === path && one.remedy === `Give at least ${min}`),
        `${path} below`,
      );
      const high = problemsOf({ file, flags: { [path]: String(max + 1) } });
      assert.ok(
        high.some((one) => one.path === path && one.remedy === `Give at most ${max}`),
        `${path} above`,
      );
      assert.ok(
        problemsOf({ file, flags: { [path]: '1.5' } }).some((one) => one.path === path),
        `${path} fraction`,
      );
    }
  });

  it('takes only the words of a choice, and only true or false', () => {
    const engine = problemOf('storage: { engine: rocks }');
    assert.equal(engine.path, 'storage.engine');
    assert.match(engine.remedy, /auto, rocksdb, leveldb/);
    assert.match(problemOf('storage: { unsafeNoFsync: "yes" }').message, /not true or false/);
  });

  it('names what is missing', () => {
    const paths = problemsOf({ workingDirectory: directory }).map(({ path, message }) => `${path}: ${message}`);
    assert.ok(paths.includes('replica: a value is missing'));
    assert.ok(paths.some((path) => path.startsWith('listen')));
  });

  it('OP-08 serves callers without TLS on loopback only, unless told so', () => {
    const beyond = MINIMAL.replace('127.0.0.1:7401', '0.0.0.0:7401');
    const problem = problemOf('', beyond);
    assert.equal(problem.path, 'listen.client');
    assert.match(problem.message, /without TLS on 0\.0\.0\.0:7401/);
    assert.match(problem.remedy, /clients\.allowPlaintext/);
    for (const more of ['clients: { allowPlaintext: true }', 'clients: { tlsKeyFile: a, tlsCertificateFile: b }']) {
      writeFileSync(file, `${beyond}\n${more}\n`);
      assert.equal(loadConfiguration({ file }).configuration.listen.client.host, '0.0.0.0');
    }
    for (const host of ['localhost', '127.9.9.9', '[::1]']) {
      writeFileSync(file, MINIMAL.replace('127.0.0.1:7401', `${host}:7401`));
      loadConfiguration({ file });
    }
    for (const host of ['127.0.0.1.example', '[::]', '10.0.0.1']) {
      assert.equal(problemOf('', MINIMAL.replace('127.0.0.1:7401', `${host}:7401`)).path, 'listen.client');
    }
  });

  it('refuses settings that contradict each other, with both numbers', () => {
    const cases: readonly [string, string, RegExp][] = [
      ['clients: { callTimeoutMs: 5000, callTimeoutMaxMs: 4000 }', 'clients.callTimeoutMaxMs', /\(4000\).*\(5000\)/],
      [
        'agreement: { requestTimeoutMs: 9000, requestTimeoutMaxMs: 8000 }',
        'agreement.requestTimeoutMaxMs',
        /\(8000\).*\(9000\)/,
      ],
      ['agreement: { waitingRequestsMax: 10 }', 'agreement.waitingRequestsMax', /\(10\).*\(1024\)/],
      ['link: { queuedBytesMax: 65536 }', 'link.queuedBytesMax', /\(65536\).*\(16777216\)/],
      ['queues: { peerBytesMax: 65536 }', 'queues.peerBytesMax', /\(65536\).*\(16777216\)/],
      ['clients: { tlsKeyFile: a }', 'clients.tlsCertificateFile', /both a key and a certificate/],
      ['clients: { tlsCertificateFile: a }', 'clients.tlsKeyFile', /both a key and a certificate/],
    ];
    for (const [more, path, message] of cases) {
      const problem = problemOf(more);
      assert.equal(problem.path, path);
      assert.match(problem.message, message);
    }
    const shared = problemOf('', MINIMAL.replace('7601', '7501'));
    assert.equal(shared.path, 'listen.http');
    assert.match(shared.message, /127\.0\.0\.1:7501 is also `listen\.peer`/);
  });

  it('is well-formed YAML without repeated keys and aliases', () => {
    assert.match(problemOf('replica: 2').message, /unique/);
    assert.match(problemOf('a: [').message, /not well-formed YAML/);
    assert.match(problemOf('logLevel: &a info\nx: *a').message, /aliases are not allowed/);
    assert.match(problemOf('- a', '').message, /no map of settings/);
    writeFileSync(file, new Uint8Array([0xff, 0xfe, 0x00]));
    assert.match(problemsOf({ file })[0]?.message ?? '', /not UTF-8/);
    assert.match(problemsOf({ file: join(directory, 'none.yaml') })[0]?.message ?? '', /missing/);
  });

  it('IV-07 takes `__proto__` as the unknown key that it is', () => {
    assert.equal(problemOf('__proto__: { replica: 3 }').path, '__proto__');
    assert.equal(problemOf('agreement: { __proto__: { pipeline: 3 } }').path, 'agreement.__proto__');
    assert.equal(({} as Record<string, unknown>)['replica'], undefined);
  });

  it('prints every setting with its value and source, one a line', () => {
    const text = formatEffectiveSettings(computeEffectiveSettings(loadConfiguration({ file })));
    const lines = text.trimEnd().split('\n');
    for (const { path } of SETTINGS.filter(({ kind }) => kind !== 'addresses')) {
      assert.equal(lines.filter((line) => line.startsWith(`${path} `)).length, 1, path);
    }
    assert.match(text, new RegExp(`^peers\\.2 +\\[::1\\]:7502 +file ${file}$`, 'm'));
    assert.match(text, /^agreement\.pipeline +8 +default$/m);
    assert.match(text, /^clients\.tlsKeyFile +- +default$/m);
    assert.match(text, new RegExp(`^signingKeyFile +${directory}/signing\\.key +default$`, 'm'));
  });

  it('has problems that read as one line: where, what, what to do', () => {
    const problem = problemOf('agreement: { pipelin: 3 }');
    const line = `${file}: agreement.pipelin: \`pipelin\` is not known here. Did you mean \`pipeline\`?`;
    assert.equal(describeProblem(problem), line);
  });
});
