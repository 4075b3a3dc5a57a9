/** One core of a network in memory, with what its shell would keep for it. */
import type { Sequence } from '../../src/protocol/identifiers.js';
import type { EncodedBatch, Signed } from '../../src/protocol/messages.js';
import type { ConsensusParameters, LocalParameters } from '../../src/protocol/parameters.js';
import type { Digest } from '../../src/util/digest.js';
import { CoreUnderTest, NULL_BATCH } from './core-cluster.js';

/** One replica of the network. */
export class NetworkedCore {
  readonly under: CoreUnderTest;
  readonly executed: {
    readonly sequence: Sequence;
    readonly batchDigest: Digest;
    readonly requests: readonly string[];
  }[] = [];
  readonly timers = new Map<string, { readonly dueMs: number; readonly generation: number }>();
  readonly bodies = new Map<Digest, EncodedBatch>([[NULL_BATCH.digest, NULL_BATCH]]);
  readonly statements: Signed[] = [];
  isUp = true;

  constructor(
    readonly replica: number,
    replicaCount: number,
    options: { readonly local?: Partial<LocalParameters>; readonly consensus?: Partial<ConsensusParameters> },
  ) {
    this.under = new CoreUnderTest(replica, replicaCount, options);
  }

  /** The view it is in, `-` before it where it isn't active. */
  get view(): string {
    const { view, active } = this.under.core.inspect(0);
    return active ? `${view}` : `-${view}`;
  }
}
