/** The checks of what is said and kept refuse a run that breaks their invariant and let one pass that keeps it. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../src/crypto/hash.js';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import type { ProtocolMessage, Signed } from '../../../src/protocol/messages.js';
import { utf8 } from '../../../src/util/bytes.js';
import type { Digest } from '../../../src/util/digest.js';
import { encodeBatch } from '../../../src/wire/batch-codec.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { encodePeerMessage } from '../../../src/wire/peer-codec.js';
import type { PeerOutput } from '../../../src/wire/peer-message.js';
import { decodeRequest, encodeRequestPayload } from '../../../src/wire/request-codec.js';
import { digest, verified } from '../../support/core-cluster.js';
import {
  accepted,
  checkpoint,
  GENESIS,
  header,
  judged,
  LIMITS,
  ONE,
  prepared,
  registry,
  seen,
  sign,
  THREE,
  TWO,
  vote,
  ZERO,
} from './builders.js';
import { CertificatesCheck } from './certificates.js';
import { ContradictionCheck } from './contradiction.js';
import { EvidenceCheck } from './evidence.js';
import type { Observer, Violations } from './observer.js';
import { PreparedUniquenessCheck } from './prepared-uniqueness.js';
import { MessageReader } from './seen-message.js';
import { WriteBeforeSendCheck } from './write-before-send.js';

describe('the checks of what is said and kept', () => {
  it('refuse certificates of two digests in one view', () => {
    const run = (content: string) =>
      judged(
        (violations) => new PreparedUniquenessCheck(violations),
        (check) => {
          check.onAppended(ZERO, prepared('one'));
          check.onAppended(ONE, prepared(content));
        },
      );
    assert.equal(run('one'), undefined);
    assert.equal(run('two'), 3);
  });

  it('refuse a replica that contradicts itself, whoever passes it on, and spare the others', () => {
    const keys = registry();
    const run = (sender: typeof ZERO, content: string) =>
      judged(
        (violations) => new ContradictionCheck(violations, (replica) => replica !== THREE),
        (check) => {
          check.onSent(sender, TWO, seen(sign(keys, vote('prepare', 'one'), sender)));
          check.onSent(ZERO, TWO, seen(sign(keys, vote('prepare', content), sender)));
        },
      );
    assert.equal(run(ONE, 'one'), undefined);
    assert.equal(run(ONE, 'two'), 8);
    assert.equal(run(THREE, 'two'), undefined);
  });

  describe('write before send', () => {
    const make = (violations: Violations) => new WriteBeforeSendCheck(violations, 8);
    const send = (check: Required<Observer>, message: ProtocolMessage) =>
      check.onSent(ONE, TWO, seen(sign(registry(), message)));

    it('refuse a prepare without its durable proposal', () => {
      const run = (record: LogRecord | undefined) =>
        judged(make, (check) => {
          check.onAppended(ONE, accepted('one'));
          if (record !== undefined) {
            check.onDurable(ONE, record);
          }
          send(check, vote('prepare'));
        });
      assert.equal(run(accepted('one')), undefined);
      assert.equal(run(undefined), 9);
      assert.equal(run(accepted('two')), 9);
    });

    it('refuse a commit without its durable certificate', () => {
      const run = (record: LogRecord) =>
        judged(make, (check) => {
          check.onDurable(ONE, record);
          send(check, vote('commit'));
        });
      assert.equal(run(prepared('one')), undefined);
      assert.equal(run(accepted('one')), 9);
    });

    it('refuse a vote in a view before its new view is durable', () => {
      const keys = registry();
      const newView = verified(
        sign(keys, { type: 'newView', newView: view(1), viewChanges: [], prePrepares: [] } as const),
      );
      const run = (isBegun: boolean) =>
        judged(make, (check) => {
          const record = accepted('one');
          assert.ok(record.kind === 'accepted');
          check.onDurable(ONE, { ...record, prePrepare: { ...record.prePrepare, view: view(1) } });
          if (isBegun) {
            check.onDurable(ONE, { kind: 'newView', begun: { newView, viewChanges: [] } });
          }
          send(check, vote('prepare', 'one', 1, 1));
        });
      assert.equal(run(true), undefined);
      assert.equal(run(false), 9);
    });

    it('refuse a vote above the window of the stable checkpoint that is durable', () => {
      const keys = registry();
      const checkpoints = [ZERO, ONE, TWO].map((sender) => verified(sign(keys, checkpoint('one', 4), sender)));
      const run = (isStable: boolean) =>
        judged(make, (check) => {
          const record = accepted('one');
          assert.ok(record.kind === 'accepted');
          check.onDurable(ONE, { ...record, prePrepare: { ...record.prePrepare, sequence: sequence(9) } });
          if (isStable) {
            check.onDurable(ONE, { kind: 'stableCheckpoint', certificate: { checkpoints } });
          }
          send(check, vote('prepare', 'one', 9));
        });
      assert.equal(run(true), undefined);
      assert.equal(run(false), 9);
    });

    it('refuse a checkpoint before its execution is durable', () => {
      const run = (isDurable: boolean) =>
        judged(make, (check) => {
          check.onExecuted(ONE, [header(4, GENESIS)], () => isDurable);
          check.onDurable(ONE, { kind: 'ownCheckpoint', checkpoint: checkpoint() });
          send(check, checkpoint());
        });
      assert.equal(run(true), undefined);
      assert.equal(run(false), 9);
    });
  });

  describe('certificates', () => {
    const keys = registry();
    const make = (violations: Violations) =>
      new CertificatesCheck({
        violations,
        limits: LIMITS,
        verifier: keys.verifier,
        replicaCount: 4,
        checkpointInterval: 4,
        windowSize: 8,
      });
    const run = (signed: readonly Signed<ReturnType<typeof checkpoint>>[]) =>
      judged(make, (check) => {
        const bytes = encodePeerMessage({ kind: 'checkpointCertificate', checkpoints: signed });
        check.onSent(ZERO, ONE, new MessageReader(LIMITS).read(bytes));
      });

    it('refuse what is no quorum of distinct signers of one statement', () => {
      const by = (sender: typeof ZERO, content = 'one', at = 4) => sign(keys, checkpoint(content, at), sender);
      assert.equal(run([by(ZERO), by(ONE), by(TWO)]), undefined);
      assert.equal(run([by(ZERO), by(ONE)]), 10);
      assert.equal(run([by(ZERO), by(ONE), by(ONE)]), 10);
      assert.equal(run([by(ZERO), by(ONE), by(TWO, 'two')]), 10);
      assert.equal(run([by(ZERO, 'one', 5), by(ONE, 'one', 5), by(TWO, 'one', 5)]), 10);
    });

    it('refuse a signature that is not valid', () => {
      const good = sign(keys, checkpoint(), ZERO);
      assert.equal(run([{ ...good, sender: THREE }, sign(keys, checkpoint(), ONE), sign(keys, checkpoint(), TWO)]), 10);
    });

    it('take evidence of two lies, and refuse one statement twice', () => {
      const accusing = (content: string) =>
        judged(make, (check) => {
          const [first, second] = ['one', content].map((each) => {
            const named = [{ replica: ONE, digest: vote('prepare', each).batchDigest }];
            return sign(keys, { type: 'newView', newView: view(1), viewChanges: named, prePrepares: [] }, ONE);
          });
          assert.ok(first !== undefined && second !== undefined);
          const bytes = encodePeerMessage({ kind: 'evidence', first, second });
          check.onSent(ZERO, TWO, new MessageReader(LIMITS).read(bytes));
        });
      assert.equal(accusing('two'), undefined);
      assert.equal(accusing('one'), 10);
    });

    /** A request of client 0, signed by the client that this replica is. */
    const requestBytes = (signer: typeof ZERO): Uint8Array => {
      const clientId = keys.clientOf(ZERO);
      const payload = encodeRequestPayload({ clientId, number: 1, acknowledged: 0, operations: [utf8('put')] });
      const signature = keys.signNow(signer, 'request', payload);
      return encodeEnvelope({ type: 'request', sender: { kind: 'client', clientId }, payload, signature });
    };
    const batchBytes = (signer: typeof ZERO): Uint8Array => {
      const decoded = decodeRequest(requestBytes(signer), LIMITS, sha256);
      assert.ok(decoded.ok);
      return encodeBatch(1, [decoded.value.request]);
    };
    const sent = (message: PeerOutput) =>
      judged(make, (check) => check.onSent(ONE, TWO, new MessageReader(LIMITS).read(encodePeerMessage(message))));

    it('refuse a pre-prepare by another than the primary, or with another batch than it names', () => {
      const proposed = (sender: typeof ZERO, named = sha256(batchBytes(ZERO)), bytes = batchBytes(ZERO)) => {
        const statement = { ...vote('prePrepare'), type: 'prePrepare' as const, batchDigest: named };
        return sent({ kind: 'proposal', prePrepare: sign(keys, statement, sender), batchBytes: bytes });
      };
      const batch = batchBytes(ZERO);
      const unsigned = batchBytes(ONE);
      assert.equal(proposed(ZERO, sha256(batch), batch), undefined);
      assert.equal(proposed(ONE, sha256(batch), batch), 10);
      assert.equal(proposed(ZERO, digest('another'), batch), 10);
      assert.equal(proposed(ZERO, sha256(utf8('no batch')), utf8('no batch')), 10);
      assert.equal(proposed(ZERO, sha256(unsigned), unsigned), 10);
    });

    it('refuse a batch that is not the committed one', () => {
      const batch = batchBytes(ZERO);
      const decided = (batchDigest: Digest) =>
        sent({
          kind: 'committedBatch',
          batchBytes: batch,
          commits: [ZERO, ONE, TWO].map((sender) =>
            sign(keys, { ...vote('commit'), type: 'commit' as const, batchDigest }, sender),
          ),
        });
      assert.equal(decided(sha256(batch)), undefined);
      assert.equal(decided(digest('another')), 10);
    });

    it('refuse a request that its client did not sign', () => {
      assert.equal(sent({ kind: 'request', bytes: requestBytes(ZERO) }), undefined);
      assert.equal(sent({ kind: 'request', bytes: requestBytes(ONE) }), 10);
    });

    it('refuse a statement that nobody can read', () => {
      const good = sign(keys, checkpoint(), ONE);
      assert.equal(sent({ kind: 'signed', signed: good }), undefined);
      assert.equal(sent({ kind: 'signed', signed: { ...good, payload: utf8('no checkpoint') } }), 10);
    });
  });

  it('refuse evidence against a correct replica, and evidence that proves nothing', () => {
    const keys = registry();
    const run = (sender: typeof ZERO, content: string) =>
      judged(
        (violations) =>
          new EvidenceCheck({ violations, verifier: keys.verifier, isCorrect: (replica) => replica !== THREE }),
        (check) => {
          const [first, second] = ['one', content].map((each) => sign(keys, vote('prepare', each), sender));
          assert.ok(first !== undefined && second !== undefined);
          const evidence = { replica: sender, kind: 'prepare', first, second } as const;
          check.onAppended(ZERO, { kind: 'evidence', evidence });
        },
      );
    assert.equal(run(THREE, 'two'), undefined);
    assert.equal(run(ONE, 'two'), 12);
    assert.equal(run(THREE, 'one'), 12);
  });
});
