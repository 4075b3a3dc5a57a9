/** An edge in front of a real core, with everything that it tells written down. */
import { sha256 } from '../../src/crypto/hash.js';
import type { Event } from '../../src/protocol/events.js';
import { replicaId } from '../../src/protocol/identifiers.js';
import { PreparedOperations } from '../../src/runtime/execution/prepared-operations.js';
import { Ingress } from '../../src/runtime/ingress/ingress.js';
import { VerifiedRequests } from '../../src/runtime/ingress/verified-requests.js';
import { CONSENSUS, CoreUnderTest } from './core-cluster.js';
import { CountingVerifier } from './fake-signatures.js';
import { CLIENT } from './peer-messages.js';

/** Limits of the cluster that the core is of. */
export const LIMITS = { ...CONSENSUS, replicaCount: 4 };

/** Replica 1's edge. */
export class IngressBench {
  readonly core = new CoreUnderTest(1);
  readonly verifier = new CountingVerifier(new Set([CLIENT]));
  readonly rejections: string[] = [];
  readonly kept: string[] = [];
  readonly fetches: string[] = [];
  /** What the client table says of every request. */
  table: 'new' | 'settled' | 'beyondWindow' = 'new';
  /** What each byte of an operation costs; the limits are 100,000 a request and 400,000 a batch. */
  costOfByte = 1_000;
  readonly ingress = new Ingress({
    replica: replicaId(1),
    core: this.core.core,
    limits: LIMITS,
    hash: sha256,
    verifier: this.verifier,
    verifiedRequests: new VerifiedRequests(this.verifier),
    operations: new PreparedOperations(
      {
        name: 'counting bytes',
        prepare: (operation) => ({ keys: [], cost: operation.length * this.costOfByte, execute: () => operation }),
      },
      CONSENSUS,
    ),
    isSettled: () => this.table === 'settled',
    isBeyondWindow: () => this.table === 'beyondWindow',
    keepBatch: ({ digest }) => this.kept.push(digest),
    elapsedMs: () => this.core.elapsedMs,
    onRejected: (type, reason, peer) => this.rejections.push(`${type} ${reason} of ${peer}`),
  });

  /** Judges a message that came over the link of a peer. */
  judge(bytes: Uint8Array, from = 2): Event | undefined {
    const judged = this.ingress.judge(replicaId(from), bytes);
    switch (judged?.kind) {
      case 'fetch':
        this.fetches.push(`${from} asks ${judged.id} ${judged.what.kind}`);
        return undefined;
      case 'fetchAnswer':
        this.fetches.push(`${from} answers ${judged.id} ${judged.answer.kind}`);
        return undefined;
      default:
        return judged;
    }
  }

  /** Judges a message and steps the core with what comes of it. */
  take(bytes: Uint8Array, from = 2): Event | undefined {
    const event = this.judge(bytes, from);
    if (event !== undefined) {
      this.core.step(event);
    }
    return event;
  }

  /** How many signatures were checked. */
  get checks(): number {
    return this.verifier.replicaChecks + this.verifier.clientChecks;
  }
}
