import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { answerToFailure, type CallFailure } from '../../../src/api/failures.js';
import { statusOfAnswer } from '../../../src/api/status-details.js';
import { decodeRichStatus, STATUS_DETAILS_TRAILER } from '../../../src/wire/rich-status.js';

const FAILURES: { readonly [C in CallFailure['code']]: Extract<CallFailure, { readonly code: C }> } = {
  malformed: { code: 'malformed', fault: 'encoding' },
  messageTooLong: { code: 'messageTooLong', limitBytes: 1_179_648 },
  invalid: { code: 'invalid', field: 'key', description: 'must be at most 1,024 bytes' },
  queueFull: { code: 'queueFull', retryAfterMs: 1_250 },
  notReady: { code: 'notReady', reasons: ['no quorum', 'recovering'], retryAfterMs: 500 },
  outcomeUnknown: { code: 'outcomeUnknown', reason: 'the deadline passed first' },
  resultDropped: { code: 'resultDropped', sequence: 17 },
  deadlineTooShort: { code: 'deadlineTooShort' },
  readTimedOut: { code: 'readTimedOut' },
  requestIdReused: { code: 'requestIdReused' },
  requestIdsExhausted: { code: 'requestIdsExhausted', retryAfterMs: 1_000 },
  serviceUnknown: { code: 'serviceUnknown' },
  watchersExhausted: { code: 'watchersExhausted', retryAfterMs: 1_000 },
  callsExhausted: { code: 'callsExhausted', retryAfterMs: 250 },
  answersExhausted: { code: 'answersExhausted', retryAfterMs: 250 },
  answersUnread: { code: 'answersUnread', retryAfterMs: 1_000 },
  bug: { code: 'bug' },
};

function told(failure: CallFailure) {
  const sent = statusOfAnswer(answerToFailure(failure));
  const [trailer] = sent.metadata.get(STATUS_DETAILS_TRAILER);
  assert.ok(Buffer.isBuffer(trailer));
  const rich = decodeRichStatus(trailer);
  assert.ok(rich !== undefined);
  return { sent, rich };
}

describe('the table of errors', () => {
  for (const failure of Object.values(FAILURES)) {
    it(`tells of ${failure.code} the same in status and details, with a reason in capitals`, () => {
      const { sent, rich } = told(failure);
      assert.deepEqual([rich.code, rich.message], [sent.code, sent.details]);
      assert.match(rich.reason, /^[A-Z][A-Z_]+[A-Z]$/);
      assert.ok(sent.details.length > 20);
      assert.equal(rich.retryAfterMs, 'retryAfterMs' in failure ? failure.retryAfterMs : undefined);
    });
  }

  it('gives no two failures one reason', () => {
    const reasons = Object.values(FAILURES).map((failure) => answerToFailure(failure).reason);
    assert.equal(new Set(reasons).size, reasons.length);
  });

  it('answers INTERNAL for own bugs alone', () => {
    const internal = Object.values(FAILURES).filter((failure) => answerToFailure(failure).status === status.INTERNAL);
    assert.deepEqual(internal, [FAILURES.bug]);
  });

  it('says of an unknown outcome that it is not known, and that the operation may be executed yet', () => {
    const { sent, rich } = told(FAILURES.outcomeUnknown);
    assert.equal(sent.code, status.DEADLINE_EXCEEDED);
    assert.equal(rich.fate, 'unknown');
    assert.match(sent.details, /outcome is not known.*may be executed later/);
  });

  it('names the field that is wrong', () => {
    assert.deepEqual(told(FAILURES.invalid).rich.violation, {
      field: 'key',
      description: 'must be at most 1,024 bytes',
    });
    assert.equal(told(FAILURES.requestIdReused).rich.violation?.field, 'request_id');
  });

  it('GR-09: sends any text: long ones cut, halves of surrogate pairs replaced', () => {
    for (const description of ['x'.repeat(1_000_000), '\ud800', `${'x'.repeat(996)}\u{1f600}`]) {
      const { sent } = told({ code: 'invalid', field: 'key', description });
      assert.ok(sent.details.length <= 1_000);
      assert.doesNotThrow(() => encodeURI(sent.details));
    }
  });

  it('IV-08: reads nothing from details that are not this project’s, and never throws', () => {
    for (const bytes of [new Uint8Array(), Uint8Array.of(0xff), Buffer.from('hello'), new Uint8Array(300).fill(0x1a)]) {
      assert.equal(decodeRichStatus(bytes), undefined);
    }
  });

  it('blames of a malformed message what is wrong with it: the encoding, a text or a number', () => {
    const messages = (['encoding', 'text', 'number'] as const).map(
      (fault) => answerToFailure({ code: 'malformed', fault }).message,
    );
    assert.equal(new Set(messages).size, 3);
    assert.deepEqual(
      messages.map((message) => message.includes('UTF-8')),
      [false, true, false],
    );
    assert.match(messages[2] ?? '', /9007199254740991/);
  });
});
