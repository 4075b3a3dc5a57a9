/** The operations that correct replicas executed, in the order of the ledger, from what they wrote. */
import { sha256 } from '../../../src/crypto/hash.js';
import { OUTCOME } from '../../../src/ledger/header.js';
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import type { SignedRequest } from '../../../src/protocol/messages.js';
import type { ClientId, Digest } from '../../../src/util/digest.js';
import { decodeBatch } from '../../../src/wire/batch-codec.js';
import type { WireLimits } from '../../../src/wire/limits.js';
import type { LedgerOperation } from '../../support/linearizability/ledger-order.js';
import type { Observer } from '../checks/observer.js';
import { decodeInput } from './operations.js';

const VERSIONS_A_SEQUENCE = 65_536;

interface ExecutedAt {
  readonly batchDigest: Digest;
  /** Requests that took effect there, by client and number. */
  readonly executed: ReadonlySet<string>;
}

/** What a recorder needs. */
export interface LedgerRecorderOptions {
  readonly limits: WireLimits;
  /** Operations of others are no business of the callers: they may be anything, and change nothing. */
  readonly isCorrectClient: (clientId: ClientId) => boolean;
}

/** Collects the ledger of a run. */
export class LedgerRecorder implements Observer {
  private readonly batches = new Map<Digest, Uint8Array>();
  private readonly bySequence = new Map<number, ExecutedAt>();

  constructor(private readonly options: LedgerRecorderOptions) {}

  onAppended(_replica: ReplicaId, record: LogRecord): void {
    if ((record.kind === 'accepted' || record.kind === 'batch') && !this.batches.has(record.batch.digest)) {
      this.batches.set(record.batch.digest, record.batch.bytes);
    }
  }

  onExecuted(_replica: ReplicaId, writes: readonly ExecutionWrite[]): void {
    for (const { header, rowsPut } of writes) {
      if (!this.bySequence.has(header.sequence)) {
        const executed = rowsPut
          .filter(({ sequence, outcome }) => sequence === header.sequence && outcome === OUTCOME.executed)
          .map(({ clientId, number }) => `${clientId} ${number}`);
        this.bySequence.set(header.sequence, { batchDigest: header.batchDigest, executed: new Set(executed) });
      }
    }
  }

  /** All executed operations on single keys, in order. */
  operations(): readonly LedgerOperation[] {
    const sequences = [...this.bySequence].sort(([left], [right]) => left - right);
    return sequences.flatMap(([sequence, { batchDigest, executed }]) => {
      let index = 0;
      return this.requestsOf(batchDigest).flatMap(({ clientId, number, operations }) => {
        const first = index;
        index += operations.length;
        const isOfCallers = this.options.isCorrectClient(clientId) && executed.has(`${clientId} ${number}`);
        return isOfCallers ? toLedger(sequence, first, operations) : [];
      });
    });
  }

  private requestsOf(batchDigest: Digest): readonly SignedRequest[] {
    const bytes = this.batches.get(batchDigest);
    const decoded = bytes === undefined ? undefined : decodeBatch(bytes, this.options.limits, sha256);
    return decoded?.ok ? decoded.value.requests.map(({ request }) => request) : [];
  }
}

function toLedger(sequence: number, first: number, operations: readonly Uint8Array[]): readonly LedgerOperation[] {
  return operations.flatMap((operation, offset) => {
    const input = decodeInput(operation);
    return input === undefined ? [] : [{ sequence, version: sequence * VERSIONS_A_SEQUENCE + first + offset, input }];
  });
}
