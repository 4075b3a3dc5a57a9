/** The example application does what its guide says (docs/own-application.md). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { accountOperations, accounts, operationOf, resultOf } from '../../support/accounts.js';
import { MemoryApplicationStore } from './memory-application-store.js';

type Fields = Readonly<Record<string, unknown>>;

describe('the example application', () => {
  let store: MemoryApplicationStore;
  let sequence: number;

  beforeEach(() => {
    store = new MemoryApplicationStore();
    sequence = 0;
  });

  const execute = (operation: Fields): Fields => {
    sequence++;
    return resultOf(store.execute(accounts, operationOf(operation), { sequence, index: 0 }));
  };
  const balanceOf = (account: string): unknown => execute({ op: 'balance', account })['balance'];

  it('moves money from one account to another', () => {
    assert.deepEqual(execute({ op: 'open', account: 'alice' }), { ok: true, balance: 0 });
    execute({ op: 'open', account: 'bob' });
    assert.deepEqual(execute({ op: 'deposit', account: 'alice', amount: 100 }), { ok: true, balance: 100 });
    assert.deepEqual(execute({ op: 'transfer', from: 'alice', to: 'bob', amount: 30 }), { ok: true, balance: 70 });
    assert.deepEqual([balanceOf('alice'), balanceOf('bob')], [70, 30]);
    assert.deepEqual(execute({ op: 'list' }), {
      ok: true,
      accounts: [
        ['alice', 70],
        ['bob', 30],
      ],
    });
    assert.deepEqual(execute({ op: 'list', after: 'alice' }), { ok: true, accounts: [['bob', 30]] });
  });

  it('answers a refusal as a result, and changes nothing', () => {
    execute({ op: 'open', account: 'alice' });
    const before = structuredClone(store.rows);
    for (const [operation, why] of [
      [{ op: 'open', account: 'alice' }, 'the account is there already'],
      [{ op: 'deposit', account: 'nobody', amount: 1 }, 'there is no such account'],
      [{ op: 'transfer', from: 'alice', to: 'nobody', amount: 1 }, 'there is no such account'],
    ] as const) {
      assert.deepEqual(execute(operation), { ok: false, refused: why });
    }
    execute({ op: 'open', account: 'bob' });
    assert.deepEqual(execute({ op: 'transfer', from: 'alice', to: 'bob', amount: 1 }), {
      ok: false,
      refused: 'the balance is too small',
    });
    store.rows.delete(Buffer.from('account/bob').toString('hex'));
    assert.deepEqual(store.rows, before);
  });

  it('makes a transfer with an id once, however often it comes', () => {
    execute({ op: 'open', account: 'alice' });
    execute({ op: 'open', account: 'bob' });
    execute({ op: 'deposit', account: 'alice', amount: 100 });
    const transfer = { op: 'transfer', from: 'alice', to: 'bob', amount: 30, id: 'invoice-7' };
    assert.deepEqual(execute(transfer), { ok: true, balance: 70 });
    assert.deepEqual(execute(transfer), { ok: true, repeated: true });
    assert.equal(balanceOf('bob'), 30);
    assert.equal(execute({ ...transfer, amount: 31 })['ok'], false);
  });

  it('refuses at the door, and by a result, what is malformed', () => {
    for (const operation of [
      { op: 'steal' },
      { op: 'open', account: 'Alice' },
      { op: 'deposit', account: 'alice', amount: -1 },
      { op: 'deposit', account: 'alice', amount: 0.5 },
      { op: 'transfer', from: 'alice', to: 'alice', amount: 1 },
      { op: 'list', after: 3 },
    ]) {
      assert.equal(accounts.prepare(operationOf(operation)).objection?.field, 'operation', JSON.stringify(operation));
      assert.equal(execute(operation)['ok'], false, JSON.stringify(operation));
    }
    const long = operationOf({ op: 'open', account: 'a', more: '['.repeat(2_000) });
    assert.match(accounts.prepare(long).objection?.description ?? '', /allowed are 1024/);
  });

  it('neither makes nor loses money, whatever is transferred', () => {
    const property = fc.property(fc.array(accountOperations, { maxLength: 60 }), (operations) => {
      const rows = new MemoryApplicationStore();
      let deposited = 0;
      for (const [index, operation] of operations.entries()) {
        const result = resultOf(rows.execute(accounts, operation, { sequence: 1, index }));
        const { op, amount } = resultOf(operation);
        deposited += op === 'deposit' && result['ok'] === true ? Number(amount) : 0;
      }
      const list = rows.execute(accounts, operationOf({ op: 'list' }), { sequence: 2, index: 0 });
      const balances = (resultOf(list)['accounts'] as readonly (readonly [string, number])[]).map(([, one]) => one);
      assert.equal(
        balances.reduce((sum, one) => sum + one, 0),
        deposited,
      );
      assert.ok(balances.every((one) => one >= 0));
    });
    fc.assert(property, { numRuns: 300 });
  });
});
