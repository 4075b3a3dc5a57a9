/**
 * Proves that the rules of .dependency-cruiser.cjs bite: small trees of files in a temporary folder, judged by the same
 * settings as src/. One tree keeps every rule; the others break each rule once.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'mocha';

const root = resolve(import.meta.dirname, '../../..');

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

/** Contents by path below src/; a file that is imported and not listed is empty but for an export. */
type Tree = Readonly<Record<string, string>>;

/** The folders of src/runtime, in an order in which none imports one after it. */
const RUNTIME_ROOMS = ['execution', 'report', 'egress', 'ingress', 'catch-up', 'gateway', 'loop'] as const;

/** Files that other files of a tree import. */
const TARGETS = [
  'util/assert.ts',
  'ledger/header.ts',
  'protocol/messages.ts',
  'protocol/identifiers.ts',
  'ports/transport.ts',
  'wire/codec.ts',
  'wire/gen/pbft/v1/message.ts',
  'storage/store.ts',
  'network/link.ts',
  'application/store.ts',
  'crypto/hash.ts',
  'observability/registry.ts',
  'adversary/silent.ts',
  'runtime/face.ts',
  'runtime/replica-runtime-options.ts',
  'runtime/rooms.ts',
  'runtime/replica-runtime.ts',
  ...RUNTIME_ROOMS.map((room) => `runtime/${room}/room.ts`),
  'api/server.ts',
  'client/session.ts',
  'config/genesis.ts',
  'replica/replica.ts',
  'cli/main.ts',
];

/** `rule: from → to` of every violation in the tree, sorted. */
function judge(tree: Tree): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'pbft-layers-'));
  try {
    for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
      cpSync(join(root, name), join(folder, name));
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const targets = Object.fromEntries(TARGETS.map((path) => [path, '']));
    for (const [path, contents] of Object.entries({ ...targets, ...tree })) {
      const file = join(folder, 'src', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${contents}\nexport const value = 1;\nexport type Value = typeof value;\n`);
    }
    return cruise(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function cruise(folder: string): string[] {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const parameters = [program, 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const { stdout, stderr } = spawnSync(process.execPath, parameters, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  assert.notEqual(stdout, '', stderr);
  const { summary } = JSON.parse(stdout) as { summary: { violations: readonly Violation[] } };
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${short(from)} → ${short(to)}`).sort();
}

/** A file below src/, or a package's name. */
function short(path: string): string {
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path);
  return inPackage?.[1] ?? path.replace(/^src\//, '');
}

const value = (path: string): string => `import { value as other } from '${path}'; other;`;
const type = (path: string): string => `import type { Value as Other } from '${path}'; let other: Other;`;
const library = (name: string): string => `import * as library from '${name}'; library;`;

describe('the layer rules', function () {
  this.timeout(60_000);

  it('let pass what the table of rooms allows', () => {
    const violations = judge({
      'ledger/receipts.ts': value('../util/assert.js'),
      'protocol/core.ts': [value('../util/assert.js'), type('../ledger/header.js'), value('./messages.js')].join('\n'),
      'ports/signatures.ts': [type('../protocol/messages.js'), value('../util/assert.js')].join('\n'),
      'wire/message-codec.ts': [
        value('./gen/pbft/v1/message.js'),
        type('../protocol/messages.js'),
        value('../protocol/identifiers.js'),
        library('@bufbuild/protobuf/wire'),
      ].join('\n'),
      'wire/gen/pbft/v1/peer.ts': library('@grpc/grpc-js'),
      'storage/level.ts': [library('classic-level'), library('node:fs'), type('../protocol/messages.js')].join('\n'),
      'network/peer.ts': [library('@grpc/grpc-js'), value('../ports/transport.js')].join('\n'),
      'crypto/certificates.ts': library('node-forge'),
      'observability/logger.ts': library('pino'),
      'api/services.ts': [value('../runtime/face.js'), library('@grpc/reflection')].join('\n'),
      'runtime/loop/effects.ts': [
        value('../../protocol/messages.js'),
        value('../../wire/codec.js'),
        value('../face.js'),
        value('../replica-runtime-options.js'),
        ...RUNTIME_ROOMS.filter((room) => room !== 'loop').map((room) => value(`../${room}/room.js`)),
      ].join('\n'),
      'runtime/catch-up/asker.ts': [value('../ingress/room.js'), value('../report/room.js')].join('\n'),
      'runtime/gateway/calls.ts': [value('../egress/room.js'), value('../execution/room.js')].join('\n'),
      'runtime/rooms.ts': [value('./loop/room.js'), value('./gateway/room.js')].join('\n'),
      'config/schema.ts': [library('zod'), library('yaml')].join('\n'),
      'replica/parts.ts': [value('../storage/store.js'), value('../api/server.js'), value('../crypto/hash.js')].join(
        '\n',
      ),
      'cli/start.ts': [value('../replica/replica.js'), library('commander'), value('../config/genesis.js')].join('\n'),
      'cli/commands/traitor.ts': "export const load = () => import('../../adversary/silent.js');",
      'index.ts': [value('./replica/replica.js'), value('./client/session.js')].join('\n'),
    });
    assert.deepEqual(violations, []);
  });

  const cases: readonly { title: string; tree: Tree; violations: readonly string[] }[] = [
    {
      title: 'refuse a room that imports one it may not',
      tree: {
        'util/bad.ts': value('../ledger/header.js'),
        'ledger/bad.ts': value('../protocol/messages.js'),
        'protocol/bad.ts': value('../wire/codec.js'),
        'ports/bad.ts': value('../wire/codec.js'),
        'wire/bad.ts': value('../ports/transport.js'),
        'storage/bad.ts': value('../crypto/hash.js'),
        'network/bad.ts': value('../runtime/face.js'),
        'application/bad.ts': value('../storage/store.js'),
        'crypto/bad.ts': value('../network/link.js'),
        'observability/bad.ts': value('../runtime/replica-runtime.js'),
        'runtime/loop/bad.ts': value('../../storage/store.js'),
        'adversary/bad.ts': value('../runtime/replica-runtime.js'),
        'api/bad.ts': value('../runtime/replica-runtime.js'),
        'client/bad.ts': value('../api/server.js'),
        'config/bad.ts': value('../crypto/hash.js'),
        'replica/bad.ts': value('../cli/main.js'),
        'cli/bad.ts': value('../storage/store.js'),
        'wire/gen/bad.ts': value('../codec.js'),
      },
      violations: [
        'adversary-imports: adversary/bad.ts → runtime/replica-runtime.ts',
        'api-imports: api/bad.ts → runtime/replica-runtime.ts',
        'application-imports: application/bad.ts → storage/store.ts',
        'cli-imports: cli/bad.ts → storage/store.ts',
        'client-imports: client/bad.ts → api/server.ts',
        'config-imports: config/bad.ts → crypto/hash.ts',
        'crypto-imports: crypto/bad.ts → network/link.ts',
        'generated-imports: wire/gen/bad.ts → wire/codec.ts',
        'ledger-imports: ledger/bad.ts → protocol/messages.ts',
        'network-imports: network/bad.ts → runtime/face.ts',
        'observability-imports: observability/bad.ts → runtime/replica-runtime.ts',
        'ports-imports: ports/bad.ts → wire/codec.ts',
        'protocol-imports: protocol/bad.ts → wire/codec.ts',
        'replica-imports: replica/bad.ts → cli/main.ts',
        'runtime-imports: runtime/loop/bad.ts → storage/store.ts',
        'storage-imports: storage/bad.ts → crypto/hash.ts',
        'util-imports: util/bad.ts → ledger/header.ts',
        'wire-imports: wire/bad.ts → ports/transport.ts',
      ],
    },
    {
      title: 'refuse a room of the runtime that imports one it may not, a type too',
      tree: {
        'runtime/execution/bad.ts': value('../gateway/room.js'),
        'runtime/report/bad.ts': value('../ingress/room.js'),
        'runtime/egress/bad.ts': type('../loop/room.js'),
        'runtime/ingress/bad.ts': value('../catch-up/room.js'),
        'runtime/catch-up/bad.ts': type('../gateway/room.js'),
        'runtime/gateway/bad.ts': value('../ingress/room.js'),
        'runtime/loop/bad.ts': value('../rooms.js'),
      },
      violations: [
        'runtime-catch-up-imports: runtime/catch-up/bad.ts → runtime/gateway/room.ts',
        'runtime-egress-imports: runtime/egress/bad.ts → runtime/loop/room.ts',
        'runtime-execution-imports: runtime/execution/bad.ts → runtime/gateway/room.ts',
        'runtime-gateway-imports: runtime/gateway/bad.ts → runtime/ingress/room.ts',
        'runtime-ingress-imports: runtime/ingress/bad.ts → runtime/catch-up/room.ts',
        'runtime-loop-imports: runtime/loop/bad.ts → runtime/rooms.ts',
        'runtime-report-imports: runtime/report/bad.ts → runtime/ingress/room.ts',
      ],
    },
    {
      title: 'refuse what lies on top of the runtime and is no wiring, and who reaches past that top',
      tree: {
        'runtime/driver.ts': value('./face.js'),
        'runtime/helpers/bad.ts': value('../face.js'),
        'runtime/replica-runtime-options.ts': value('./execution/room.js'),
        'runtime/face.ts': type('./rooms.js'),
        'replica/bad.ts': value('../runtime/loop/room.js'),
      },
      violations: [
        'runtime-from-outside: replica/bad.ts → runtime/loop/room.ts',
        'runtime-known-rooms: runtime/driver.ts → runtime/face.ts',
        'runtime-known-rooms: runtime/helpers/bad.ts → runtime/face.ts',
        'runtime-shared-imports: runtime/face.ts → runtime/rooms.ts',
        'runtime-shared-imports: runtime/replica-runtime-options.ts → runtime/execution/room.ts',
      ],
    },
    {
      title: 'count a type-only import of a forbidden room',
      tree: { 'protocol/bad.ts': type('../ports/transport.js'), 'util/bad.ts': type('../ports/transport.js') },
      violations: [
        'protocol-imports: protocol/bad.ts → ports/transport.ts',
        'util-imports: util/bad.ts → ports/transport.ts',
      ],
    },
    {
      title: 'refuse a value where only types may come from',
      tree: {
        'protocol/bad.ts': value('../ledger/header.js'),
        'ports/bad.ts': value('../protocol/messages.js'),
        'wire/bad.ts': value('../protocol/messages.js'),
        'storage/bad.ts': value('../protocol/messages.js'),
        'api/bad.ts': value('../protocol/messages.js'),
      },
      violations: [
        'api-types-only: api/bad.ts → protocol/messages.ts',
        'ports-types-only: ports/bad.ts → protocol/messages.ts',
        'protocol-types-only: protocol/bad.ts → ledger/header.ts',
        'storage-types-only: storage/bad.ts → protocol/messages.ts',
        'wire-types-only: wire/bad.ts → protocol/messages.ts',
      ],
    },
    {
      title: 'keep each library in its room',
      tree: {
        'storage/bad.ts': library('pino'),
        'crypto/bad.ts': library('@grpc/grpc-js'),
        'api/bad.ts': library('node-forge'),
        'config/bad.ts': library('commander'),
        'cli/bad.ts': library('zod'),
        'runtime/report/bad.ts': library('prom-client'),
        'observability/bad.ts': library('classic-level'),
        'network/bad.ts': library('yaml'),
        'protocol/bad.ts': library('zod'),
        'util/bad.ts': library('@bufbuild/protobuf'),
        'client/bad.ts': library('not-installed-anywhere'),
      },
      violations: [
        'api-libraries: api/bad.ts → node-forge',
        'cli-libraries: cli/bad.ts → zod',
        'client-libraries: client/bad.ts → not-installed-anywhere',
        'config-libraries: config/bad.ts → commander',
        'crypto-libraries: crypto/bad.ts → @grpc/grpc-js',
        'network-libraries: network/bad.ts → yaml',
        'observability-libraries: observability/bad.ts → classic-level',
        'protocol-libraries: protocol/bad.ts → zod',
        'resolvable: client/bad.ts → not-installed-anywhere',
        'runtime-libraries: runtime/report/bad.ts → prom-client',
        'storage-libraries: storage/bad.ts → pino',
        'util-libraries: util/bad.ts → @bufbuild/protobuf',
      ],
    },
    {
      title: 'refuse node:* in the pure rooms',
      tree: {
        'protocol/bad.ts': library('node:crypto'),
        'ledger/bad.ts': library('node:fs'),
        'util/bad.ts': library('events'),
      },
      violations: [
        'pure-no-node: ledger/bad.ts → fs',
        'pure-no-node: protocol/bad.ts → crypto',
        'pure-no-node: util/bad.ts → events',
      ],
    },
    {
      title: 'refuse a development package in what runs',
      tree: { 'cli/bad.ts': library('fast-check') },
      violations: ['cli-libraries: cli/bad.ts → fast-check', 'no-development-packages: cli/bad.ts → fast-check'],
    },
    {
      title: 'let only the process of a traitor load the adversary, and only by import()',
      tree: {
        'cli/commands/traitor.ts': value('../../adversary/silent.js'),
        'cli/start.ts': "export const load = () => import('../adversary/silent.js');",
        'replica/bad.ts': "export const load = () => import('../adversary/silent.js');",
      },
      violations: [
        'adversary-only-dynamic: cli/commands/traitor.ts → adversary/silent.ts',
        'adversary-only-for-traitors: cli/start.ts → adversary/silent.ts',
        'adversary-only-for-traitors: replica/bad.ts → adversary/silent.ts',
        'replica-imports: replica/bad.ts → adversary/silent.ts',
      ],
    },
    {
      title: 'refuse barrels, unknown folders, and users of the public face inside',
      tree: {
        'protocol/index.ts': "export * from './messages.js';",
        'helpers/bad.ts': value('../util/assert.js'),
        'index.ts': value('./cli/main.js'),
        'api/bad.ts': value('../index.js'),
      },
      violations: [
        'api-imports: api/bad.ts → index.ts',
        'index-imports: index.ts → cli/main.ts',
        'known-rooms: helpers/bad.ts → util/assert.ts',
        'no-barrels: protocol/index.ts → protocol/messages.ts',
        'no-index-users: api/bad.ts → index.ts',
      ],
    },
    {
      title: 'refuse cycles, of types too',
      tree: {
        'protocol/one.ts': type('./two.js'),
        'protocol/two.ts': type('./one.js'),
      },
      violations: ['no-cycles: protocol/one.ts → protocol/two.ts'],
    },
  ];

  for (const { title, tree, violations } of cases) {
    it(title, () => {
      assert.deepEqual(judge(tree), violations);
    });
  }
});
