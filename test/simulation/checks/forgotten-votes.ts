/**
 * A replica whose disk was replaced is one of the f: what it says may contradict what it said. But what enough correct
 * peers hold it must be shown before it votes. So it never contradicts a vote of its own that stands in the prepared
 * certificates of more correct peers than may be missing among those whose answer it waits for, where these held them
 * before its disk was replaced and their links to it lost nothing. (protocol.md 8a, invariant 8)
 */
import type { SignatureType } from '../../../src/ports/signatures.js';
import type { PreparedCertificate } from '../../../src/protocol/certificates.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import type { PrePrepare, Prepare } from '../../../src/protocol/messages.js';
import type { QuorumSizes } from '../../../src/protocol/quorum.js';
import type { WireLimits } from '../../../src/wire/limits.js';
import { decodePayload } from '../../../src/wire/message-codec.js';
import type { Observer, Violations, WatchedGauge } from './observer.js';
import { describeStatement } from './seen-message.js';

/** What it looks at. */
export interface ForgottenVotesOptions {
  readonly violations: Violations;
  readonly limits: WireLimits;
  readonly sizes: QuorumSizes;
  readonly nowMs: () => number;
  /** When the replica's disk was replaced last, undefined where it never was. */
  readonly forgottenAtMs: (replica: ReplicaId) => number | undefined;
  /** Whether the link in this direction lost anything since it is up. */
  readonly hasLost: (from: ReplicaId, to: ReplicaId) => boolean;
}

interface Held {
  readonly certificate: PreparedCertificate;
  readonly sinceMs: number;
}

/** Prepared certificates of correct replicas, and what those who forgot say after that. */
export class ForgottenVotesCheck implements Observer {
  /** By correct replica and sequence: of the highest view. */
  private readonly held = new Map<ReplicaId, Map<number, Held>>();

  constructor(private readonly options: ForgottenVotesOptions) {}

  onDurable(replica: ReplicaId, record: LogRecord): void {
    if (record.kind === 'prepared') {
      const { certificate } = record;
      const ofReplica = this.held.get(replica) ?? new Map<number, Held>();
      ofReplica.set(certificate.prePrepare.message.sequence, { certificate, sinceMs: this.options.nowMs() });
      this.held.set(replica, ofReplica);
    }
  }

  onGauge(replica: ReplicaId, gauge: WatchedGauge, value: number): void {
    const ofReplica = this.held.get(replica);
    if (gauge === 'lowWatermark' && ofReplica !== undefined) {
      for (const sequence of [...ofReplica.keys()].filter((each) => each <= value)) {
        ofReplica.delete(sequence);
      }
    }
  }

  onSigned(signer: ReplicaId, type: SignatureType, payload: Uint8Array): void {
    const { violations, limits, sizes, forgottenAtMs } = this.options;
    const sinceMs = forgottenAtMs(signer);
    if (sinceMs === undefined || (type !== 'prePrepare' && type !== 'prepare')) {
      return;
    }
    const decoded = decodePayload(type, payload, limits);
    if (!decoded.ok || (decoded.value.type !== 'prePrepare' && decoded.value.type !== 'prepare')) {
      return;
    }
    const vote = decoded.value;
    const holders = [...this.held].filter(([holder, ofReplica]) => {
      const held = ofReplica.get(vote.sequence);
      return held !== undefined && held.sinceMs < sinceMs && this.contradicts(held.certificate, signer, vote, holder);
    });
    if (holders.length > sizes.replicaCount - sizes.quorum) {
      const who = holders.map(([holder]) => holder).join(', ');
      violations.report(
        8,
        `replica ${signer} forgot and says ${describeStatement(vote)}, though ${who} hold another one of it`,
      );
    }
  }

  private contradicts(
    { prePrepare, prepares }: PreparedCertificate,
    signer: ReplicaId,
    vote: PrePrepare | Prepare,
    holder: ReplicaId,
  ): boolean {
    const own = [prePrepare, ...prepares].find(
      ({ sender, message }) => sender === signer && message.type === vote.type && message.view === vote.view,
    );
    return own !== undefined && own.message.batchDigest !== vote.batchDigest && !this.options.hasLost(holder, signer);
  }
}
