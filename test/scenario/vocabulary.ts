/** Says what messages hold in words that a reader of a scenario knows: requests by client and number, batches by these. */
import type { Event } from '../../src/protocol/events.js';
import type { PreparedProof, ProtocolMessage, Signed, SignedRequest } from '../../src/protocol/messages.js';
import { unreachable } from '../../src/util/assert.js';
import type { ClientId, Digest } from '../../src/util/digest.js';
import { batchOf, NULL_BATCH, request } from '../support/core-cluster.js';
import type { CoreNetwork } from '../support/core-network.js';

/** The names of one scenario. */
export class Vocabulary {
  private readonly clients = new Map<ClientId, string>();
  private readonly batches = new Map<Digest, string>([[NULL_BATCH.digest, '[null]']]);

  /** The request with a name like a1: number 1 of client a. */
  request(name: string): { readonly client: string; readonly number: number } {
    const [, client, number] = /^([a-z]+)(\d+)$/.exec(name) ?? [];
    if (client === undefined || number === undefined) {
      throw new Error(`"${name}" names no request: client and number, like a1`);
    }
    this.clients.set(request(client, 0).clientId, client);
    return { client, number: Number(number) };
  }

  /** The batch with a name like [a1 b1], as a faulty replica would make it; [null] is the null batch. */
  batch(name: string) {
    const requests = (/^\[(.*)\]$/.exec(name)?.[1] ?? '').split(' ').filter((word) => word !== '');
    if (requests.length === 0) {
      throw new Error(`"${name}" names no batch: requests in brackets, like [a1 b1]`);
    }
    if (name === '[null]') {
      return { batch: NULL_BATCH, requests: [] };
    }
    const signed = requests.map((word) => {
      const { client, number } = this.request(word);
      return request(client, number);
    });
    const batch = batchOf(signed);
    this.batches.set(batch.digest, name);
    return { batch, requests: signed };
  }

  /** Learns the batches that replicas made. */
  learn({ replicas }: CoreNetwork): void {
    for (const { bodies } of replicas) {
      for (const [digest, { requests }] of bodies) {
        if (!this.batches.has(digest)) {
          this.batches.set(digest, `[${requests.map((key) => this.nameOf(key)).join(' ')}]`);
        }
      }
    }
  }

  /** The name of a request. */
  nameOf({ clientId, number }: Pick<SignedRequest, 'clientId' | 'number'>): string {
    return `${this.clients.get(clientId) ?? 'unknown'}${number}`;
  }

  /** The name of a batch. */
  nameOfBatch(digest: Digest): string {
    return this.batches.get(digest) ?? '[unknown]';
  }

  /** A message in a line. */
  describe(message: ProtocolMessage): string {
    switch (message.type) {
      case 'prePrepare':
        return `PrePrepare (view ${message.view}, sequence ${message.sequence}, ${this.nameOfBatch(message.batchDigest)})`;
      case 'prepare':
        return `Prepare (view ${message.view}, sequence ${message.sequence}, ${this.nameOfBatch(message.batchDigest)})`;
      case 'commit':
        return `Commit (view ${message.view}, sequence ${message.sequence}, ${this.nameOfBatch(message.batchDigest)})`;
      case 'checkpoint':
        return `Checkpoint (sequence ${message.sequence}, state ${message.headerDigest.slice(0, 4)})`;
      case 'viewChange': {
        const prepared = message.prepared.map((proof) => this.describePrepared(proof)).join(', ');
        return `ViewChange (view ${message.newView}, h ${message.stableCheckpoint}, prepared: ${prepared || 'nothing'})`;
      }
      case 'newView': {
        const senders = message.viewChanges.map(({ replica }) => replica).join(' ');
        const proposals = message.prePrepares.map(
          ({ message: of }) => `${of.sequence} ${this.nameOfBatch(of.batchDigest)}`,
        );
        return `NewView (view ${message.newView}, of ${senders}, O: ${proposals.join(', ') || 'nothing'})`;
      }
      case 'status': {
        const { view, active, lowWatermark, lastExecuted, viewChanges } = message;
        const held = viewChanges.map(({ replica }) => replica).join(' ');
        return (
          `Status (view ${view}${active ? '' : ', not active'}, h ${lowWatermark}, executed ${lastExecuted}` +
          `${held === '' ? '' : `, holds ViewChanges of ${held}`})`
        );
      }
      default:
        return unreachable(message);
    }
  }

  /** What an event brings, or undefined where it comes from no other replica. */
  describeEvent(event: Event): string | undefined {
    switch (event.kind) {
      case 'messageReceived':
      case 'ownStatementReceived':
        return this.describe(event.message.message);
      case 'prePrepareReceived':
        return this.describe(event.prePrepare.message);
      case 'requestReceived':
        return `Request ${this.nameOf(event.request)}`;
      case 'committedBatchReceived':
        return `${this.nameOfBatch(event.batch.digest)} with its Commits (${this.describeVotes(event.certificate.commits)})`;
      case 'checkpointCertificateReceived':
        return `stable checkpoint (${this.describeVotes(event.certificate.checkpoints)})`;
      case 'evidenceReceived':
        return this.describeEvidence(event.first, event.second);
      case 'batchFetched':
        return `batch ${this.nameOfBatch(event.batch.digest)}`;
      case 'ledgerFetched':
        return `ledger (${event.entries.map(({ sequence, batch }) => `${sequence} ${this.nameOfBatch(batch.digest)}`).join(', ')})`;
      default:
        return undefined;
    }
  }

  /** What votes are on, and whose they are. */
  describeVotes(votes: readonly Signed[]): string {
    const message = votes[0]?.message;
    const at = message !== undefined && 'sequence' in message ? `sequence ${message.sequence}` : 'nothing';
    return `${at}, by ${votes.map(({ sender }) => sender).join(' ')}`;
  }

  /** Two statements that contradict each other. */
  describeEvidence(first: Signed, second: Signed): string {
    return `evidence against ${first.sender}: ${this.describe(first.message)} and ${this.describe(second.message)}`;
  }

  private describePrepared({ prePrepare: { message } }: PreparedProof): string {
    return `${message.sequence} ${this.nameOfBatch(message.batchDigest)} in view ${message.view}`;
  }
}
