/** What a caller of the gateway is told of its executed request. */
import { OUTCOME } from '../../ledger/header.js';
import type { Digest } from '../../util/digest.js';
import { failed, ok, type Result } from '../../util/result.js';
import type { ExecutedBatch, RequestOutcome } from '../execution/batch-execution.js';
import { decodeRefusal } from '../execution/refusal.js';
import { isTooLong } from '../execution/result-marks.js';
import type { Executed, SubmitFailure } from '../face.js';

const RETRY_AFTER_MS = 1_000;

/** One operation of a request of the own, in an executed batch. */
export interface OwnOutcome {
  readonly batch: ExecutedBatch;
  readonly outcome: RequestOutcome;
  /** Of the request that this replica signed under that number. */
  readonly digest: Digest;
  /** The operation's place in the request. */
  readonly index: number;
}

/** Whether another request under the number was refused, which leaves the number to the own one. */
export function isRefusalOfAnother(outcome: RequestOutcome, digest: Digest): boolean {
  return outcome.outcome === OUTCOME.refused && outcome.request.digest !== digest;
}

/** The answer. Only what certainly was not and will not be executed is called so. */
export function answerOf({ batch, outcome, digest, index }: OwnOutcome): Result<Executed, SubmitFailure> {
  const { sequence, view, headerDigest } = batch;
  if (outcome.request.digest !== digest) {
    return failed(keyUsedTwice());
  }
  if (outcome.outcome === OUTCOME.refused) {
    return failed(refusalOf(outcome));
  }
  if (outcome.outcome === OUTCOME.repeated) {
    return failed({ code: 'outcomeUnknown', reason: 'it was executed before, and its result is not at hand' });
  }
  const result = outcome.results?.[index];
  return result === undefined || isTooLong(result)
    ? failed({ code: 'resultDropped', sequence })
    : ok({ result, sequence, view, headerDigest });
}

function refusalOf(outcome: RequestOutcome): SubmitFailure {
  const code = decodeRefusal(outcome.results?.[0] ?? new Uint8Array());
  if (code === 'numberReused') {
    return keyUsedTwice();
  }
  // Dead, or beyond the window: it may have been executed before, or be proposed again and executed then.
  return { code: 'outcomeUnknown', reason: 'the cluster refused the request by its number' };
}

/** The number belongs to another request for ever, so this one is never executed. */
function keyUsedTwice(): SubmitFailure {
  const reasons = ["another process signs requests with this replica's key"];
  return { code: 'notReady', reasons, retryAfterMs: RETRY_AFTER_MS };
}
