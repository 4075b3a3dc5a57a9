import assert from 'node:assert/strict';
import { sha256 } from '../../../src/crypto/hash.js';
import { makeHello, rejectGreeting, rejectHello } from '../../../src/network/handshake.js';
import { foreignText } from '../../../src/network/link-end.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import { utf8 } from '../../../src/util/bytes.js';

const TERMS = { clusterId: sha256(utf8('cluster')), parametersDigest: sha256(utf8('parameters')), protocolVersion: 1 };
const BINDING = {
  diallerNonce: new Uint8Array(32).fill(1),
  listenerNonce: new Uint8Array(32).fill(2),
  diallerCertificateDigest: sha256(utf8('dialler')),
  listenerCertificateDigest: sha256(utf8('listener')),
};
const LISTENER = { own: replicaId(0), peer: replicaId(2) };
const DIALLER = { own: replicaId(2), peer: replicaId(0) };
const EXPECTED = { terms: TERMS, binding: BINDING };

describe('the handshake', () => {
  it('accepts at each end what the other end says', () => {
    assert.equal(rejectHello(makeHello(DIALLER, TERMS, BINDING), LISTENER, EXPECTED), undefined);
    assert.equal(rejectHello(makeHello(LISTENER, TERMS, BINDING), DIALLER, EXPECTED), undefined);
  });

  it('does not accept the own hello sent back', () => {
    const reflected = rejectHello(makeHello(LISTENER, TERMS, BINDING), LISTENER, EXPECTED);
    assert.equal(reflected?.reason, 'handshake');
  });

  it('does not accept a hello that names another addressee or another sender, however right the rest is', () => {
    for (const ends of [
      { own: replicaId(2), peer: replicaId(1) },
      { own: replicaId(3), peer: replicaId(0) },
    ]) {
      const rejection = rejectHello(makeHello(ends, TERMS, BINDING), LISTENER, EXPECTED);
      assert.equal(rejection?.reason, 'handshake');
      assert.match(rejection.text, new RegExp(`from replica ${ends.own} to replica ${ends.peer}, this link`));
    }
  });

  it('judges whom a greeting names before anything is signed', () => {
    const nonce = BINDING.diallerNonce;
    assert.equal(rejectGreeting({ nonce, from: replicaId(2), to: replicaId(0) }, LISTENER), undefined);
    const stranger = rejectGreeting({ nonce, from: replicaId(3), to: replicaId(0) }, LISTENER);
    assert.match(stranger?.text ?? '', /replica 3.*replica 2's/);
    const lost = rejectGreeting({ nonce, from: replicaId(2), to: replicaId(1) }, LISTENER);
    assert.match(lost?.text ?? '', /dialled replica 1 and reached replica 0/);
  });

  it('names everything that differs, with both values (OP-01)', () => {
    const other = { clusterId: sha256(utf8('x')), parametersDigest: sha256(utf8('y')), protocolVersion: 7 };
    const end = rejectHello(makeHello(DIALLER, other, BINDING), LISTENER, EXPECTED);
    assert.equal(end?.reason, 'mismatch');
    for (const value of [...Object.values(TERMS), ...Object.values(other)]) {
      assert.ok(end?.text.includes(String(value)), String(value));
    }
  });

  it('shows text of the other side without what could steer a terminal', () => {
    assert.equal(foreignText('\u001b[31mred\u0007 \u{1f600}\n'), '?[31mred? ???');
    assert.equal(foreignText('x'.repeat(10_000)).length, 300);
  });
});
