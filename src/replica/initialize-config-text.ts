/** The text of a new replica's config.yaml: what it needs, and below, commented out, what else could be set. */
import { type Address, formatAddress } from '../config/address.js';
import { SETTINGS, type Setting } from '../config/setting-table.js';
import { SETTING_GROUPS } from '../config/settings.js';

/** What a new replica's configuration says. */
export interface NewConfiguration {
  readonly replica: number;
  readonly names: readonly string[];
  readonly clusterName: string;
  readonly listen: { readonly client: Address; readonly peer: Address; readonly http: Address };
  /** The peer addresses of all replicas, in the order of their ids. */
  readonly peers: readonly Address[];
  /** Whether callers are served with the certificate of the peer links. */
  readonly clientTls: boolean;
  /** The module of the cluster's own application, absolute; undefined for the built-in one. */
  readonly applicationFile: string | undefined;
}

/** A new replica's data directory, beside its configuration. */
export const DATA_FOLDER = 'data';

/** Groups that a new configuration sets itself. */
const WRITTEN_GROUPS: ReadonlySet<string> = new Set(['listen', 'tls']);
const COMMENT_WIDTH = 118;

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function commentOf(setting: Setting, indent: string): string[] {
  const facts = [setting.unit, setting.allowed].filter((fact) => fact !== undefined).join(', ');
  const text = facts === '' ? setting.description : `${setting.description} (${facts})`;
  return wrap(text, COMMENT_WIDTH - indent.length - 4).map((line) => `#${indent} # ${line}`);
}

function optionalGroup(group: string, description: string): string[] {
  const settings = SETTINGS.filter((setting) => setting.group === group);
  return [
    '',
    `# ${description}`,
    `# ${group}:`,
    ...settings.flatMap((setting) => [
      ...commentOf(setting, '  '),
      `#   ${setting.path.slice(group.length + 1)}: ${setting.default === '' ? '""' : (setting.default ?? '')}`.trimEnd(),
    ]),
  ];
}

function optionalSettings(clientTls: boolean): string[] {
  return Object.entries(SETTING_GROUPS)
    .filter(([group]) => !WRITTEN_GROUPS.has(group) && !(clientTls && group === 'clients'))
    .flatMap(([group, { description }]) => optionalGroup(group, description));
}

/** The text of config.yaml. */
export function formatNewConfiguration(options: NewConfiguration): string {
  const { replica, names, clusterName, listen, peers, clientTls, applicationFile } = options;
  const rows = peers.map((address, id) => `  ${id}: "${formatAddress(address)}"  # ${names[id] ?? ''}`);
  const lines = [
    `# Replica ${replica} (${names[replica] ?? ''}) of the cluster ${clusterName}. Paths are relative to this file.`,
    '# Every setting can be given as an environment variable too, such as PBFT_AGREEMENT_PIPELINE; those win.',
    '# `pbft config print` shows what is in effect and where each value comes from.',
    '',
    `replica: ${replica}`,
    'genesisFile: ../genesis.json  # the same bytes at all replicas',
    `dataDirectory: ${DATA_FOLDER}  # never shared, never copied to another replica, never restored from a backup`,
    'signingKeyFile: signing.key',
    ...(applicationFile === undefined
      ? []
      : [`applicationFile: ${JSON.stringify(applicationFile)}  # the same code at all`]),
    'logLevel: info  # error, warn, info, debug',
    '',
    'listen:',
    `  client: "${formatAddress(listen.client)}"  # callers; ${clientTls ? 'TLS, see clients below' : 'plaintext, so only on loopback'}`,
    `  peer: "${formatAddress(listen.peer)}"  # the other replicas; always mutual TLS`,
    `  http: "${formatAddress(listen.http)}"  # metrics and health, without authentication`,
    '',
    '# Where the replicas are reached by each other, by id.',
    'peers:',
    ...rows,
    '',
    '# Mutual TLS between replicas. The pin of the key stands in the genesis.',
    'tls:',
    '  keyFile: tls.key',
    '  certificateFile: tls.crt',
    '  authorityFile: ca.crt',
    ...(clientTls ? ['', 'clients:', '  tlsKeyFile: tls.key', '  tlsCertificateFile: tls.crt'] : []),
    '',
    '# What follows are the defaults. To change one, remove `# ` before it and before the name of its group.',
    ...optionalSettings(clientTls),
  ];
  return `${lines.join('\n')}\n`;
}
