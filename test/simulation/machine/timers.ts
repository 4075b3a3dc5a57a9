/** The clocks and timers of one life of a process, on virtual time. */
import type { TimerService } from '../../../src/ports/timer-service.js';
import type { EventLoop } from '../kernel/event-loop.js';
import type { Random } from '../kernel/random.js';
import type { ProcessLife } from './process-life.js';

/** The wall clock when a run begins: 2025-01-01. */
const EPOCH_MS = 1_735_689_600_000;

const NEVER = { cancel: () => undefined };

/** What a process's timers depend on. */
export interface SimulatedTimersOptions {
  readonly loop: EventLoop;
  readonly life: ProcessLife;
  readonly random: Random;
  /** How far the machine's wall clock is off. */
  readonly clockOffsetMs: () => number;
}

/** The timers of a life. */
export function createSimulatedTimers({ loop, life, random, clockOffsetMs }: SimulatedTimersOptions): TimerService {
  return {
    elapsedMs: () => loop.nowMs,
    wallMs: () => Math.floor(EPOCH_MS + loop.nowMs + clockOffsetMs()),
    startTimer: (delayMs, fire) => (life.act() ? loop.schedule(Math.max(0, delayMs), () => life.enter(fire)) : NEVER),
    // No call to the machine: between a turn and the next nothing happens that a crash could tell apart.
    defer: (run) => {
      loop.schedule(0, () => life.enter(run));
    },
    random: () => random.next(),
  };
}
