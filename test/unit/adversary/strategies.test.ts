/** Each strategy does to what its replica sends what its name says, and signs with no key but its own. */
import assert from 'node:assert/strict';
import { createAdversary, STRATEGY_NAMES, type StrategyName } from '../../../src/adversary/adversary.js';
import { createCoalition } from '../../../src/adversary/strategy.js';
import { sha256 } from '../../../src/crypto/hash.js';
import type { Transport, TransportHandlers } from '../../../src/ports/transport.js';
import { type ReplicaId, replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type { PreparedProof, ProtocolMessage, Signed, ViewChange } from '../../../src/protocol/messages.js';
import { equalBytes, utf8 } from '../../../src/util/bytes.js';
import type { ClientId } from '../../../src/util/digest.js';
import { type DecodedBatch, decodeBatch } from '../../../src/wire/batch-codec.js';
import type { Envelope } from '../../../src/wire/envelope.js';
import { decodePayload, encodePayload } from '../../../src/wire/message-codec.js';
import { decodePeerMessage, encodePeerMessage } from '../../../src/wire/peer-codec.js';
import { CONSENSUS } from '../../support/core-cluster.js';
import { CountingVerifier, fakeSignature } from '../../support/fake-signatures.js';
import {
  CLIENT,
  checkpointOf,
  proposalBytes,
  signedBytes,
  signedRequest,
  statusTo,
  voteOf,
} from '../../support/peer-messages.js';
import { FakeTimers } from '../runtime/fakes.js';

const OWN = 0;
const REQUEST_TIMEOUT_MS = 2_000;
const OWN_CLIENT = 'c0'.repeat(32) as ClientId;
const LIMITS = { ...CONSENSUS, replicaCount: 4 };
const [EVEN, ODD] = [replicaId(2), replicaId(1)];
const DIGEST = sha256(utf8('a batch'));
const VIEW_CHANGE: ViewChange = {
  type: 'viewChange',
  newView: view(1),
  stableCheckpoint: sequence(0),
  checkpointCertificate: [],
  prepared: [],
};

/** A replica with a strategy, and what leaves it. */
class Bench {
  readonly timers = new FakeTimers();
  readonly sent: { readonly peer: ReplicaId; readonly bytes: Uint8Array }[] = [];
  private readonly seen: Uint8Array[] = [];
  private handlers: TransportHandlers | undefined;
  readonly transport: Transport;

  constructor(name: StrategyName) {
    this.transport = createAdversary(name, {
      own: replicaId(OWN),
      ownClientId: CLIENT,
      peers: [1, 2, 3].map(replicaId),
      replicaClients: [OWN_CLIENT, CLIENT, OWN_CLIENT, OWN_CLIENT],
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      limits: LIMITS,
      hash: sha256,
      signer: {
        sign: (type, payload, done) => done(fakeSignature(type, type === 'request' ? CLIENT : OWN, payload)),
      },
      timers: this.timers,
      coalition: createCoalition(),
      transport: {
        start: (handlers, started) => {
          this.handlers = handlers;
          started(undefined);
        },
        send: (peer, bytes) => {
          this.sent.push({ peer, bytes });
          return true;
        },
        setReading: () => undefined,
        links: () => [],
        stop: (done) => done(),
      },
    });
    this.transport.start(
      {
        onConnected: () => undefined,
        onDisconnected: () => undefined,
        onMessage: (_peer, bytes) => this.seen.push(bytes),
      },
      () => undefined,
    );
  }

  /** Draws other numbers, one after the other. */
  drawMany(): void {
    let drawn = 1;
    this.timers.random = () => {
      drawn = (drawn * 48_271) % 2_147_483_647;
      return drawn / 2_147_483_647;
    };
  }

  /** What leaves in place of a message. */
  send(peer: ReplicaId, message: Uint8Array): readonly Uint8Array[] {
    this.sent.length = 0;
    this.transport.send(peer, message, 'vote');
    return this.sent.map(({ bytes }) => bytes);
  }

  /** Whether the replica behind the strategy gets to see a message. */
  receive(message: Uint8Array): boolean {
    this.seen.length = 0;
    this.handlers?.onMessage(EVEN, message);
    return this.seen.length > 0;
  }
}

const prepare = signedBytes(voteOf('prepare', 1, DIGEST), OWN);
const commit = signedBytes(voteOf('commit', 1, DIGEST), OWN);
const proposal = proposalBytes(1, [signedRequest(1)]);

function inputOf(bytes: Uint8Array | undefined) {
  assert.ok(bytes !== undefined, 'nothing left');
  const decoded = decodePeerMessage(bytes, LIMITS);
  assert.ok(decoded.ok, 'what left is not even well-formed');
  return decoded.value;
}

function statementOf(envelope: Envelope) {
  const decoded = decodePayload(envelope.type as 'prepare', envelope.payload, LIMITS);
  assert.ok(decoded.ok);
  return decoded.value;
}

function envelopeOf(bytes: Uint8Array | undefined): Envelope {
  const input = inputOf(bytes);
  assert.ok(input.kind === 'signed' || input.kind === 'proposal');
  return input.kind === 'signed' ? input.envelope : input.prePrepare;
}

function isSigned({ type, sender, payload, signature }: Envelope): boolean {
  assert.ok(sender.kind === 'replica');
  return new CountingVerifier(new Set([CLIENT])).verifyReplica(type, sender.replica, payload, signature);
}

function isSignedStatement({ message, sender, payload, signature }: Signed): boolean {
  return new CountingVerifier(new Set([CLIENT])).verifyReplica(message.type, sender, payload, signature);
}

function signedOf<M extends ProtocolMessage>(message: M, sender: number): Signed<M> {
  const payload = encodePayload(message);
  return { message, sender: replicaId(sender), payload, signature: fakeSignature(message.type, sender, payload) };
}

/** A view change with a true certificate for sequence 1 in view 0. */
function certified(newView: number): ViewChange {
  const vote = { view: view(0), sequence: sequence(1), batchDigest: DIGEST };
  const prePrepare = signedOf({ ...vote, type: 'prePrepare' } as const, 0);
  const prepares = [1, 2].map((sender) => signedOf({ ...vote, type: 'prepare' } as const, sender));
  return { ...VIEW_CHANGE, newView: view(newView), prepared: [{ prePrepare, prepares }] };
}

function carriedBy({ prepared }: ViewChange): readonly Signed[] {
  return prepared.flatMap(({ prePrepare, prepares }) => [prePrepare, ...prepares]);
}

function proposalOf(bytes: Uint8Array | undefined): { readonly batch: DecodedBatch; readonly digest: string } {
  const input = inputOf(bytes);
  assert.ok(input.kind === 'proposal');
  const batch = decodeBatch(input.batchBytes, LIMITS, sha256);
  const statement = statementOf(input.prePrepare);
  assert.ok(batch.ok && 'batchDigest' in statement && isSigned(input.prePrepare));
  return { batch: batch.value, digest: statement.batchDigest };
}

describe('Byzantine strategies', () => {
  it('have nothing to say where they are silent, to all or to some, or about commits', () => {
    assert.deepEqual(new Bench('silent').send(ODD, prepare), []);
    const partly = new Bench('partlySilent');
    assert.deepEqual([partly.send(ODD, prepare), partly.send(EVEN, prepare)], [[], [prepare]]);
    const reluctant = new Bench('neverCommitting');
    assert.deepEqual([reluctant.send(ODD, commit), reluctant.send(ODD, prepare)], [[], [prepare]]);
  });

  it('equivocate: another valid proposal for some, always the same one, and votes that fit it', () => {
    const bench = new Bench('equivocating');
    assert.deepEqual(bench.send(EVEN, proposal), [proposal]);
    const [other] = bench.send(ODD, proposal);
    const { batch, digest } = proposalOf(other);
    assert.equal(batch.batch.digest, digest);
    assert.notEqual(digest, proposalOf(proposal).digest);
    assert.deepEqual(bench.send(ODD, proposal), [other]);
    const [vote] = bench.send(ODD, signedBytes(voteOf('commit', 1, proposalOf(proposal).batch.batch.digest), OWN));
    const statement = statementOf(envelopeOf(vote));
    assert.ok('batchDigest' in statement && isSigned(envelopeOf(vote)));
    assert.equal(statement.batchDigest, digest);
    const [checkpoint] = bench.send(ODD, signedBytes(checkpointOf(4, DIGEST), OWN));
    assert.notDeepEqual(statementOf(envelopeOf(checkpoint)), checkpointOf(4, DIGEST));
  });

  it('contradict: both stories for everybody, the halves in another order, each validly signed', () => {
    const bench = new Bench('contradicting');
    const toEven = bench.send(EVEN, prepare);
    const toOdd = bench.send(ODD, prepare);
    assert.equal(toEven.length, 2);
    assert.deepEqual([...toEven].reverse(), toOdd);
    assert.deepEqual(toEven[0], prepare);
    const stories = toEven.map((bytes) => statementOf(envelopeOf(bytes)));
    assert.notDeepEqual(stories[0], stories[1]);
    assert.ok(toEven.every((bytes) => isSigned(envelopeOf(bytes))));
    const proposals = bench.send(ODD, proposal).map((bytes) => proposalOf(bytes).digest);
    assert.equal(new Set(proposals).size, 2);
    const status = signedBytes(statusTo(1, 5), OWN);
    assert.deepEqual(bench.send(ODD, status), [status]);
  });

  it('censor: requests of one client are never seen, and nothing else is kept back', () => {
    const bench = new Bench('censoring');
    const requestOf = (client: ClientId): Uint8Array =>
      encodePeerMessage({ kind: 'request', bytes: signedRequest(1, { client }).bytes });
    assert.equal(bench.receive(requestOf(CLIENT)), false);
    assert.equal(bench.receive(requestOf(OWN_CLIENT)), true);
    assert.equal(bench.receive(proposal), true);
    assert.deepEqual(bench.send(ODD, proposal), [proposal]);
  });

  it('propose slowly: just within the request timeout, and only proposals', () => {
    const bench = new Bench('slowPrimary');
    assert.deepEqual(bench.send(ODD, prepare), [prepare]);
    assert.deepEqual(bench.send(ODD, proposal), []);
    bench.timers.advance(REQUEST_TIMEOUT_MS - 1);
    assert.deepEqual(
      bench.sent.map(({ bytes }) => bytes),
      [proposal],
    );
  });

  it('swap, fabricate and repeat what a primary proposes', () => {
    const swapped = proposalOf(new Bench('swappingBatches').send(ODD, proposal)[0]);
    assert.notEqual(swapped.batch.batch.digest, swapped.digest);
    const fabricated = proposalOf(new Bench('fabricating').send(ODD, proposal)[0]);
    assert.equal(fabricated.batch.batch.digest, fabricated.digest);
    const verifier = new CountingVerifier(new Set([CLIENT]));
    assert.deepEqual(
      fabricated.batch.requests.map(({ request, payload, signature }) =>
        verifier.verifyClient('request', request.clientId, payload, signature),
      ),
      [true, false],
    );
    const repeating = new Bench('repeating');
    repeating.send(ODD, proposal);
    const repeated = proposalOf(repeating.send(ODD, proposalBytes(2, [signedRequest(2)]))[0]);
    assert.deepEqual(
      repeated.batch.requests.map(({ request }) => request.number),
      [2, 1],
    );
  });

  it('forge votes of others without their keys', () => {
    const [own, ...forged] = new Bench('forging').send(ODD, prepare);
    assert.deepEqual(own, prepare);
    assert.equal(forged.length, 4);
    assert.ok(forged.every((bytes) => !isSigned(envelopeOf(bytes))));
  });

  it('delay, replay and corrupt without looking', () => {
    const delaying = new Bench('delaying');
    delaying.timers.random = () => 0.5;
    assert.deepEqual(delaying.send(ODD, prepare), []);
    delaying.timers.advance(1_500);
    assert.equal(delaying.sent.length, 1);
    const replaying = new Bench('replaying');
    replaying.receive(commit);
    assert.deepEqual(replaying.send(ODD, prepare), [prepare, commit]);
    const [corrupted] = new Bench('corrupting').send(ODD, prepare);
    assert.ok(corrupted !== undefined && !equalBytes(corrupted, prepare));
  });

  it('lie in Status, and say things near the truth, validly signed', () => {
    const status = statusTo(1, 5);
    const [lie] = new Bench('lying').send(ODD, signedBytes(status, OWN));
    assert.ok(isSigned(envelopeOf(lie)));
    assert.notDeepEqual(statementOf(envelopeOf(lie)), status);
    const [mutated] = new Bench('mutating').send(ODD, prepare);
    assert.ok(isSigned(envelopeOf(mutated)));
    assert.ok(mutated !== undefined && !equalBytes(mutated, prepare));
  });

  it('keep back what proves itself: view changes and checkpoint certificates that were asked for', () => {
    const signed = signedOf(VIEW_CHANGE, 2);
    const checkpoint = signedOf(checkpointOf(4, DIGEST), 2);
    for (const answer of [
      { kind: 'viewChange', viewChange: signed },
      { kind: 'checkpointCertificate', checkpoints: [checkpoint] },
    ] as const) {
      const [lie] = new Bench('lying').send(ODD, encodePeerMessage({ kind: 'fetchAnswer', id: 7, answer }));
      assert.deepEqual(inputOf(lie), { kind: 'fetchAnswer', id: 7, answer: { kind: 'notFound' } });
    }
  });

  it('misbehave as a client: one number with two operations', () => {
    const bench = new Bench('lyingClient');
    bench.timers.advance(400);
    const requests = bench.sent.map(({ peer, bytes }) => ({ peer, input: inputOf(bytes) }));
    assert.ok(requests.every(({ input }) => input.kind === 'request'));
    assert.deepEqual(requests.map(({ peer }) => peer).sort(), [1, 2, 3]);
    bench.transport.stop(() => undefined);
    bench.sent.length = 0;
    bench.timers.advance(4_000);
    assert.deepEqual(bench.sent, []);
  });

  it('lie about views: ask for them all the time, and hide what prepared', () => {
    const storming = new Bench('stormingViews');
    storming.timers.advance(150);
    assert.deepEqual(
      storming.sent.map(({ bytes }) => statementOf(envelopeOf(bytes)).type),
      ['viewChange', 'viewChange', 'viewChange'],
    );
    const prepared = { ...VIEW_CHANGE, stableCheckpoint: sequence(4) };
    const [hidden] = new Bench('hidingPrepared').send(ODD, signedBytes(prepared, OWN));
    assert.deepEqual(statementOf(envelopeOf(hidden)), VIEW_CHANGE);
    assert.ok(isSigned(envelopeOf(hidden)));
  });

  it('equivocate about views: a view change that shows less, a new view that names another', () => {
    const bench = new Bench('equivocating');
    const shown = { ...VIEW_CHANGE, stableCheckpoint: sequence(4) };
    const [other] = bench.send(ODD, signedBytes(shown, OWN));
    assert.deepEqual(statementOf(envelopeOf(other)), VIEW_CHANGE);
    assert.ok(isSigned(envelopeOf(other)));
    const named = [0, 1, 2].map((replica) => ({ replica: replicaId(replica), digest: DIGEST }));
    const newView = { type: 'newView', newView: view(4), viewChanges: named, prePrepares: [] } as const;
    bench.receive(signedBytes({ ...VIEW_CHANGE, newView: view(4) }, 3));
    const [lie] = bench.send(ODD, signedBytes(newView, OWN));
    const told = statementOf(envelopeOf(lie));
    assert.ok(told.type === 'newView' && isSigned(envelopeOf(lie)));
    assert.deepEqual(
      told.viewChanges.map(({ replica }) => replica),
      [0, 2, 3],
    );
  });

  it('mutate view changes, new views and status, validly signed', () => {
    const newView = {
      type: 'newView',
      newView: view(4),
      viewChanges: [0, 1, 2].map((replica) => ({ replica: replicaId(replica), digest: DIGEST })),
      prePrepares: [],
    } as const;
    for (const statement of [VIEW_CHANGE, newView, statusTo(1, 5)]) {
      const [mutated] = new Bench('mutating').send(ODD, signedBytes(statement, OWN));
      assert.ok(isSigned(envelopeOf(mutated)));
      assert.notDeepEqual(statementOf(envelopeOf(mutated)), statement);
    }
  });

  for (const name of ['spoilingViewChanges', 'mutating'] as const) {
    it(`show certificates that nobody signed: ${name}`, () => {
      const bench = new Bench(name);
      bench.drawMany();
      const said = Array.from({ length: 200 }, () => bench.send(ODD, signedBytes(certified(1), OWN))[0]).map(
        envelopeOf,
      );
      assert.ok(said.every(isSigned));
      const isForged = said.some((envelope) => {
        const message = statementOf(envelope);
        assert.ok(message.type === 'viewChange');
        return carriedBy(message).some((signed) => !isSignedStatement(signed));
      });
      assert.ok(isForged);
    });
  }

  it('begin a view that follows from an own view change with a certificate that nobody signed', () => {
    const bench = new Bench('spoilingNewViews');
    bench.drawMany();
    const own = certified(4);
    const name = { replica: replicaId(OWN), digest: sha256(Uint8Array.of(0, 0, 0, OWN, ...encodePayload(own))) };
    const others = [1, 2].map((id) => ({ replica: replicaId(id), digest: sha256(utf8(`view change ${id}`)) }));
    const [{ prePrepare }] = own.prepared as [PreparedProof];
    const again = signedOf({ ...prePrepare.message, view: view(4) }, OWN);
    const newView = {
      type: 'newView',
      newView: view(4),
      viewChanges: [name, ...others],
      prePrepares: [again],
    } as const;
    bench.send(ODD, signedBytes(own, OWN));
    const pairs = Array.from({ length: 100 }, () => bench.send(ODD, signedBytes(newView, OWN))).filter(
      ({ length }) => length === 2,
    );
    assert.ok(pairs.length > 0);
    for (const [first, second] of pairs) {
      const [claim, begun] = [first, second].map((bytes) => statementOf(envelopeOf(bytes)));
      assert.ok(claim?.type === 'viewChange' && begun?.type === 'newView');
      const digestOfClaim = sha256(Uint8Array.of(0, 0, 0, OWN, ...encodePayload(claim)));
      assert.deepEqual(begun.viewChanges, [{ ...name, digest: digestOfClaim }, ...others]);
      assert.ok(carriedBy(claim).some((signed) => !isSignedStatement(signed)));
      // What it begins with is, at each sequence, what the last view is said to have prepared.
      for (const { prePrepare: claimed } of claim.prepared) {
        const { sequence: at, batchDigest } = claimed.message;
        assert.ok(
          begun.prePrepares.some(({ message }) => message.sequence === at && message.batchDigest === batchDigest),
        );
      }
      assert.ok(begun.prePrepares.every(isSignedStatement));
    }
  });

  it('flood with everything that a peer keeps, until they stop', () => {
    const bench = new Bench('flooding');
    bench.drawMany();
    bench.timers.advance(25_000);
    const kinds = new Set(
      bench.sent.map(({ bytes }) => {
        const decoded = decodePeerMessage(bytes, LIMITS);
        const input = decoded.ok ? decoded.value : undefined;
        return input?.kind === 'signed' ? input.envelope.type : (input?.kind ?? 'noise');
      }),
    );
    assert.deepEqual([...kinds].sort(), [
      'checkpoint',
      'commit',
      'fetch',
      'newView',
      'noise',
      'prepare',
      'proposal',
      'request',
      'status',
      'viewChange',
    ]);
    bench.transport.stop(() => undefined);
    bench.sent.length = 0;
    bench.timers.advance(1_000);
    assert.deepEqual(bench.sent, []);
  });

  for (const name of STRATEGY_NAMES) {
    it(`pass on without a word what they don't understand: ${name}`, () => {
      const bench = new Bench(name);
      bench.timers.random = () => 0.999;
      assert.doesNotThrow(() => bench.send(EVEN, utf8('no message')));
    });
  }
});
