/**
 * Ends connections from wherever it is decided. Destroying TCP's socket and then TLS's on top of it from within a
 * callback of TLS crashes the process (a segmentation fault in Node 20, which a peer could bring about at will): so it
 * is done in the next turn of the loop, and TLS goes first.
 */
import type { Socket } from 'node:net';
import type { TimerService } from '../ports/timer-service.js';

/** Destroys a connection soon. The sockets are given from the lowest, TCP, upwards; undefined where there is none. */
export function destroyLater(sockets: readonly (Socket | undefined)[], timers: TimerService): void {
  timers.defer(() => {
    for (const socket of sockets.toReversed()) {
      socket?.destroy();
    }
  });
}
