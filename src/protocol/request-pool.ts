/**
 * Requests that wait for execution: what callers of this replica asked and what peers passed on.
 *
 * 1. Bounded by client and in all, so that no client crowds out another for good.
 * 2. A request leaves when it is executed, refused or dead, never because time passed.
 * 3. Clients take turns in a batch; a client's own requests go oldest first. (protocol.md 3 and 4)
 * 4. In each turn a client is given credit, which its requests use up by what they cost: one with costly requests is
 *    served as seldom as they are costly, and the others aren't behind it (deficit round robin).
 */
import type { ClientId } from '../util/digest.js';
import { owned } from '../util/owned.js';
import type { View } from './identifiers.js';
import type { RequestKey, SignedRequest, Verified } from './messages.js';

/** Bounds of the pool. */
export interface RequestPoolLimits {
  readonly requestsOfClientMax: number;
  readonly requestsMax: number;
  readonly bytesMax: number;
  /** What the waiting requests of one client cost together; one may always wait. */
  readonly costOfClientMax: number;
}

/** A request that waits. */
export interface WaitingRequest {
  readonly request: Verified<SignedRequest>;
  readonly cost: number;
  /** When this replica first knew it, monotonic. */
  readonly knownSinceMs: number;
  /** Whether a caller of this replica asked, so that passing it on is this replica's business. */
  readonly isLocal: boolean;
  /** The view in which it stands in a proposal that this replica made. */
  readonly proposedIn: View | undefined;
  /** When it was last passed on, monotonic; undefined for never. */
  readonly relayedAtMs: number | undefined;
}

/** What a batch may hold. */
export interface BatchRoom {
  readonly operationsMax: number;
  readonly bytesMax: number;
  readonly costMax: number;
}

/** The requests of one client, by number in the order of arrival. */
interface ClientRequests {
  readonly waiting: Map<number, WaitingRequest>;
  /** Those that no proposal of the current view holds. */
  readonly unproposed: Map<number, WaitingRequest>;
  /** Of all that wait. */
  cost: number;
  /** What its next requests may cost. */
  credit: number;
}

/** What a client may use up in a turn. */
const TURN_CREDIT = 65_536;

/** A client's turns while a batch is filled. */
interface Turn {
  readonly clientId: ClientId;
  readonly requests: ClientRequests;
  readonly queue: Iterator<WaitingRequest>;
  next: WaitingRequest | undefined;
}

/** The waiting requests of all clients. */
export class RequestPool {
  /** The order of clients is the order of their turns. */
  private readonly clients = new Map<ClientId, ClientRequests>();
  /** In the order of arrival. */
  private readonly undecided = new Set<WaitingRequest>();
  private requestCount = 0;
  private sizeBytes = 0;
  private unproposedCount = 0;
  private unproposedOperations = 0;
  private unproposedBytes = 0;
  private unproposedCost = 0;
  /** The cost of the request for which `takeBatch` had no room at all the last time; 0 for none. */
  roomWanted = 0;

  constructor(
    private readonly limits: RequestPoolLimits,
    private readonly costOf: (request: SignedRequest) => number,
  ) {}

  /** How many wait. */
  get size(): number {
    return this.requestCount;
  }

  /** How many wait that no proposal of the current view holds. */
  get unproposed(): number {
    return this.unproposedCount;
  }

  /** Why it wouldn't take a request of this length: it waits already, or the bounds are reached. */
  refuses(key: RequestKey, sizeBytes: number): 'duplicate' | 'quota' | undefined {
    const waiting = this.clients.get(key.clientId)?.waiting;
    if (waiting?.has(key.number) === true) {
      return 'duplicate';
    }
    const isFull =
      (waiting?.size ?? 0) >= this.limits.requestsOfClientMax ||
      this.requestCount >= this.limits.requestsMax ||
      this.sizeBytes + sizeBytes > this.limits.bytesMax;
    return isFull ? 'quota' : undefined;
  }

  /** Whether what is not proposed yet fills a batch. */
  fills(room: BatchRoom): boolean {
    return (
      this.unproposedOperations >= room.operationsMax ||
      this.unproposedBytes >= room.bytesMax ||
      this.unproposedCost >= room.costMax
    );
  }

  /** Takes a request; `duplicate` where it waits already, `quota` where the bounds are reached. */
  add(request: Verified<SignedRequest>, isLocal: boolean, nowMs: number): WaitingRequest | 'duplicate' | 'quota' {
    const refusal = this.refuses(request, request.bytes.length);
    if (refusal !== undefined) {
      return refusal;
    }
    const requests = this.clients.get(request.clientId) ?? newClientRequests();
    const cost = this.costOf(request);
    if (requests.waiting.size > 0 && requests.cost + cost > this.limits.costOfClientMax) {
      return 'quota';
    }
    const waiting: WaitingRequest = {
      request,
      cost,
      knownSinceMs: nowMs,
      isLocal,
      proposedIn: undefined,
      relayedAtMs: undefined,
    };
    requests.waiting.set(request.number, waiting);
    requests.unproposed.set(request.number, waiting);
    requests.cost += cost;
    this.undecided.add(waiting);
    this.clients.set(request.clientId, requests);
    this.requestCount++;
    this.sizeBytes += request.bytes.length;
    this.countUnproposed(waiting, 1);
    return waiting;
  }

  /** The request waits no more; gives since when it was known, undefined where it did not wait. */
  settle(key: RequestKey): number | undefined {
    const requests = this.clients.get(key.clientId);
    const waiting = requests?.waiting.get(key.number);
    if (requests === undefined || waiting === undefined) {
      return undefined;
    }
    this.undecided.delete(waiting);
    requests.waiting.delete(key.number);
    requests.cost -= waiting.cost;
    if (requests.waiting.size === 0) {
      this.clients.delete(key.clientId);
    }
    this.requestCount--;
    this.sizeBytes -= waiting.request.bytes.length;
    if (requests.unproposed.delete(key.number)) {
      this.countUnproposed(waiting, -1);
    }
    return waiting.knownSinceMs;
  }

  /** The request was passed on. */
  markRelayed(waiting: WaitingRequest, nowMs: number): void {
    owned(waiting).relayedAtMs = nowMs;
  }

  /** Every request of the client up to this number is dead. */
  acknowledge(clientId: ClientId, number: number): void {
    const numbers = [...(this.clients.get(clientId)?.waiting.keys() ?? [])].sort((left, right) => left - right);
    for (const dead of numbers.filter((candidate) => candidate <= number)) {
      this.settle({ clientId, number: dead });
    }
  }

  /** These requests stand in a proposal of this view. */
  markProposed(keys: readonly RequestKey[], view: View): void {
    for (const key of keys) {
      this.markOneProposed(key, view);
    }
  }

  /** These requests are committed, with all before them: nobody is to blame for what they wait for now. */
  markDecided(keys: readonly RequestKey[]): void {
    for (const { clientId, number } of keys) {
      const waiting = this.clients.get(clientId)?.waiting.get(number);
      if (waiting !== undefined) {
        this.undecided.delete(waiting);
      }
    }
  }

  /** The view was left: what was proposed in it waits to be proposed again. */
  forgetProposals(): void {
    // order: of arrival within each client, as before they were proposed.
    for (const requests of this.clients.values()) {
      requests.unproposed.clear();
      // order: of arrival.
      for (const [number, waiting] of requests.waiting) {
        if (waiting.proposedIn !== undefined) {
          owned(waiting).proposedIn = undefined;
          this.countUnproposed(waiting, 1);
        }
        requests.unproposed.set(number, waiting);
      }
    }
  }

  private markOneProposed(key: RequestKey, view: View): void {
    const requests = this.clients.get(key.clientId);
    const waiting = requests?.waiting.get(key.number);
    if (waiting !== undefined && requests?.unproposed.delete(key.number)) {
      owned(waiting).proposedIn = view;
      this.countUnproposed(waiting, -1);
    }
  }

  /**
   * Takes requests that no proposal holds for a batch, clients in turn, and marks them. It ends before a request whose
   * turn it is and for whose cost there is no room: what is cheaper would always come before it otherwise. Where `costMax`
   * is that of a whole batch, at least one request is taken if any is there.
   */
  takeBatch(room: BatchRoom, view: View): SignedRequest[] {
    const taken: SignedRequest[] = [];
    const served: ClientId[] = [];
    let { operationsMax: operations, bytesMax: bytes, costMax: cost } = room;
    const take = ({ clientId, requests }: Turn, { request, cost: costOfRequest }: WaitingRequest): void => {
      operations -= request.operations.length;
      bytes -= shareOf(request);
      cost -= costOfRequest;
      requests.credit -= costOfRequest;
      taken.push(request);
      served.push(clientId);
    };
    let turns = this.beginTurns();
    this.roomWanted = 0;
    filling: while (turns.length > 0) {
      for (const turn of turns) {
        const { next, requests } = turn;
        if (operations <= 0) {
          break filling;
        }
        if (next === undefined) {
          continue;
        }
        // What was saved for a request stays until it is served, and no more than that.
        requests.credit = Math.min(requests.credit, next.cost) + TURN_CREDIT;
        if (requests.credit < next.cost) {
          continue;
        }
        if (next.cost > cost) {
          this.roomWanted = taken.length === 0 ? next.cost : 0;
          break filling;
        }
        const fits = next.request.operations.length <= operations && shareOf(next.request) <= bytes;
        if (fits || taken.length === 0) {
          take(turn, next);
        }
        turn.next = fits ? turn.queue.next().value : undefined;
      }
      turns = turns.filter(({ next }) => next !== undefined);
    }
    this.markProposed(taken, view);
    this.endTurn(served);
    return taken;
  }

  /** The clients with a request to propose, in the order of their turns. */
  private beginTurns(): Turn[] {
    const turns: Turn[] = [];
    // order: of the clients' turns, which follows from the events alone.
    for (const [clientId, requests] of this.clients) {
      const queue = requests.unproposed.values();
      const next: WaitingRequest | undefined = queue.next().value;
      if (next !== undefined) {
        turns.push({ clientId, requests, queue, next });
      }
    }
    return turns;
  }

  /** The oldest waiting request that isn't decided. */
  oldest(): WaitingRequest | undefined {
    return this.undecided.values().next().value;
  }

  /** Waiting requests that match, oldest first. */
  select(matches: (waiting: WaitingRequest) => boolean): WaitingRequest[] {
    const selected: WaitingRequest[] = [];
    for (const requests of this.clients.values()) {
      for (const waiting of requests.waiting.values()) {
        if (matches(waiting)) {
          selected.push(waiting);
        }
      }
    }
    return selected.sort((left, right) => left.knownSinceMs - right.knownSinceMs);
  }

  /** Clients that were served go behind those that weren't, so that the next batch begins with the others. */
  private endTurn(served: readonly ClientId[]): void {
    for (const clientId of served) {
      const requests = this.clients.get(clientId);
      if (requests !== undefined) {
        this.clients.delete(clientId);
        this.clients.set(clientId, requests);
      }
    }
  }

  private countUnproposed({ request, cost }: WaitingRequest, sign: 1 | -1): void {
    this.unproposedCount += sign;
    this.unproposedCost += sign * cost;
    this.unproposedOperations += sign * request.operations.length;
    this.unproposedBytes += sign * shareOf(request);
  }
}

function newClientRequests(): ClientRequests {
  return { waiting: new Map(), unproposed: new Map(), cost: 0, credit: 0 };
}

/** What a request takes of a batch: its bytes, a tag and a length. */
function shareOf(request: SignedRequest): number {
  return request.bytes.length + REQUEST_FIELD_BYTES;
}

const REQUEST_FIELD_BYTES = 6;
