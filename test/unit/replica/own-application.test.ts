/** Which state machine a replica runs, and what is said where that can't be. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionStore, StateMachine } from '../../../src/ports/state-machine.js';
import { chooseStateMachine, loadStateMachine } from '../../../src/replica/own-application.js';
import { StartError } from '../../../src/replica/start-error.js';
import { ConfigurationError } from '../../../src/util/configuration-error.js';
import { ACCOUNTS_FILE, accounts, operationOf } from '../../support/accounts.js';
import { MemoryApplicationStore } from '../application/memory-application-store.js';

type Files = Parameters<typeof chooseStateMachine>[0];

/** Of a replica whose genesis names this application. */
function filesOf(application: string, applicationFile?: string): Files {
  return {
    configuration: { genesisFile: '/c/genesis.json', applicationFile },
    genesis: { application },
    file: '/c/config.yaml',
  } as unknown as Files;
}

const UNUSED: ExecutionStore = {
  get: () => undefined,
  range: () => [],
  put: () => undefined,
  delete: () => undefined,
};

/** A state machine from plain JavaScript, whatever it lacks. */
const plain = (fields: object): StateMachine => fields as StateMachine;

describe('an own application', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'pbft-application-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const moduleOf = (name: string, text: string): string => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };

  it('is the built-in key-value store where nothing else is said', async () => {
    assert.equal((await chooseStateMachine(filesOf('key-value'))).name, 'key-value');
  });

  it('is what the program gives, or what the module exports that the configuration names', async () => {
    assert.equal((await chooseStateMachine(filesOf('accounts'), accounts)).name, 'accounts');
    assert.equal((await chooseStateMachine(filesOf('accounts', ACCOUNTS_FILE))).name, 'accounts');
  });

  it('is asked for where the genesis names one that is not built in', async () => {
    await assert.rejects(chooseStateMachine(filesOf('accounts')), (error) => {
      assert.ok(error instanceof StartError);
      assert.equal(
        error.message,
        'the genesis /c/genesis.json names the application "accounts", which is not built in: name its module in ' +
          '`applicationFile` or with --application, or give it to startReplica as `stateMachine`',
      );
      return true;
    });
  });

  it("is refused under another name than the genesis's, or under the built-in one's", async () => {
    await assert.rejects(
      chooseStateMachine(filesOf('key-value'), accounts),
      /names the application "key-value", and this replica would run "accounts"/,
    );
    await assert.rejects(
      chooseStateMachine(filesOf('key-value'), plain({ ...accounts, name: 'key-value' })),
      /is called "key-value", which is the built-in application's name/,
    );
  });

  it('is refused with what it lacks', async () => {
    const { query: _query, prepare: _prepare, ...rest } = accounts;
    const files = filesOf('accounts');
    await assert.rejects(chooseStateMachine(files, plain(rest)), /is given lacks `prepare`, `query`$/);
    await assert.rejects(chooseStateMachine(files, plain({ ...accounts, name: '' })), /is given has no `name`$/);
  });

  it('is not loaded from a module that is missing, broken or exports something else', async () => {
    const origin = { file: '/c/config.yaml', path: 'applicationFile' };
    const missing = join(directory, 'missing.js');
    await assert.rejects(loadStateMachine(missing, origin), (error) => {
      assert.ok(error instanceof ConfigurationError);
      const [problem] = error.problems;
      assert.deepEqual([problem?.file, problem?.path], [origin.file, origin.path]);
      assert.match(problem?.message ?? '', /missing\.js can't be loaded: .*Cannot find module/);
      return true;
    });
    const broken = moduleOf('broken.mjs', "throw new Error('no such table');");
    await assert.rejects(loadStateMachine(broken, origin), /can't be loaded: Error: no such table/);
    const other = moduleOf('other.mjs', 'export const machine = {};');
    await assert.rejects(loadStateMachine(other, origin), /exports no `stateMachine`/);
    const number = moduleOf('number.mjs', 'export const stateMachine = 7;');
    await assert.rejects(loadStateMachine(number, origin), /the `stateMachine` of .*number\.mjs is no object/);
  });

  it('stops its replica with words where execute gives no bytes', async () => {
    const run = async (result: unknown): Promise<Uint8Array> => {
      const prepare = (operation: Uint8Array) => ({ ...accounts.prepare(operation), execute: () => result });
      const machine = await chooseStateMachine(filesOf('accounts'), plain({ ...accounts, prepare }));
      const at = { sequence: 1, index: 0 };
      return new MemoryApplicationStore().execute(machine, operationOf({ op: 'balance', account: 'a' }), at);
    };
    await assert.rejects(run('{"ok":true}'), /^TypeError: execute of "accounts" gave a value of type string instead/);
    await assert.rejects(run(Promise.resolve(new Uint8Array())), /gave a promise instead of a Uint8Array/);
    await assert.rejects(run(undefined), /gave a value of type undefined instead/);
  });

  it('FU-05: costs too much where prepare fails, so that no bytes end a replica, and says why where it is executed', async () => {
    const prepareWith = async (prepare: unknown) =>
      (await chooseStateMachine(filesOf('accounts'), plain({ ...accounts, prepare }))).prepare(new Uint8Array(3));
    const good = { keys: [], execute: () => new Uint8Array() };
    assert.equal((await prepareWith((operation: Uint8Array) => ({ ...good, cost: operation.length + 1 }))).cost, 4);
    assert.equal((await prepareWith(() => good)).cost, undefined);
    const fails = () => {
      throw new Error('cannot parse');
    };
    const wrongCosts = [Number.NaN, -1, 1.5, '7', null].map((cost) => () => ({ ...good, cost }));
    const wrongShapes = [undefined, null, 7, Promise.resolve(good), { keys: [] }, { execute: good.execute }];
    for (const wrong of [fails, ...wrongCosts, ...wrongShapes.map((shape) => () => shape)]) {
      const { keys, cost, execute } = await prepareWith(wrong);
      assert.deepEqual([keys, cost], [[], Number.MAX_SAFE_INTEGER]);
      const context = { sequence: 1, index: 0, timestampMs: 0, clientId: '' };
      assert.throws(() => execute(context, UNUSED), /cannot parse|prepare of "accounts" gave/);
    }
    await assert.rejects(prepareWith(7), /lacks `prepare`/);
  });

  it('may be an object of a class with private fields', async () => {
    class Counting {
      readonly name = 'accounts';
      #calls = 0;
      prepare() {
        return { keys: [], execute: () => this.#execute() };
      }
      query(): Promise<Uint8Array> {
        return Promise.resolve(new Uint8Array());
      }
      #execute(): Uint8Array {
        this.#calls++;
        return Uint8Array.of(this.#calls);
      }
    }
    const machine = await chooseStateMachine(filesOf('accounts'), new Counting());
    const store = new MemoryApplicationStore();
    assert.deepEqual(store.execute(machine, new Uint8Array(), { sequence: 1, index: 0 }), Uint8Array.of(1));
  });
});
