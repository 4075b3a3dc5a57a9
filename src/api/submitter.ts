/**
 * Has operations executed for calls: with a deadline of the call's own, and once for calls that bear one request id.
 *
 * 1. A call with a request id is submitted for as long as the replica waits at all, not for its caller's time: a repeat
 *    that comes after the first caller gave up still joins it.
 * 2. Every call is answered within its budget.
 */
import type { TimerService } from '../ports/timer-service.js';
import type { Executed, ReplicaFace } from '../runtime/face.js';
import { utf8 } from '../util/bytes.js';
import type { Hash } from '../util/digest.js';
import { failed, type Result } from '../util/result.js';
import type { CallTimes } from './call-limits.js';
import type { CallFailure } from './failures.js';
import { type Outcome, RequestMemory, type RequestMemoryLimits } from './request-memory.js';

/** The longest request id, in bytes of UTF-8. */
const REQUEST_ID_BYTES_MAX = 64;

/** What a call asks for. */
export interface Submission {
  readonly operation: Uint8Array;
  /** Empty for none. */
  readonly requestId: string;
  /** Milliseconds that the call may take. */
  readonly budgetMs: number;
}

/** What a submitter works with. */
export interface SubmitterOptions {
  readonly face: ReplicaFace;
  readonly timers: TimerService;
  readonly hash: Hash;
  readonly times: CallTimes;
  readonly memory: RequestMemoryLimits;
}

/** Submits operations and asks queries. */
export interface Submitter {
  submit(submission: Submission): Promise<Result<Executed, CallFailure>>;
  query(query: Uint8Array, budgetMs: number): Promise<Result<Executed, CallFailure>>;
}

const NO_TIME = failed({ code: 'deadlineTooShort' } as const);
const RETRY_AFTER_MS = 1_000;

/** Makes a submitter. */
export function createSubmitter(options: SubmitterOptions): Submitter {
  const memory = new RequestMemory(options.memory);
  return {
    submit(submission) {
      if (submission.requestId.length > 0) {
        return submitOnce(options, memory, submission);
      }
      return submission.budgetMs < 1
        ? Promise.resolve(NO_TIME)
        : new Promise((resolve) => options.face.submit(submission.operation, submission.budgetMs, resolve));
    },
    query: (query, budgetMs) => askWithin(options, query, budgetMs),
  };
}

function submitOnce(
  { face, timers, hash, times }: SubmitterOptions,
  memory: RequestMemory,
  { operation, requestId, budgetMs }: Submission,
): Promise<Result<Executed, CallFailure>> {
  if (requestId.length > REQUEST_ID_BYTES_MAX || utf8(requestId).length > REQUEST_ID_BYTES_MAX) {
    const description = `must be at most ${REQUEST_ID_BYTES_MAX} bytes of UTF-8`;
    return Promise.resolve(failed({ code: 'invalid', field: 'request_id', description }));
  }
  if (budgetMs < 1) {
    return Promise.resolve(NO_TIME);
  }
  const known = memory.begin(requestId, hash(operation), timers.elapsedMs());
  switch (known.kind) {
    case 'settled':
      return Promise.resolve(known.outcome);
    case 'reused':
      return Promise.resolve(failed({ code: 'requestIdReused' }));
    case 'full':
      return Promise.resolve(failed({ code: 'requestIdsExhausted', retryAfterMs: RETRY_AFTER_MS }));
    case 'first':
    case 'awaited': {
      const outcome = awaitOutcome({ timers, memory, requestId, budgetMs });
      if (known.kind === 'first') {
        const settle = (result: Outcome) => memory.settle(requestId, result, timers.elapsedMs());
        submitOrForget(face, { operation, timeoutMs: times.maxMs }, settle);
      }
      return outcome;
    }
  }
}

/** An id that was taken is settled even where submitting fails: else every repeat would wait for nothing. */
function submitOrForget(
  face: ReplicaFace,
  { operation, timeoutMs }: { readonly operation: Uint8Array; readonly timeoutMs: number },
  settle: (outcome: Outcome) => void,
): void {
  try {
    face.submit(operation, timeoutMs, settle);
  } catch (error) {
    settle(failed({ code: 'outcomeUnknown', reason: 'the replica failed' }));
    throw error;
  }
}

function awaitOutcome(call: {
  readonly timers: TimerService;
  readonly memory: RequestMemory;
  readonly requestId: string;
  readonly budgetMs: number;
}): Promise<Outcome> {
  return new Promise((resolve) => {
    const timer = call.timers.startTimer(call.budgetMs, () => {
      leave();
      resolve(failed({ code: 'outcomeUnknown', reason: 'the deadline passed first' }));
    });
    const leave = call.memory.join(call.requestId, (outcome) => {
      timer.cancel();
      resolve(outcome);
    });
  });
}

function askWithin(
  { face, timers }: SubmitterOptions,
  query: Uint8Array,
  budgetMs: number,
): Promise<Result<Executed, CallFailure>> {
  if (budgetMs < 1) {
    return Promise.resolve(NO_TIME);
  }
  return new Promise((resolve, reject) => {
    const timer = timers.startTimer(budgetMs, () => resolve(failed({ code: 'readTimedOut' })));
    face
      .query(query)
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}
