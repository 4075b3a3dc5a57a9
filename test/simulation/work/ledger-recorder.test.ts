/** The recorder of the ledger knows which requests take effect, by the rules and not by what replicas wrote. */
import assert from 'node:assert/strict';
import { sequence } from '../../../src/protocol/identifiers.js';
import type { ClientId } from '../../../src/util/digest.js';
import { encodeBatch } from '../../../src/wire/batch-codec.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { encodeRequestPayload } from '../../../src/wire/request-codec.js';
import { batchOf, digest, request } from '../../support/core-cluster.js';
import { CLIENTS, GENESIS, header, LIMITS, ONE } from '../checks/builders.js';
import { LedgerRecorder } from './ledger-recorder.js';
import { encodeInput } from './operations.js';

const [CLIENT] = CLIENTS;

/** A put of the client under this number. */
function put(number: number, acknowledged: number) {
  const clientId = CLIENT as ClientId;
  const operations = [encodeInput({ kind: 'put', key: 'a', value: String(number) })];
  const payload = encodeRequestPayload({ clientId, number, acknowledged, operations });
  const sender = { kind: 'client', clientId } as const;
  const bytes = encodeEnvelope({ type: 'request', sender, payload, signature: new Uint8Array(1) });
  return { clientId, number, acknowledged, digest: digest(`request ${number}`), operations, bytes };
}

/** The values that are put where these requests are the batches of the ledger. */
function valuesOf(batches: readonly (readonly ReturnType<typeof put>[])[]) {
  const recorder = new LedgerRecorder({ limits: LIMITS, clientWindow: 4, isCorrectClient: () => true });
  for (const [index, requests] of batches.entries()) {
    const written = header(index + 1, GENESIS);
    const batch = {
      ...batchOf([request('a', 1)]),
      digest: written.header.batchDigest,
      bytes: encodeBatch(1_000, requests),
    };
    recorder.onAppended(ONE, { kind: 'batch', sequence: sequence(index + 1), batch });
    recorder.onExecuted(ONE, [written]);
  }
  return recorder.operations().map(({ input }) => ('value' in input ? input.value : ''));
}

describe('the recorder of the ledger', () => {
  it('takes each number once, none that is dead, and none beyond the window', () => {
    assert.deepEqual(
      valuesOf([
        [put(1, 0), put(2, 0)],
        [put(1, 0), put(9, 0), put(4, 2)],
        [put(2, 0), put(6, 2)],
      ]),
      ['1', '2', '4', '6'],
    );
  });

  it('takes what a later request of the same batch acknowledges', () => {
    assert.deepEqual(valuesOf([[put(1, 0), put(3, 2), put(2, 0)]]), ['1', '3']);
  });
});
