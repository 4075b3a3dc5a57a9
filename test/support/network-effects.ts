/** Does the effects of cores that a network in memory joins: what a shell would do, at once and without a disk. */
import assert from 'node:assert/strict';
import type { Effect } from '../../src/protocol/effects.js';
import type { Event } from '../../src/protocol/events.js';
import type { EncodedBatch, ProtocolMessage, Signed, SignedRequest, Verified } from '../../src/protocol/messages.js';
import type { Digest } from '../../src/util/digest.js';
import { digest, GENESIS_DIGEST, id, signed, verified } from './core-cluster.js';
import type { NetworkedCore } from './networked-core.js';

/** A message on its way. */
export interface Waiting {
  readonly from: number;
  readonly to: number;
  readonly event: Event;
}

/** What effects need of the network. */
interface Surroundings {
  readonly replicas: readonly NetworkedCore[];
  nowMs(): number;
  /** Takes a message that waits until it is delivered. */
  send(message: Waiting): void;
}

/** Does effects. */
export class EffectPerformer {
  constructor(private readonly network: Surroundings) {}

  /** Does effects in their order. */
  perform(from: NetworkedCore, effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.performOne(from, effect);
    }
  }

  private performOne(from: NetworkedCore, effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        from.records.push(effect.record);
        if (effect.record.kind === 'accepted' || effect.record.kind === 'batch') {
          from.bodies.set(effect.record.batch.digest, effect.record.batch);
        }
        return;
      case 'broadcast':
        return this.signAndSend(from, effect.message);
      case 'propose': {
        const prePrepare = this.sign(from, effect.message);
        const batch = this.bodyOf(from, effect.batch.digest);
        this.toAll(from, { kind: 'prePrepareReceived', prePrepare, batch, requests: requestsOf(batch) });
        this.network.send({
          from: from.replica,
          to: from.replica,
          event: { kind: 'messageSigned', message: prePrepare },
        });
        return;
      }
      case 'sign':
        this.network.send({
          from: from.replica,
          to: from.replica,
          event: { kind: 'messageSigned', message: this.sign(from, effect.message) },
        });
        return;
      case 'signPrePrepares':
        this.network.send({
          from: from.replica,
          to: from.replica,
          event: {
            kind: 'prePreparesSigned',
            view: effect.view,
            prePrepares: effect.messages.map((message) => this.sign(from, message)),
          },
        });
        return;
      case 'judgeViewChange':
        this.network.send({
          from: from.replica,
          to: from.replica,
          event: {
            kind: 'viewChangeJudged',
            replica: effect.viewChange.sender,
            digest: effect.digest,
            isValid: isGenuine(effect.viewChange),
          },
        });
        return;
      case 'sendStatus':
        this.network.send({
          from: from.replica,
          to: effect.message.to,
          event: overLinkOf(from, { kind: 'messageReceived', message: signed(effect.message, from.replica) }),
        });
        return;
      case 'forward':
        return this.forward(from, effect);
      case 'execute':
        return this.execute(from, effect);
      case 'startTimer':
        from.timers.set(effect.timer, { dueMs: this.network.nowMs() + effect.delayMs, generation: effect.generation });
        return;
      case 'stopTimer':
        from.timers.delete(effect.timer);
        return;
      case 'fetch':
        return this.fetch(from, effect.what);
      case 'giveUp':
        from.crash();
        return;
      case 'discard':
      case 'note':
        return;
    }
  }

  private execute(
    from: NetworkedCore,
    { sequence: at, batchDigest, certificate }: Extract<Effect, { kind: 'execute' }>,
  ): void {
    const batch = this.bodyOf(from, batchDigest);
    const headerDigest = digest(`${from.executed.at(-1)?.headerDigest ?? GENESIS_DIGEST} ${at} ${batchDigest}`);
    const known = new Set(from.executed.flatMap(({ requests }) => requests));
    const names = batch.requests.map(({ clientId, number }) => `${clientId.slice(0, 4)} ${number}`);
    const requests = names.filter((name) => !known.has(name));
    from.executed.push({ sequence: at, batchDigest, headerDigest, certificate, requests });
    this.network.send({
      from: from.replica,
      to: from.replica,
      event: { kind: 'batchExecuted', sequence: at, headerDigest, settled: batch.requests, acknowledged: [] },
    });
  }

  private fetch(from: NetworkedCore, what: Extract<Effect, { kind: 'fetch' }>['what']): void {
    for (const source of this.network.replicas.filter(({ isUp }) => isUp)) {
      if (what.kind === 'batch') {
        const batch = source.bodies.get(what.digest);
        if (batch !== undefined) {
          this.network.send({
            from: source.replica,
            to: from.replica,
            event: { kind: 'batchFetched', sequence: what.sequence, batch },
          });
          return;
        }
      } else if (what.kind === 'viewChange') {
        const message = source.under.core.findViewChange(what.digest);
        if (message !== undefined) {
          this.network.send({ from: source.replica, to: from.replica, event: { kind: 'messageReceived', message } });
          return;
        }
      } else {
        const entries = source.executed
          .filter(({ sequence: at }) => at >= what.first && at <= what.last)
          .map(({ sequence: at, headerDigest, batchDigest }) => ({
            sequence: at,
            headerDigest,
            batch: this.bodyOf(source, batchDigest),
          }));
        if (entries.length === what.last - what.first + 1) {
          this.network.send({ from: source.replica, to: from.replica, event: { kind: 'ledgerFetched', entries } });
          return;
        }
      }
    }
  }

  private forward(from: NetworkedCore, { to, item }: Extract<Effect, { kind: 'forward' }>): void {
    const isOwn = item.kind === 'message' && item.message.sender === to;
    const event: Event | undefined = isOwn
      ? { kind: 'ownStatementReceived', message: verified(item.message), from: id(from.replica) }
      : this.eventOf(from, item);
    if (event === undefined) {
      return;
    }
    if (to === 'all') {
      this.toAll(from, event);
    } else {
      this.network.send({ from: from.replica, to, event: overLinkOf(from, event) });
    }
  }

  private eventOf(from: NetworkedCore, item: Extract<Effect, { kind: 'forward' }>['item']): Event | undefined {
    switch (item.kind) {
      case 'message':
        return { kind: 'messageReceived', message: verified(item.message) as never };
      case 'request':
        return { kind: 'requestReceived', request: verified(item.request), from: id(from.replica) };
      case 'proposal': {
        const batch = this.bodyOf(from, item.prePrepare.message.batchDigest);
        return {
          kind: 'prePrepareReceived',
          prePrepare: verified(item.prePrepare),
          batch,
          requests: requestsOf(batch),
        };
      }
      case 'committedBatch': {
        const batch = this.bodyOf(from, item.certificate.commits[0]?.message.batchDigest ?? GENESIS_DIGEST);
        return { kind: 'committedBatchReceived', batch, certificate: item.certificate, from: id(from.replica) };
      }
      case 'checkpointCertificate':
        return { kind: 'checkpointCertificateReceived', certificate: item.certificate, from: id(from.replica) };
      case 'evidence':
        return {
          kind: 'evidenceReceived',
          first: verified(item.first),
          second: verified(item.second),
          from: id(from.replica),
        };
    }
  }

  private bodyOf(from: NetworkedCore, of: Digest): Verified<EncodedBatch> {
    const batch = from.bodies.get(of);
    assert.ok(batch, `replica ${from.replica} has the batch ${of.slice(0, 8)}`);
    return verified(batch);
  }

  private signAndSend(from: NetworkedCore, message: Extract<Effect, { kind: 'broadcast' }>['message']): void {
    const statement = this.sign(from, message);
    this.toAll(from, { kind: 'messageReceived', message: statement });
    this.network.send({ from: from.replica, to: from.replica, event: { kind: 'messageSigned', message: statement } });
  }

  private sign<M extends ProtocolMessage>(from: NetworkedCore, message: M): Verified<Signed<M>> {
    const statement = signed(message, from.replica);
    from.statements.push(statement);
    return statement;
  }

  private toAll(from: NetworkedCore, event: Event): void {
    for (const { replica } of this.network.replicas) {
      if (replica !== from.replica) {
        this.network.send({ from: from.replica, to: replica, event: overLinkOf(from, event) });
      }
    }
  }
}

/** The event as it comes over a replica's own link. */
function overLinkOf({ replica }: NetworkedCore, event: Event): Event {
  return event.kind === 'messageReceived' || event.kind === 'prePrepareReceived'
    ? { ...event, over: id(replica) }
    : event;
}

/** Test signatures name their signer. */
function isGenuine({ message }: Signed<Extract<ProtocolMessage, { type: 'viewChange' }>>): boolean {
  const statements = [
    ...message.checkpointCertificate,
    ...message.prepared.flatMap(({ prePrepare, prepares }) => [prePrepare, ...prepares]),
  ];
  return statements.every(({ sender, signature }) => Buffer.from(signature).toString() === `signed by ${sender}`);
}

function requestsOf(batch: EncodedBatch): readonly Verified<SignedRequest>[] {
  return batch.requests.map(({ clientId, number }) => {
    const bytes = Buffer.from(`${clientId} ${number}`);
    return verified({
      clientId,
      number,
      acknowledged: 0,
      digest: digest(`${clientId} ${number}`),
      operations: [bytes],
      bytes,
    });
  });
}
