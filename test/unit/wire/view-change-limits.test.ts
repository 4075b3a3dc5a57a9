/** How long view changes and new views may be, and what stands in them in which order (GR-01). */
import { strict as assert } from 'node:assert';
import { replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type { NewView, ProtocolMessage, Signed, ViewChange } from '../../../src/protocol/messages.js';
import { INTEGER_MAX } from '../../../src/wire/limits.js';
import { decodePayload, encodePayload } from '../../../src/wire/message-codec.js';
import { PAYLOADS } from '../../../src/wire/payloads.js';
import { decodePeerMessage, encodePeerMessage } from '../../../src/wire/peer-codec.js';
import { PEER_MESSAGE } from '../../../src/wire/peer-message.js';
import { LIMITS } from './arbitraries.js';
import { DIGEST, findingOf, SIGNATURE, SIZE_LIMITS } from './support.js';

describe('wire: the limits of view changes', () => {
  const signedBy = <M extends ProtocolMessage>(message: M): Signed<M> => ({
    message,
    sender: replicaId(6),
    payload: encodePayload(message),
    signature: SIGNATURE,
  });
  const vote = { view: view(INTEGER_MAX), batchDigest: DIGEST };
  const at = (index: number) => sequence(INTEGER_MAX - 100 + index);
  const prePrepareAt = (index: number) => signedBy({ type: 'prePrepare', ...vote, sequence: at(index) } as const);
  const checkpoint = signedBy({ type: 'checkpoint', sequence: at(0), headerDigest: DIGEST } as const);
  const viewChangeOf = (sizes: { checkpoints: number; proofs: number; prepares: number }): ViewChange => ({
    type: 'viewChange',
    newView: view(INTEGER_MAX),
    stableCheckpoint: at(0),
    checkpointCertificate: new Array(sizes.checkpoints).fill(checkpoint),
    prepared: Array.from({ length: sizes.proofs }, (_, index) => ({
      prePrepare: prePrepareAt(index),
      prepares: new Array(sizes.prepares).fill(signedBy({ type: 'prepare', ...vote, sequence: at(index) } as const)),
    })),
  });
  const newViewOf = (nameCount: number, proposals: number): NewView => ({
    type: 'newView',
    newView: view(INTEGER_MAX),
    viewChanges: Array.from({ length: nameCount }, (_, id) => ({ replica: replicaId(id), digest: DIGEST })),
    prePrepares: Array.from({ length: proposals }, (_, index) => prePrepareAt(index)),
  });
  const commit = signedBy({ type: 'commit', ...vote, sequence: at(0) } as const);
  const decode = (message: ProtocolMessage): string =>
    findingOf(decodePayload(message.type, encodePayload(message), LIMITS));

  it('GR-01 allow the largest view change and new view, within the computed maximum', () => {
    const viewChange = signedBy(viewChangeOf({ checkpoints: 7, proofs: 32, prepares: 6 }));
    const newView = signedBy(newViewOf(7, 32));
    for (const message of [
      encodePeerMessage({ kind: 'signed', signed: viewChange }),
      encodePeerMessage({ kind: 'fetchAnswer', id: INTEGER_MAX, answer: { kind: 'viewChange', viewChange } }),
      encodePeerMessage({ kind: 'signed', signed: newView }),
      encodePeerMessage({ kind: 'evidence', first: newView, second: newView }),
    ]) {
      assert.equal(findingOf(decodePeerMessage(message, LIMITS)), 'ok');
      assert.ok(message.length <= PEER_MESSAGE.sizeBytesMax(SIZE_LIMITS), `${message.length}`);
    }
    assert.equal(viewChange.payload.length, PAYLOADS.viewChange.sizeBytesMax(SIZE_LIMITS));
    assert.equal(newView.payload.length, PAYLOADS.newView.sizeBytesMax(SIZE_LIMITS));
    assert.equal(decode(viewChange.message), 'ok');
    assert.equal(decode(newView.message), 'ok');
  });

  it('GR-01 allow no more in a view change or new view than a cluster and a window have', () => {
    const most = { checkpoints: 7, proofs: 32, prepares: 6 };
    assert.match(decode(viewChangeOf({ ...most, checkpoints: 8 })), /^checkpoint_certificate has more than 7/);
    assert.match(decode(viewChangeOf({ ...most, proofs: 33 })), /^prepared has more than 32/);
    const long = viewChangeOf({ ...most, proofs: 1, prepares: 7 });
    assert.match(decode(long), /^prepared has \d+ bytes, allowed are 0 to 4032/);
    const prepared = long.prepared.map(({ prePrepare, prepares }) => ({
      prePrepare,
      prepares: prepares.map((prepare) => ({ ...prepare, signature: Uint8Array.of(1) })),
    }));
    assert.match(decode({ ...long, prepared }), /^prepared\[0\]\.prepares has more than 6/);
    assert.match(decode(newViewOf(8, 0)), /^view_changes has more than 7/);
    assert.match(decode(newViewOf(7, 33)), /^pre_prepares has more than 32/);
  });

  it('want the parts of a view change and a new view in order, each once', () => {
    const { prepared, ...viewChange } = viewChangeOf({ checkpoints: 0, proofs: 2, prepares: 1 });
    const { prePrepares, viewChanges, ...newView } = newViewOf(2, 2);
    const [first, second] = prepared;
    assert.ok(first !== undefined && second !== undefined);
    for (const inOrder of [true, false]) {
      const pick = <T>([left, right]: readonly T[]) => (inOrder ? [left, left] : [right, left]) as T[];
      assert.match(decode({ ...viewChange, prepared: pick(prepared) }), /^prepared\[1\] is not above/);
      assert.match(
        decode({ ...newView, viewChanges, prePrepares: pick(prePrepares) }),
        /^pre_prepares\[1\] is not above/,
      );
      assert.match(
        decode({ ...newView, prePrepares, viewChanges: pick(viewChanges) }),
        /^view_changes\[1\] is not above/,
      );
    }
  });

  it('want each part of a view change and a new view of its type, by a replica of the cluster', () => {
    const viewChange = viewChangeOf({ checkpoints: 1, proofs: 1, prepares: 1 });
    const newView = newViewOf(1, 1);
    const [proof] = viewChange.prepared;
    assert.ok(proof !== undefined);
    const prepares = proof.prepares.map((prepare) => ({ ...prepare, signature: Uint8Array.of(1) })) as never;
    const cases: readonly [ProtocolMessage, RegExp][] = [
      [{ ...viewChange, checkpointCertificate: prepares }, /^checkpoint_certificate\[0\]\.type is prepare,/],
      [
        { ...viewChange, prepared: [{ ...proof, prePrepare: proof.prepares[0] as never }] },
        /^prepared\[0\]\.pre_prepare\.type is prepare,/,
      ],
      [
        { ...viewChange, prepared: [{ ...proof, prepares: [proof.prePrepare as never] }] },
        /^prepared\[0\]\.prepares\[0\]\.type is prePrepare,/,
      ],
      [{ ...newView, prePrepares: prepares }, /^pre_prepares\[0\]\.type is prepare,/],
      [
        { ...newView, prePrepares: [{ ...prePrepareAt(0), sender: replicaId(7) }] },
        /^pre_prepares\[0\]\.replica is 7,/,
      ],
      [{ ...newView, newView: view(0) }, /^new_view is 0,/],
      [{ ...viewChange, newView: view(0) }, /^new_view is 0,/],
    ];
    for (const [message, finding] of cases) {
      assert.match(decode(message), finding);
    }
  });

  it('GR-01 allow each type its own length only', () => {
    const long = { ...commit, payload: new Uint8Array(PAYLOADS.status.sizeBytesMax(SIZE_LIMITS)) };
    const message = encodePeerMessage({ kind: 'signed', signed: long });
    assert.match(
      findingOf(decodePeerMessage(message, LIMITS)),
      /^signed\.payload has \d+ bytes, a commit has at most 52$/,
    );
  });

  it('allow as evidence two pre-prepares or two new views only', () => {
    const evidence = (first: Signed, second: Signed): string =>
      findingOf(decodePeerMessage(encodePeerMessage({ kind: 'evidence', first, second }), LIMITS));
    const newView = signedBy(newViewOf(1, 1));
    assert.equal(evidence(newView, newView), 'ok');
    assert.equal(evidence(prePrepareAt(0), prePrepareAt(0)), 'ok');
    assert.equal(
      evidence(newView, prePrepareAt(0)),
      'evidence.second.type is prePrepare, but that of the first is newView',
    );
    assert.match(evidence(commit, commit), /^evidence\.first\.type is commit, prePrepare or newView belongs here/);
  });
});
