/**
 * Who keeps a place at a port that has only so many. One rule for every port of a replica (FU-06):
 *
 * 1. At a bound the least useful connection gives way to the new one: first those that never said anything worth an
 *    answer, then the idle ones, then those that only keep a stream open; of one kind, the longest so. One whose caller
 *    waits for an answer keeps its place.
 * 2. An address may hold as many places as it leaves free, and so many at the most: whoever comes next finds half of
 *    what was left. Beyond its share it replaces its own connections only.
 * 3. Where every place is taken, those give way first whose address holds more than an equal share.
 * 4. Some places are the operator's alone.
 *
 * Pure: what time it is, and the closing of what gave way, are the caller's business.
 */

/** How useful a connection is, in the order in which they give way. */
export const STANDINGS = ['silent', 'idle', 'standing', 'busy'] as const;

/**
 * `silent`: nothing came that was worth an answer. `idle`: no call is open. `standing`: streams are open, nobody waits
 * for an answer. `busy`: an answer is owed.
 */
export type Standing = (typeof STANDINGS)[number];

/** How many places there are. */
export interface PlaceLimits {
  readonly placesMax: number;
  /** For one address. */
  readonly placesOfAddressMax: number;
  /** Of all, those that only the operator's connections take. */
  readonly reservedForOperator: number;
}

/** Whoever connected. */
export interface Arrival {
  /** The remote IP address. */
  readonly address: string;
  readonly isOperator: boolean;
}

/** What became of an arrival. */
export type Admission<C> =
  | { readonly kind: 'admitted' /** To be closed in its favour. */; readonly displaced: C | undefined }
  | { readonly kind: 'refused'; readonly reason: 'address' | 'all' };

interface Entry<C> {
  readonly connection: C;
  readonly address: Address<C>;
  standing: Standing;
}

/** Connections by their standing; a set keeps the order in which they came to it. */
type Ranks<C> = Readonly<Record<Standing, Set<Entry<C>>>>;

interface Address<C> {
  readonly name: string;
  readonly ranks: Ranks<C>;
  count: number;
}

function emptyRanks<C>(): Ranks<C> {
  return { silent: new Set(), idle: new Set(), standing: new Set(), busy: new Set() };
}

const DISPLACEABLE = STANDINGS.filter((standing) => standing !== 'busy');

/** The places of one port. */
export class ConnectionPlaces<C> {
  private readonly limits: PlaceLimits;
  private readonly entries = new Map<C, Entry<C>>();
  private readonly addresses = new Map<string, Address<C>>();
  private readonly ranks: Ranks<C> = emptyRanks();

  constructor(limits: PlaceLimits) {
    this.limits = limits;
  }

  /** How many places are taken. */
  get size(): number {
    return this.entries.size;
  }

  /** Takes a connection in where there is a place for it, or one can be made; what is displaced is out already. */
  admit(connection: C, { address, isOperator }: Arrival): Admission<C> {
    const { placesMax, placesOfAddressMax, reservedForOperator } = this.limits;
    const name = addressGroup(address);
    const place = this.addresses.get(name);
    const count = place?.count ?? 0;
    const free = placesMax - (isOperator ? 0 : reservedForOperator) - this.size;
    if (count < placesOfAddressMax && count < free) {
      this.enter(connection, name);
      return { kind: 'admitted', displaced: undefined };
    }
    const isBeyondShare = count >= placesOfAddressMax || free > 0;
    const victim = isBeyondShare ? firstOf(place?.ranks, () => true) : this.leastUseful(count);
    if (victim === undefined) {
      return { kind: 'refused', reason: isBeyondShare ? 'address' : 'all' };
    }
    this.release(victim.connection);
    this.enter(connection, name);
    return { kind: 'admitted', displaced: victim.connection };
  }

  /** Notes what a connection does now; one that is gone is ignored. */
  setStanding(connection: C, standing: Standing): void {
    const entry = this.entries.get(connection);
    if (entry === undefined) {
      return;
    }
    this.leaveRank(entry);
    entry.standing = standing;
    this.joinRank(entry);
  }

  /** Gives a place back; harmless for one that is gone. */
  release(connection: C): void {
    const entry = this.entries.get(connection);
    if (entry === undefined) {
      return;
    }
    this.entries.delete(connection);
    this.leaveRank(entry);
    entry.address.count--;
    if (entry.address.count === 0) {
      this.addresses.delete(entry.address.name);
    }
  }

  /** All that have a place. */
  all(): IterableIterator<C> {
    return this.entries.keys();
  }

  private enter(connection: C, name: string): void {
    const address = this.addresses.get(name) ?? { name, ranks: emptyRanks<C>(), count: 0 };
    this.addresses.set(name, address);
    address.count++;
    const entry: Entry<C> = { connection, address, standing: 'silent' };
    this.entries.set(connection, entry);
    this.joinRank(entry);
  }

  /** First of the addresses that hold more than an equal share, and never of one that holds less than who comes. */
  private leastUseful(ownCount: number): Entry<C> | undefined {
    const equalShare = this.size / this.addresses.size;
    return (
      firstOf(this.ranks, ({ address }) => address.count > equalShare && address.count >= ownCount) ??
      firstOf(this.ranks, ({ address }) => address.count >= ownCount)
    );
  }

  private joinRank(entry: Entry<C>): void {
    this.ranks[entry.standing].add(entry);
    entry.address.ranks[entry.standing].add(entry);
  }

  private leaveRank(entry: Entry<C>): void {
    this.ranks[entry.standing].delete(entry);
    entry.address.ranks[entry.standing].delete(entry);
  }
}

function firstOf<C>(ranks: Ranks<C> | undefined, holds: (entry: Entry<C>) => boolean): Entry<C> | undefined {
  if (ranks === undefined) {
    return undefined;
  }
  for (const standing of DISPLACEABLE) {
    for (const entry of ranks[standing]) {
      if (holds(entry)) {
        return entry;
      }
    }
  }
  return undefined;
}

/** Whom an address is counted as: an IPv4 address by itself, of IPv6 the /64 that one customer gets. */
export function addressGroup(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) {
    return mapped[1];
  }
  if (!address.includes(':')) {
    return address;
  }
  const [head = '', tail] = address.replace(/%.*$/, '').toLowerCase().split('::', 2);
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
