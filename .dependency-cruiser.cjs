/**
 * Who may import whom (docs: the house's rooms). One table of rooms makes the rules: what is not allowed is forbidden,
 * and a folder that the table doesn't know is forbidden too. Type-only imports count like all others, except where a
 * room may take only types from another. test/unit/house/layers.test.ts proves that each rule bites.
 */

/**
 * imports: rooms it may import. types: rooms it may import only types (and the constructors of branded types) from.
 * faces: rooms of which it may import only the face. loads: rooms that one of its files loads when asked to, by import().
 * libraries: npm packages it may import. Every room may import itself.
 * @type {Record<string, { imports: string[]; types?: string[]; faces?: string[]; loads?: string[]; libraries?: string[] }>}
 */
const rooms = {
  util: { imports: [] },
  ledger: { imports: ['util'] },
  protocol: { imports: ['util'], types: ['ledger'] },
  ports: { imports: ['util'], types: ['protocol', 'ledger'] },
  wire: { imports: ['util'], types: ['protocol', 'ledger'], libraries: ['@bufbuild/protobuf'] },
  storage: {
    imports: ['ports', 'ledger', 'wire', 'util'],
    types: ['protocol'],
    libraries: ['rocksdb', 'classic-level'],
  },
  network: { imports: ['ports', 'ledger', 'wire', 'util'], types: ['protocol'], libraries: ['@grpc/grpc-js'] },
  application: { imports: ['ports', 'ledger', 'wire', 'util'], types: ['protocol'], libraries: ['@grpc/grpc-js'] },
  crypto: { imports: ['ports', 'ledger', 'wire', 'util'], types: ['protocol'], libraries: ['node-forge'] },
  observability: {
    imports: ['ports', 'ledger', 'wire', 'util'],
    types: ['protocol'],
    libraries: ['prom-client', 'pino', 'pino-pretty'],
  },
  adversary: { imports: ['ports', 'wire', 'util'], types: ['protocol'] },
  runtime: { imports: ['ports', 'protocol', 'ledger', 'wire', 'util'] },
  api: {
    imports: ['wire', 'ports', 'ledger', 'util'],
    types: ['protocol'],
    faces: ['runtime'],
    libraries: ['@grpc/grpc-js', '@grpc/reflection', '@grpc/proto-loader', 'grpc-health-check'],
  },
  client: { imports: ['wire', 'ports', 'ledger', 'util'], types: ['protocol'], libraries: ['@grpc/grpc-js'] },
  config: { imports: ['wire', 'ports', 'ledger', 'util'], types: ['protocol'], libraries: ['zod', 'yaml'] },
  replica: {
    imports: [
      ...['api', 'client', 'config', 'runtime', 'storage', 'network', 'application', 'crypto', 'observability'],
      ...['wire', 'ports', 'protocol', 'ledger', 'util'],
    ],
  },
  cli: {
    imports: ['replica', 'client', 'config', 'ledger', 'observability', 'util'],
    types: ['ports', 'protocol'],
    loads: ['adversary'],
    libraries: ['commander'],
  },
};

/**
 * The rooms inside src/runtime, each a folder: which of the others it may import. What lies on top is the face, the
 * options and the wiring; every room may import the first two, none the wiring.
 * @type {Record<string, string[]>}
 */
const runtimeRooms = {
  execution: [],
  report: ['execution'],
  egress: ['execution'],
  ingress: ['execution', 'report'],
  'catch-up': ['execution', 'ingress', 'report'],
  gateway: ['execution', 'egress'],
  loop: ['execution', 'report', 'egress', 'ingress', 'catch-up', 'gateway'],
};
/** What all rooms of the runtime may import; it imports none of them. */
const runtimeShared = ['face', 'replica-runtime-options'];
/** Makes the rooms and connects them. */
const runtimeWiring = ['replica-runtime', 'rooms'];

const names = Object.keys(rooms).join('|');
const generated = '^src/wire/gen/';
/** A type-only room's files whose values are part of its types: constructors of branded numbers and verified messages. */
const brands = ['^src/protocol/(?:identifiers|verified)\\.ts$'];
/** The one command that may load the adversary, and only by a dynamic import; and the file that names the kinds of traitors. */
const traitorCommand = '^src/cli/(?:commands/traitor|cluster/byzantine)\\.ts$';

const anyOf = (list) => `(?:${list.join('|')})`;
const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const outerRules = Object.entries(rooms).flatMap(([room, allowed]) => {
  const { imports, types = [], faces = [], loads = [], libraries = [] } = allowed;
  const from = { path: `^src/${room}/`, pathNot: generated };
  const elsewhere = [...faces.map((name) => `^src/${name}/face\\.ts$`), ...loads.map((name) => `^src/${name}/`)];
  const roomRules = [
    {
      name: `${room}-imports`,
      comment: `${room} may import ${[...imports, ...types].join(', ') || 'nothing'}`,
      severity: 'error',
      from,
      to: { path: '^src/', pathNot: [`^src/${anyOf([room, ...imports, ...types])}/`, ...elsewhere] },
    },
    {
      name: `${room}-libraries`,
      comment: `one library, one room: ${room} may use ${libraries.join(', ') || 'no package'}`,
      severity: 'error',
      from,
      to: {
        dependencyTypes: [
          ...['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'],
          'unknown',
        ],
        ...(libraries.length > 0 && {
          pathNot: `(?:^|node_modules/)(?:@types/)?${anyOf(libraries.map(escaped))}(?:/|$)`,
        }),
      },
    },
  ];
  if (types.length > 0) {
    roomRules.push({
      name: `${room}-types-only`,
      comment: `${room} may import only types from ${types.join(', ')}`,
      severity: 'error',
      from,
      to: { path: `^src/${anyOf(types)}/`, pathNot: brands, dependencyTypesNot: ['type-only'] },
    });
  }
  return roomRules;
});

const onTop = (files) => `^src/runtime/${anyOf(files)}\\.ts$`;
const runtimeNames = Object.keys(runtimeRooms);

const runtimeRules = [
  ...Object.entries(runtimeRooms).map(([room, imports]) => ({
    name: `runtime-${room}-imports`,
    comment: `runtime/${room} may import ${[...imports, ...runtimeShared].join(', ')} of the runtime`,
    severity: 'error',
    from: { path: `^src/runtime/${room}/` },
    to: {
      path: '^src/runtime/',
      pathNot: [`^src/runtime/${anyOf([room, ...imports])}/`, onTop(runtimeShared)],
    },
  })),
  {
    name: 'runtime-shared-imports',
    comment: 'what all rooms of the runtime share knows none of them',
    severity: 'error',
    from: { path: onTop(runtimeShared) },
    to: { path: '^src/runtime/', pathNot: onTop(runtimeShared) },
  },
  {
    name: 'runtime-known-rooms',
    comment: 'src/runtime holds the rooms of this table, the face, the options and the wiring, nothing else',
    severity: 'error',
    from: {
      path: '^src/runtime/',
      pathNot: [`^src/runtime/${anyOf(runtimeNames)}/`, onTop([...runtimeShared, ...runtimeWiring])],
    },
    to: {},
  },
  {
    name: 'runtime-from-outside',
    comment: 'the other rooms of the house see what lies on top of the runtime, none of its rooms',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/runtime/' },
    to: { path: `^src/runtime/${anyOf(runtimeNames)}/` },
  },
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...outerRules,
    ...runtimeRules,
    {
      name: 'known-rooms',
      comment: 'src/ holds the rooms of this table and index.ts, nothing else',
      severity: 'error',
      from: { path: '^src/', pathNot: [`^src/(?:${names})/`, '^src/index\\.ts$'] },
      to: {},
    },
    {
      name: 'pure-no-node',
      comment: 'protocol, ledger and util run anywhere: no node:* module',
      severity: 'error',
      from: { path: '^src/(?:protocol|ledger|util)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'generated-imports',
      comment: 'generated code imports generated code',
      severity: 'error',
      from: { path: generated },
      to: { path: '^src/', pathNot: generated },
    },
    {
      name: 'adversary-only-for-traitors',
      comment: 'only the process of a traitor loads the adversary',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/adversary/', traitorCommand] },
      to: { path: '^src/adversary/' },
    },
    {
      name: 'adversary-only-dynamic',
      comment: 'no replica carries the adversary: import() it',
      severity: 'error',
      from: { path: traitorCommand },
      to: { path: '^src/adversary/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'index-imports',
      comment: 'the public face shows neither the commands nor the adversary',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { path: '^src/(?:cli|adversary)/' },
    },
    {
      name: 'no-index-users',
      comment: 'src/index.ts is for users of the package',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/index\\.ts$' },
    },
    {
      name: 'no-barrels',
      comment: 'no index.ts inside a room: import the file that defines it',
      severity: 'error',
      from: { path: '^src/.+/index\\.ts$', pathNot: generated },
      to: {},
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-development-packages',
      comment: 'what runs in production is a dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};

/** The tables, for those who draw them: no part of the configuration, and not enumerated with it. */
Object.defineProperty(module.exports, 'tables', { value: { rooms, runtimeRooms, runtimeShared, runtimeWiring } });
