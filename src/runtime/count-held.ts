/** Adds up what the rooms of a running replica hold (protocol.md 9). */
import type { ReplicaHeld } from './held.js';
import type { Rooms } from './rooms.js';

/** How much is held by all rooms. */
export function countReplicaHeld(rooms: Rooms): ReplicaHeld {
  const { core, report } = rooms;
  const { inbox, groupCommit } = rooms.loop;
  const { fetcher, fetchServer } = rooms.catchUp;
  const { bodies, table, executor } = rooms.execution;
  const { calls } = rooms.gateway;
  const lane = inbox.queue.fullestPeerLane;
  return {
    ...core.countHeld(),
    ...fetcher.held,
    ...rooms.ingress.viewChanges.held,
    lateVotes: rooms.ingress.messages.lateVotes,
    ...table.held,
    ...report.held,
    localEvents: inbox.queue.depth('local'),
    peerLaneMessages: lane.messages,
    peerLaneBytes: lane.bytes,
    clientLaneRequests: inbox.queue.depth('client'),
    recordsWaiting: groupCommit.backlog.records,
    waitingForDisk: groupCommit.backlog.waiting,
    signaturesWaiting: rooms.egress.signing.length,
    peersServed: fetchServer.peerCount,
    requestsRemembered: rooms.ingress.verifiedRequests.size,
    bodyBytes: bodies.sizeBytes,
    bodiesPending: bodies.pendingCount,
    batchesOrdered: executor.waitingBatches,
    callsWaiting: calls.waitingOperations,
    ownRequestsInFlight: calls.requestsInFlight,
  };
}
