/** One core of a network in memory, with what its shell would keep for it and what its disk keeps through a crash. */
import type { CommitCertificate } from '../../src/protocol/certificates.js';
import { type Sequence, sequence } from '../../src/protocol/identifiers.js';
import type { LogRecord } from '../../src/protocol/log-record.js';
import type { EncodedBatch, Signed } from '../../src/protocol/messages.js';
import type { ConsensusParameters, LocalParameters } from '../../src/protocol/parameters.js';
import type { Digest } from '../../src/util/digest.js';
import { CoreUnderTest, GENESIS_DIGEST, NULL_BATCH } from './core-cluster.js';
import { recoverFromDisk } from './core-restart.js';

/** How the cores of a network are configured. */
export interface CoreOptions {
  readonly local?: Partial<LocalParameters>;
  readonly consensus?: Partial<ConsensusParameters>;
}

/** A batch that a core executed. */
export interface ExecutedBatch {
  readonly sequence: Sequence;
  readonly batchDigest: Digest;
  readonly headerDigest: Digest;
  readonly certificate: CommitCertificate | undefined;
  readonly requests: readonly string[];
}

/** One replica of the network. */
export class NetworkedCore {
  /** What it executed: its ledger. */
  readonly executed: ExecutedBatch[] = [];
  /** What it made durable. */
  readonly records: LogRecord[] = [];
  readonly timers = new Map<string, { readonly dueMs: number; readonly generation: number }>();
  readonly bodies = new Map<Digest, EncodedBatch>([[NULL_BATCH.digest, NULL_BATCH]]);
  readonly statements: Signed[] = [];
  isUp = true;
  private lives = 0;
  private life: CoreUnderTest;

  constructor(
    readonly replica: number,
    private readonly replicaCount: number,
    private readonly options: CoreOptions,
  ) {
    this.life = new CoreUnderTest(replica, replicaCount, { ...options, isStarting: true });
  }

  /** The core of its current life. */
  get under(): CoreUnderTest {
    return this.life;
  }

  /** Ends its life: what it had in memory is gone. */
  crash(): void {
    this.isUp = false;
    this.timers.clear();
  }

  /** Its disk is another copy of itself, from before the last so many records. */
  loseRecords(count: number): void {
    this.records.splice(Math.max(0, this.records.length - count));
    const held = new Set(
      this.records.flatMap((record) =>
        record.kind === 'accepted' || record.kind === 'batch' ? [record.batch.digest] : [],
      ),
    );
    const kept = this.executed.findIndex(({ batchDigest }) => !held.has(batchDigest));
    this.executed.splice(kept < 0 ? this.executed.length : kept);
  }

  /** Begins another life with what is on its disk. */
  restart(elapsedMs: number): void {
    const { records, executed } = this;
    const last = executed.at(-1);
    const recovered = recoverFromDisk({
      records,
      executed,
      lastExecuted: last?.sequence ?? sequence(0),
      lastHeaderDigest: last?.headerDigest ?? GENESIS_DIGEST,
    });
    this.lives++;
    const { lives: life } = this;
    this.life = new CoreUnderTest(this.replica, this.replicaCount, {
      ...this.options,
      recovered,
      elapsedMs,
      life,
      isStarting: true,
    });
    this.isUp = true;
  }

  /** The view it is in, `-` before it where it isn't active. */
  get view(): string {
    const { view, active } = this.under.core.inspect(0);
    return active ? `${view}` : `-${view}`;
  }
}
