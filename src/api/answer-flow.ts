/**
 * Answers that callers don't read (GR-04). The library queues an answer until the caller's flow control takes it, and a
 * caller that never does would keep it for ever: so what waits is counted by connection.
 *
 * 1. A connection with too much unread gets no further answers: its calls are refused until it reads.
 * 2. A connection that leaves one answer unread for too long is closed.
 */
import type { TimerHandle, TimerService } from '../ports/timer-service.js';

/** How much may wait, and how long. */
export interface AnswerFlowLimits {
  /** Of one connection. */
  readonly unreadBytesMax: number;
  readonly unreadMsMax: number;
}

/** A call as far as its answer's way goes. */
export interface AnsweredCall {
  readonly cancelled: boolean;
  /** Names the connection. */
  getPeer(): string;
  /** The library's name for the end of a call, however it ends. */
  once(event: 'cancelled', listener: () => void): unknown;
}

/** Shorter answers are not worth counting: there are at most as many as streams. */
const COUNTED_BYTES_MIN = 16_384;
const CHECKS_WITHIN_LIMIT = 4;

interface Unread {
  readonly peer: string;
  readonly sizeBytes: number;
  readonly sinceMs: number;
}

/** The answers of one client port on their way. */
export class AnswerFlow {
  private readonly limits: AnswerFlowLimits;
  private readonly timers: TimerService;
  private readonly closeConnection: (peer: string) => void;
  /** In the order in which they were given. */
  private readonly unread = new Set<Unread>();
  private readonly bytesOfPeer = new Map<string, number>();
  private check: TimerHandle | undefined;

  constructor(limits: AnswerFlowLimits, timers: TimerService, closeConnection: (peer: string) => void) {
    this.limits = limits;
    this.timers = timers;
    this.closeConnection = closeConnection;
  }

  /** Whether the connection reads its answers. */
  admits(peer: string): boolean {
    return (this.bytesOfPeer.get(peer) ?? 0) < this.limits.unreadBytesMax;
  }

  /** Counts an answer that is about to be given, until it is sent or the call is gone. */
  track(call: AnsweredCall, sizeBytes: number): void {
    if (sizeBytes < COUNTED_BYTES_MIN || call.cancelled) {
      return;
    }
    const answer: Unread = { peer: call.getPeer(), sizeBytes, sinceMs: this.timers.elapsedMs() };
    this.unread.add(answer);
    this.bytesOfPeer.set(answer.peer, (this.bytesOfPeer.get(answer.peer) ?? 0) + sizeBytes);
    call.once('cancelled', () => this.forget(answer));
    this.scheduleCheck();
  }

  /** Ends the checks. */
  stop(): void {
    this.check?.cancel();
    this.check = undefined;
  }

  private forget(answer: Unread): void {
    this.unread.delete(answer);
    const left = (this.bytesOfPeer.get(answer.peer) ?? 0) - answer.sizeBytes;
    if (left > 0) {
      this.bytesOfPeer.set(answer.peer, left);
    } else {
      this.bytesOfPeer.delete(answer.peer);
    }
  }

  private scheduleCheck(): void {
    this.check ??= this.timers.startTimer(this.limits.unreadMsMax / CHECKS_WITHIN_LIMIT, () => {
      this.check = undefined;
      const sinceMax = this.timers.elapsedMs() - this.limits.unreadMsMax;
      for (const { peer, sinceMs } of this.unread) {
        if (sinceMs <= sinceMax) {
          this.closeConnection(peer);
        }
      }
      if (this.unread.size > 0) {
        this.scheduleCheck();
      }
    });
  }
}
