/**
 * Signatures on their way. Few are made at a time: libuv's pool also syncs the log and serves TLS, and a vote must not
 * wait behind a crowd of its own kind there. (protocol.md 9)
 */
import type { Metrics } from '../../ports/metrics.js';
import type { SignatureType, Signer } from '../../ports/signatures.js';
import type { TimerService } from '../../ports/timer-service.js';
import { Fifo } from '../../util/fifo.js';

/** What a signing queue needs. */
export interface SigningQueueOptions {
  readonly signer: Signer;
  readonly timers: TimerService;
  readonly metrics: Metrics;
  /** The most signatures that are being made at one time. */
  readonly concurrencyMax: number;
}

interface Job {
  readonly type: SignatureType;
  readonly payload: Uint8Array;
  readonly done: (signature: Uint8Array) => void;
}

/** Signs in the order of the calls, a few at a time. */
export class SigningQueue implements Signer {
  private readonly waiting = new Fifo<Job>();
  private underWay = 0;

  constructor(private readonly options: SigningQueueOptions) {}

  sign(type: SignatureType, payload: Uint8Array, done: (signature: Uint8Array) => void): void {
    this.waiting.push({ type, payload, done });
    this.startNext();
  }

  private startNext(): void {
    const { signer, timers, metrics, concurrencyMax } = this.options;
    while (this.underWay < concurrencyMax) {
      const job = this.waiting.shift();
      if (job === undefined) {
        return;
      }
      this.underWay++;
      const startedMs = timers.elapsedMs();
      signer.sign(job.type, job.payload, (signature) => {
        this.underWay--;
        metrics.observe('pbft_sign_seconds', {}, (timers.elapsedMs() - startedMs) / 1_000);
        job.done(signature);
        this.startNext();
      });
    }
  }
}
