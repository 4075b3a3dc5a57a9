/** What strategies say of views: of view changes and new views, and with which certificates. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../src/crypto/hash.js';
import { replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type { PreparedProof } from '../../../src/protocol/messages.js';
import { utf8 } from '../../../src/util/bytes.js';
import { encodePayload } from '../../../src/wire/message-codec.js';
import { signedBytes, statusTo } from '../../support/peer-messages.js';
import {
  Bench,
  carriedBy,
  certified,
  DIGEST,
  envelopeOf,
  isSigned,
  isSignedStatement,
  ODD,
  OWN,
  signedOf,
  statementOf,
  VIEW_CHANGE,
} from './strategy-bench.js';

describe('Byzantine strategies about views', () => {
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
});
