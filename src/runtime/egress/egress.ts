/**
 * What leaves: the core's unsigned messages are signed here, held until what they depend on is durable, encoded once,
 * sent to all, and handed back signed. Signature and synced write run side by side; a message leaves when both are
 * done. (protocol.md 4, persist before send)
 */

import type { Completion } from '../../ports/key-value-store.js';
import type { Signer } from '../../ports/signatures.js';
import type { Transport } from '../../ports/transport.js';
import type { Effect, ForwardItem } from '../../protocol/effects.js';
import type { Event } from '../../protocol/events.js';
import type { ReplicaId, Sequence, View } from '../../protocol/identifiers.js';
import type {
  Checkpoint,
  Commit,
  NewView,
  PrePrepare,
  Prepare,
  ProtocolMessage,
  Signed,
  Status,
  Verified,
  ViewChange,
} from '../../protocol/messages.js';
import { own } from '../../protocol/verified.js';
import { assert } from '../../util/assert.js';
import type { Digest } from '../../util/digest.js';
import { encodePayload } from '../../wire/message-codec.js';
import { encodePeerMessage } from '../../wire/peer-codec.js';
import type { BatchBody } from '../execution/batch-bodies.js';

/** What egress needs. */
export interface EgressOptions {
  readonly replica: ReplicaId;
  readonly peers: readonly ReplicaId[];
  readonly signer: Signer;
  readonly transport: Pick<Transport, 'send'>;
  /** Runs something when every record that the core wanted written before is durable. */
  readonly afterDurable: (run: () => void) => void;
  readonly loadBatch: (sequence: Sequence, digest: Digest, done: Completion<BatchBody | undefined>) => void;
  /** Hands a signed copy back to the core. */
  readonly onSigned: (event: Event) => void;
  readonly onFatal: (reason: string) => void;
}

/** Signs and sends. */
export class Egress {
  constructor(private readonly options: EgressOptions) {}

  /** Signs a vote or checkpoint, sends it to all peers once durable, and hands it back. */
  broadcast(message: Prepare | Commit | Checkpoint): void {
    this.signDurably(message, (signed) => {
      this.sendToAll(encodePeerMessage({ kind: 'signed', signed }), 'vote');
    });
  }

  /** Signs a pre-prepare, sends it with its batch to all peers once durable, and hands it back. */
  propose({ message, batch }: Extract<Effect, { kind: 'propose' }>): void {
    if ('bytes' in batch) {
      this.proposeWith(message, batch.bytes);
      return;
    }
    this.options.loadBatch(batch.sequence, batch.digest, (result) => {
      const body = result.ok ? result.value : undefined;
      if (body === undefined) {
        this.options.onFatal(`the batch proposed at sequence ${batch.sequence} is not in the store`);
        return;
      }
      this.proposeWith(message, body.batch.bytes);
    });
  }

  /** Signs a view change or new view and hands it back; the core makes it durable before it sends it. */
  sign(message: ViewChange | NewView): void {
    const payload = encodePayload(message);
    this.options.signer.sign(message.type, payload, (signature) => {
      const signed = ownSigned(message, this.options.replica, payload, signature);
      this.options.onSigned({ kind: 'messageSigned', message: signed });
    });
  }

  /** Signs the pre-prepares of a new view and hands them back together, in order. */
  signPrePrepares(view: View, messages: readonly PrePrepare[]): void {
    const signed = new Map<number, Verified<Signed<PrePrepare>>>();
    const finish = (): void => {
      if (signed.size === messages.length) {
        const prePrepares = messages.flatMap((_, index) => signed.get(index) ?? []);
        this.options.onSigned({ kind: 'prePreparesSigned', view, prePrepares });
      }
    };
    for (const [index, message] of messages.entries()) {
      const payload = encodePayload(message);
      this.options.signer.sign(message.type, payload, (signature) => {
        signed.set(index, ownSigned(message, this.options.replica, payload, signature));
        finish();
      });
    }
    if (messages.length === 0) {
      finish();
    }
  }

  /** Signs a status and sends it to its addressee. */
  sendStatus(message: Status): void {
    this.signDurably(message, (signed) => {
      this.options.transport.send(message.to, encodePeerMessage({ kind: 'signed', signed }), 'vote');
    });
  }

  /** Sends what is signed already. */
  forward(to: ReplicaId | 'all', item: ForwardItem): void {
    switch (item.kind) {
      case 'message':
        this.sendDurably(to, encodePeerMessage({ kind: 'signed', signed: item.message }), 'vote');
        return;
      case 'request':
        this.sendDurably(to, encodePeerMessage({ kind: 'request', bytes: item.request.bytes }), 'bulk');
        return;
      case 'checkpointCertificate':
        this.sendDurably(to, encodePeerMessage({ kind: 'checkpointCertificate', ...item.certificate }), 'vote');
        return;
      case 'evidence':
        this.sendDurably(to, encodePeerMessage(item), 'vote');
        return;
      case 'proposal': {
        const { sequence, batchDigest } = item.prePrepare.message;
        this.withBatch(sequence, batchDigest, ({ batch }) => {
          const message = { kind: 'proposal', prePrepare: item.prePrepare, batchBytes: batch.bytes } as const;
          this.sendDurably(to, encodePeerMessage(message), 'bulk');
        });
        return;
      }
      case 'committedBatch': {
        const { commits } = item.certificate;
        const batchDigest = commits[0]?.message.batchDigest;
        assert(batchDigest !== undefined, 'a commit certificate has commits');
        this.withBatch(item.sequence, batchDigest, ({ batch }) => {
          const message = { kind: 'committedBatch', batchBytes: batch.bytes, commits } as const;
          this.sendDurably(to, encodePeerMessage(message), 'bulk');
        });
      }
    }
  }

  private proposeWith(message: PrePrepare, batchBytes: Uint8Array): void {
    this.signDurably(message, (prePrepare) => {
      this.sendToAll(encodePeerMessage({ kind: 'proposal', prePrepare, batchBytes }), 'vote');
    });
  }

  /**
   * Signs and waits for the disk side by side; then sends, and hands votes back to the core. A Status is only sent: the
   * core has no use for its own.
   */
  private signDurably<M extends Prepare | Commit | Checkpoint | PrePrepare | Status>(
    message: M,
    send: (signed: Verified<Signed<M>>) => void,
  ): void {
    const payload = encodePayload(message);
    let signed: Verified<Signed<M>> | undefined;
    let isDurable = false;
    const finish = (): void => {
      if (signed !== undefined && isDurable) {
        send(signed);
        if (isVote(signed)) {
          this.options.onSigned({ kind: 'messageSigned', message: signed });
        }
      }
    };
    this.options.signer.sign(message.type, payload, (signature) => {
      signed = ownSigned(message, this.options.replica, payload, signature);
      finish();
    });
    this.options.afterDurable(() => {
      isDurable = true;
      finish();
    });
  }

  private sendDurably(to: ReplicaId | 'all', message: Uint8Array, priority: 'vote' | 'bulk'): void {
    this.options.afterDurable(() => {
      if (to === 'all') {
        this.sendToAll(message, priority);
      } else {
        this.options.transport.send(to, message, priority);
      }
    });
  }

  private sendToAll(message: Uint8Array, priority: 'vote' | 'bulk'): void {
    for (const peer of this.options.peers) {
      this.options.transport.send(peer, message, priority);
    }
  }

  /** Does something with a batch that this replica has; one that is gone by now is not sent. */
  private withBatch(sequence: Sequence, digest: Digest, use: (body: BatchBody) => void): void {
    this.options.loadBatch(sequence, digest, (result) => {
      if (!result.ok) {
        this.options.onFatal(result.error.message);
      } else if (result.value !== undefined) {
        use(result.value);
      }
    });
  }
}

/** A statement that this replica itself signed needs no check. */
function ownSigned<M extends ProtocolMessage>(
  message: M,
  sender: ReplicaId,
  payload: Uint8Array,
  signature: Uint8Array,
): Verified<Signed<M>> {
  const signed: Signed<M> = { message, sender, payload, signature };
  return own(signed);
}

function isVote(signed: Verified<Signed>): signed is Verified<Signed<Prepare | Commit | Checkpoint | PrePrepare>> {
  return signed.message.type !== 'status';
}
