/** What is judged when its turn comes, and what a peer's messages cost him: by what they are, and whether they say what can be said only once. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../../src/crypto/hash.js';
import { replicaId, sequence, view } from '../../../../src/protocol/identifiers.js';
import type { SignedRequest, Status, Verified } from '../../../../src/protocol/messages.js';
import { PreparedOperations } from '../../../../src/runtime/execution/prepared-operations.js';
import { CountedVerifier } from '../../../../src/runtime/ingress/counted-verifier.js';
import { Ingress } from '../../../../src/runtime/ingress/ingress.js';
import { VerifiedRequests } from '../../../../src/runtime/ingress/verified-requests.js';
import {
  CHECK_US,
  KIBIBYTE_US,
  MESSAGE_US,
  OPERATION_US,
  Reception,
  STATUS_US,
} from '../../../../src/runtime/loop/reception.js';
import { utf8 } from '../../../../src/util/bytes.js';
import { encodePeerMessage } from '../../../../src/wire/peer-codec.js';
import { CONSENSUS, CoreUnderTest } from '../../../support/core-cluster.js';
import { CountingVerifier, fakeSigned } from '../../../support/fake-signatures.js';
import { LIMITS } from '../../../support/ingress-bench.js';
import {
  batchOfRequests,
  CLIENT,
  checkpointOf,
  proposalBytes,
  signedBytes,
  signedRequest,
  statusTo,
  voteOf,
} from '../../../support/peer-messages.js';

/** Five operations cost as much as a request may. */
const COSTLY = {
  name: 'costly',
  prepare: () => ({ keys: [], cost: Math.floor(CONSENSUS.requestCostMax / 5), execute: () => new Uint8Array() }),
};

const PEER = replicaId(2);
const DIGEST = sha256(utf8('a batch'));

/** Replica 1, whose fetch server serves questions with an even id, and who asked with even ids. */
class Bench {
  readonly core = new CoreUnderTest(1);
  readonly charges: string[] = [];
  /** The number that is executed by the client table. */
  settled: number | undefined;
  private readonly operations = new PreparedOperations(COSTLY, CONSENSUS);
  private readonly verifier = new CountedVerifier(new CountingVerifier(new Set([CLIENT])));
  private readonly reception = new Reception({
    core: this.core.core,
    ingress: { messages: this.createIngress(), verifier: this.verifier },
    catchUp: { fetchServer: { serve: (_, id) => id % 2 === 0 }, fetcher: { onAnswer: (_, id) => id % 2 === 0 } },
    table: { isSettled: ({ number }) => number === this.settled },
    operations: this.operations,
    inbox: {
      charge: (peer, { costUs, isNew }) => this.charges.push(`${peer}: ${costUs} ${isNew ? 'new' : 'old'}`),
    },
  });

  private createIngress(): Ingress {
    return new Ingress({
      replica: replicaId(1),
      core: this.core.core,
      limits: LIMITS,
      hash: sha256,
      verifier: this.verifier,
      verifiedRequests: new VerifiedRequests(this.verifier),
      isSettled: () => false,
      isBeyondWindow: () => false,
      operations: this.operations,
      keepBatch: () => undefined,
      elapsedMs: () => 0,
      onRejected: () => undefined,
    });
  }

  /** Takes a message; returns what it was charged with. */
  take(bytes: Uint8Array, peer = PEER): string | undefined {
    const message = { kind: 'message', peer, bytes } as const;
    const event = this.reception.admit(message);
    this.reception.settle(message, event, event === undefined ? [] : this.core.step(event));
    return this.charges.at(-1);
  }

  /** Takes a request of own callers; returns whether the core was to be stepped with it. */
  takeOwn(request: SignedRequest): boolean {
    const event = this.reception.admit({ kind: 'request', request: request as Verified<SignedRequest> });
    if (event !== undefined) {
      this.core.step(event);
    }
    return event !== undefined;
  }
}

describe('a request of own callers', () => {
  it('is judged when its turn comes: one that was executed meanwhile, or that the core has, is not stepped', () => {
    const bench = new Bench();
    assert.ok(bench.takeOwn(signedRequest(1)));
    assert.ok(!bench.takeOwn(signedRequest(1)), 'the core has it');
    bench.settled = 2;
    assert.ok(!bench.takeOwn(signedRequest(2)), 'it is executed');
    assert.deepEqual(bench.charges, []);
  });
});

describe('what a peer is charged with', () => {
  const vote = (at: number, inView = 0) => signedBytes(voteOf('prepare', at, DIGEST, inView), 2);
  const checked = MESSAGE_US + CHECK_US;

  it('FU-08: is new for a vote that is counted, and old for the same again, without a check', () => {
    const bench = new Bench();
    assert.equal(bench.take(vote(1)), `2: ${checked} new`);
    assert.equal(bench.take(vote(1)), `2: ${MESSAGE_US} old`);
  });

  it('FU-08: is old for whatever the next of its kind replaces: a vote of a later view, a far checkpoint, a ViewChange', () => {
    const bench = new Bench();
    const viewChange = {
      type: 'viewChange',
      newView: view(5),
      stableCheckpoint: sequence(0),
      checkpointCertificate: [],
      prepared: [],
    } as const;
    assert.equal(bench.take(vote(1, 3)), `2: ${checked} old`);
    assert.equal(bench.take(signedBytes(checkpointOf(400, DIGEST), 2)), `2: ${checked} old`);
    assert.equal(bench.take(signedBytes(checkpointOf(4, DIGEST), 2)), `2: ${checked} new`);
    assert.equal(bench.take(signedBytes(viewChange, 2)), `2: ${checked} old`);
  });

  it('FU-08: is by every operation that was looked at, and no more are than show that they cost too much', () => {
    const bench = new Bench();
    const operations = Array.from({ length: 10 }, () => new Uint8Array());
    const request = (count: number): Uint8Array =>
      encodePeerMessage({
        kind: 'request',
        bytes: signedRequest(7, { operations: operations.slice(0, count), signature: new Uint8Array(256) }).bytes,
      });
    assert.equal(bench.take(request(10)), `2: ${MESSAGE_US + 6 * OPERATION_US} old`);
    assert.equal(bench.take(request(5)), `2: ${checked + 5 * OPERATION_US} old`);
  });

  it('FU-08: is old for each Status, with the search for what is missing', () => {
    const bench = new Bench();
    const status: Status = { ...statusTo(1), number: 10 };
    assert.equal(bench.take(signedBytes(status, 2)), `2: ${checked + STATUS_US} old`);
    assert.equal(bench.take(signedBytes(status, 2)), `2: ${MESSAGE_US} old`);
    assert.equal(bench.take(signedBytes({ ...status, number: 11 }, 2)), `2: ${checked + STATUS_US} old`);
  });

  it('FU-08: is by every signature that was checked, and by length', () => {
    const bench = new Bench();
    const requests = [1, 2, 3].map((number) => signedRequest(number));
    assert.equal(
      bench.take(proposalBytes(1, requests), replicaId(0)),
      `0: ${MESSAGE_US + 4 * CHECK_US + 3 * OPERATION_US} new`,
    );
    assert.equal(bench.take(new Uint8Array(10_240)), `2: ${MESSAGE_US + 10 * KIBIBYTE_US} old`);
    const { bytes: batchBytes, digest } = batchOfRequests([signedRequest(4, { signature: utf8('bad') })]);
    const prePrepare = fakeSigned(voteOf('prePrepare', 2, digest), 0);
    const proposal = encodePeerMessage({ kind: 'proposal', prePrepare, batchBytes });
    assert.equal(bench.take(proposal, replicaId(0)), `0: ${MESSAGE_US + 2 * CHECK_US + OPERATION_US} old`);
  });

  it('FU-09: is old for a question that is refused and an answer that was not asked for', () => {
    const bench = new Bench();
    const question = (id: number) =>
      encodePeerMessage({ kind: 'fetch', id, what: { kind: 'checkpointCertificate', sequence: sequence(4) } });
    const answer = (id: number) => encodePeerMessage({ kind: 'fetchAnswer', id, answer: { kind: 'notFound' } });
    assert.deepEqual(
      [question(2), question(3), answer(2), answer(3)].map((bytes) => bench.take(bytes)),
      ['new', 'old', 'new', 'old'].map((age) => `2: ${MESSAGE_US} ${age}`),
    );
  });
});
