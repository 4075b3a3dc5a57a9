import assert from 'node:assert/strict';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { clientErrorOf } from '../../../src/client/client-error.js';
import { encodeRichStatus, STATUS_DETAILS_TRAILER } from '../../../src/wire/rich-status.js';

const REPLICA = { address: '127.0.0.1:7400', name: 'replica-0' };

function serviceError(code: status, details: string, trailer?: Uint8Array): ServiceError {
  const metadata = new Metadata();
  if (trailer !== undefined) {
    metadata.set(STATUS_DETAILS_TRAILER, Buffer.from(trailer));
  }
  return Object.assign(new Error(details), { code, details, metadata });
}

describe('the errors of the client library', () => {
  const fates = [
    ['not_taken', true],
    ['executed', true],
    ['unknown', false],
  ] as const;
  for (const [fate, outcomeKnown] of fates) {
    it(`say of an operation that the replica calls ${fate} that its outcome is ${outcomeKnown ? '' : 'not '}known`, () => {
      const told = { code: status.UNAVAILABLE, message: 'told', reason: 'NOT_READY', fate };
      const trailer = encodeRichStatus({ ...told, violation: undefined, retryAfterMs: 1_250 });
      const error = clientErrorOf(serviceError(status.UNAVAILABLE, 'told', trailer), REPLICA, false);
      assert.deepEqual(
        [error.message, error.code, error.reason, error.retryAfterMs, error.outcomeKnown],
        ['told', 'UNAVAILABLE', 'NOT_READY', 1_250, outcomeKnown],
      );
    });
  }

  const untold: readonly (readonly [string, ServiceError, boolean])[] = [
    ['a connection that never was', serviceError(status.UNAVAILABLE, 'No connection established. Last error: x'), true],
    ['a name that does not resolve', serviceError(status.UNAVAILABLE, 'Name resolution failed for target x'), true],
    ['a connection that broke', serviceError(status.UNAVAILABLE, 'Connection dropped'), false],
    ['a deadline that passed here', serviceError(status.DEADLINE_EXCEEDED, 'Deadline exceeded'), false],
    ['a method that is not there', serviceError(status.UNIMPLEMENTED, 'x'), true],
    ['an answer that is too long', serviceError(status.RESOURCE_EXHAUSTED, 'x'), false],
    ['a stream that was reset', serviceError(status.INTERNAL, 'x'), false],
    ['a cancelled call', serviceError(status.CANCELLED, 'x'), false],
    ['details that are not ours', serviceError(status.ABORTED, 'x', Uint8Array.of(0xff, 1)), false],
  ];
  for (const [what, error, outcomeKnown] of untold) {
    it(`say of ${what} that a write's outcome is ${outcomeKnown ? '' : 'not '}known, and a read's is`, () => {
      const write = clientErrorOf(error, REPLICA, false);
      assert.equal(write.outcomeKnown, outcomeKnown);
      assert.equal(write.message.includes('the outcome is not known'), !outcomeKnown);
      assert.ok(write.message.includes(REPLICA.address));
      assert.equal(clientErrorOf(error, REPLICA, true).outcomeKnown, true);
    });
  }
});
