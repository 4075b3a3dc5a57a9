/**
 * The settings of one replica: the one schema that loading, printing and the documentation go by. Each has a
 * description, a unit where it measures something, a default where one is safe, and bounds.
 *
 * What must be equal at all replicas is not here: it stands in the genesis (parameters.ts).
 */
import { z } from 'zod';
import {
  address,
  addresses,
  choice,
  file,
  flag,
  integer,
  ipAddresses,
  optionalFile,
  settingRegistry,
} from './setting-kinds.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const listen = z.strictObject({
  client: address('Where callers are served. Anything but loopback needs TLS, or `clients.allowPlaintext`.'),
  peer: address('Where the other replicas connect, always with mutual TLS.'),
  http: address(
    'Where metrics and health are served, without authentication: keep it on loopback or a private network.',
  ),
});

const tls = z.strictObject({
  keyFile: file('tls.key', "The private key of the peer links' certificate; its pin stands in the genesis."),
  certificateFile: file('tls.crt', 'The certificate of the peer links.'),
  authorityFile: file('ca.crt', "The certificate of the cluster's authority, which signs the replicas' certificates."),
});

const clients = z.strictObject({
  tlsKeyFile: optionalFile('The private key for TLS on the client port; with `tlsCertificateFile`.'),
  tlsCertificateFile: optionalFile('The certificate for TLS on the client port; with `tlsKeyFile`.'),
  allowPlaintext: flag(
    'Serve callers beyond loopback without TLS: whoever is on the way reads and changes everything.',
  ),
  callTimeoutMs: integer({
    min: 10,
    max: 3_600_000,
    default: 10_000,
    unit: 'ms',
    description: 'How long a call without a deadline of its own may take.',
  }),
  callTimeoutMaxMs: integer({
    min: 10,
    max: 3_600_000,
    default: 60_000,
    unit: 'ms',
    description: 'The longest deadline a caller gets; not below `clients.callTimeoutMs`.',
  }),
  callsMax: integer({
    min: 1,
    max: 1_000_000,
    default: 10_000,
    unit: 'calls',
    description: 'The most operations and reads that are served at one time; further ones learn RESOURCE_EXHAUSTED.',
  }),
  answerBytesMax: integer({
    min: MIB,
    max: 64 * GIB,
    default: 64 * MIB,
    unit: 'bytes',
    description:
      'Memory for all reads and answers under way; a connection has a quarter of it. What has no room learns RESOURCE_EXHAUSTED before it is read. The process needs two to three times as much.',
  }),
  connectionsMax: integer({
    min: 8,
    max: 100_000,
    default: 1_024,
    unit: 'connections',
    description:
      'The most connections of callers. Beyond them the least used one is closed for a new one, never one that waits for an answer. Lowered at the start where file descriptors are too few.',
  }),
  connectionsOfAddressMax: integer({
    min: 1,
    max: 100_000,
    default: 512,
    unit: 'connections',
    description:
      'The most connections of one IP address (of IPv6: one /64), and never more than it leaves free for others: beyond them it replaces its own least used one.',
  }),
  connectionsReserved: integer({
    min: 0,
    max: 10_000,
    default: 16,
    unit: 'connections',
    description:
      'Of all connections those that only the operator takes: who comes over loopback or from `clients.operatorAddresses`.',
  }),
  operatorAddresses: ipAddresses('Where the operator connects from, beside loopback.'),
  silentConnectionMs: integer({
    min: 100,
    max: 600_000,
    default: 5_000,
    unit: 'ms',
    description: 'A connection that has said nothing for so long, TLS included, is closed.',
  }),
});

const http = z.strictObject({
  connectionsMax: integer({
    min: 4,
    max: 10_000,
    default: 256,
    unit: 'connections',
    description: 'The most connections to the HTTP port. Beyond them the least used one is closed for a new one.',
  }),
  connectionsOfAddressMax: integer({
    min: 1,
    max: 10_000,
    default: 128,
    unit: 'connections',
    description: 'The most of one IP address; beyond them it replaces its own least used one.',
  }),
});

const agreement = z.strictObject({
  pipeline: integer({
    min: 1,
    max: 65_536,
    default: 8,
    unit: 'sequences',
    description: 'The most sequences in flight while this replica is primary; at most the window.',
  }),
  requestTimeoutMs: integer({
    min: 50,
    max: 600_000,
    default: 2_000,
    unit: 'ms',
    description: 'How long a request may wait before this replica acts against the primary; doubled at each expiry.',
  }),
  requestTimeoutMaxMs: integer({
    min: 50,
    max: 3_600_000,
    default: 60_000,
    unit: 'ms',
    description:
      'The longest that timeouts grow to: enough to send a whole window at `link.bandwidthMinBytesPerSecond`.',
  }),
  batchDelayMs: integer({
    min: 0,
    max: 1_000,
    default: 20,
    unit: 'ms',
    description: "How long a batch that isn't full waits while another is in flight.",
  }),
  waitingRequestsOfClientMax: integer({
    min: 1,
    max: 65_536,
    default: 1_024,
    unit: 'requests',
    description: 'The most requests of one client that wait here.',
  }),
  waitingRequestsMax: integer({
    min: 1,
    max: 1_000_000,
    default: 16_384,
    unit: 'requests',
    description: 'The most requests of all clients that wait here.',
  }),
  waitingBytesMax: integer({
    min: 64 * KIB,
    max: 4 * GIB,
    default: 64 * MIB,
    unit: 'bytes',
    description: 'The most bytes of requests that wait here; at least the request limit of the genesis.',
  }),
});

const link = z.strictObject({
  messageBytesMax: integer({
    min: 64 * KIB,
    max: 256 * MIB,
    default: 16 * MIB,
    unit: 'bytes',
    description:
      "The longest message between replicas; at least the genesis's longest legal one. Equal at all replicas.",
  }),
  queuedMessagesMax: integer({
    min: 16,
    max: 1_000_000,
    default: 8_192,
    unit: 'messages',
    description: 'The most messages that wait to be sent to one peer; then the oldest bulk goes first.',
  }),
  queuedBytesMax: integer({
    min: 64 * KIB,
    max: 4 * GIB,
    default: 64 * MIB,
    unit: 'bytes',
    description: 'The most bytes that wait to be sent to one peer; at least `link.messageBytesMax`.',
  }),
  bandwidthMinBytesPerSecond: integer({
    min: 1_000,
    max: 100_000_000_000,
    default: 12_500_000,
    unit: 'bytes/s',
    description: 'The least bandwidth between replicas that is counted on.',
  }),
});

const queues = z.strictObject({
  peerMessagesMax: integer({
    min: 16,
    max: 1_000_000,
    default: 4_096,
    unit: 'messages',
    description: 'The most received messages of one peer that wait to be processed; then its oldest is dropped.',
  }),
  peerBytesMax: integer({
    min: 64 * KIB,
    max: 4 * GIB,
    default: 32 * MIB,
    unit: 'bytes',
    description: 'The most received bytes of one peer that wait to be processed; at least `link.messageBytesMax`.',
  }),
  clientMessagesMax: integer({
    min: 16,
    max: 1_000_000,
    default: 16_384,
    unit: 'requests',
    description: 'The most requests of callers that wait to be processed; then callers learn RESOURCE_EXHAUSTED.',
  }),
  clientBytesMax: integer({
    min: 64 * KIB,
    max: 4 * GIB,
    default: 64 * MIB,
    unit: 'bytes',
    description: 'The most bytes of callers that wait to be processed; at least the request limit of the genesis.',
  }),
});

const storage = z.strictObject({
  engine: choice(
    ['auto', 'rocksdb', 'leveldb'],
    'auto',
    'The storage engine; `auto` takes RocksDB where it can be loaded, else LevelDB. A data directory keeps its engine; `pbft convert` moves it to another.',
  ),
  logBytesMax: integer({
    min: MIB,
    max: 1024 * GIB,
    default: GIB,
    unit: 'bytes',
    description:
      "The disk space set aside for batches that aren't stable yet; at least window × batch limit of the genesis, which is the most they take. A start compares it with the data directory's file system: more than that has in all is refused, more than is free is warned of.",
  }),
  unsafeNoFsync: flag('Do not wait for the disk. A power cut then makes this replica a liar: for experiments only.'),
});

/** The groups of settings, with what each is about. */
export const SETTING_GROUPS = {
  listen: { schema: listen, description: 'Where this replica listens.' },
  tls: { schema: tls, description: 'Mutual TLS between replicas.' },
  clients: { schema: clients, description: 'Serving callers.' },
  http: { schema: http, description: 'Serving metrics and health.' },
  agreement: { schema: agreement, description: 'Pace of the agreement. These may differ between replicas.' },
  link: { schema: link, description: 'Links between replicas.' },
  queues: { schema: queues, description: 'What waits inside this replica.' },
  storage: { schema: storage, description: 'Data on disk.' },
} as const;

/** The whole configuration. */
export const configurationSchema = z.strictObject({
  replica: z.int().min(0).max(99).register(settingRegistry, {
    kind: 'integer',
    description: "This replica's id in the genesis.",
    allowed: '0 to n − 1',
  }),
  genesisFile: file('genesis.json', "The cluster's genesis: the same bytes at all replicas."),
  dataDirectory: file(
    'data',
    "This replica's data, in the folder that `pbft init` made: never shared, never copied to another replica, never restored from a backup.",
  ),
  signingKeyFile: file('signing.key', 'The private key that signs what this replica states.'),
  keyFilePolicy: choice(
    ['strict', 'mounted'],
    'strict',
    'How private key files are judged: `strict` refuses links and what others may read; `mounted` allows the links and the group-readable files of root by which orchestrators mount secrets.',
  ),
  applicationFile: optionalFile(
    'The JavaScript module that exports the application of this cluster as `stateMachine`; without it the built-in key-value store.',
  ),
  logLevel: choice(['error', 'warn', 'info', 'debug'], 'info', 'The least important messages that are logged.'),
  peers: addresses(
    'Where the other replicas are reached, by id. An entry for this replica itself is allowed and unused.',
  ),
  listen,
  tls,
  clients: clients.prefault({}),
  http: http.prefault({}),
  agreement: agreement.prefault({}),
  link: link.prefault({}),
  queues: queues.prefault({}),
  storage: storage.prefault({}),
});

/** A replica's configuration: paths are absolute, addresses taken apart, everything is filled in. */
export type ReplicaConfiguration = z.infer<typeof configurationSchema>;
