/**
 * Deadlines of many things with one timer. They are kept in slots of a few milliseconds, so that adding and removing
 * cost the same however many there are; an item expires at most one slot early and never late by the table's doing.
 */
import type { TimerHandle, TimerService } from '../../ports/timer-service.js';

const SLOT_MS = 8;

/** Names an item's place, to remove it. */
export type DeadlineSlot = number & { readonly brand: 'DeadlineSlot' };

/** Items with deadlines. */
export class Deadlines<T> {
  private readonly slots = new Map<number, Set<T>>();
  private timer: { readonly slot: number; readonly handle: TimerHandle } | undefined;

  constructor(
    private readonly timers: Pick<TimerService, 'elapsedMs' | 'startTimer'>,
    private readonly onExpired: (item: T) => void,
  ) {}

  /** Adds an item that expires after `delayMs`. */
  add(item: T, delayMs: number): DeadlineSlot {
    const slot = Math.floor((this.timers.elapsedMs() + Math.max(0, delayMs)) / SLOT_MS);
    const items = this.slots.get(slot);
    if (items === undefined) {
      this.slots.set(slot, new Set([item]));
    } else {
      items.add(item);
    }
    this.startTimer(slot);
    return slot as DeadlineSlot;
  }

  /** Removes an item, wherever it is: expired ones are gone already. */
  remove(item: T, slot: DeadlineSlot): void {
    const items = this.slots.get(slot);
    if (items?.delete(item) && items.size === 0) {
      this.slots.delete(slot);
    }
  }

  /** Forgets all; nothing expires any more. */
  clear(): void {
    this.slots.clear();
    this.timer?.handle.cancel();
    this.timer = undefined;
  }

  /** Sees to it that the timer fires at this slot, or before. */
  private startTimer(slot: number): void {
    if (this.timer !== undefined && this.timer.slot <= slot) {
      return;
    }
    this.timer?.handle.cancel();
    const delayMs = Math.max(0, slot * SLOT_MS - this.timers.elapsedMs());
    this.timer = { slot, handle: this.timers.startTimer(delayMs, () => this.expire()) };
  }

  private expire(): void {
    this.timer = undefined;
    const nowMs = this.timers.elapsedMs();
    const due = [...this.slots.keys()].filter((slot) => slot * SLOT_MS <= nowMs).sort((left, right) => left - right);
    for (const slot of due) {
      const items = this.slots.get(slot) ?? [];
      this.slots.delete(slot);
      for (const item of items) {
        this.onExpired(item);
      }
    }
    const next = Math.min(...this.slots.keys());
    if (Number.isFinite(next)) {
      this.startTimer(next);
    }
  }
}
