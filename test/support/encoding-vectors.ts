/**
 * The published test vectors, docs/encodings-vectors.json: values with their bytes and digests. The functions here
 * make the second from the first with the project's code.
 */
import { readFileSync } from 'node:fs';
import { sha256 } from '../../src/crypto/hash.js';
import {
  encodeClientTableClient,
  encodeClientTableKey,
  encodeClientTableRow,
} from '../../src/ledger/client-table-codec.js';
import type { Header, Outcome } from '../../src/ledger/header.js';
import { computeHeaderDigest, encodeHeader } from '../../src/ledger/header-codec.js';
import { computeResultsDigest, encodeLeaf, type Leaf } from '../../src/ledger/leaf.js';
import { computeMerklePaths } from '../../src/ledger/merkle.js';
import { createWritesDigest, type WriteSpace } from '../../src/ledger/writes-digest.js';
import type { ReplicaId } from '../../src/protocol/identifiers.js';
import type {
  NewView,
  PreparedProof,
  ProtocolMessage,
  Signed,
  SignedRequest,
  ViewChange,
} from '../../src/protocol/messages.js';
import { computeViewChangeDigest } from '../../src/protocol/view-change-log.js';
import { defined } from '../../src/util/assert.js';
import { fromHex, toHex } from '../../src/util/bytes.js';
import type { ClientId, Digest } from '../../src/util/digest.js';
import { encodeBatch } from '../../src/wire/batch-codec.js';
import { type Envelope, encodeEnvelope } from '../../src/wire/envelope.js';
import { encodeHeaderStatement } from '../../src/wire/header-statement-codec.js';
import { encodeHello, type Hello } from '../../src/wire/hello-codec.js';
import { encodePayload } from '../../src/wire/message-codec.js';
import { computeRequestDigest, encodeRequestPayload, type RequestContent } from '../../src/wire/request-codec.js';

/** One entry: all byte strings are in hexadecimal. */
export interface Vector {
  readonly kind: string;
  readonly value: unknown;
  readonly result: unknown;
}

/** The published vectors. */
export function readVectors(): readonly Vector[] {
  const file = new URL('../../docs/encodings-vectors.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[];
}

/** The bytes of hexadecimal in a vector. */
export function bytesOf(hex: string): Uint8Array {
  return defined(fromHex(hex), `hexadecimal: ${hex}`);
}

const bytesOnly = (bytes: Uint8Array) => ({ bytes: toHex(bytes) });

/** What each kind of vector says of its value. */
export const RESULTS: Readonly<Record<string, (value: never) => unknown>> = {
  prePrepare: (value: ProtocolMessage) => bytesOnly(encodePayload(value)),
  prepare: (value: ProtocolMessage) => bytesOnly(encodePayload(value)),
  commit: (value: ProtocolMessage) => bytesOnly(encodePayload(value)),
  checkpoint: (value: ProtocolMessage) => bytesOnly(encodePayload(value)),
  status: (value: HexStatus) =>
    bytesOnly(
      encodePayload({
        ...value,
        newViewDigest: value.newViewDigest ?? undefined,
        missingPrePrepares: bytesOf(value.missingPrePrepares),
        missingPrepares: bytesOf(value.missingPrepares),
        missingCommits: bytesOf(value.missingCommits),
      }),
    ),
  viewChange: ({ sender, message }: { sender: ReplicaId; message: HexViewChange }) => {
    const payload = encodePayload({
      ...message,
      checkpointCertificate: message.checkpointCertificate.map(signedOf),
      prepared: message.prepared.map(({ prePrepare, prepares }) => ({
        prePrepare: signedOf(prePrepare),
        prepares: prepares.map(signedOf),
      })),
    });
    const signed = { sender, payload, signature: new Uint8Array(0), message: { type: 'status' } } as Signed;
    return { bytes: toHex(payload), digest: computeViewChangeDigest(signed, sha256) };
  },
  newView: (value: Omit<NewView, 'prePrepares'> & { prePrepares: readonly HexSigned<PrePrepareOf>[] }) =>
    bytesOnly(encodePayload({ ...value, prePrepares: value.prePrepares.map(signedOf) })),
  hello: (value: Omit<Hello, 'diallerNonce' | 'listenerNonce'> & { diallerNonce: string; listenerNonce: string }) =>
    bytesOnly(
      encodeHello({
        ...value,
        diallerNonce: bytesOf(value.diallerNonce),
        listenerNonce: bytesOf(value.listenerNonce),
      }),
    ),
  headerStatement: (value: { headerDigest: Digest }) => bytesOnly(encodeHeaderStatement(value.headerDigest)),
  request: (value: Omit<RequestContent, 'operations'> & { operations: readonly string[] }) => {
    const payload = encodeRequestPayload({ ...value, operations: value.operations.map(bytesOf) });
    return { bytes: toHex(payload), digest: computeRequestDigest(value.clientId, payload, sha256) };
  },
  signedMessage: (value: Pick<Envelope, 'type' | 'sender'> & { payload: string; signature: string }) =>
    bytesOnly(encodeEnvelope({ ...value, payload: bytesOf(value.payload), signature: bytesOf(value.signature) })),
  batch: (value: { timestampMs: number; requests: readonly string[] }) => {
    const requests = value.requests.map((request) => ({ bytes: bytesOf(request) }) as SignedRequest);
    const bytes = encodeBatch(value.timestampMs, requests);
    return { bytes: toHex(bytes), digest: sha256(bytes) };
  },
  header: (value: Header) => ({ bytes: toHex(encodeHeader(value)), digest: computeHeaderDigest(value, sha256) }),
  leaf: (value: Leaf) => bytesOnly(encodeLeaf(value)),
  results: (value: readonly string[]) => ({ digest: computeResultsDigest(value.map(bytesOf), sha256) }),
  merkleTree: (value: readonly string[]) => computeMerklePaths(value.map(bytesOf), sha256),
  clientTableKey: (value: { clientId: ClientId; number: number }) => bytesOnly(encodeClientTableKey(value)),
  clientTableClient: (value: { acknowledged: number }) => bytesOnly(encodeClientTableClient(value)),
  clientTableRow: (value: HexRow) =>
    bytesOnly(encodeClientTableRow({ ...value, results: value.results?.map(bytesOf) ?? undefined })),
  writes: (value: readonly HexWrite[]) => {
    const digest = createWritesDigest(sha256);
    for (const { space, key, value: written } of value) {
      if (written === null) {
        digest.delete(space, bytesOf(key));
      } else {
        digest.put(space, bytesOf(key), bytesOf(written));
      }
    }
    return { digest: digest.finish() };
  },
};

/** A signed message without its payload, which follows from the message. */
interface HexSigned<M extends ProtocolMessage> {
  readonly sender: ReplicaId;
  readonly message: M;
  readonly signature: string;
}

type PrePrepareOf = PreparedProof['prePrepare']['message'];
type HexViewChange = Omit<ViewChange, 'checkpointCertificate' | 'prepared'> & {
  readonly checkpointCertificate: readonly HexSigned<ViewChange['checkpointCertificate'][number]['message']>[];
  readonly prepared: readonly {
    readonly prePrepare: HexSigned<PrePrepareOf>;
    readonly prepares: readonly HexSigned<PreparedProof['prepares'][number]['message']>[];
  }[];
};

function signedOf<M extends ProtocolMessage>({ sender, message, signature }: HexSigned<M>): Signed<M> {
  return { sender, message, payload: encodePayload(message), signature: bytesOf(signature) };
}

type Bitmaps = 'missingPrePrepares' | 'missingPrepares' | 'missingCommits';
type HexStatus = Omit<ProtocolMessage & { type: 'status' }, Bitmaps | 'newViewDigest'> &
  Record<Bitmaps, string> & {
    /** Null for none. */
    readonly newViewDigest: Digest | null;
  };

interface HexRow {
  readonly requestDigest: Digest;
  readonly outcome: Outcome;
  readonly sequence: number;
  readonly leafIndex: number;
  readonly path: readonly Digest[];
  readonly resultsDigest: Digest;
  /** Null where only the digest is kept. */
  readonly results: readonly string[] | null;
}

interface HexWrite {
  readonly space: WriteSpace;
  readonly key: string;
  /** Null for a delete. */
  readonly value: string | null;
}
