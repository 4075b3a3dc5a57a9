/** Each strategy does to what its replica sends what its name says, and signs with no key but its own. */
import assert from 'node:assert/strict';
import { STRATEGY_NAMES } from '../../../src/adversary/adversary.js';
import { equalBytes, utf8 } from '../../../src/util/bytes.js';
import type { ClientId } from '../../../src/util/digest.js';
import { decodePeerMessage, encodePeerMessage } from '../../../src/wire/peer-codec.js';
import { CountingVerifier } from '../../support/fake-signatures.js';
import {
  CLIENT,
  checkpointOf,
  proposalBytes,
  signedBytes,
  signedRequest,
  statusTo,
  voteOf,
} from '../../support/peer-messages.js';
import {
  Bench,
  commit,
  DIGEST,
  EVEN,
  envelopeOf,
  inputOf,
  isSigned,
  LIMITS,
  ODD,
  OWN,
  OWN_CLIENT,
  prepare,
  proposal,
  proposalOf,
  REQUEST_TIMEOUT_MS,
  signedOf,
  statementOf,
  VIEW_CHANGE,
} from './strategy-bench.js';

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
