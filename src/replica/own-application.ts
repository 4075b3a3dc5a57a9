/**
 * Which state machine a replica runs: the built-in one, one that the embedding program gives, or one that a module
 * exports. Its name must be the genesis's, so that replicas of one cluster don't run different ones by mistake.
 *
 * An own state machine is checked for what a compiler would say, because it may come from plain JavaScript, and what it
 * gives back is checked at each call: a result that isn't bytes stops the replica with words instead of a digest of
 * nothing.
 */
import { pathToFileURL } from 'node:url';
import { createKeyValueStateMachine } from '../application/key-value-state-machine.js';
import type { ApplicationRange, PreparedOperation, StateMachine } from '../ports/state-machine.js';
import { ConfigurationError } from '../util/configuration-error.js';
import type { ReplicaFiles } from './initialize-check.js';
import { StartError } from './start-error.js';

/** What a module exports its state machine as. */
const EXPORT_NAME = 'stateMachine';

/** Taken: its callers have a service of their own. */
const BUILT_IN_NAME = 'key-value';

type Unjudged = Partial<Record<Exclude<keyof PreparedOperation, 'execute'>, unknown>>;

/** The most entries of a range. */
const RANGE_LIMIT_MAX = 1_000;

const FUNCTIONS = ['prepare', 'query'] as const;

/** What is wrong with a state machine, or undefined. */
function objectionTo(candidate: unknown): string | undefined {
  if (typeof candidate !== 'object' || candidate === null) {
    return 'is no object';
  }
  const name: unknown = Reflect.get(candidate, 'name');
  if (typeof name !== 'string' || name === '') {
    return 'has no `name`';
  }
  if (name === BUILT_IN_NAME) {
    return `is called "${BUILT_IN_NAME}", which is the built-in application's name`;
  }
  const missing = FUNCTIONS.filter((one) => typeof Reflect.get(candidate, one) !== 'function');
  return missing.length === 0 ? undefined : `lacks ${missing.map((one) => `\`${one}\``).join(', ')}`;
}

function isStateMachine(candidate: unknown): candidate is StateMachine {
  return objectionTo(candidate) === undefined;
}

function failure(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/**
 * Loads the state machine that a JavaScript module exports as `stateMachine`. `origin` says where the file was named.
 * Rejects with a ConfigurationError.
 */
export async function loadStateMachine(
  file: string,
  origin: { readonly file: string; readonly path: string },
): Promise<StateMachine> {
  const remedy = `Name a module that exports a StateMachine as \`${EXPORT_NAME}\` (docs/own-application.md)`;
  const refuse = (message: string): never => {
    throw new ConfigurationError({ ...origin, message, remedy });
  };
  const module: unknown = await import(pathToFileURL(file).href).catch((error: unknown) =>
    refuse(`the application ${file} can't be loaded: ${failure(error)}`),
  );
  const candidate: unknown = Reflect.get(Object(module), EXPORT_NAME);
  if (candidate === undefined) {
    return refuse(`the application ${file} exports no \`${EXPORT_NAME}\``);
  }
  return isStateMachine(candidate)
    ? candidate
    : refuse(`the \`${EXPORT_NAME}\` of ${file} ${objectionTo(candidate) ?? ''}`);
}

/** The state machine that a replica with these files runs. Rejects with a ConfigurationError or a StartError. */
export async function chooseStateMachine(
  { configuration, genesis, file }: Pick<ReplicaFiles, 'configuration' | 'genesis' | 'file'>,
  given?: StateMachine,
): Promise<StateMachine> {
  const { applicationFile, genesisFile } = configuration;
  const named = `the genesis ${genesisFile} names the application "${genesis.application}"`;
  if (given === undefined && applicationFile === undefined) {
    if (genesis.application !== BUILT_IN_NAME) {
      throw new StartError(
        `${named}, which is not built in: name its module in \`applicationFile\` or with --application, ` +
          'or give it to startReplica as `stateMachine`',
      );
    }
    return createKeyValueStateMachine();
  }
  const objection = given === undefined ? undefined : objectionTo(given);
  if (objection !== undefined) {
    throw new StartError(`the state machine that is given ${objection}`);
  }
  const own = given ?? (await loadStateMachine(applicationFile ?? '', { file, path: 'applicationFile' }));
  if (own.name !== genesis.application) {
    throw new StartError(`${named}, and this replica would run "${own.name}": all replicas run the same one`);
  }
  return checked(own);
}

/** The state machine with what it gives back checked. Its functions are called as methods of the original. */
function checked(own: StateMachine): StateMachine {
  return {
    name: own.name,
    prepare(operation) {
      const prepared = prepareSafely(own, operation);
      return {
        ...prepared,
        execute(context, store) {
          const result: unknown = prepared.execute(context, store);
          if (!(result instanceof Uint8Array)) {
            throw new TypeError(`execute of "${own.name}" gave ${describe(result)} instead of a Uint8Array`);
          }
          return result;
        },
      };
    },
    query: (query, store) => own.query(query, store),
  };
}

/**
 * What the state machine says of bytes that anybody may have sent. Where that can't be used, the operation costs more than
 * anything may, so that every replica refuses it and none ends; ordered all the same, it ends them like any failure.
 */
function prepareSafely(own: StateMachine, operation: Uint8Array): PreparedOperation {
  try {
    const prepared = own.prepare(operation);
    return (
      withJudgedParts(prepared) ?? refusedOperation(new TypeError(`prepare of "${own.name}" gave ${faultOf(prepared)}`))
    );
  } catch (error) {
    return refusedOperation(error);
  }
}

/** The operation with its parts as they were judged, read once; undefined where one is none. */
function withJudgedParts(prepared: PreparedOperation): PreparedOperation | undefined {
  const { keys, ranges, cost, objection }: Unjudged = Object(prepared);
  const areUsable =
    isListOf(keys, isBytes) &&
    (ranges === undefined || isListOf(ranges, isRange)) &&
    (cost === undefined || isWhole(cost)) &&
    (objection === undefined || isObjection(objection)) &&
    typeof Object(prepared).execute === 'function';
  return areUsable
    ? {
        keys: [...keys],
        ...(ranges !== undefined && { ranges: [...ranges] }),
        ...(cost !== undefined && { cost }),
        ...(objection !== undefined && { objection }),
        execute: (context, store) => prepared.execute(context, store),
      }
    : undefined;
}

function refusedOperation(error: unknown): PreparedOperation {
  return {
    keys: [],
    cost: Number.MAX_SAFE_INTEGER,
    execute() {
      throw error;
    },
  };
}

/** What is wrong with what `prepare` gave. */
function faultOf(prepared: unknown): string {
  if (typeof prepared !== 'object' || prepared === null || prepared instanceof Promise) {
    return `${describe(prepared)} instead of an operation`;
  }
  return 'an operation whose keys, ranges, cost, objection or execute is not what a PreparedOperation has';
}

function isListOf<T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne);
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isRange(value: unknown): value is ApplicationRange {
  const { first, end, limit, bytesMax }: Partial<Record<keyof ApplicationRange, unknown>> = Object(value);
  const isLimit = isWhole(limit) && limit >= 1 && limit <= RANGE_LIMIT_MAX;
  return (
    isBytes(first) && (end === undefined || isBytes(end)) && isLimit && (bytesMax === undefined || isWhole(bytesMax))
  );
}

function isObjection(value: unknown): value is NonNullable<PreparedOperation['objection']> {
  const { field, description }: { field?: unknown; description?: unknown } = Object(value);
  return typeof field === 'string' && typeof description === 'string';
}

function describe(value: unknown): string {
  return value instanceof Promise ? 'a promise' : value === null ? 'null' : `a value of type ${typeof value}`;
}
