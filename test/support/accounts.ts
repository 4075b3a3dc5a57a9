/** The example application of examples/accounts/ for tests, and operations for it. */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import type { StateMachine } from '../../src/ports/state-machine.js';

/** Its module. */
export const ACCOUNTS_FILE = join(resolve(import.meta.dirname, '../..'), 'examples/accounts/accounts.js');

const module = (await import(pathToFileURL(ACCOUNTS_FILE).href)) as { readonly stateMachine: StateMachine };

/** The example's state machine. It keeps no state of its own, so one is as good as many. */
export const accounts = module.stateMachine;

/** An operation as bytes. */
export function operationOf(operation: Readonly<Record<string, unknown>>): Uint8Array {
  return Buffer.from(JSON.stringify(operation));
}

/** A result. */
export function resultOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Readonly<Record<string, unknown>>;
}

const names = fc.constantFrom('alice', 'bob', 'carol');
const amounts = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constant(Number.MAX_SAFE_INTEGER));

/** Well-formed operations on three accounts. */
export const accountOperations: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    fc.record({ op: fc.constantFrom('open', 'balance'), account: names }),
    fc.record({ op: fc.constant('deposit'), account: names, amount: amounts }),
    fc
      .record({
        from: names,
        to: names,
        amount: amounts,
        id: fc.option(fc.constantFrom('t-1', 't-2'), { nil: undefined }),
      })
      .filter(({ from, to }) => from !== to)
      .map((transfer) => ({ op: 'transfer', ...transfer })),
    fc.record({ op: fc.constant('list'), after: fc.option(names, { nil: undefined }) }),
  )
  .map(operationOf);
