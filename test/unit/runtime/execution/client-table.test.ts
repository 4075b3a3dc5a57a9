import assert from 'node:assert/strict';
import fc from 'fast-check';
import { OUTCOME } from '../../../../src/ledger/header.js';
import type { ClientTableRow, StoredClientTable } from '../../../../src/ports/replica-store.js';
import type { SignedRequest } from '../../../../src/protocol/messages.js';
import {
  ClientTable,
  type ClientTableChanges,
  measureResults,
} from '../../../../src/runtime/execution/client-table.js';
import { decodeRefusal, encodeRefusal } from '../../../../src/runtime/execution/refusal.js';
import type { ClientId, Digest } from '../../../../src/util/digest.js';

const CLIENTS = ['aa', 'bb'].map((pair) => pair.repeat(32) as ClientId);
const [ALICE, BOB] = [CLIENTS[0] as ClientId, CLIENTS[1] as ClientId];
const LIMITS = { clientWindow: 4, keptResultBytesMax: 20 };

function digestOfText(text: string): Digest {
  return Buffer.from(text.padEnd(32, '.')).toString('hex') as Digest;
}

interface Shape {
  readonly client?: ClientId;
  readonly number: number;
  readonly acknowledged?: number;
  readonly content?: string;
  readonly resultBytes?: number;
}

function requestOf({ client = ALICE, number, acknowledged = 0, content = 'x' }: Shape): SignedRequest {
  const digest = digestOfText(`${number} ${content}`);
  return { clientId: client, number, acknowledged, digest, operations: [new Uint8Array(1)], bytes: new Uint8Array(1) };
}

/** Runs one batch through the table and returns the judgements in short and the changes. */
function run(table: ClientTable, sequence: number, shapes: readonly Shape[]): [string[], ClientTableChanges] {
  table.beginBatch(sequence);
  const judgements = shapes.map((shape, leafIndex) => {
    const request = requestOf(shape);
    const judgement = table.judge(request);
    if (judgement.kind === 'execute') {
      const results = [new Uint8Array(shape.resultBytes ?? 1)];
      table.recordExecuted({ request, leafIndex, results, resultsDigest: digestOfText('results') });
    }
    return judgement.kind === 'refused' ? judgement.code : judgement.kind;
  });
  return [judgements, table.finishBatch(shapes.map((_, index) => [digestOfText(`path ${sequence} ${index}`)]))];
}

describe('the client table', () => {
  it('executes a number once, answers its repetition from the table, and refuses another request under it', () => {
    const table = new ClientTable(LIMITS);
    assert.deepEqual(run(table, 1, [{ number: 1 }, { number: 2 }])[0], ['execute', 'execute']);
    const [judgements, changes] = run(table, 2, [{ number: 1 }, { number: 2, content: 'y' }]);
    assert.deepEqual(judgements, ['repeated', 'numberReused']);
    assert.deepEqual(changes, { clients: [], rowsPut: [], rowsDeleted: [] });
  });

  it('takes numbers in any order inside the window', () => {
    const table = new ClientTable(LIMITS);
    assert.deepEqual(run(table, 1, [{ number: 4 }, { number: 1 }, { number: 3 }])[0], [
      'execute',
      'execute',
      'execute',
    ]);
    assert.equal(table.highestNumber(ALICE), 4);
    assert.ok(table.isSettled({ clientId: ALICE, number: 3 }));
    assert.ok(!table.isSettled({ clientId: ALICE, number: 2 }));
    assert.ok(!table.isSettled({ clientId: BOB, number: 4 }));
  });

  it('refuses what is dead and what is beyond the window, which may come back later (CL-03)', () => {
    const table = new ClientTable(LIMITS);
    run(table, 1, [{ number: 1 }]);
    const [judgements, changes] = run(table, 2, [{ number: 3, acknowledged: 2 }, { number: 2 }, { number: 7 }]);
    assert.deepEqual(judgements, ['execute', 'numberAcknowledged', 'numberBeyondWindow']);
    assert.deepEqual(changes.clients, [{ clientId: ALICE, acknowledged: 2 }]);
    assert.deepEqual(changes.rowsDeleted, [{ clientId: ALICE, number: 1 }]);
    assert.deepEqual(run(table, 3, [{ number: 7, acknowledged: 3 }])[0], ['execute']);
  });

  it('lets the largest number hurt nobody but its own client, at once (CL-03)', () => {
    const table = new ClientTable(LIMITS);
    run(table, 1, [{ number: 1 }, { client: BOB, number: 1 }]);
    const huge = Number.MAX_SAFE_INTEGER;
    assert.deepEqual(run(table, 2, [{ number: huge }])[0], ['numberBeyondWindow']);
    const [judgements, changes] = run(table, 3, [{ number: huge, acknowledged: huge - 1 }]);
    assert.deepEqual(judgements, ['execute']);
    assert.deepEqual(changes.rowsDeleted, [{ clientId: ALICE, number: 1 }]);
    assert.deepEqual(run(table, 4, [{ number: 2 }, { client: BOB, number: 2 }])[0], ['numberAcknowledged', 'execute']);
  });

  it('deletes rows in the order of their numbers, however far acknowledged jumps', () => {
    for (const acknowledged of [4, 1_000]) {
      const table = new ClientTable(LIMITS);
      run(table, 1, [{ number: 4 }, { number: 1 }, { number: 3 }]);
      const [, changes] = run(table, 2, [{ number: acknowledged + 1, acknowledged }]);
      assert.deepEqual(
        changes.rowsDeleted.map(({ number }) => number),
        [1, 3, 4],
      );
    }
  });

  it('moves acknowledged also for a request that it refuses', () => {
    const table = new ClientTable(LIMITS);
    const [judgements, changes] = run(table, 1, [{ number: 9, acknowledged: 3 }]);
    assert.deepEqual(judgements, ['numberBeyondWindow']);
    assert.deepEqual(changes.clients, [{ clientId: ALICE, acknowledged: 3 }]);
    assert.equal(table.acknowledgedOf(ALICE), 3);
  });

  it('shrinks the results executed longest ago to their digest, whatever their numbers', () => {
    const table = new ClientTable(LIMITS);
    run(table, 1, [{ number: 3, resultBytes: 8 }]);
    run(table, 2, [{ number: 1, resultBytes: 8 }]);
    const [, changes] = run(table, 3, [{ number: 2, resultBytes: 8 }]);
    assert.deepEqual(
      changes.rowsPut.map(({ number, results }) => [number, results?.length]),
      [
        [2, 1],
        [3, undefined],
      ],
    );
    assert.deepEqual(changes.rowsPut[1]?.path, [digestOfText('path 1 0')]);
    assert.deepEqual(run(table, 4, [{ number: 3 }])[0], ['repeated']);
  });

  it('keeps not even the newest results where they alone are too long', () => {
    const table = new ClientTable(LIMITS);
    const [, changes] = run(table, 1, [{ number: 1, resultBytes: 21 }]);
    assert.deepEqual(
      changes.rowsPut.map(({ results }) => results),
      [undefined],
    );
  });

  it('writes no row that its own batch makes and kills', () => {
    const table = new ClientTable(LIMITS);
    const [, changes] = run(table, 1, [{ number: 1 }, { number: 2, acknowledged: 1 }]);
    assert.deepEqual(
      changes.rowsPut.map(({ number }) => number),
      [2],
    );
    assert.deepEqual(changes.rowsDeleted, []);
  });

  it('knows what is beyond the window for the door', () => {
    const table = new ClientTable(LIMITS);
    assert.ok(table.isBeyondWindow({ clientId: ALICE, number: 5, acknowledged: 0 }));
    assert.ok(!table.isBeyondWindow({ clientId: ALICE, number: 5, acknowledged: 1 }));
    run(table, 1, [{ number: 2, acknowledged: 1 }]);
    assert.ok(!table.isBeyondWindow({ clientId: ALICE, number: 5, acknowledged: 0 }));
  });

  it('encodes each refusal in its own bytes, for ever the same', () => {
    const refusals = (['numberAcknowledged', 'numberBeyondWindow', 'numberReused'] as const).map(encodeRefusal);
    assert.deepEqual(
      refusals.map((bytes) => Buffer.from(bytes).toString('latin1')),
      ['pbft/1/refusal\0\x01', 'pbft/1/refusal\0\x02', 'pbft/1/refusal\0\x03'],
    );
    assert.deepEqual(refusals.map(decodeRefusal), ['numberAcknowledged', 'numberBeyondWindow', 'numberReused']);
    assert.equal(decodeRefusal(new Uint8Array(3)), undefined);
  });
});

/** The rules of protocol.md 3 written down as plainly as possible: everything is scanned, nothing is kept twice. */
class NaiveTable {
  readonly acknowledged = new Map<ClientId, number>();
  rows: ClientTableRow[] = [];

  run(sequence: number, shapes: readonly Shape[]): string[] {
    return shapes.map((shape, leafIndex) => this.runOne(sequence, leafIndex, shape));
  }

  private runOne(sequence: number, leafIndex: number, shape: Shape): string {
    const { clientId, number, acknowledged, digest } = requestOf(shape);
    const limit = Math.max(this.acknowledged.get(clientId) ?? 0, acknowledged);
    if (limit > 0) {
      this.acknowledged.set(clientId, limit);
    }
    this.rows = this.rows.filter((row) => row.clientId !== clientId || row.number > limit);
    if (number <= limit) {
      return 'numberAcknowledged';
    }
    if (number > limit + LIMITS.clientWindow) {
      return 'numberBeyondWindow';
    }
    const known = this.rows.find((row) => row.clientId === clientId && row.number === number);
    if (known !== undefined) {
      return known.requestDigest === digest ? 'repeated' : 'numberReused';
    }
    const results = [new Uint8Array(shape.resultBytes ?? 1)];
    this.rows.push({
      clientId,
      number,
      requestDigest: digest,
      outcome: OUTCOME.executed,
      sequence,
      leafIndex,
      path: [digestOfText(`path ${sequence} ${leafIndex}`)],
      resultsDigest: digestOfText('results'),
      results,
    });
    for (let index = 0; this.keptBytes(clientId) > LIMITS.keptResultBytesMax; index++) {
      const row = this.rows[index] as ClientTableRow;
      const isCounted = row.clientId === clientId && measureResults(row.results ?? []) > 0;
      this.rows[index] = isCounted ? { ...row, results: undefined } : row;
    }
    return 'execute';
  }

  private keptBytes(clientId: ClientId): number {
    return measureResults(this.rows.filter((row) => row.clientId === clientId).flatMap((row) => row.results ?? []));
  }
}

/** What a store holds after the changes of all batches. */
class AppliedChanges {
  readonly clients = new Map<ClientId, number>();
  readonly rows = new Map<string, ClientTableRow>();

  apply(changes: ClientTableChanges): void {
    const put = new Set(changes.rowsPut.map((row) => `${row.clientId} ${row.number}`));
    for (const { clientId, number } of changes.rowsDeleted) {
      assert.ok(!put.has(`${clientId} ${number}`), 'no row is both put and deleted');
      assert.ok(this.rows.delete(`${clientId} ${number}`), 'only rows that are there are deleted');
    }
    for (const row of changes.rowsPut) {
      this.rows.set(`${row.clientId} ${row.number}`, row);
    }
    for (const { clientId, acknowledged } of changes.clients) {
      this.clients.set(clientId, acknowledged);
    }
  }

  stored(): StoredClientTable {
    return {
      clients: Array.from(this.clients, ([clientId, acknowledged]) => ({ clientId, acknowledged })),
      rows: [...this.rows.values()].map(({ results, ...row }) => ({
        ...row,
        keptResultBytes: measureResults(results ?? []),
      })),
    };
  }
}

function sortRows(rows: readonly ClientTableRow[]): ClientTableRow[] {
  return [...rows].sort((a, b) => a.sequence - b.sequence || a.leafIndex - b.leafIndex);
}

const shape = fc
  .record({
    client: fc.constantFrom(...CLIENTS),
    number: fc.integer({ min: 1, max: 12 }),
    back: fc.integer({ min: 1, max: 12 }),
    content: fc.constantFrom('x', 'x', 'x', 'y'),
    resultBytes: fc.constantFrom(0, 1, 7, 12, 25),
  })
  .map(({ back, ...rest }) => ({ ...rest, acknowledged: Math.max(0, rest.number - back) }));
const batches = fc.array(
  fc.uniqueArray(shape, { maxLength: 5, selector: ({ client, number }) => `${client} ${number}` }),
  { maxLength: 20 },
);

describe('the client table against a naive model', () => {
  it('judges the same and leaves the same rows in the store', () => {
    fc.assert(
      fc.property(batches, (run1) => {
        const [table, naive, store] = [new ClientTable(LIMITS), new NaiveTable(), new AppliedChanges()];
        run1.forEach((shapes, index) => {
          const [judgements, changes] = run(table, index + 1, shapes);
          assert.deepEqual(judgements, naive.run(index + 1, shapes));
          store.apply(changes);
        });
        assert.deepEqual(store.clients, naive.acknowledged);
        assert.deepEqual(sortRows([...store.rows.values()]), sortRows(naive.rows));
      }),
      { numRuns: 500 },
    );
  });

  it('goes on in the same way after it was loaded from the store', () => {
    fc.assert(
      fc.property(batches, batches, (before, after) => {
        const [table, store] = [new ClientTable(LIMITS), new AppliedChanges()];
        before.forEach((shapes, index) => {
          store.apply(run(table, index + 1, shapes)[1]);
        });
        const loaded = new ClientTable(LIMITS);
        const { clients, rows } = store.stored();
        loaded.load({ clients, rows: [...rows].reverse() });
        after.forEach((shapes, index) => {
          const sequence = before.length + index + 1;
          assert.deepEqual(run(loaded, sequence, shapes), run(table, sequence, shapes));
        });
      }),
      { numRuns: 300 },
    );
  });
});
