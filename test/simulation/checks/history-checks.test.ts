/** The checks of what is executed refuse a run that breaks their invariant and let one pass that keeps it. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../src/crypto/hash.js';
import { OUTCOME } from '../../../src/ledger/header.js';
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import { sequence, view } from '../../../src/protocol/identifiers.js';
import type { RecoveredState } from '../../../src/protocol/log-record.js';
import { utf8 } from '../../../src/util/bytes.js';
import type { ClientId, Digest } from '../../../src/util/digest.js';
import { NULL_BATCH_BYTES } from '../../../src/wire/batch-codec.js';
import { computeRequestDigest, encodeRequestPayload } from '../../../src/wire/request-codec.js';
import { digest, FRESH } from '../../support/core-cluster.js';
import { AgreementCheck } from './agreement.js';
import { CLIENTS, GENESIS, header, judged, ONE, ZERO } from './builders.js';
import { MonotoneCheck } from './monotone.js';
import type { Violations } from './observer.js';
import { RequestsCheck } from './requests.js';

describe('the checks of what is executed', () => {
  describe('agreement', () => {
    const make = (violations: Violations) => new AgreementCheck(violations, GENESIS);
    const first = header(1, GENESIS);

    it('refuse two batches at one sequence', () => {
      const run = (content: string) =>
        judged(make, (check) => {
          check.onExecuted(ZERO, [first], () => true);
          check.onExecuted(ONE, [header(1, GENESIS, content)], () => true);
        });
      assert.equal(run('batch'), undefined);
      assert.equal(run('another batch'), 1);
    });

    it('refuse another header of the same batch', () => {
      const other = { ...first, headerDigest: digest('another header') };
      const run = (write: ExecutionWrite) =>
        judged(make, (check) => {
          check.onExecuted(ZERO, [first], () => true);
          check.onExecuted(ONE, [write], () => true);
        });
      assert.equal(run(first), undefined);
      assert.equal(run(other), 2);
    });

    it('refuse a header that does not follow the one before', () => {
      const run = (previous: Digest) =>
        judged(make, (check) => check.onExecuted(ZERO, [first, header(2, previous)], () => true));
      assert.equal(run(first.headerDigest), undefined);
      assert.equal(run(GENESIS), 2);
    });

    it('refuse an answer that stands nowhere in the history', () => {
      const run = (headerDigest: Digest) =>
        judged(make, (check) => {
          check.onExecuted(ZERO, [first], () => true);
          check.onAnswered(ZERO, { result: utf8(''), sequence: 1, view: 0, headerDigest });
        });
      assert.equal(run(first.headerDigest), undefined);
      assert.equal(run(digest('nothing')), 7);
    });
  });

  describe('requests', () => {
    const [clientId] = CLIENTS as [ClientId];
    const payload = encodeRequestPayload({ clientId, number: 1, acknowledged: 0, operations: [utf8('x')] });
    const requestDigest = computeRequestDigest(clientId, payload, sha256);
    const nullBatchDigest = sha256(NULL_BATCH_BYTES);
    const make = (violations: Violations) =>
      new RequestsCheck({
        violations,
        clientOf: (replica) => CLIENTS[replica] ?? clientId,
        nullBatchDigest,
        mayBeNull: (at) => at === 7,
      });
    const executing = (at: number): ExecutionWrite => ({
      ...header(at, GENESIS),
      rowsPut: [
        {
          clientId,
          number: 1,
          requestDigest,
          outcome: OUTCOME.executed,
          sequence: at,
          leafIndex: 0,
          path: [],
          resultsDigest: GENESIS,
          results: [],
        },
      ],
    });

    it('refuse one that its client did not sign', () => {
      const run = (signer: typeof ZERO) =>
        judged(make, (check) => {
          check.onSigned(signer, 'request', payload);
          check.onExecuted(ZERO, [executing(1)], () => true);
        });
      assert.equal(run(ZERO), undefined);
      assert.equal(run(ONE), 5);
    });

    it('refuse one that takes effect twice', () => {
      const run = (at: number) =>
        judged(make, (check) => {
          check.onSigned(ZERO, 'request', payload);
          check.onExecuted(ZERO, [executing(1)], () => true);
          check.onExecuted(ONE, [executing(at)], () => true);
        });
      assert.equal(run(1), undefined);
      assert.equal(run(2), 6);
    });

    it('refuse a null batch where none may be', () => {
      const run = (at: number) => {
        const write = header(at, GENESIS);
        const empty = { ...write, header: { ...write.header, batchDigest: nullBatchDigest } };
        return judged(make, (check) => check.onExecuted(ZERO, [empty], () => true));
      };
      assert.equal(run(7), undefined);
      assert.equal(run(8), 5);
    });
  });

  describe('monotone', () => {
    const make = (violations: Violations) => new MonotoneCheck(violations);

    it('refuse a gauge that goes back in one life', () => {
      const run = (restarts: boolean) =>
        judged(make, (check) => {
          check.onGauge(ZERO, 'lastExecuted', 5);
          if (restarts) {
            check.onStarted(ZERO);
          }
          check.onGauge(ZERO, 'lastExecuted', 4);
        });
      assert.equal(run(true), undefined);
      assert.equal(run(false), 11);
    });

    it('refuse a start below what was durable', () => {
      const run = (isDurable: boolean, recovered: Partial<RecoveredState>) =>
        judged(make, (check) => {
          check.onDurable(ZERO, { kind: 'view', view: view(2) });
          check.onExecuted(ZERO, [header(1, GENESIS)], () => isDurable);
          check.onCrashed(ZERO);
          check.onRecovered(ZERO, { ...FRESH, view: view(2), ...recovered });
        });
      assert.equal(run(true, { lastExecuted: sequence(1) }), undefined);
      assert.equal(run(false, {}), undefined);
      assert.equal(run(true, {}), 11);
      assert.equal(run(true, { lastExecuted: sequence(1), view: view(1) }), 11);
    });
  });
});
