/**
 * The operations that the ledger of a run executes, in its order: which of its requests take effect follows from the
 * rules of protocol.md 3, written here apart from the replicas' client table.
 */
import { sha256 } from '../../../src/crypto/hash.js';
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

/** What became of a client's numbers. */
interface Numbers {
  acknowledged: number;
  readonly executed: Set<number>;
}

/** What a recorder needs. */
export interface LedgerRecorderOptions {
  readonly limits: WireLimits;
  readonly clientWindow: number;
  /** Operations of others are no business of the callers: they may be anything, and change nothing. */
  readonly isCorrectClient: (clientId: ClientId) => boolean;
}

/** Collects the ledger of a run. */
export class LedgerRecorder implements Observer {
  private readonly batches = new Map<Digest, Uint8Array>();
  /** By sequence, the digests of the batches. */
  private readonly ledger = new Map<number, Digest>();

  constructor(private readonly options: LedgerRecorderOptions) {}

  onAppended(_replica: ReplicaId, record: LogRecord): void {
    if ((record.kind === 'accepted' || record.kind === 'batch') && !this.batches.has(record.batch.digest)) {
      this.batches.set(record.batch.digest, record.batch.bytes);
    }
  }

  onExecuted(_replica: ReplicaId, writes: readonly ExecutionWrite[]): void {
    for (const { header } of writes) {
      this.ledger.set(header.sequence, this.ledger.get(header.sequence) ?? header.batchDigest);
    }
  }

  /** All executed operations on single keys, in order. */
  operations(): readonly LedgerOperation[] {
    const numbers = new Map<ClientId, Numbers>();
    const sequences = [...this.ledger].sort(([left], [right]) => left - right);
    return sequences.flatMap(([sequence, batchDigest]) => {
      let index = 0;
      return this.requestsOf(batchDigest).flatMap((request) => {
        const first = index;
        index += request.operations.length;
        const takesEffect = this.takesEffect(numbers, request);
        return takesEffect && this.options.isCorrectClient(request.clientId)
          ? toLedger(sequence, first, request.operations)
          : [];
      });
    });
  }

  /** Whether the next request of the ledger is executed: not dead, within the window, and for the first time. */
  private takesEffect(numbers: Map<ClientId, Numbers>, { clientId, number, acknowledged }: SignedRequest): boolean {
    const known = numbers.get(clientId) ?? { acknowledged: 0, executed: new Set() };
    numbers.set(clientId, known);
    known.acknowledged = Math.max(known.acknowledged, acknowledged);
    const isAlive = number > known.acknowledged && number <= known.acknowledged + this.options.clientWindow;
    const isFirst = isAlive && !known.executed.has(number);
    if (isFirst) {
      known.executed.add(number);
    }
    return isFirst;
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
