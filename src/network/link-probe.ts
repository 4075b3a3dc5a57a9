/**
 * Asks the other end of a link for a sign of life, and gives one. It is asked when somebody else connects as the peer: of
 * two processes with one identity the one that lives keeps the link, and a half-open link of one that is gone, after a
 * power cut, is found out within the deadline (FU-02).
 *
 * 1. Only the answer to this very question counts: what still came out of buffers proves nothing.
 * 2. Answers are few: a peer that asks by the thousand gets a handful.
 */
import type { TimerHandle, TimerService } from '../ports/timer-service.js';
import { TokenBucket } from '../util/token-bucket.js';
import { type LinkProbe, probeFrameOf, RIVAL_BYTES_MAX } from '../wire/frame.js';
import { foreignText } from './link-end.js';

/** How long the other end has for its answer. */
export const PROBE_DEADLINE_MS = 2_000;
const ANSWERS = { max: 10, perSecond: 2 };

/** What the probes of one link need. */
export interface LinkProbesOptions {
  readonly timers: TimerService;
  /** Writes a frame on the stream that carries the link now, past all that waits. */
  readonly write: (frame: Uint8Array) => void;
  /** The peer says that somebody connected to it as this replica, and where from. */
  readonly onRival: (rival: string) => void;
}

interface Question {
  readonly number: number;
  readonly deadline: TimerHandle;
  readonly askers: ((isAlive: boolean) => void)[];
}

/** The probes of one link, over whichever stream carries it. */
export class LinkProbes {
  private readonly options: LinkProbesOptions;
  private readonly answers: TokenBucket;
  private question: Question | undefined;
  private asked = 0;

  constructor(options: LinkProbesOptions) {
    this.options = options;
    this.answers = new TokenBucket(ANSWERS, options.timers.elapsedMs());
  }

  /** Asks, or joins those who wait for an answer; `rival` is the address of the second connection. */
  ask(rival: string, done: (isAlive: boolean) => void): void {
    if (this.question !== undefined) {
      this.question.askers.push(done);
      return;
    }
    const number = ++this.asked;
    const deadline = this.options.timers.startTimer(PROBE_DEADLINE_MS, () => this.settle(false));
    this.question = { number, deadline, askers: [done] };
    const text = new TextEncoder().encode(foreignText(rival).slice(0, RIVAL_BYTES_MAX));
    this.options.write(probeFrameOf({ number, isAnswer: false, rival: text }));
  }

  /** A probe came from the other end. */
  receive({ number, isAnswer, rival }: LinkProbe): void {
    if (isAnswer) {
      if (number === this.question?.number) {
        this.settle(true);
      }
      return;
    }
    if (!this.answers.take(this.options.timers.elapsedMs())) {
      return;
    }
    this.options.write(probeFrameOf({ number, isAnswer: true, rival: new Uint8Array() }));
    if (rival.length > 0) {
      this.options.onRival(foreignText(new TextDecoder().decode(rival)));
    }
  }

  /** The stream ended: nobody will answer. */
  reset(): void {
    this.settle(false);
  }

  private settle(isAlive: boolean): void {
    const { question } = this;
    this.question = undefined;
    question?.deadline.cancel();
    for (const done of question?.askers ?? []) {
      done(isAlive);
    }
  }
}
