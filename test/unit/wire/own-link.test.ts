/** What is asked and answered of links of one's own identity, held against the generated code (FU-02). */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { CONNECT_PATH, OWN_LINK_PATH, OWN_LINK_QUESTION, PEER_SERVICE } from '../../../src/network/peer-service.js';
import { decodeOwnLinkAnswer, encodeOwnLinkAnswer } from '../../../src/wire/own-link.js';
import { GetOwnLinkRequest, GetOwnLinkResponse, PeerServiceService } from '../../gen/pbft/v1/peer.js';

describe('wire: the answer about an own link', () => {
  it('FU-02 is what the generated code encodes, and decodes to the same', () => {
    const answers = fc.record({ isAlive: fc.boolean(), address: fc.string({ unit: 'grapheme' }), ageMs: fc.nat() });
    fc.assert(
      fc.property(answers, (answer) => {
        const bytes = encodeOwnLinkAnswer(answer);
        assert.deepEqual([...bytes], [...GetOwnLinkResponse.encode(answer).finish()]);
        assert.deepEqual(decodeOwnLinkAnswer(bytes), { ok: true, value: { ...answer } });
      }),
    );
  });

  it('IV-01 is malformed where it is not canonical, too long, or its text is not UTF-8', () => {
    for (const bytes of [
      [0x08, 0],
      [0x18, 0],
      [0x12, 0],
      [0x12, 1, 0xff],
      [0x10, 1],
      [0x12, 5, 0x41],
    ]) {
      assert.equal(decodeOwnLinkAnswer(Uint8Array.from(bytes)).ok, false, String(bytes));
    }
    const long = GetOwnLinkResponse.encode({ isAlive: true, address: 'a'.repeat(1_025), ageMs: 1 }).finish();
    assert.equal(decodeOwnLinkAnswer(long).ok, false);
  });

  it('goes by the methods that the .proto file defines', () => {
    assert.equal(CONNECT_PATH, PeerServiceService.connect.path);
    assert.equal(OWN_LINK_PATH, PeerServiceService.getOwnLink.path);
    assert.deepEqual([...GetOwnLinkRequest.encode({}).finish()], [...OWN_LINK_QUESTION]);
    for (const [name, { requestStream, responseStream }] of Object.entries(PeerServiceService)) {
      const { [name as keyof typeof PEER_SERVICE]: own } = PEER_SERVICE;
      assert.deepEqual([own.requestStream, own.responseStream], [requestStream, responseStream], name);
    }
    assert.deepEqual(Object.keys(PEER_SERVICE), Object.keys(PeerServiceService));
  });
});
