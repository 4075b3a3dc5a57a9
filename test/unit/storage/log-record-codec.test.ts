/** Log records survive their encoding, and no bytes make the decoders throw. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import { decodeGroup, encodeGroup } from '../../../src/storage/log-group.js';
import { decodeRecord, encodeRecord, type StoredRecord } from '../../../src/storage/log-record-codec.js';
import {
  batchOf,
  checkpointCertificateOf,
  evidenceRecord,
  OPTIONS,
  prePrepareOf,
  preparedCertificateOf,
} from '../../support/storage-records.js';

const batch = batchOf(3);
const signedPrePrepare = prePrepareOf(batch, 3, 2);
const evidence = evidenceRecord(5);
const RECORDS: readonly StoredRecord[] = [
  { kind: 'accepted', prePrepare: signedPrePrepare.message, signed: signedPrePrepare },
  { kind: 'accepted', prePrepare: prePrepareOf(batch, 3).message, signed: undefined },
  { kind: 'prepared', certificate: preparedCertificateOf(batch, 3, 1) },
  {
    kind: 'ownCheckpoint',
    checkpoint: { ...checkpointCertificateOf(4, batch.digest).checkpoints[0]?.message },
  } as StoredRecord,
  { kind: 'stableCheckpoint', sequence: sequence(4) },
  { kind: 'view', standing: { view: view(7), phase: 'left' } },
  { kind: 'view', standing: { view: view(7), phase: 'changing', proofDigest: batch.digest } },
  { kind: 'view', standing: { view: view(7), phase: 'active', proofDigest: batch.digest } },
  ...(evidence.kind === 'evidence' ? [evidence] : []),
];

describe("the log's records", () => {
  for (const record of RECORDS) {
    it(`are the same after encoding and decoding: ${record.kind}`, () => {
      assert.deepEqual(decodeRecord(encodeRecord(record), OPTIONS.limits), { ok: true, value: record });
    });
  }

  it('are malformed, never an exception, for any other bytes', () => {
    const encoded = RECORDS.map(encodeRecord);
    const cut = fc
      .tuple(fc.constantFrom(...encoded), fc.nat(400), fc.nat(255))
      .map(([bytes, place, value]) => bytes.map((byte, index) => (index === place % bytes.length ? value : byte)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), cut), (bytes) => {
        decodeRecord(bytes, OPTIONS.limits);
        decodeGroup(bytes);
      }),
      { numRuns: 500 },
    );
    for (const bytes of encoded) {
      for (let length = 0; length < bytes.length; length++) {
        // An accepted record's signed copy is its end: cut off, it is another record, which the group's chain shows.
        const decoded = decodeRecord(bytes.subarray(0, length), OPTIONS.limits);
        assert.ok(!decoded.ok || decoded.value.kind === 'accepted');
      }
    }
  });

  it('make a group that decodes to the same records and the digest before it', () => {
    const records = RECORDS.map(encodeRecord);
    const group = decodeGroup(encodeGroup({ previousDigest: batch.digest, records }));
    assert.deepEqual(group, { ok: true, value: { previousDigest: batch.digest, records } });
  });
});
