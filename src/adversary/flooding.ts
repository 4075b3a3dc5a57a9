/**
 * Fills whatever a peer keeps for it: votes for every sequence and for later views, checkpoints far above, view changes
 * and new views one after the other, requests with any number, fetches of everything, Status that lacks all, and noise.
 * Each is well-formed and validly signed where it is a statement. Nothing of it may make anybody grow. (protocol.md 9)
 */
import type { TimerHandle } from '../ports/timer-service.js';
import type { Sequence, View } from '../protocol/identifiers.js';
import type { ProtocolMessage } from '../protocol/messages.js';
import { utf8 } from '../util/bytes.js';
import type { Digest } from '../util/digest.js';
import { encodeBatch } from '../wire/batch-codec.js';
import { encodeEnvelope } from '../wire/envelope.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import type { FetchWhat } from '../wire/peer-message.js';
import { encodeRequestPayload } from '../wire/request-codec.js';
import { readOutgoing } from './own-statement.js';
import { drawIndex, type Strategy, type StrategyContext, signStatement } from './strategy.js';

const PERIOD_MS = 250;
const BURST = 8;
const NOISE_BYTES_MAX = 4_096;
const FAR = 2 ** 40;

/** Says as much as it can. */
export function createFlooding(context: StrategyContext): Strategy {
  let timer: TimerHandle | undefined;
  const flood = new Flood(context);
  function burst(): void {
    for (let count = 0; count < BURST; count++) {
      flood.sendOne();
    }
    timer = context.timers.startTimer(PERIOD_MS, burst);
  }
  return {
    onStart: () => {
      timer = context.timers.startTimer(PERIOD_MS, burst);
    },
    onSend: (peer, message) => {
      flood.learn(message);
      context.send(peer, message);
    },
    onStop: () => timer?.cancel(),
  };
}

/** Where its replica stands, and what can be said from there. */
class Flood {
  private view = 0;
  private lowWatermark = 0;
  private said = 0;
  /** Above those of the replica itself: the peers take all of these for new. */
  private nextStatusNumber = 2 ** 50;

  constructor(private readonly context: StrategyContext) {}

  /** Its replica's own Status says where the cluster is. */
  learn(message: Uint8Array): void {
    const statement = readOutgoing(this.context, message)?.statement;
    if (statement?.type === 'status') {
      this.view = statement.view;
      this.lowWatermark = statement.lowWatermark;
    }
  }

  /** Sends one thing to all peers, another one each time. */
  sendOne(): void {
    this.said++;
    switch (drawIndex(this.context, 8)) {
      case 0:
      case 1:
        return this.sendStatement(this.drawVote());
      case 2:
        return this.sendStatement(this.drawCheckpoint());
      case 3:
        return this.sendStatement(this.drawViewStatement());
      case 4:
        return this.sendProposal();
      case 5:
        return this.sendRequest();
      case 6:
        return this.sendToAll(encodePeerMessage({ kind: 'fetch', id: this.said, what: this.drawFetch() }));
      default:
        return this.draw(2) === 0 ? this.sendStatuses() : this.sendToAll(new Uint8Array(this.draw(NOISE_BYTES_MAX)));
    }
  }

  private drawVote(): ProtocolMessage {
    const type = this.draw(2) === 0 ? 'prepare' : 'commit';
    return { type, view: this.drawView(), sequence: this.drawSequence(), batchDigest: this.drawDigest() };
  }

  private drawCheckpoint(): ProtocolMessage {
    const { checkpointInterval } = this.context.limits;
    const ahead = 1 + this.draw(this.draw(2) === 0 ? 4 : 1_000_000);
    const sequence = (this.lowWatermark + ahead * checkpointInterval) as Sequence;
    return { type: 'checkpoint', sequence, headerDigest: this.drawDigest() };
  }

  /** A view change, or a new view that names what nobody sent. */
  private drawViewStatement(): ProtocolMessage {
    const { own, limits, peers } = this.context;
    if (this.draw(2) === 0) {
      const newView = (this.view + 1 + this.draw(1_000)) as View;
      return { type: 'viewChange', newView, stableCheckpoint: 0 as Sequence, checkpointCertificate: [], prepared: [] };
    }
    const { replicaCount } = limits;
    const ownTurn = (((own - this.view) % replicaCount) + replicaCount) % replicaCount;
    const newView = (this.view + ownTurn + this.draw(3) * replicaCount) as View;
    const named = [...peers, own].sort((left, right) => left - right);
    return {
      type: 'newView',
      newView,
      viewChanges: named.map((replica) => ({ replica, digest: this.drawDigest() })),
      prePrepares: [],
    };
  }

  /** A batch for a view that is or will be its own; empty ones are refused late. */
  private sendProposal(): void {
    const batchBytes = encodeBatch(1 + this.draw(FAR), []);
    const message = {
      type: 'prePrepare',
      view: this.drawView(),
      sequence: this.drawSequence(),
      batchDigest: this.context.hash(batchBytes),
    } as const;
    signStatement(this.context, message, (prePrepare) => {
      this.sendToAll(encodePeerMessage({ kind: 'proposal', prePrepare, batchBytes }));
    });
  }

  private sendRequest(): void {
    const { ownClientId: clientId, signer } = this.context;
    const number = this.draw(2) === 0 ? FAR + this.said : 1 + this.draw(2 * this.said);
    const operations = [utf8(`flood ${this.said}`)];
    const payload = encodeRequestPayload({ clientId, number, acknowledged: Math.max(0, number - 8), operations });
    signer.sign('request', payload, (signature) => {
      const bytes = encodeEnvelope({ type: 'request', sender: { kind: 'client', clientId }, payload, signature });
      this.sendToAll(encodePeerMessage({ kind: 'request', bytes }));
    });
  }

  private drawFetch(): FetchWhat {
    const first = (1 + this.draw(this.lowWatermark + 1)) as Sequence;
    switch (this.draw(4)) {
      case 0:
        return { kind: 'batch', sequence: first, batchDigest: this.drawDigest() };
      case 1: {
        const last = (first + this.draw(2 * this.context.limits.checkpointInterval)) as Sequence;
        return { kind: 'ledger', first, last, headersOnly: this.draw(2) === 0 };
      }
      case 2:
        return { kind: 'checkpointCertificate', sequence: first };
      default:
        return { kind: 'viewChange', replica: this.context.own, digest: this.drawDigest() };
    }
  }

  /** Everything is missing here: whoever believes it sends all it has. */
  private sendStatuses(): void {
    const { peers, limits, send } = this.context;
    const everything = new Uint8Array(Math.ceil(limits.windowSize / 8)).fill(0xff);
    for (const to of peers) {
      const status: ProtocolMessage = {
        type: 'status',
        to,
        view: 0 as View,
        active: false,
        lowWatermark: 0 as Sequence,
        lastExecuted: 0 as Sequence,
        clockMs: 0,
        missingPrePrepares: everything,
        missingPrepares: everything,
        missingCommits: everything,
        checkpoints: [],
        number: this.nextStatusNumber++,
        recovering: false,
        viewChanges: [],
        newViewDigest: undefined,
        heard: 0,
      };
      signStatement(this.context, status, (signed) => send(to, encodePeerMessage({ kind: 'signed', signed })));
    }
  }

  private sendStatement(message: ProtocolMessage): void {
    signStatement(this.context, message, (signed) => this.sendToAll(encodePeerMessage({ kind: 'signed', signed })));
  }

  private sendToAll(message: Uint8Array): void {
    for (const peer of this.context.peers) {
      this.context.send(peer, message);
    }
  }

  /** This view, or one of the next; now and then one far away. */
  private drawView(): View {
    return (this.view + (this.draw(8) === 0 ? this.draw(FAR) : this.draw(3))) as View;
  }

  private drawSequence(): Sequence {
    return (this.lowWatermark + 1 + this.draw(2 * this.context.limits.windowSize)) as Sequence;
  }

  private drawDigest(): Digest {
    return this.context.hash(utf8(`flood ${this.context.own} ${this.said} ${this.draw(FAR)}`));
  }

  private draw(count: number): number {
    return drawIndex(this.context, count);
  }
}
