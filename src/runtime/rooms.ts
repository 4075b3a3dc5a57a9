/**
 * The rooms of a running replica, connected. Each is made by one function, from what the replica stands on and from the
 * rooms before it; the loop, which all of them tell, is made first and begins last. One way leads through:
 *
 *     peer → loop/inbox → ingress → core → loop/effects → egress → peers
 *                                                       → execution → gateway → own callers
 */
import { createCatchUp } from './catch-up/room.js';
import { createEgress } from './egress/room.js';
import { createExecution } from './execution/room.js';
import { createGateway } from './gateway/room.js';
import { createIngress } from './ingress/room.js';
import { createCore } from './loop/create-core.js';
import { Loop, type LoopRooms } from './loop/loop.js';
import { peersOf, type RoomOptions, type StartOptions } from './replica-runtime-options.js';
import type { Instrumentation } from './report/instrumentation.js';
import { createReport } from './report/room.js';

/** All rooms. */
export interface Rooms extends LoopRooms {
  readonly report: Instrumentation;
  readonly loop: Loop;
}

/** Makes the rooms and begins. */
export function createRooms(start: StartOptions): Rooms {
  const { consensus, identity } = start;
  const limits = { ...consensus, replicaCount: identity.sizes.replicaCount };
  const options: RoomOptions = { ...start, peers: peersOf(identity), limits };
  const report = createReport(options);
  const loop = new Loop(options, report);
  const execution = createExecution(options, { loop });
  const core = createCore(options, execution);
  const egress = createEgress(options, { loop, execution });
  const ingress = createIngress(options, { loop, report, core, execution });
  const catchUp = createCatchUp(options, { loop, report, core, execution, ingress });
  const gateway = createGateway(options, { loop, core, execution, egress });
  const rooms = { core, ingress, egress, execution, catchUp, gateway };
  loop.begin(rooms);
  return { ...rooms, report, loop };
}

/** Whether everything of own callers and every batch is done, as far as it ever will be. */
export function areIdle({ core, execution, gateway }: Rooms): boolean {
  const isAnswered = gateway.calls.waitingOperations === 0 && gateway.calls.requestsInFlight === 0;
  return (isAnswered && execution.executor.waitingBatches === 0) || core.inspect(0).diverged;
}

/** Nothing is stepped, executed, sent or answered any more. */
export function stopRooms({ loop, ingress, execution, catchUp, gateway }: Rooms): void {
  gateway.calls.stop();
  loop.stop();
  execution.executor.stop();
  catchUp.fetcher.stop();
  catchUp.fetchServer.stop();
  ingress.viewChanges.stop();
}
