/**
 * What replicas send each other, as values: PeerMessage of peer.proto. Coming in, signed parts are envelopes to be
 * judged; going out, they are signed messages. Everything else is the same both ways.
 */
import type { ReplicaId, Sequence } from '../protocol/identifiers.js';
import type { Checkpoint, Commit, PrePrepare, Signed, ViewChange } from '../protocol/messages.js';
import type { Digest } from '../util/digest.js';
import type { Envelope } from './envelope.js';
import type { Greeting } from './hello-codec.js';

/** What came: well-formed, of types that belong there, signed by someone or not. */
export type PeerInput =
  | PeerCommon
  /**
   * A prepare, commit, checkpoint, status, view change or new view; or a pre-prepare without its batch, which says
   * nothing but that.
   */
  | { readonly kind: 'signed'; readonly envelope: Envelope }
  | { readonly kind: 'proposal'; readonly prePrepare: Envelope; readonly batchBytes: Uint8Array }
  | { readonly kind: 'committedBatch'; readonly batchBytes: Uint8Array; readonly commits: readonly Envelope[] }
  | { readonly kind: 'checkpointCertificate'; readonly checkpoints: readonly Envelope[] }
  | { readonly kind: 'fetchAnswer'; readonly id: number; readonly answer: FetchAnswer<Envelope> }
  /** Both pre-prepares or both new views; not compared yet. */
  | { readonly kind: 'evidence'; readonly first: Envelope; readonly second: Envelope };

/** What to send. */
export type PeerOutput =
  | PeerCommon
  | { readonly kind: 'signed'; readonly signed: Signed }
  | { readonly kind: 'proposal'; readonly prePrepare: Signed<PrePrepare>; readonly batchBytes: Uint8Array }
  | { readonly kind: 'committedBatch'; readonly batchBytes: Uint8Array; readonly commits: readonly Signed<Commit>[] }
  | { readonly kind: 'checkpointCertificate'; readonly checkpoints: readonly Signed<Checkpoint>[] }
  | { readonly kind: 'fetchAnswer'; readonly id: number; readonly answer: OwnFetchAnswer }
  | { readonly kind: 'evidence'; readonly first: Signed; readonly second: Signed };

/** What is the same in both directions. */
export type PeerCommon =
  | { readonly kind: 'greeting'; readonly greeting: Greeting }
  /** Its type is `hello`. */
  | { readonly kind: 'hello'; readonly envelope: Envelope }
  /** An encoded SignedMessage with a request, not looked into. */
  | { readonly kind: 'request'; readonly bytes: Uint8Array }
  | { readonly kind: 'fetch'; readonly id: number; readonly what: FetchWhat };

/** What a fetch asks for. */
export type FetchWhat =
  | { readonly kind: 'batch'; readonly sequence: Sequence; readonly batchDigest: Digest }
  /** At most 2K sequences, first ≤ last; with headers only all of them, else as many entries as fit. */
  | { readonly kind: 'ledger'; readonly first: Sequence; readonly last: Sequence; readonly headersOnly: boolean }
  /** Of this sequence or a higher one. */
  | { readonly kind: 'checkpointCertificate'; readonly sequence: Sequence }
  | { readonly kind: 'viewChange'; readonly replica: ReplicaId; readonly digest: Digest };

/** What answers a fetch; `C` and `V` are envelopes coming in, and signed checkpoints and view changes going out. */
export type FetchAnswer<C, V = C> =
  | { readonly kind: 'notFound' }
  | { readonly kind: 'batch'; readonly batchBytes: Uint8Array }
  | { readonly kind: 'ledger'; readonly entries: readonly EncodedLedgerEntry[] }
  | { readonly kind: 'checkpointCertificate'; readonly checkpoints: readonly C[] }
  | { readonly kind: 'viewChange'; readonly viewChange: V };

/** An answer going out. */
export type OwnFetchAnswer = FetchAnswer<Signed<Checkpoint>, Signed<ViewChange>>;

/** One executed batch. */
export interface EncodedLedgerEntry {
  /** The header in its fixed-width encoding, not looked into. */
  readonly headerBytes: Uint8Array;
  /** Empty where only headers were asked for. */
  readonly batchBytes: Uint8Array;
}
