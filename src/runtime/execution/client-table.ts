/**
 * The client table: what makes execution exactly-once (protocol.md 3). It is part of the replicated state: equal at all
 * replicas after equal sequences. In memory it lacks only the results, which stay in the store.
 *
 * 1. Its content and its writes follow from the sequence of batches alone: nothing depends on how batches are grouped
 *    into writes, on when the replica last started, or on the order of a hash table.
 * 2. Of a client there are at most `clientWindow` rows and `keptResultBytesMax` bytes of results. Beyond the latter
 *    long results go first and those executed longest ago before others; their rows keep the digest. A writer's outcome
 *    is short, so a reader's answer never takes it away. Results of 0 bytes stay.
 * 3. A huge number or `acknowledged` changes only its own client's part, at a cost bounded by that client's rows.
 *
 * Only the executor changes it: `beginBatch`, `judge` each request in order, `recordExecuted` where it was executed,
 * then `finishBatch`.
 */
import { OUTCOME, type Outcome } from '../../ledger/header.js';
import type { ClientTableClient, ClientTableRow, StoredClientTable } from '../../ports/replica-store.js';
import type { RequestKey, SignedRequest } from '../../protocol/messages.js';
import { assert, defined } from '../../util/assert.js';
import type { ClientId, Digest } from '../../util/digest.js';
import { Fifo } from '../../util/fifo.js';
import type { RefusalCode } from './refusal.js';

/** The consensus parameters that the table depends on. */
export interface ClientTableLimits {
  readonly clientWindow: number;
  readonly keptResultBytesMax: number;
}

/** A row without its results. */
export type ClientTableEntry = Omit<ClientTableRow, 'results'> & { readonly keptResultBytes: number };

/** What the table says of a request that is about to be executed. */
export type ClientTableJudgement =
  | { readonly kind: 'execute' }
  | { readonly kind: 'repeated'; readonly entry: ClientTableEntry }
  | { readonly kind: 'refused'; readonly code: RefusalCode };

/** The changes of one batch, disjoint: no row is both put and deleted. */
export interface ClientTableChanges {
  /** The clients whose `acknowledged` moved, in the order of their first requests. */
  readonly clients: readonly ClientTableClient[];
  readonly rowsPut: readonly ClientTableRow[];
  readonly rowsDeleted: readonly RequestKey[];
}

/** What an executed request leaves in the table. */
export interface ExecutedRequest {
  readonly request: SignedRequest;
  readonly leafIndex: number;
  /** What is kept of its results (result-marks.ts). */
  readonly results: readonly Uint8Array[];
  /** Of the results as they were. */
  readonly resultsDigest: Digest;
}

interface Entry extends RequestKey {
  readonly requestDigest: Digest;
  readonly outcome: Outcome;
  readonly sequence: number;
  readonly leafIndex: number;
  path: readonly Digest[];
  readonly resultsDigest: Digest;
  keptResultBytes: number;
}

interface Client {
  readonly clientId: ClientId;
  acknowledged: number;
  readonly entries: Map<number, Entry>;
  keptResultBytes: number;
  /** In the order of execution; an entry that keeps nothing any more (0 bytes) is skipped. */
  readonly oldestLong: Fifo<Entry>;
  readonly oldestShort: Fifo<Entry>;
}

/** Results of a request that are longer together are long. 64 operations have at most as much that is short. */
const SHORT_RESULTS_BYTES_MAX = 16_384;

const EXECUTE: ClientTableJudgement = { kind: 'execute' };

/** How many bytes results count for: their lengths together. */
export function measureResults(results: readonly Uint8Array[]): number {
  let sizeBytes = 0;
  for (const result of results) {
    sizeBytes += result.length;
  }
  return sizeBytes;
}

/** The table. */
export class ClientTable {
  private readonly clients = new Map<ClientId, Client>();
  private readonly moved = new Set<Client>();
  /** Entries to put, in order, with the results to keep. */
  private readonly put = new Map<Entry, readonly Uint8Array[] | undefined>();
  private deleted: RequestKey[] = [];
  /** The sequence of the batch between `beginBatch` and `finishBatch`. */
  private current: number | undefined;

  constructor(private readonly limits: ClientTableLimits) {
    assert(limits.clientWindow > 0, 'the client window has room for a number');
  }

  /** Fills the empty table with what the store holds, in whatever order. */
  load(stored: StoredClientTable): void {
    assert(this.clients.size === 0, 'the client table is loaded once');
    for (const { clientId, acknowledged } of stored.clients) {
      this.clientOf(clientId).acknowledged = acknowledged;
    }
    const inOrder = [...stored.rows].sort((a, b) => a.sequence - b.sequence || a.leafIndex - b.leafIndex);
    for (const row of inOrder) {
      this.add(this.clientOf(row.clientId), { ...row });
    }
  }

  /** Begins the batch of this sequence. */
  beginBatch(sequence: number): void {
    assert(this.current === undefined, `the batch ${this.current} is not finished`);
    this.current = sequence;
  }

  /** Judges the next request in order; the client's `acknowledged` moves and dead rows go, whatever the judgement. */
  judge(request: SignedRequest): ClientTableJudgement {
    const client = this.clientOf(request.clientId);
    this.acknowledge(client, request.acknowledged);
    if (request.number <= client.acknowledged) {
      return { kind: 'refused', code: 'numberAcknowledged' };
    }
    if (request.number - client.acknowledged > this.limits.clientWindow) {
      return { kind: 'refused', code: 'numberBeyondWindow' };
    }
    const entry = client.entries.get(request.number);
    if (entry === undefined) {
      return EXECUTE;
    }
    return entry.requestDigest === request.digest
      ? { kind: 'repeated', entry }
      : { kind: 'refused', code: 'numberReused' };
  }

  /** Adds the row of a request that `judge` let through and that was executed. */
  recordExecuted(executed: ExecutedRequest): void {
    const { request, results } = executed;
    const client = this.clientOf(request.clientId);
    assert(!client.entries.has(request.number), `request ${request.number} is executed twice`);
    const entry: Entry = {
      clientId: request.clientId,
      number: request.number,
      requestDigest: request.digest,
      outcome: OUTCOME.executed,
      sequence: defined(this.current, 'a batch has begun'),
      leafIndex: executed.leafIndex,
      path: [],
      resultsDigest: executed.resultsDigest,
      keptResultBytes: measureResults(results),
    };
    this.put.set(entry, results);
    this.add(client, entry);
    this.shrink(client);
  }

  /** Ends a batch: gives its rows their Merkle paths (by leaf index) and returns what changed. */
  finishBatch(paths: readonly (readonly Digest[])[]): ClientTableChanges {
    const rowsPut: ClientTableRow[] = [];
    for (const [entry, results] of this.put) {
      if (entry.sequence === this.current) {
        entry.path = defined(paths[entry.leafIndex], `leaf ${entry.leafIndex} has no path`);
      }
      const { keptResultBytes: _, ...row } = entry;
      rowsPut.push({ ...row, results });
    }
    const clients = Array.from(this.moved, ({ clientId, acknowledged }) => ({ clientId, acknowledged }));
    const rowsDeleted = this.deleted;
    this.put.clear();
    this.moved.clear();
    this.deleted = [];
    this.current = undefined;
    return { clients, rowsPut, rowsDeleted };
  }

  /** Everything of this client up to this number is dead; 0 for a client that never acknowledged. */
  acknowledgedOf(clientId: ClientId): number {
    return this.clients.get(clientId)?.acknowledged ?? 0;
  }

  /** Whether executing the request again could change nothing: it is dead, or its number was executed. */
  isSettled(key: RequestKey): boolean {
    const client = this.clients.get(key.clientId);
    return client !== undefined && (key.number <= client.acknowledged || client.entries.has(key.number));
  }

  /** Whether the number would be refused now and may be taken later, when the client has acknowledged more. */
  isBeyondWindow(request: RequestKey & { readonly acknowledged: number }): boolean {
    const acknowledged = Math.max(request.acknowledged, this.acknowledgedOf(request.clientId));
    return request.number - acknowledged > this.limits.clientWindow;
  }

  /** The highest number of this client that was executed or acknowledged; 0 for none. */
  highestNumber(clientId: ClientId): number {
    const client = this.clients.get(clientId);
    let highest = client?.acknowledged ?? 0;
    for (const number of client?.entries.keys() ?? []) {
      highest = Math.max(highest, number);
    }
    return highest;
  }

  private clientOf(clientId: ClientId): Client {
    const known = this.clients.get(clientId);
    if (known !== undefined) {
      return known;
    }
    const client: Client = {
      clientId,
      acknowledged: 0,
      entries: new Map(),
      keptResultBytes: 0,
      oldestLong: new Fifo(),
      oldestShort: new Fifo(),
    };
    this.clients.set(clientId, client);
    return client;
  }

  private add(client: Client, entry: Entry): void {
    client.entries.set(entry.number, entry);
    if (entry.keptResultBytes > 0) {
      client.keptResultBytes += entry.keptResultBytes;
      const isLong = entry.keptResultBytes > SHORT_RESULTS_BYTES_MAX;
      (isLong ? client.oldestLong : client.oldestShort).push(entry);
    }
  }

  /** Moves `acknowledged` and deletes what it covers, in ascending order, so that all replicas write the same. */
  private acknowledge(client: Client, acknowledged: number): void {
    if (acknowledged <= client.acknowledged) {
      return;
    }
    const dead = listDeadEntries(client, acknowledged);
    client.acknowledged = acknowledged;
    this.moved.add(client);
    for (const entry of dead) {
      client.entries.delete(entry.number);
      this.forgetResults(client, entry);
      this.put.delete(entry);
      // The store never sees an entry that this very batch made.
      if (entry.sequence !== this.current) {
        this.deleted.push({ clientId: entry.clientId, number: entry.number });
      }
    }
  }

  private shrink(client: Client): void {
    while (client.keptResultBytes > this.limits.keptResultBytesMax) {
      const oldest = defined(
        client.oldestLong.shift() ?? client.oldestShort.shift(),
        'results that count are kept by some entry',
      );
      this.forgetResults(client, oldest);
      // An entry that was acknowledged meanwhile counts nothing and must not come back.
      if (client.entries.get(oldest.number) === oldest) {
        this.put.set(oldest, undefined);
      }
    }
  }

  private forgetResults(client: Client, entry: Entry): void {
    client.keptResultBytes -= entry.keptResultBytes;
    entry.keptResultBytes = 0;
  }
}

/** The entries that this `acknowledged` covers, ascending by number. */
function listDeadEntries(client: Client, acknowledged: number): readonly Entry[] {
  // The client chooses how far it jumps, so the cost must not depend on it.
  if (acknowledged - client.acknowledged > client.entries.size) {
    return [...client.entries.values()]
      .filter(({ number }) => number <= acknowledged)
      .sort((left, right) => left.number - right.number);
  }
  const dead: Entry[] = [];
  for (let number = client.acknowledged + 1; number <= acknowledged; number++) {
    const entry = client.entries.get(number);
    if (entry !== undefined) {
      dead.push(entry);
    }
  }
  return dead;
}
