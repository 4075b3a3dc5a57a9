/**
 * One budget of memory for all reads and answers under way at a client port (FU-03). What an answer may take is reserved
 * before anything is read for it, is trimmed to what it has, and is given back when the answer is written out or its
 * call is gone.
 *
 * 1. Nothing is read that the budget has no room for: its caller learns to try again.
 * 2. A connection has a part of it, and long answers leave a part to short ones, so that one caller who reads much
 *    doesn't keep others from reading little.
 */

/** A connection's part. */
const CONNECTION_SHARE = 1 / 4;
/** What long answers have at most. */
const LONG_SHARE = 7 / 8;
/** An answer up to this is short. */
const SHORT_ANSWER_BYTES_MAX = 32_768;

/** What one call has reserved. */
export interface AnswerReservation {
  /** Reserves more; whether there was room for it. What was reserved before stays in any case. */
  hold(sizeBytes: number): boolean;
  /** Gives back all but this much. */
  trim(sizeBytes: number): void;
  /** Gives back everything; once or more often. */
  release(): void;
}

/** The budget of one client port. */
export class AnswerBudget {
  private readonly bytesMax: number;
  private readonly bytesOfPeer = new Map<string, number>();
  private sumBytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** The bytes that are reserved. */
  get heldBytes(): number {
    return this.sumBytes;
  }

  /** How many connections have some. */
  get connections(): number {
    return this.bytesOfPeer.size;
  }

  /** Begins a call of a connection: nothing is reserved yet. */
  open(peer: string): AnswerReservation {
    let heldBytes = 0;
    const change = (toBytes: number): void => {
      this.change(peer, toBytes - heldBytes);
      heldBytes = toBytes;
    };
    return {
      hold: (sizeBytes) => {
        const fits = this.hasRoom(peer, sizeBytes);
        if (fits) {
          change(heldBytes + sizeBytes);
        }
        return fits;
      },
      trim: (sizeBytes) => change(Math.min(heldBytes, sizeBytes)),
      release: () => change(0),
    };
  }

  /** Whatever its size, an answer fits where its connection has nothing else: a small budget delays, it doesn't forbid. */
  private hasRoom(peer: string, sizeBytes: number): boolean {
    const ofPeer = this.bytesOfPeer.get(peer) ?? 0;
    const totalMax = sizeBytes > SHORT_ANSWER_BYTES_MAX ? this.bytesMax * LONG_SHARE : this.bytesMax;
    const fitsInAll = this.sumBytes + sizeBytes <= totalMax || this.sumBytes === 0;
    return fitsInAll && (ofPeer === 0 || ofPeer + sizeBytes <= this.bytesMax * CONNECTION_SHARE);
  }

  private change(peer: string, byBytes: number): void {
    this.sumBytes += byBytes;
    const ofPeer = (this.bytesOfPeer.get(peer) ?? 0) + byBytes;
    if (ofPeer > 0) {
      this.bytesOfPeer.set(peer, ofPeer);
    } else {
      this.bytesOfPeer.delete(peer);
    }
  }
}
