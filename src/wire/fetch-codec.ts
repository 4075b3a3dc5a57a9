/** Fetch and FetchAnswer of peer.proto: what a replica asks for by name, and what it gets. */
import { sequence as toSequence } from '../protocol/identifiers.js';
import { unreachable } from '../util/assert.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalReader } from './canonical-reader.js';
import { bytesFieldSizeBytes, CanonicalWriter } from './canonical-writer.js';
import { type Envelope, encodeSigned } from './envelope.js';
import { decodeCheckpointList, decodeEnvelopeOf, encodeSignedList } from './envelope-list.js';
import { computeSignedBytesMax, HEADER_BYTES_MAX, INTEGER_MAX, type WireLimits } from './limits.js';
import { type Malformed, within } from './malformed.js';
import type { EncodedLedgerEntry, FetchAnswer, FetchWhat, OwnFetchAnswer } from './peer-message.js';
import { decodeViewChangeName, encodeViewChangeName } from './view-change-name-codec.js';

const NO_BYTES = new Uint8Array(0);
/** More than tags, lengths and an id take. */
const OVERHEAD_BYTES = 32;

/** The encoded Fetch. */
export function encodeFetch(id: number, what: FetchWhat): Uint8Array {
  const writer = new CanonicalWriter().number(1, id);
  const inner = new CanonicalWriter();
  switch (what.kind) {
    case 'batch':
      return writer.bytes(2, inner.number(1, what.sequence).digest(2, what.batchDigest).finish()).finish();
    case 'ledger':
      inner.number(1, what.first).number(2, what.last).flag(3, what.headersOnly);
      return writer.bytes(3, inner.finish()).finish();
    case 'checkpointCertificate':
      return writer.bytes(4, inner.number(1, what.sequence).finish()).finish();
    case 'viewChange':
      return writer.bytes(5, encodeViewChangeName(what)).finish();
    default:
      return unreachable(what);
  }
}

/** The Fetch in these bytes. */
export function decodeFetch(
  bytes: Uint8Array,
  limits: WireLimits,
): Result<{ readonly id: number; readonly what: FetchWhat }, Malformed> {
  const reader = new CanonicalReader(bytes);
  const id = reader.requireNumber(1, 'id');
  let what: Result<FetchWhat, Malformed>;
  if (reader.isNext(2, 'bytes')) {
    what = decodeFetchBatch(reader.requireBytes(2, 'batch'));
  } else if (reader.isNext(3, 'bytes')) {
    what = decodeFetchLedger(reader.requireBytes(3, 'ledger'), limits);
  } else if (reader.isNext(4, 'bytes')) {
    what = decodeFetchCertificate(reader.requireBytes(4, 'checkpoint_certificate'));
  } else {
    what = decodeFetchViewChange(reader.requireBytes(5, 'view_change'), limits);
  }
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  return what.ok ? ok({ id, what: what.value }) : failed(within('what', what.error));
}

function decodeFetchBatch(bytes: Uint8Array): Result<FetchWhat, Malformed> {
  const reader = new CanonicalReader(bytes);
  const sequence = toSequence(reader.requireNumber(1, 'sequence', { min: 1 }));
  const batchDigest = reader.requireDigest(2, 'batch_digest');
  return reader.finish({ kind: 'batch', sequence, batchDigest });
}

function decodeFetchLedger(bytes: Uint8Array, limits: WireLimits): Result<FetchWhat, Malformed> {
  const reader = new CanonicalReader(bytes);
  const first = toSequence(reader.requireNumber(1, 'first', { min: 1 }));
  const lastMax = Math.min(INTEGER_MAX, first + computeRangeMax(limits) - 1);
  const last = toSequence(reader.requireNumber(2, 'last', { min: first, max: lastMax }));
  const headersOnly = reader.readFlag(3, 'headers_only');
  return reader.finish({ kind: 'ledger', first, last, headersOnly });
}

function decodeFetchCertificate(bytes: Uint8Array): Result<FetchWhat, Malformed> {
  const reader = new CanonicalReader(bytes);
  const sequence = toSequence(reader.requireNumber(1, 'sequence'));
  return reader.finish({ kind: 'checkpointCertificate', sequence });
}

function decodeFetchViewChange(bytes: Uint8Array, limits: WireLimits): Result<FetchWhat, Malformed> {
  const name = decodeViewChangeName(bytes, limits.replicaCount);
  return name.ok ? ok({ kind: 'viewChange', ...name.value }) : name;
}

/** The encoded FetchAnswer. */
export function encodeFetchAnswer(id: number, answer: OwnFetchAnswer): Uint8Array {
  switch (answer.kind) {
    case 'notFound':
      return new CanonicalWriter().number(1, id).bytes(2, NO_BYTES).finish();
    case 'batch':
      return new CanonicalWriter(OVERHEAD_BYTES + answer.batchBytes.length)
        .number(1, id)
        .bytes(3, answer.batchBytes)
        .finish();
    case 'ledger': {
      const range = encodeLedgerRange(answer.entries);
      return new CanonicalWriter(OVERHEAD_BYTES + range.length).number(1, id).bytes(4, range).finish();
    }
    case 'checkpointCertificate':
      return new CanonicalWriter().number(1, id).bytes(5, encodeSignedList(1, answer.checkpoints)).finish();
    case 'viewChange': {
      const viewChange = encodeSigned(answer.viewChange);
      return new CanonicalWriter(OVERHEAD_BYTES + viewChange.length).number(1, id).bytes(6, viewChange).finish();
    }
    default:
      return unreachable(answer);
  }
}

/** The FetchAnswer in these bytes. */
export function decodeFetchAnswer(
  bytes: Uint8Array,
  limits: WireLimits,
): Result<{ readonly id: number; readonly answer: FetchAnswer<Envelope> }, Malformed> {
  const reader = new CanonicalReader(bytes);
  const id = reader.requireNumber(1, 'id');
  let answer: Result<FetchAnswer<Envelope>, Malformed>;
  if (reader.isNext(2, 'bytes')) {
    reader.requireBytes(2, 'not_found', { max: 0 });
    answer = ok({ kind: 'notFound' });
  } else if (reader.isNext(3, 'bytes')) {
    answer = ok({ kind: 'batch', batchBytes: reader.requireBytes(3, 'batch', { min: 1, max: limits.batchBytesMax }) });
  } else if (reader.isNext(4, 'bytes')) {
    answer = decodeLedgerRange(reader.requireBytes(4, 'ledger'), limits);
  } else if (reader.isNext(5, 'bytes')) {
    answer = decodeCertificateAnswer(reader.requireBytes(5, 'checkpoint_certificate'), limits);
  } else {
    const max = computeSignedBytesMax('viewChange', limits);
    answer = decodeViewChangeAnswer(reader.requireBytes(6, 'view_change', { max }), limits);
  }
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  return answer.ok ? ok({ id, answer: answer.value }) : failed(within('answer', answer.error));
}

function encodeLedgerRange(entries: readonly EncodedLedgerEntry[]): Uint8Array {
  let sizeBytes = OVERHEAD_BYTES;
  for (const entry of entries) {
    sizeBytes += 2 * OVERHEAD_BYTES + entry.headerBytes.length + entry.batchBytes.length;
  }
  const writer = new CanonicalWriter(sizeBytes);
  for (const { headerBytes, batchBytes } of entries) {
    const entrySizeBytes = bytesFieldSizeBytes(headerBytes.length) + bytesFieldSizeBytes(batchBytes.length);
    const entry = new CanonicalWriter(OVERHEAD_BYTES + entrySizeBytes)
      .bytes(1, headerBytes)
      .bytesUnlessEmpty(2, batchBytes);
    writer.bytes(1, entry.finish());
  }
  return writer.finish();
}

function decodeLedgerRange(bytes: Uint8Array, limits: WireLimits): Result<FetchAnswer<Envelope>, Malformed> {
  const reader = new CanonicalReader(bytes);
  const encoded = reader.readRepeated(1, 'entries', {
    max: 2 * OVERHEAD_BYTES + HEADER_BYTES_MAX + limits.batchBytesMax,
    countMax: computeRangeMax(limits),
  });
  if (encoded.length === 0) {
    reader.fail('entries', 'has no element');
  }
  const outer = reader.finish(undefined);
  if (!outer.ok) {
    return outer;
  }
  const entries: EncodedLedgerEntry[] = [];
  for (const [index, entryBytes] of encoded.entries()) {
    const entryReader = new CanonicalReader(entryBytes);
    const headerBytes = entryReader.requireBytes(1, 'header', { min: 1, max: HEADER_BYTES_MAX });
    const batchBytes = entryReader.readBytes(2, 'batch', { max: limits.batchBytesMax });
    const entry = entryReader.finish({ headerBytes, batchBytes });
    if (!entry.ok) {
      return failed(within(`entries[${index}]`, entry.error));
    }
    entries.push(entry.value);
  }
  return ok({ kind: 'ledger', entries });
}

function decodeCertificateAnswer(bytes: Uint8Array, limits: WireLimits): Result<FetchAnswer<Envelope>, Malformed> {
  const checkpoints = decodeCheckpointList(bytes, limits);
  return checkpoints.ok ? ok({ kind: 'checkpointCertificate', checkpoints: checkpoints.value }) : checkpoints;
}

function decodeViewChangeAnswer(bytes: Uint8Array, limits: WireLimits): Result<FetchAnswer<Envelope>, Malformed> {
  const viewChange = decodeEnvelopeOf(bytes, 'viewChange', limits);
  return viewChange.ok ? ok({ kind: 'viewChange', viewChange: viewChange.value }) : viewChange;
}

/** The most entries of the ledger that are asked for and given at once: two checkpoint intervals. */
function computeRangeMax(limits: WireLimits): number {
  return 2 * limits.checkpointInterval;
}
