/**
 * What a correct replica's view begins with, the parts of invariants 4, 5 and 10 that show at once: the NewView that it
 * keeps names a quorum of ViewChanges that prove what they say, its pre-prepares follow from them, and in that view the
 * replica takes nothing else at or below its highest one. The checkpoint that the view begins above is its own by then. O is computed here from the paper's words, apart from the
 * replica's own computation [OSDI §4.4].
 */
import { sha256 } from '../../../src/crypto/hash.js';
import type { CheckpointCertificate } from '../../../src/protocol/certificates.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { BegunView, LogRecord, RecoveredState } from '../../../src/protocol/log-record.js';
import type { PrePrepare, ViewChange } from '../../../src/protocol/messages.js';
import { concatBytes } from '../../../src/util/bytes.js';
import type { Digest } from '../../../src/util/digest.js';
import type { Observer, Violations } from './observer.js';
import { isSigned, type ProofRules, viewObjection } from './view-change-proofs.js';

/** What the check needs. */
export interface BegunViewsOptions extends ProofRules {
  readonly violations: Violations;
  readonly nullBatchDigest: Digest;
}

/** The views that correct replicas began. */
export class BegunViewsCheck implements Observer {
  /** By replica and view, in all lives of the replica. */
  private readonly proposals = new Map<string, ReadonlyMap<number, Digest>>();

  private readonly stable = new Map<ReplicaId, number>();

  constructor(private readonly options: BegunViewsOptions) {}

  onRecovered(replica: ReplicaId, { stableCheckpoint }: RecoveredState): void {
    this.stable.set(replica, sequenceOf(stableCheckpoint));
  }

  onAppended(replica: ReplicaId, record: LogRecord): void {
    switch (record.kind) {
      case 'stableCheckpoint':
        this.stable.set(replica, sequenceOf(record.certificate));
        return;
      case 'newView':
        return this.begin(replica, record.begun);
      case 'accepted':
        return this.judge(replica, record.prePrepare);
      case 'prepared':
        return this.judge(replica, record.certificate.prePrepare.message);
      default:
    }
  }

  private begin(replica: ReplicaId, begun: BegunView): void {
    const { message } = begun.newView;
    const wrong = begunObjection(begun, this.options);
    if (wrong !== undefined) {
      this.options.violations.report(10, `replica ${replica} began view ${message.newView}: ${wrong}`);
    }
    const stable = this.stable.get(replica) ?? 0;
    const minSequence = minSequenceOf(begun.viewChanges.map((signed) => signed.message));
    if (stable < minSequence) {
      this.options.violations.report(
        4,
        `replica ${replica} began view ${message.newView} above ${minSequence}; its stable checkpoint is ${stable}`,
      );
    }
    const proposals = message.prePrepares.map(
      ({ message: { sequence, batchDigest } }) => [sequence, batchDigest] as const,
    );
    this.proposals.set(`${replica} ${message.newView}`, new Map(proposals));
  }

  private judge(replica: ReplicaId, { view, sequence, batchDigest }: PrePrepare): void {
    const { violations, nullBatchDigest } = this.options;
    const proposals = this.proposals.get(`${replica} ${view}`) ?? new Map<number, Digest>();
    const begunWith = proposals.get(sequence);
    const isBelow = sequence <= Math.max(0, ...proposals.keys());
    if (isBelow && begunWith !== batchDigest) {
      violations.report(
        4,
        `replica ${replica} took ${batchDigest} at sequence ${sequence} of view ${view}, which began with ${begunWith} there`,
      );
    }
    if (!isBelow && batchDigest === nullBatchDigest) {
      violations.report(5, `replica ${replica} took the null batch at sequence ${sequence}, as view ${view} goes on`);
    }
  }
}

/** What is wrong with a view's beginning, undefined for nothing. */
function begunObjection({ newView, viewChanges }: BegunView, options: BegunViewsOptions): string | undefined {
  const { message } = newView;
  const named = message.viewChanges.map(({ replica, digest }) => `${replica} ${digest}`);
  const kept = viewChanges.map(({ sender, payload }) => `${sender} ${sha256(concatBytes([uint32(sender), payload]))}`);
  if (named.join() !== kept.join() || new Set(viewChanges.map(({ sender }) => sender)).size !== kept.length) {
    return 'the view changes with it are not those that it names, one a replica';
  }
  if (!isSigned(newView, options)) {
    return 'its signature is not valid';
  }
  const wrong = viewObjection(message, newView.sender, options);
  if (wrong !== undefined) {
    return wrong;
  }
  for (const signed of viewChanges) {
    const objection = isSigned(signed, options)
      ? viewObjection(signed.message, signed.sender, options)
      : 'its signature is not valid';
    if (objection !== undefined || signed.message.newView !== message.newView) {
      return `the view change of replica ${signed.sender} that it names: ${objection ?? 'it is for another view'}`;
    }
  }
  const expected = expectedProposals(
    viewChanges.map((signed) => signed.message),
    options.nullBatchDigest,
  );
  const proposed = message.prePrepares.map(({ message: { sequence, batchDigest } }) => `${sequence} ${batchDigest}`);
  return proposed.join() === expected.join()
    ? undefined
    : `it proposes [${proposed.join(', ')}], and from its view changes follows [${expected.join(', ')}]`;
}

function minSequenceOf(viewChanges: readonly ViewChange[]): number {
  return Math.max(0, ...viewChanges.map(({ stableCheckpoint }) => stableCheckpoint));
}

function sequenceOf(certificate: CheckpointCertificate | undefined): number {
  return certificate?.checkpoints[0]?.message.sequence ?? 0;
}

/** O, as "sequence digest", in order. */
function expectedProposals(viewChanges: readonly ViewChange[], nullBatchDigest: Digest): readonly string[] {
  const minSequence = minSequenceOf(viewChanges);
  const prepared = viewChanges.flatMap((viewChange) => viewChange.prepared.map(({ prePrepare }) => prePrepare.message));
  const maxSequence = Math.max(minSequence, ...prepared.map(({ sequence }) => sequence));
  return Array.from({ length: maxSequence - minSequence }, (_, index) => {
    const at = minSequence + index + 1;
    const [highest] = prepared.filter(({ sequence }) => sequence === at).sort((left, right) => right.view - left.view);
    return `${at} ${highest?.batchDigest ?? nullBatchDigest}`;
  });
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
