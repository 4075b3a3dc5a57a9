/** What must hold between settings, and between settings and the genesis. */
import { formatAddress, isLoopback } from './address.js';
import type { Genesis } from './genesis.js';
import { computeLargestMessage } from './message-size.js';
import type { Fault } from './parameters.js';
import type { ReplicaConfiguration } from './settings.js';

/** Verifying one signature, generously; the cost of a NewView goes with their number. */
const VERIFY_MS = 0.05;

/** Rules that are written as a table: a row whose last value is false is a fault. */
type Rule = readonly [path: string, message: string, remedy: string, holds: boolean];

function faultsOf(rules: readonly Rule[]): Fault[] {
  return rules.filter(([, , , holds]) => !holds).map(([path, message, remedy]) => ({ path, message, remedy }));
}

function atLeast(path: string, value: number, other: { readonly name: string; readonly value: number }): Rule {
  return [
    path,
    `the value (${value}) is below ${other.name} (${other.value})`,
    `Give at least ${other.value}`,
    value >= other.value,
  ];
}

function clientPortRules({ listen, clients }: ReplicaConfiguration): Rule[] {
  const hasKey = clients.tlsKeyFile !== undefined;
  const hasCertificate = clients.tlsCertificateFile !== undefined;
  return [
    [
      hasKey ? 'clients.tlsCertificateFile' : 'clients.tlsKeyFile',
      'TLS on the client port needs both a key and a certificate',
      'Set both `clients.tlsKeyFile` and `clients.tlsCertificateFile`, or neither',
      hasKey === hasCertificate,
    ],
    [
      'listen.client',
      `callers would be served without TLS on ${formatAddress(listen.client)}, beyond loopback`,
      'Set `clients.tlsKeyFile` and `clients.tlsCertificateFile`, or `clients.allowPlaintext: true`',
      isLoopback(listen.client) || hasKey || clients.allowPlaintext,
    ],
  ];
}

function sharedPortRules({ listen }: ReplicaConfiguration): Rule[] {
  const names = ['client', 'peer', 'http'] as const;
  return names.flatMap((name, index) =>
    names.slice(0, index).map((other): Rule => {
      const address = formatAddress(listen[name]);
      const isShared = listen[name].port !== 0 && address === formatAddress(listen[other]);
      return [`listen.${name}`, `${address} is also \`listen.${other}\``, 'Give each its own port', !isShared];
    }),
  );
}

/** What is wrong between the settings themselves. */
export function checkSettings(configuration: ReplicaConfiguration): Fault[] {
  const { agreement, clients, link, queues } = configuration;
  const message = { name: '`link.messageBytesMax`', value: link.messageBytesMax };
  return faultsOf([
    atLeast('clients.callTimeoutMaxMs', clients.callTimeoutMaxMs, {
      name: '`clients.callTimeoutMs`',
      value: clients.callTimeoutMs,
    }),
    atLeast('agreement.requestTimeoutMaxMs', agreement.requestTimeoutMaxMs, {
      name: '`agreement.requestTimeoutMs`',
      value: agreement.requestTimeoutMs,
    }),
    atLeast('agreement.waitingRequestsMax', agreement.waitingRequestsMax, {
      name: '`agreement.waitingRequestsOfClientMax`',
      value: agreement.waitingRequestsOfClientMax,
    }),
    atLeast('link.queuedBytesMax', link.queuedBytesMax, message),
    atLeast('queues.peerBytesMax', queues.peerBytesMax, message),
    atLeast('clients.connectionsMax', clients.connectionsMax, {
      name: 'twice `clients.connectionsReserved`',
      value: 2 * clients.connectionsReserved,
    }),
    ...clientPortRules(configuration),
    ...sharedPortRules(configuration),
  ]);
}

function peerRules({ replica, peers }: ReplicaConfiguration, genesis: Genesis): Rule[] {
  const count = genesis.replicas.length;
  const seen = new Map<string, string>();
  const rules = Object.entries(peers).map(([id, address]): Rule => {
    const text = formatAddress(address);
    const other = seen.get(text);
    seen.set(text, id);
    const message = other === undefined ? `the genesis has no replica ${id}` : `replica ${other} is at ${text} too`;
    return [`peers.${id}`, message, 'Correct the address', Number(id) < count && other === undefined];
  });
  for (const { id, name } of genesis.replicas) {
    const isThere = id === replica || peers[String(id)] !== undefined;
    rules.push([`peers.${id}`, `replica ${id} (${name}) has no address`, 'Add where it listens for peers', isThere]);
  }
  return rules;
}

/** The longest that a view change may take to send and verify [protocol.md 6, back-off]. */
function transferRule({ agreement, link }: ReplicaConfiguration, genesis: Genesis): Rule {
  const { windowSize, batchBytesMax } = genesis.parameters;
  const { quorum } = genesis.quorumSizes;
  const sendMs = (windowSize * batchBytesMax * 1_000) / link.bandwidthMinBytesPerSecond;
  const neededMs = Math.ceil(sendMs + windowSize * quorum * quorum * VERIFY_MS);
  const window = `window × batch limit (${windowSize} × ${batchBytesMax} bytes)`;
  return [
    'agreement.requestTimeoutMaxMs',
    `the cap (${agreement.requestTimeoutMaxMs} ms) is less than sending and verifying ${window} takes: ${neededMs} ms`,
    `Give at least ${neededMs}, or a higher \`link.bandwidthMinBytesPerSecond\``,
    agreement.requestTimeoutMaxMs >= neededMs,
  ];
}

/** What is wrong between the settings and the genesis. */
export function checkAgainstGenesis(configuration: ReplicaConfiguration, genesis: Genesis): Fault[] {
  const { agreement, link, queues, replica, storage } = configuration;
  const { parameters, replicas } = genesis;
  const { windowSize, batchBytesMax, requestBytesMax } = parameters;
  const request = { name: 'the request limit of the genesis', value: requestBytesMax };
  const largest = computeLargestMessage({
    quorumSizes: genesis.quorumSizes,
    signatureBytes: genesis.signatureBytesMax,
    parameters,
  });
  return faultsOf([
    [
      'replica',
      `the genesis has replicas 0 to ${replicas.length - 1}, not ${replica}`,
      'Correct `replica` or `genesisFile`',
      replica < replicas.length,
    ],
    ...peerRules(configuration, genesis),
    [
      'agreement.pipeline',
      `the pipeline (${agreement.pipeline}) is above the window of the genesis (${windowSize})`,
      `Give at most ${windowSize}`,
      agreement.pipeline <= windowSize,
    ],
    [
      'link.messageBytesMax',
      `a ${largest.name} may have ${largest.sizeBytes} bytes, the link carries ${link.messageBytesMax}`,
      `Give at least ${largest.sizeBytes}, at all replicas`,
      link.messageBytesMax >= largest.sizeBytes,
    ],
    atLeast('storage.logBytesMax', storage.logBytesMax, {
      name: 'window × batch limit of the genesis',
      value: windowSize * batchBytesMax,
    }),
    transferRule(configuration, genesis),
    atLeast('agreement.waitingBytesMax', agreement.waitingBytesMax, request),
    atLeast('queues.clientBytesMax', queues.clientBytesMax, request),
  ]);
}
