/** What must hold between a replica's settings and the genesis. */
import assert from 'node:assert/strict';
import { checkAgainstGenesis } from '../../../src/config/checks.js';
import { type Genesis, parseGenesis } from '../../../src/config/genesis.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { computeLargestMessage } from '../../../src/config/message-size.js';
import type { ConsensusParameters } from '../../../src/protocol/parameters.js';
import { genesisTools } from '../../../src/replica/initialize-check.js';
import { genesisBytesOf, newGenesisContent } from '../../support/genesis-content.js';

const FLAGS = {
  replica: '0',
  'listen.client': '127.0.0.1:1',
  'listen.peer': '127.0.0.1:2',
  'listen.http': '127.0.0.1:3',
  'tls.keyFile': 'tls.key',
  'peers.1': 'one:1',
  'peers.2': 'two:1',
  'peers.3': 'three:1',
};

function genesisWith(changes: Partial<ConsensusParameters> = {}, replicaCount = 4): Genesis {
  const content = newGenesisContent(replicaCount);
  const bytes = genesisBytesOf({ ...content, parameters: { ...content.parameters, ...changes } });
  return parseGenesis(bytes, 'genesis.json', genesisTools);
}

function faultsOf(genesis: Genesis, flags: Record<string, string> = {}) {
  const { configuration } = loadConfiguration({ flags: { ...FLAGS, ...flags } });
  return checkAgainstGenesis(configuration, genesis);
}

describe('settings and genesis', () => {
  it('fit with the defaults', () => {
    assert.deepEqual(faultsOf(genesisWith()), []);
    assert.deepEqual(faultsOf(genesisWith(), { 'peers.0': 'zero:1' }), []);
  });

  it('GR-01 need links that carry the longest legal message: both sizes are named', () => {
    const { sizeBytes, name } = computeLargestMessage({
      quorumSizes: { replicaCount: 4 },
      signatureBytes: 256,
      parameters: genesisWith().parameters,
    });
    const fits = String(sizeBytes);
    const short = String(sizeBytes - 1);
    assert.deepEqual(faultsOf(genesisWith(), { 'link.messageBytesMax': fits }), []);
    const [fault, ...others] = faultsOf(genesisWith(), { 'link.messageBytesMax': short });
    assert.deepEqual(others, []);
    assert.equal(fault?.path, 'link.messageBytesMax');
    assert.equal(fault?.message, `a ${name} may have ${fits} bytes, the link carries ${short}`);
    assert.match(fault?.remedy ?? '', new RegExp(`at least ${fits}`));
  });

  it('GR-01 need it for view changes of many replicas with a wide window too', () => {
    const wide = genesisWith({ windowSize: 65_536, batchBytesMax: 1_200_000 }, 7);
    const peers = { 'peers.4': 'four:1', 'peers.5': 'five:1', 'peers.6': 'six:1' };
    const fault = faultsOf(wide, peers).find(({ path }) => path === 'link.messageBytesMax');
    assert.match(fault?.message ?? '', /a ViewChange may have \d{9} bytes, the link carries 16777216/);
  });

  it('need an id of the genesis and an address of every other replica', () => {
    assert.match(faultsOf(genesisWith(), { replica: '4' })[0]?.message ?? '', /replicas 0 to 3, not 4/);
    const flags = { 'peers.7': 'seven:1' };
    const unknown = faultsOf(genesisWith(), flags);
    assert.deepEqual(
      unknown.map(({ path, message }) => ({ path, message })),
      [{ path: 'peers.7', message: 'the genesis has no replica 7' }],
    );
    const missing = faultsOf(genesisWith({}, 5));
    assert.deepEqual(
      missing.map(({ path, message }) => ({ path, message })),
      [{ path: 'peers.4', message: 'replica 4 (replica-4) has no address' }],
    );
  });

  it('OP-03 need different addresses of different replicas: both are named', () => {
    const [fault] = faultsOf(genesisWith(), { 'peers.3': 'two:1' });
    assert.deepEqual([fault?.path, fault?.message], ['peers.3', 'replica 2 is at two:1 too']);
  });

  it('need a pipeline within the window, and room for the log, a request, and a view change in time', () => {
    const small = genesisWith({ checkpointInterval: 4, windowSize: 8, snapshotInterval: 8 });
    const cases: readonly [Genesis, Record<string, string>, string, RegExp][] = [
      [small, { 'agreement.pipeline': '9' }, 'agreement.pipeline', /\(9\) is above .* \(8\)/],
      [genesisWith(), { 'storage.logBytesMax': '536870911' }, 'storage.logBytesMax', /\(536870911\) .* \(536870912\)/],
      [
        genesisWith(),
        { 'agreement.waitingBytesMax': '65536' },
        'agreement.waitingBytesMax',
        /\(65536\) .* \(1114112\)/,
      ],
      [genesisWith(), { 'queues.clientBytesMax': '65536' }, 'queues.clientBytesMax', /\(65536\) .* \(1114112\)/],
      [
        genesisWith(),
        { 'agreement.requestTimeoutMaxMs': '42000' },
        'agreement.requestTimeoutMaxMs',
        /\(42000 ms\) is less than .*256 × 2097152 bytes\) takes: 43065 ms/,
      ],
    ];
    for (const [genesis, flags, path, message] of cases) {
      const [fault, ...others] = faultsOf(genesis, flags);
      assert.deepEqual(others, []);
      assert.equal(fault?.path, path);
      assert.match(fault?.message ?? '', message);
    }
    assert.deepEqual(faultsOf(small, { 'agreement.pipeline': '8' }), []);
  });
});
