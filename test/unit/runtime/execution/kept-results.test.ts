/** What the client table keeps of results that belong to several callers (FU-04). */
import assert from 'node:assert/strict';
import type { SignedRequest } from '../../../../src/protocol/messages.js';
import { ClientTable } from '../../../../src/runtime/execution/client-table.js';
import { RESULT_TOO_LONG, resultToKeep } from '../../../../src/runtime/execution/result-marks.js';
import type { ClientId, Digest } from '../../../../src/util/digest.js';
import { text } from '../fakes.js';

const ALICE = 'aa'.repeat(32) as ClientId;
const DIGEST = 'dd'.repeat(32) as Digest;
const LONG = new Uint8Array(20_000);
const SHORT = new Uint8Array(40);

function requestOf(number: number, operationCount: number): SignedRequest {
  const operations = Array.from({ length: operationCount }, () => new Uint8Array(1));
  return { clientId: ALICE, number, acknowledged: 0, digest: DIGEST, operations, bytes: new Uint8Array(1) };
}

/** Executes a request as the batch of its number; returns the rows that are put, as number and lengths of results. */
function execute(table: ClientTable, number: number, results: readonly Uint8Array[]): readonly string[] {
  table.beginBatch(number);
  const request = requestOf(number, results.length);
  assert.equal(table.judge(request).kind, 'execute');
  table.recordExecuted({ request, leafIndex: 0, results, resultsDigest: DIGEST });
  const { rowsPut } = table.finishBatch([[]]);
  return rowsPut.map((row) => `${row.number}: ${row.results?.map(({ length }) => length).join() ?? 'dropped'}`);
}

describe('kept results', () => {
  it('FU-04: are those of operations that wrote, whatever their length, and the short ones of those that only read', () => {
    assert.equal(resultToKeep(LONG, true), LONG);
    assert.equal(resultToKeep(SHORT, false), SHORT);
    assert.equal(resultToKeep(RESULT_TOO_LONG, false), RESULT_TOO_LONG);
    assert.equal(text(resultToKeep(LONG, false)), 'pbft/1/result-not-kept\0');
  });

  it('FU-04: of a writer stay where readers’ long ones go, though they are older', () => {
    const table = new ClientTable({ clientWindow: 100, keptResultBytesMax: 50_000 });
    assert.deepEqual(execute(table, 1, [SHORT, SHORT]), ['1: 40,40']);
    assert.deepEqual(execute(table, 2, [LONG]), ['2: 20000']);
    assert.deepEqual(execute(table, 3, [LONG]), ['3: 20000']);
    assert.deepEqual(execute(table, 4, [LONG]).toSorted(), ['2: dropped', '4: 20000']);
  });

  it('FU-04: are chosen in the same way after a restart, which reads how long they are', () => {
    const [before, after] = [1, 2].map(() => new ClientTable({ clientWindow: 100, keptResultBytesMax: 50_000 }));
    assert.ok(before !== undefined && after !== undefined);
    const row = {
      clientId: ALICE,
      requestDigest: DIGEST,
      outcome: 1,
      leafIndex: 0,
      path: [],
      resultsDigest: DIGEST,
    } as const;
    const rows = [
      { ...row, number: 1, sequence: 1, keptResultBytes: 80 },
      { ...row, number: 2, sequence: 2, keptResultBytes: 20_000 },
      { ...row, number: 3, sequence: 3, keptResultBytes: 20_000 },
    ];
    after.load({ clients: [], rows });
    execute(before, 1, [SHORT, SHORT]);
    execute(before, 2, [LONG]);
    execute(before, 3, [LONG]);
    const [changes, changesAfterRestart] = [before, after].map((table) => execute(table, 4, [LONG]));
    assert.deepEqual(changesAfterRestart, changes);
  });
});
