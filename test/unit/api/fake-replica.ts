/** A replica of one, without agreement: ReplicaFace over a state machine and a store in memory. */
import { createHash } from 'node:crypto';
import type { StateMachine } from '../../../src/ports/state-machine.js';
import { type ReplicaId, replicaId } from '../../../src/protocol/identifiers.js';
import type { Executed, ReplicaFace, ReplicaStatus, SubmitFailure } from '../../../src/runtime/face.js';
import { defined } from '../../../src/util/assert.js';
import { type Digest, digestOf, type Hash } from '../../../src/util/digest.js';
import { failed, ok, type Result } from '../../../src/util/result.js';
import { MemoryApplicationStore } from '../application/memory-application-store.js';

/** SHA-256. */
export const sha256: Hash = (bytes) =>
  defined(digestOf(createHash('sha256').update(bytes).digest()), 'SHA-256 has 32 bytes');

type Done = (result: Result<Executed, SubmitFailure>) => void;

/** A replica whose answers the test chooses. */
export class FakeReplica implements ReplicaFace {
  readonly store = new MemoryApplicationStore();
  /** Every operation that was submitted, with its time limit. */
  readonly submitted: { readonly operation: Uint8Array; readonly timeoutMs: number; readonly done: Done }[] = [];
  /** `execute` at once, `hold` for the test to answer, or throw. */
  mode: 'execute' | 'hold' | 'throw' = 'execute';
  failure: SubmitFailure | undefined;
  notReadyReasons: readonly string[] = [];
  sequence = 0;
  /** How many queries were asked. */
  queries = 0;
  readonly #machine: StateMachine;

  constructor(machine: StateMachine) {
    this.#machine = machine;
  }

  submit(operation: Uint8Array, timeoutMs: number, done: Done): void {
    if (this.mode === 'throw') {
      throw new Error('secret of the stack');
    }
    this.submitted.push({ operation, timeoutMs, done });
    if (this.mode === 'execute') {
      const outcome = this.execute(operation);
      queueMicrotask(() => done(outcome));
    }
  }

  async query(query: Uint8Array): Promise<Result<Executed, SubmitFailure>> {
    this.queries++;
    if (this.mode === 'throw') {
      throw new Error('secret of the stack');
    }
    if (this.mode === 'hold') {
      return new Promise(() => undefined);
    }
    return this.failure === undefined
      ? ok(this.#executed(await this.#machine.query(query, this.store.queryStore())))
      : failed(this.failure);
  }

  /** Executes an operation as the next sequence. */
  execute(operation: Uint8Array): Result<Executed, SubmitFailure> {
    const objection = this.#machine.prepare(operation).objection;
    if (this.failure !== undefined) {
      return failed(this.failure);
    }
    if (objection !== undefined) {
      return failed({ code: 'invalid', ...objection });
    }
    this.sequence++;
    return ok(this.#executed(this.store.execute(this.#machine, operation, { sequence: this.sequence, index: 0 })));
  }

  costOf(operation: Uint8Array): number {
    return this.#machine.prepare(operation).cost ?? operation.length;
  }

  status(): ReplicaStatus {
    return {
      replica: 2,
      name: 'replica-2',
      clusterId: digestAt(0),
      replicaCount: 4,
      faultsMax: 1,
      view: 3,
      primary: 3,
      active: true,
      viewOfOthers: undefined,
      notReadyReasons: this.notReadyReasons,
      lastExecuted: this.sequence,
      headerDigest: digestAt(this.sequence),
      stableCheckpoint: 0,
      peers: [peer(replicaId(0), true), peer(replicaId(1), false)],
      waitingRequests: 5,
      agreedTimeMs: 1_700_000_000_123,
      evidence: [],
      storageEngine: 'memory',
      waitingFor: '',
      explanation: undefined,
    };
  }

  #executed(result: Uint8Array): Executed {
    return { result, sequence: this.sequence, view: 3, headerDigest: digestAt(this.sequence) };
  }
}

/** The header digest of the fake at a sequence. */
export function digestAt(sequence: number): Digest {
  return sha256(Uint8Array.of(sequence));
}

function peer(id: ReplicaId, connected: boolean) {
  const lastError = connected ? '' : 'refused';
  return {
    peer: id,
    name: `replica-${id}`,
    connected,
    lastError,
    queuedMessages: 0,
    queuedBytes: 0,
    roomBytes: 1,
    lastExecuted: 1,
  };
}
