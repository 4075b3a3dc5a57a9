/** Adds up what the parts of a running replica hold (protocol.md 9). */
import type { Core } from '../protocol/core.js';
import type { FetchServer } from './catch-up/fetch-server.js';
import type { Fetcher } from './catch-up/fetcher.js';
import type { SigningQueue } from './egress/signing-queue.js';
import type { BatchBodies } from './execution/batch-bodies.js';
import type { ClientTable } from './execution/client-table.js';
import type { Executor } from './execution/executor.js';
import type { Gateway } from './gateway/gateway.js';
import type { ReplicaHeld } from './held.js';
import type { VerifiedRequests } from './ingress/verified-requests.js';
import type { ViewChangeJudge } from './ingress/view-change-judge.js';
import type { GroupCommit } from './loop/group-commit.js';
import type { Inbox } from './loop/inbox.js';
import type { Instrumentation } from './report/instrumentation.js';

/** The parts that hold something. */
export interface HoldingParts {
  readonly core: Core;
  readonly inbox: Inbox;
  readonly groupCommit: GroupCommit;
  readonly signing: SigningQueue;
  readonly fetcher: Fetcher;
  readonly fetchServer: FetchServer;
  readonly judge: ViewChangeJudge;
  readonly bodies: BatchBodies;
  readonly table: ClientTable;
  readonly gateway: Gateway;
  readonly executor: Executor;
  readonly instrumentation: Instrumentation;
  readonly verifiedRequests: VerifiedRequests;
}

/** How much is held by all parts. */
export function countReplicaHeld(parts: HoldingParts): ReplicaHeld {
  const { core, inbox, groupCommit, signing, fetcher, fetchServer, judge, bodies, table, gateway } = parts;
  const lane = inbox.queue.fullestPeerLane;
  return {
    ...core.countHeld(),
    ...fetcher.held,
    ...judge.held,
    ...table.held,
    ...parts.instrumentation.held,
    localEvents: inbox.queue.depth('local'),
    peerLaneMessages: lane.messages,
    peerLaneBytes: lane.bytes,
    clientLaneRequests: inbox.queue.depth('client'),
    recordsWaiting: groupCommit.backlog.records,
    waitingForDisk: groupCommit.backlog.waiting,
    signaturesWaiting: signing.length,
    peersServed: fetchServer.peerCount,
    requestsRemembered: parts.verifiedRequests.size,
    bodyBytes: bodies.sizeBytes,
    bodiesPending: bodies.pendingCount,
    batchesOrdered: parts.executor.waitingBatches,
    callsWaiting: gateway.waitingOperations,
    ownRequestsInFlight: gateway.requestsInFlight,
  };
}
