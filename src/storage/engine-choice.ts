/**
 * Which engine a data directory gets. RocksDB's prebuilt binary aborts the process on many versions of Node.js, which no
 * `try` survives: so a child process opens a store, writes with a sync and reads back, once a process of ours.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unreachable } from '../util/assert.js';
import { failed, ok, type Result } from '../util/result.js';
import { systemFaultOf } from '../util/system-error.js';
import type { EngineName } from './engine-name.js';
import { loadLevelDb, type OpenEngine, openLevelDb } from './leveldb-engine.js';
import { openRocksDb, resolveRocksDb } from './rocksdb-engine.js';

/** The engine to open, and a line for the log where it isn't the preferred one. */
export interface EngineChoice {
  readonly name: EngineName;
  readonly open: OpenEngine;
  /** Undefined where there is nothing to say. */
  readonly warning: string | undefined;
}

const PROBE_TIMEOUT_MS = 30_000;

/** What the child process runs; its arguments are the library's path and an empty directory. */
const PROBE_SCRIPT = `
const [library, directory] = process.argv.slice(1);
const store = require(library)(directory);
const fail = (error) => { process.stderr.write(error.message); process.exit(1); };
store.open({}, (error) => {
  if (error) return fail(error);
  store.batch([{ type: 'put', key: Buffer.from('key'), value: Buffer.from('value') }], { sync: true }, (error) => {
    if (error) return fail(error);
    store.getMany([Buffer.from('key')], (error, values) => {
      if (error) return fail(error);
      if (String(values[0]) !== 'value') return fail(new Error('it read back something else'));
      store.close((error) => { if (error) return fail(error); });
    });
  });
});
`;

/** What the child process runs on a store that is there; it changes no key. */
const OPENING_SCRIPT = `
const [library, directory] = process.argv.slice(1);
const store = require(library)(directory);
const fail = (error) => { process.stderr.write(error.message); process.exit(1); };
store.open({ createIfMissing: false }, (error) => {
  if (error) return fail(error);
  store.close((error) => { if (error) return fail(error); });
});
`;

let probed: Promise<string | undefined> | undefined;

/**
 * Why RocksDB can't be used in this process, or undefined where it can. Probed once. Rejects where the operating system
 * keeps a trial from being made, which says nothing about RocksDB.
 */
export function probeRocksDb(): Promise<string | undefined> {
  probed ??= runProbe(resolveRocksDb()).catch((error: unknown) => {
    probed = undefined;
    throw error;
  });
  return probed;
}

/**
 * The engine to use. `existing` is the one that the data directory was made with: it stays. `wanted` is the operator's
 * choice for a new one. `probe` says why RocksDB can't be used.
 */
export async function chooseEngine(
  asked: { readonly existing: EngineName | undefined; readonly wanted: EngineName | undefined },
  probe: () => Promise<string | undefined> = probeRocksDb,
): Promise<Result<EngineChoice, string>> {
  const { existing, wanted } = asked;
  if (existing !== undefined && wanted !== undefined && existing !== wanted) {
    return failed(
      `the data directory was made with ${existing} and the configuration says ${wanted}; set the engine to ` +
        `${existing}, or convert the data: ${convertCommand(wanted)}`,
    );
  }
  const name = existing ?? wanted;
  if (name === 'leveldb') {
    return chooseLevelDb(undefined);
  }
  if (name !== undefined && name !== 'rocksdb') {
    return unreachable(name);
  }
  const reason = await probe();
  if (reason === undefined) {
    return ok({ name: 'rocksdb', open: openRocksDb, warning: undefined });
  }
  if (existing !== undefined) {
    return failed(
      `the data directory was made with rocksdb, which can't be used with Node.js ${process.version}: ${reason}. ` +
        'Start the replica with the version of Node.js that it ran with before, or convert the data with that version: ' +
        convertCommand('leveldb'),
    );
  }
  if (wanted !== undefined) {
    return failed(
      `the configuration says rocksdb, which can't be used with Node.js ${process.version}: ${reason}. ` +
        'Set the engine to leveldb, use another version of Node.js, or build rocksdb from its source',
    );
  }
  return chooseLevelDb(`using LevelDB: RocksDB can't be used with Node.js ${process.version}: ${reason}`);
}

async function chooseLevelDb(warning: string | undefined): Promise<Result<EngineChoice, string>> {
  const library = await loadLevelDb();
  return library.ok
    ? ok({ name: 'leveldb', open: openLevelDb, warning })
    : failed(warning === undefined ? library.error : `${library.error} (${warning})`);
}

function convertCommand(engine: EngineName): string {
  return `pbft convert --config FILE --engine ${engine}`;
}

/** Opens, writes and reads a store of the library at this path in a child process; says what went wrong, if anything. */
export async function runProbe(library: string | undefined): Promise<string | undefined> {
  if (library === undefined) {
    return 'the package rocksdb is not installed';
  }
  const directory = await mkdtemp(join(tmpdir(), 'pbft-probe-'));
  try {
    return await runChild(PROBE_SCRIPT, library, join(directory, 'store'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Opens a RocksDB store in a child process and closes it; says what went wrong, if anything. For a store whose last
 * opening ended this process: some damage trips assertions in the library.
 */
export async function tryOpeningRocksDb(directory: string): Promise<string | undefined> {
  const library = resolveRocksDb();
  return library === undefined ? undefined : runChild(OPENING_SCRIPT, library, directory);
}

function runChild(script: string, library: string, directory: string): Promise<string | undefined> {
  // Without options of this process: a loader or inspector has no business in the child.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const options = { timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL', env, windowsHide: true } as const;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['-e', script, library, directory], options, (error, _stdout, stderr) => {
      if (error === null) {
        resolve(undefined);
        return;
      }
      const [line] = stderr
        .trim()
        .split('\n')
        .filter((text) => text.length > 0);
      if (systemFaultOf(error) !== undefined || systemFaultOf(line) !== undefined) {
        reject(new Error(`a trial of RocksDB could not be made: ${line ?? ''}`, { cause: error }));
        return;
      }
      const how = error.signal ? `a trial ended with ${error.signal}` : `a trial failed with exit code ${error.code}`;
      resolve(line === undefined ? how : `${how} (${line.slice(0, 200)})`);
    });
  });
}
