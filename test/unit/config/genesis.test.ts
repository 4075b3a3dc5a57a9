/** What a genesis must be, and how each fault is named. */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { type Genesis, type GenesisFile, loadGenesis, parseGenesis } from '../../../src/config/genesis.js';
import { computeClientId } from '../../../src/crypto/keys.js';
import { genesisTools } from '../../../src/replica/initialize-check.js';
import { ConfigurationError } from '../../../src/util/configuration-error.js';
import { genesisBytesOf, newGenesisContent, newPublicKeyText } from '../../support/genesis-content.js';

const FILE = '/somewhere/genesis.json';

function parse(content: unknown): Genesis {
  return parseGenesis(genesisBytesOf(content), FILE, genesisTools);
}

function refusalOf(bytes: Uint8Array): ConfigurationError {
  try {
    parseGenesis(bytes, FILE, genesisTools);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    assert.equal(error.file, FILE);
    return error;
  }
  return assert.fail('the genesis was accepted');
}

/** Asserts that one change of a valid genesis is refused at a path with a message. */
function assertRefused(change: (content: GenesisFile) => unknown, path: string, message: RegExp): void {
  const content = newGenesisContent();
  const changed = change(content) ?? content;
  const error = refusalOf(genesisBytesOf(changed));
  const problem = error.problems.find((one) => one.path === path);
  assert.ok(problem, `no problem at ${path}: ${JSON.stringify(error.problems)}`);
  assert.match(problem.message, message);
}

type Mutable = { -readonly [K in keyof GenesisFile['parameters']]: number };

function withParameters(changes: Partial<Mutable>): (content: GenesisFile) => void {
  return (content) => {
    content.parameters = { ...content.parameters, ...changes };
  };
}

function replicaAt(content: GenesisFile, index: number): GenesisFile['replicas'][number] {
  const replica = content.replicas[index];
  assert.ok(replica);
  return replica;
}

type Replica = GenesisFile['replicas'][number];

/** Changes one replica, by a rule that may look at the others. */
function withReplica(index: number, changes: (content: GenesisFile) => Partial<Replica>) {
  return (content: GenesisFile): GenesisFile => ({
    ...content,
    replicas: content.replicas.map((one, place) => (place === index ? { ...one, ...changes(content) } : one)),
  });
}

/** Gives the one client another key. */
function withClientKey(key: (content: GenesisFile) => string) {
  return (content: GenesisFile): GenesisFile => ({ ...content, clients: [{ name: 'c', key: key(content) }] });
}

describe('the genesis', () => {
  it('gives replicas, clients, keys, parameters and digests', () => {
    const content = newGenesisContent(7);
    const bytes = genesisBytesOf(content);
    const genesis = parseGenesis(bytes, FILE, genesisTools);
    assert.equal(genesis.clusterId, createHash('sha256').update(bytes).digest('hex'));
    assert.equal(genesis.replicas.length, 7);
    assert.deepEqual(
      genesis.replicas.map(({ id, name, tlsKeyPin }) => ({ id, name, tlsKeyPin })),
      content.replicas.map(({ id, name, tlsKeyPin }) => ({ id, name, tlsKeyPin })),
    );
    assert.equal(genesis.quorumSizes.quorum, 5);
    assert.equal(genesis.signatureBytesMax, 256);
    assert.deepEqual(genesis.parameters, content.parameters);
    const ids = [...genesis.replicaKeys.map(computeClientId), genesis.clients[0]?.id];
    assert.deepEqual([...genesis.clientKeys.keys()], ids);
  });

  it('has another cluster id for any change of its bytes', () => {
    const content = newGenesisContent();
    const spaced = new TextEncoder().encode(JSON.stringify(content, undefined, 1));
    assert.notEqual(parse(content).clusterId, parseGenesis(spaced, FILE, genesisTools).clusterId);
  });

  it('takes keys in PEM form too', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const content = newGenesisContent();
    replicaAt(content, 2).signingKey = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    assert.equal(computeClientId(parse(content).replicaKeys[2] ?? publicKey), computeClientId(publicKey));
  });

  it('MK-01 has 1 replica or 4 to 100', () => {
    for (const count of [0, 2, 3, 101]) {
      assert.throws(() => parse(newGenesisContent(count)), ConfigurationError, `${count} replicas`);
    }
    assertRefused((content) => ({ ...content, replicas: content.replicas.slice(0, 3) }), 'replicas', /not 3/);
    assert.equal(parse(newGenesisContent(1)).quorumSizes.faultsMax, 0);
    assert.equal(parse(newGenesisContent(6)).quorumSizes.quorum, 4);
  });

  it('numbers the replicas from 0 in order', () => {
    assertRefused((content) => content.replicas.reverse() && content, 'replicas.0.id', /place 0 has id 3/);
    assertRefused(
      withReplica(1, () => ({ id: 0 })),
      'replicas.1.id',
      /place 1 has id 0/,
    );
  });

  it('MK-02 has no key twice, not between replicas, clients, signing and TLS', () => {
    const pinOf = (text: string) => createHash('sha256').update(Buffer.from(text, 'base64')).digest('hex');
    assertRefused(
      withReplica(3, (content) => ({ signingKey: replicaAt(content, 1).signingKey })),
      'replicas.3.signingKey',
      /also at replicas\.1\.signingKey/,
    );
    assertRefused(
      withClientKey((content) => replicaAt(content, 2).signingKey),
      'clients.0.key',
      /also at replicas\.2\.signingKey/,
    );
    assertRefused(
      withReplica(3, (content) => ({ tlsKeyPin: replicaAt(content, 0).tlsKeyPin })),
      'replicas.3.tlsKeyPin',
      /also at replicas\.0\.tlsKeyPin/,
    );
    assertRefused(
      withReplica(1, (content) => ({ tlsKeyPin: pinOf(replicaAt(content, 1).signingKey) })),
      'replicas.1.tlsKeyPin',
      /also at replicas\.1\.signingKey/,
    );
  });

  it('MK-02 has no key that the key policy refuses', () => {
    const set = (signingKey: string) => withReplica(2, () => ({ signingKey }));
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    const path = 'replicas.2.signingKey';
    assertRefused(set(newPublicKeyText(1024)), path, /1024 bits/);
    assertRefused(set(newPublicKeyText(2048, 'Aw')), path, /exponent is 3/);
    assertRefused(set(ec.export({ type: 'spki', format: 'pem' }).toString()), path, /type ec/);
    assertRefused(set('nonsense'), path, /can not be decoded/);
    assertRefused(
      withClientKey(() => 'x!'),
      'clients.0.key',
      /SPKI/,
    );
  });

  it('has names that are unique and printable', () => {
    assertRefused(
      withReplica(1, () => ({ name: 'replica-0' })),
      'replicas.1.name',
      /also at/,
    );
    for (const name of ['', ' a', 'a ', 'a\nb', 'a\u202eb', 'x'.repeat(65), '-a']) {
      assertRefused(
        withReplica(1, () => ({ name })),
        'replicas.1.name',
        /a name has 1 to 64/,
      );
    }
    for (const name of ['Apple', 'MS', 'Zürich 2', 'a.b_c-d', '日本']) {
      const content = newGenesisContent();
      replicaAt(content, 1).name = name;
      assert.equal(parse(content).replicas[1]?.name, name);
    }
  });

  it('has parameters that fit each other, and each refusal names both numbers', () => {
    const cases: readonly [Partial<Mutable>, string, RegExp][] = [
      [{ windowSize: 300 }, 'windowSize', /window \(300\) is no multiple of checkpointInterval \(128\)/],
      [{ windowSize: 128 }, 'windowSize', /window \(128\) is less than twice checkpointInterval \(128\)/],
      [{ snapshotInterval: 8_000 }, 'snapshotInterval', /snapshot interval \(8000\) is no multiple .*\(128\)/],
      [{ requestBytesMax: 2_097_152 }, 'requestBytesMax', /2097152 bytes does not fit .*2097152/],
      [{ keptResultBytesMax: 1_048_576 }, 'keptResultBytesMax', /\(1048576\) does not hold .*\(1114112\)/],
      [{ batchOperationsMax: 65_537 }, 'batchOperationsMax', /too large/],
      [{ batchOperationsMax: 0 }, 'batchOperationsMax', /too small/],
      [{ checkpointInterval: 1.5 }, 'checkpointInterval', /not a whole number/],
      [{ clockDriftMs: 0 }, 'clockDriftMs', /too small/],
    ];
    for (const [changes, path, message] of cases) {
      assertRefused(withParameters(changes), `parameters.${path}`, message);
    }
    const small = newGenesisContent();
    withParameters({ checkpointInterval: 4, windowSize: 8, snapshotInterval: 16, batchOperationsMax: 65_536 })(small);
    assert.equal(parse(small).parameters.windowSize, 8);
  });

  it('spells out every parameter: none has a default', () => {
    for (const name of Object.keys(newGenesisContent().parameters)) {
      assertRefused(
        (content) => ({
          ...content,
          parameters: Object.fromEntries(Object.entries(content.parameters).filter(([key]) => key !== name)),
        }),
        `parameters.${name}`,
        /a value is missing/,
      );
    }
  });

  it('has no unknown keys: each is named with the nearest known one', () => {
    const cases: readonly [(content: GenesisFile) => unknown, string, string][] = [
      [(content) => ({ ...content, replica: [] }), 'replica', 'replicas'],
      [
        (content) => ({ ...content, parameters: { ...content.parameters, windowsize: 1 } }),
        'parameters.windowsize',
        'windowSize',
      ],
      [
        (content) => ({ ...content, replicas: content.replicas.map((one) => ({ ...one, adress: 'x' })) }),
        'replicas.0.adress',
        '',
      ],
      [
        (content) => ({ ...content, replicas: content.replicas.map((one) => ({ ...one, tlsKeyPinn: 'x' })) }),
        'replicas.3.tlsKeyPinn',
        'tlsKeyPin',
      ],
    ];
    for (const [change, path, nearest] of cases) {
      const error = refusalOf(genesisBytesOf(change(newGenesisContent())));
      const problem = error.problems.find((one) => one.path === path);
      assert.match(problem?.message ?? '', /is not known here/);
      assert.match(problem?.remedy ?? '', nearest === '' ? /known are/ : new RegExp(`Did you mean \`${nearest}\``));
    }
  });

  it('IV-07 takes `__proto__` as the unknown key that it is', () => {
    const text = JSON.stringify(newGenesisContent()).replace('{', '{"__proto__":{"x":1},');
    assert.equal(refusalOf(new TextEncoder().encode(text)).path, '__proto__');
  });

  it('is refused whole where it is not JSON in UTF-8, or of another format', () => {
    for (const bytes of [new Uint8Array(), new Uint8Array([0xff, 0xfe]), new TextEncoder().encode('{"a":')]) {
      assert.match(refusalOf(bytes).message, /not JSON in UTF-8/);
    }
    assertRefused((content) => ({ ...content, format: 'pbft-genesis/2' }), 'format', /not allowed/);
    for (const value of [null, [], 5, 'x']) {
      assert.match(refusalOf(genesisBytesOf(value)).message, /is not/);
    }
  });

  it('that is missing is named with what to do', () => {
    assert.throws(
      () => loadGenesis('/nowhere/genesis.json', genesisTools),
      (error) => error instanceof ConfigurationError && /missing/.test(error.message) && /pbft init/.test(error.remedy),
    );
  });

  it('gives all problems at once', () => {
    const content = newGenesisContent();
    withParameters({ windowSize: 300 })(content);
    replicaAt(content, 1).id = 7;
    replicaAt(content, 2).signingKey = newPublicKeyText(1024);
    const paths = refusalOf(genesisBytesOf(content)).problems.map(({ path }) => path);
    assert.deepEqual(paths, ['replicas.1.id', 'parameters.windowSize', 'replicas.2.signingKey']);
  });

  it('IV-08 of any JSON is refused without any other exception', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.throws(
          () => parseGenesis(new TextEncoder().encode(text), FILE, genesisTools),
          (error) => error instanceof ConfigurationError,
        );
      }),
      { numRuns: 200 },
    );
  });
});
