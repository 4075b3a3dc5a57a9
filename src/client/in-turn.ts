/**
 * Asks replicas in turn, each with a slice of the time, so that one that hangs costs a slice and not the whole time.
 *
 * 1. What changes something is sent to another replica only where the one before says, or the connection proves, that
 *    nothing was taken. While no connection stands nothing has left this machine, so connecting moves on after a slice.
 *    Once it was sent, it is waited for until the time is over: then its outcome is not known.
 * 2. What only reads may be asked twice: it moves on after its slice, and the slow answer counts too if it comes first.
 * 3. A request id is known at one replica alone. A repeat of one whose outcome is not known goes to that replica and to
 *    no other, however long it is away; one that was started again meanwhile has forgotten the id.
 * 4. Whoever answered is asked first the next time, whoever failed last.
 */
import { Caller, type Endpoint, type Method, type Patience } from './caller.js';
import { ClientError, cancelledCall, noneTookIt, silentReplica, stillUnknown } from './client-error.js';
import { NoneAnswered, stagger } from './stagger.js';

/** How long a connection is waited for before the next replica is tried as well. */
const CONNECT_SLICE_MS = 500;
/** How long the answer to the first read is; each further one is given twice as much, so that load isn't multiplied. */
const READ_SLICE_MS = 1_000;
/** Request ids whose outcome is not known. */
const PINNED_MAX = 1_024;

/** What a call may say. */
export interface TurnOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Empty for none. */
  readonly requestId?: string;
}

/** A replica that may be asked. */
type Asked = Pick<Caller, 'endpoint' | 'reach' | 'call' | 'close'>;

/** How a replica is reached; tests give another one. */
export type CreateCaller = (endpoint: Endpoint) => Asked;

/** Failures that another replica would answer with too: they are the caller's, or the operation's. */
const SAME_EVERYWHERE: ReadonlySet<string> = new Set([
  'CANCELLED',
  'FAILED_PRECONDITION',
  'INVALID_ARGUMENT',
  'OUT_OF_RANGE',
]);

function mayAskAnother(error: unknown): boolean {
  const isTurned = error instanceof ClientError && error.outcomeKnown && !SAME_EVERYWHERE.has(error.code);
  return isTurned || error instanceof NoneAnswered;
}

/** All failures, in order, of attempts that had attempts of their own. */
function failuresOf(error: unknown): readonly ClientError[] {
  if (error instanceof NoneAnswered) {
    return error.failures.flatMap(failuresOf);
  }
  return error instanceof ClientError ? [error] : [];
}

/** `slice`, and less where the time is too short for one for each that is left. */
function sliceOf(sliceMs: number, untilMs: number, left: number): number {
  return Math.max(0, Math.min(sliceMs, (untilMs - Date.now()) / left));
}

function either(one: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  return other === undefined ? one : AbortSignal.any([one, other]);
}

/** Calls to replicas that serve the same. */
export class TurnCaller {
  private readonly callers: readonly Asked[];
  /** In the order in which to ask them. */
  private order: readonly Asked[];
  /** Where request ids with an unknown outcome were sent, the oldest first. */
  private readonly pinned = new Map<string, Asked>();

  constructor(endpoints: readonly Endpoint[], create: CreateCaller = (endpoint) => new Caller(endpoint)) {
    this.callers = endpoints.map(create);
    this.order = this.callers;
  }

  /** Makes one call. Rejects with a ClientError. */
  async call<Request, Response>(
    method: Method<Request, Response>,
    message: Request,
    { timeoutMs, signal, requestId = '' }: TurnOptions,
  ): Promise<Response> {
    if (signal?.aborted === true) {
      throw cancelledCall();
    }
    const untilMs = Date.now() + timeoutMs;
    const pinned = this.pinned.get(requestId);
    const left = new Set(pinned === undefined ? this.order : [pinned]);
    const isRead = method.readsOnly === true;
    const attempt = async (over: AbortSignal | undefined): Promise<Response> => {
      const patience = { untilMs, signal: over === undefined ? signal : either(over, signal) };
      const asked = await this.takeReachable(left, patience, timeoutMs);
      return await this.ask(asked, requestId, () => asked.call(method, message, patience));
    };
    const count = left.size;
    const sliceMs = (index: number): number =>
      isRead ? sliceOf(READ_SLICE_MS * 2 ** index, untilMs, count - index) : Number.POSITIVE_INFINITY;
    try {
      return await (count === 1
        ? attempt(undefined)
        : stagger({ count, sliceMs, mayMoveOn: mayAskAnother }, (_index, over) => attempt(over)));
    } catch (error) {
      const failures = failuresOf(error);
      if (failures.length === 0) {
        throw error;
      }
      const failure = noneTookIt(failures, isRead);
      throw pinned !== undefined && mayAskAnother(failure) ? stillUnknown(failure, requestId) : failure;
    }
  }

  /** Ends all connections. */
  close(): void {
    for (const caller of this.callers) {
      caller.close();
    }
  }

  /** The first of those left that a call could go to; it is left no more. */
  private async takeReachable(left: Set<Asked>, patience: Patience, timeoutMs: number): Promise<Asked> {
    for (;;) {
      if (left.size === 0) {
        throw new NoneAnswered([]);
      }
      const candidates = [...left];
      const found = await firstReachable(candidates, patience, timeoutMs).catch((error: unknown) => {
        // They were silent until the time was over: no other attempt has to find that out.
        for (const silent of candidates) {
          left.delete(silent);
        }
        throw error;
      });
      // Another attempt may have taken it meanwhile.
      if (left.delete(found)) {
        return found;
      }
    }
  }

  private async ask<Answer>(asked: Asked, requestId: string, make: () => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await make();
      this.pinned.delete(requestId);
      this.move(asked, 'first');
      return answer;
    } catch (error) {
      if (error instanceof ClientError) {
        this.note(asked, requestId, error);
      }
      throw error;
    }
  }

  private note(asked: Asked, requestId: string, { code, outcomeKnown }: ClientError): void {
    if (!SAME_EVERYWHERE.has(code)) {
      this.move(asked, 'last');
    }
    if (requestId !== '' && !outcomeKnown) {
      this.pinned.delete(requestId);
      this.pinned.set(requestId, asked);
      const [oldest] = this.pinned.keys();
      if (this.pinned.size > PINNED_MAX && oldest !== undefined) {
        this.pinned.delete(oldest);
      }
    }
  }

  private move(asked: Asked, to: 'first' | 'last'): void {
    if (this.order.at(to === 'first' ? 0 : -1) !== asked) {
      const others = this.order.filter((other) => other !== asked);
      this.order = to === 'first' ? [asked, ...others] : [...others, asked];
    }
  }
}

/** The first with a connection, or whose connection failed: the call says why. Rejects where all stay silent. */
async function firstReachable(candidates: readonly Asked[], patience: Patience, timeoutMs: number): Promise<Asked> {
  const { untilMs, signal } = patience;
  const reach = async (asked: Asked | undefined, until: Patience): Promise<Asked> => {
    if (asked === undefined) {
      throw new NoneAnswered([]);
    }
    if ((await asked.reach(until)) === 'silent') {
      throw silentReplica(asked.endpoint, timeoutMs);
    }
    return asked;
  };
  const count = candidates.length;
  if (count === 1) {
    return await reach(candidates[0], patience);
  }
  const sliceMs = (index: number): number => sliceOf(CONNECT_SLICE_MS, untilMs, count - index);
  return await stagger({ count, sliceMs, mayMoveOn: mayAskAnother }, (index, over) =>
    reach(candidates[index], { untilMs, signal: either(over, signal) }),
  );
}
