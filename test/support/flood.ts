/** One message, ten thousand times a second, from a replica with valid keys. */
import { setTimeout as delay } from 'node:timers/promises';
import { view } from '../../src/protocol/identifiers.js';
import { frameOf } from '../../src/wire/frame.js';
import type { Intruder } from './cluster-intruder.js';
import { FLOOD_MESSAGES } from './flood-messages.js';
import type { HostileStream } from './network-hostile-peer.js';

/** Frames as a correct link makes them: several messages in each. */
const MESSAGES_A_FRAME = 50;
const FRAME_INTERVAL_MS = 5;
/** A link that is not read any more has enough: nothing is gained by filling the own memory. */
const UNFLUSHED_MAX = 20;
const MAKE_ANEW_MS = 1_000;

/** What to flood, and with what. */
export interface FloodOptions {
  readonly intruder: Intruder;
  /** A name of FLOOD_MESSAGES. */
  readonly kind: string;
  readonly targets: readonly number[];
  /** The state of the cluster. */
  readonly status: () => Promise<{ readonly lastExecutedSequence: number; readonly view: number }>;
  readonly isOver: () => boolean;
}

/** Floods until it is over; gives how many messages were written to all links. */
export async function flood({ intruder, kind, targets, status, isOver }: FloodOptions): Promise<number> {
  const make = FLOOD_MESSAGES[kind];
  if (make === undefined) {
    throw new Error(`there is no flood ${kind}`);
  }
  const streams = await Promise.all(targets.map((to) => intruder.connect(to)));
  const floods = streams.map((stream, index) => ({ stream, to: targets[index] ?? 0, frame: frameOf([]) }));
  let written = 0;
  try {
    let madeAtMs = Number.NEGATIVE_INFINITY;
    for (let dueMs = performance.now(); !isOver(); dueMs += FRAME_INTERVAL_MS) {
      if (performance.now() - madeAtMs > MAKE_ANEW_MS) {
        madeAtMs = performance.now();
        const { lastExecutedSequence: lastExecuted, view: now } = await status();
        const ownView = view(now + 4 + ((intruder.id - (now % 4) + 4) % 4));
        for (const one of floods) {
          const message = await make({
            intruder,
            stream: one.stream,
            to: one.to,
            lastExecuted,
            view: view(now),
            ownView,
          });
          one.frame = frameOf(Array.from({ length: MESSAGES_A_FRAME }, () => message));
        }
      }
      for (const { stream, frame } of floods) {
        stream.frames.length = 0;
        if (stream.unflushedCount < UNFLUSHED_MAX) {
          stream.write(frame);
          written += MESSAGES_A_FRAME;
        }
      }
      await delay(Math.max(0, dueMs - performance.now()));
    }
  } finally {
    closeAll(streams);
  }
  return written;
}

function closeAll(streams: readonly HostileStream[]): void {
  for (const stream of streams) {
    stream.close();
  }
}
