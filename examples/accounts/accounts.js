// @ts-check
/**
 * Accounts with transfers: an application of one's own for pbft. docs/own-application.md explains it.
 *
 * An operation is JSON of at most 1,024 bytes:
 *
 *     {"op": "open", "account": "alice"}
 *     {"op": "deposit", "account": "alice", "amount": 100}
 *     {"op": "transfer", "from": "alice", "to": "bob", "amount": 30, "id": "invoice-7"}
 *     {"op": "balance", "account": "alice"}
 *     {"op": "list", "after": "alice"}
 *
 * and a result is JSON too: {"ok": true, ...} or {"ok": false, "refused": "why"}. Money never appears or disappears by a
 * transfer, no balance goes below 0, and a transfer with an id happens once, however often it is sent.
 */

/** @typedef {{ op: 'open' | 'balance', account: string }} OfAccount */
/** @typedef {{ op: 'deposit', account: string, amount: number }} Deposit */
/** @typedef {{ op: 'transfer', from: string, to: string, amount: number, id?: string }} Transfer */
/** @typedef {{ op: 'list', after?: string }} List */
/** @typedef {OfAccount | Deposit | Transfer | List} Operation */

const OPERATION_BYTES_MAX = 1_024;
const LISTED_MAX = 100;
// The most bytes that an operation reads and answers together.
const SHORT_COST = 2_048;
const LIST_COST = 32_768;

/** ASCII alone: names that look alike are alike, and their order is that of their bytes. */
const NAME = /^[a-z0-9-]{1,64}$/;

/** @type {(value: unknown) => value is string} */
const isName = (value) => typeof value === 'string' && NAME.test(value);
/** Whole numbers that JavaScript adds exactly. @type {(value: unknown) => value is number} */
const isAmount = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value > 0;

const decoder = new TextDecoder('utf-8', { fatal: true });
/** @param {string} text */
const bytesOf = (text) => new TextEncoder().encode(text);

// Keys of the application's own store: one for each account, one for each transfer that has an id.
const ACCOUNTS = 'account/';
/** @param {string} name */
const accountKey = (name) => bytesOf(`${ACCOUNTS}${name}`);
/** @param {Transfer} transfer */
const transferKey = ({ from, id }) => bytesOf(`transfer/${from}/${id}`);

/**
 * What an operation says, or a text: what is wrong with it. Everything is checked here, so that the rest can rely on it.
 *
 * @param {Uint8Array} bytes
 * @returns {Operation | string}
 */
function parse(bytes) {
  if (bytes.length > OPERATION_BYTES_MAX) {
    return `has ${bytes.length} bytes, allowed are ${OPERATION_BYTES_MAX}`;
  }
  /** @type {Record<string, unknown>} */
  let given;
  try {
    given = Object(JSON.parse(decoder.decode(bytes)));
  } catch {
    return 'is not JSON in UTF-8';
  }
  const { op, account, from, to, amount, id, after } = given;
  switch (op) {
    case 'open':
    case 'balance':
      return isName(account) ? { op, account } : 'needs an account: 1 to 64 of a-z, 0-9 and -';
    case 'deposit':
      if (!isName(account)) {
        return 'needs an account: 1 to 64 of a-z, 0-9 and -';
      }
      return isAmount(amount) ? { op, account, amount } : 'needs an amount: a whole number above 0';
    case 'transfer':
      if (!isName(from) || !isName(to) || from === to) {
        return 'needs two different accounts, from and to';
      }
      if (!isAmount(amount)) {
        return 'needs an amount: a whole number above 0';
      }
      if (id === undefined) {
        return { op, from, to, amount };
      }
      return isName(id) ? { op, from, to, amount, id } : 'has an id that is not 1 to 64 of a-z, 0-9 and -';
    case 'list':
      return after === undefined || isName(after) ? { op, ...(after && { after }) } : 'goes on after no account';
    default:
      return 'has an op that is none of open, deposit, transfer, balance, list';
  }
}

/**
 * The range that a list reads: accounts after the last one that the caller knows.
 *
 * @param {List} list
 */
const rangeOf = ({ after }) => ({
  // The smallest key above that of the account: its own with a zero byte.
  first: after === undefined ? bytesOf(ACCOUNTS) : bytesOf(`${ACCOUNTS}${after}\0`),
  // '0' comes right after '/'.
  end: bytesOf('account0'),
  limit: LISTED_MAX,
});

/**
 * The keys that an operation reads.
 *
 * @param {Operation} operation
 */
function keysOf(operation) {
  if (operation.op === 'list') {
    return [];
  }
  if (operation.op !== 'transfer') {
    return [accountKey(operation.account)];
  }
  const keys = [accountKey(operation.from), accountKey(operation.to)];
  return operation.id === undefined ? keys : [...keys, transferKey(operation)];
}

/** @param {Uint8Array | undefined} row @returns {{ balance: number, openedMs: number } | undefined} */
const accountOf = (row) => (row === undefined ? undefined : JSON.parse(decoder.decode(row)));

/** @param {Record<string, unknown>} fields */
const done = (fields) => ({ ok: true, ...fields });
/** @param {string} why */
const refused = (why) => ({ ok: false, refused: why });

/**
 * @param {Operation} operation
 * @param {import('pbft').ExecutionContext} context
 * @param {import('pbft').ExecutionStore} store
 * @returns {object}
 */
function execute(operation, context, store) {
  /** @param {string} name */
  const read = (name) => accountOf(store.get(accountKey(name)));
  /** @param {string} name @param {{ balance: number, openedMs: number }} account */
  const write = (name, { balance, openedMs }) =>
    store.put(accountKey(name), bytesOf(JSON.stringify({ balance, openedMs })));

  switch (operation.op) {
    case 'open': {
      if (read(operation.account) !== undefined) {
        return refused('the account is there already');
      }
      // Never Date.now(): the time that the replicas agreed on.
      write(operation.account, { balance: 0, openedMs: context.timestampMs });
      return done({ balance: 0 });
    }
    case 'deposit': {
      const account = read(operation.account);
      if (account === undefined) {
        return refused('there is no such account');
      }
      const balance = account.balance + operation.amount;
      if (!Number.isSafeInteger(balance)) {
        return refused('the balance would be too large');
      }
      write(operation.account, { ...account, balance });
      return done({ balance });
    }
    case 'transfer':
      return transfer(operation, { read, write }, store);
    case 'balance': {
      const account = read(operation.account);
      return account === undefined ? refused('there is no such account') : done({ ...account });
    }
    case 'list': {
      const rows = store.range(rangeOf(operation));
      const accounts = rows.map(({ key, value }) => [
        decoder.decode(key).slice(ACCOUNTS.length),
        accountOf(value)?.balance,
      ]);
      return done({ accounts, ...(rows.length === LISTED_MAX && { after: accounts.at(-1)?.[0] }) });
    }
  }
}

/**
 * @param {Transfer} operation
 * @param {{ read: (name: string) => { balance: number, openedMs: number } | undefined,
 *   write: (name: string, account: { balance: number, openedMs: number }) => void }} accounts
 * @param {import('pbft').ExecutionStore} store
 */
function transfer(operation, { read, write }, store) {
  const { from, to, amount, id } = operation;
  const wanted = JSON.stringify([to, amount]);
  const known = id === undefined ? undefined : store.get(transferKey(operation));
  if (known !== undefined) {
    return decoder.decode(known) === wanted
      ? done({ repeated: true })
      : refused('another transfer of this account has this id');
  }
  const [payer, payee] = [read(from), read(to)];
  if (payer === undefined || payee === undefined) {
    return refused('there is no such account');
  }
  if (payer.balance < amount) {
    return refused('the balance is too small');
  }
  if (!Number.isSafeInteger(payee.balance + amount)) {
    return refused('the balance would be too large');
  }
  write(from, { ...payer, balance: payer.balance - amount });
  write(to, { ...payee, balance: payee.balance + amount });
  if (id !== undefined) {
    store.put(transferKey(operation), bytesOf(wanted));
  }
  return done({ balance: payer.balance - amount });
}

/**
 * What `pbft start --application` and startReplica run.
 *
 * @type {import('pbft').StateMachine}
 */
export const stateMachine = {
  name: 'accounts',

  // Looks at an operation once: all of this follows from its bytes alone.
  prepare(bytes) {
    const operation = parse(bytes);
    if (typeof operation === 'string') {
      return {
        keys: [],
        cost: bytes.length + SHORT_COST,
        objection: { field: 'operation', description: operation },
        // What the door of a correct replica refuses may still come through a faulty one: it has a result, too.
        execute: () => bytesOf(JSON.stringify(refused(operation))),
      };
    }
    const isList = operation.op === 'list';
    return {
      keys: keysOf(operation),
      ranges: isList ? [rangeOf(operation)] : [],
      // A list answers a hundred accounts at most, all else is short.
      cost: bytes.length + (isList ? LIST_COST : SHORT_COST),
      execute: (context, store) => bytesOf(JSON.stringify(execute(operation, context, store))),
    };
  },

  async query(bytes, store) {
    const operation = parse(bytes);
    if (typeof operation === 'string' || operation.op !== 'balance') {
      return bytesOf(JSON.stringify(refused('only a balance can be asked for without an order')));
    }
    const account = accountOf(await store.get(accountKey(operation.account)));
    return bytesOf(JSON.stringify(account === undefined ? refused('there is no such account') : done({ ...account })));
  },
};
