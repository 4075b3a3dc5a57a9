/** A client port on loopback over a replica of one in memory. */
import { type ClientServer, type ClientServerOptions, createClientServer } from '../../src/api/client-server.js';
import { createKeyValueStateMachine } from '../../src/application/key-value-state-machine.js';
import type { Logger } from '../../src/ports/logger.js';
import type { Metrics } from '../../src/ports/metrics.js';
import type { TimerService } from '../../src/ports/timer-service.js';
import { FakeReplica, sha256 } from '../unit/api/fake-replica.js';

/** Real time. What is deferred and throws is kept for the test instead of ending the process. */
class SystemTimers implements TimerService {
  readonly thrown: unknown[] = [];

  elapsedMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  startTimer(delayMs: number, fire: () => void) {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  }

  defer(run: () => void): void {
    setImmediate(() => {
      try {
        run();
      } catch (error) {
        this.thrown.push(error);
      }
    });
  }

  random(): number {
    return Math.random();
  }
}

/** A running port with what it told. */
export class ApiSubject {
  readonly replica = new FakeReplica(createKeyValueStateMachine());
  readonly timers = new SystemTimers();
  readonly counted: string[] = [];
  readonly observed: string[] = [];
  readonly logged: string[] = [];
  readonly server: ClientServer;

  constructor(options: Partial<ClientServerOptions> = {}) {
    const metrics: Metrics = {
      increment: (name, labels) => void this.counted.push(`${name} ${Object.values(labels).join(' ')}`),
      set: () => undefined,
      observe: (name, labels, value) =>
        void this.observed.push(`${name} ${Object.values(labels).join(' ')} ${value >= 0}`),
    };
    const log = (_: object, message: string) => void this.logged.push(message);
    const logger: Logger = { error: log, warn: log, info: log, debug: log };
    this.server = createClientServer({
      face: this.replica,
      timers: this.timers,
      metrics,
      logger,
      hash: sha256,
      host: '127.0.0.1',
      port: 0,
      security: { kind: 'plaintext', allowRemote: false },
      application: 'key-value',
      version: '1.2.3',
      ...options,
      limits: { stopGraceMs: 200, ...options.limits },
    });
  }

  /** Resolves with the address when it listens. */
  async start(): Promise<string> {
    await new Promise<void>((resolve, reject) =>
      this.server.start((error) => (error === undefined ? resolve() : reject(error))),
    );
    return this.server.address;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.server.stop(resolve));
  }
}

/** Resolves when `holds` does; fails after five seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadlineMs) {
      throw new Error(`in vain: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
