/** AdminService: what a replica says of itself; kinds and causes in snake case, as in the metrics. */
import type { Server } from '@grpc/grpc-js';
import type { Explanation } from '../protocol/explanation.js';
import type { ProtocolMessage } from '../protocol/messages.js';
import type { ReplicaFace, ReplicaStatus } from '../runtime/face.js';
import { digestBytes } from '../util/digest.js';
import { ok } from '../util/result.js';
import { snakeCase } from '../util/snake-case.js';
import { AdminServiceService, GetStatusRequest, GetStatusResponse } from '../wire/gen/pbft/v1/admin.js';
import { type CallServices, serveUnary } from './unary-method.js';

/** What the service shows. */
export interface AdminServiceOptions {
  readonly face: ReplicaFace;
  /** The software's version. */
  readonly version: string;
}

/** Registers the service. */
export function serveAdminService(
  server: Server,
  services: CallServices,
  { face, version }: AdminServiceOptions,
): void {
  serveUnary(server, services, {
    path: AdminServiceService.getStatus.path,
    request: GetStatusRequest,
    response: GetStatusResponse,
    handle: async () => ok(statusResponse(face.status(), version)),
  });
}

function statusResponse(status: ReplicaStatus, version: string): GetStatusResponse {
  return {
    replica: status.replica,
    name: status.name,
    clusterId: Buffer.from(digestBytes(status.clusterId)),
    replicaCount: status.replicaCount,
    faultsMax: status.faultsMax,
    view: status.view,
    primary: status.primary,
    active: status.active,
    ready: status.notReadyReasons.length === 0,
    notReadyReasons: [...status.notReadyReasons],
    lastExecutedSequence: status.lastExecuted,
    headerDigest: Buffer.from(digestBytes(status.headerDigest)),
    stableCheckpoint: status.stableCheckpoint,
    peers: status.peers.map(({ peer, name, connected, lastError, lastExecuted }) => ({
      replica: peer,
      name,
      connected,
      lastError,
      lastExecutedSequence: lastExecuted,
    })),
    waitingRequests: status.waitingRequests,
    agreedTimeMs: status.agreedTimeMs,
    evidence: status.evidence.map(({ replica, kind, first }) => ({
      replica,
      kind: snakeCase(kind),
      view: viewOf(first.message),
      sequence: 'sequence' in first.message ? first.message.sequence : 0,
    })),
    storageEngine: status.storageEngine,
    version,
    waitingFor: status.waitingFor,
    viewOfOthers: status.viewOfOthers,
    ...waitingResponse(status.explanation),
  };
}

function viewOf(message: ProtocolMessage): number {
  if ('newView' in message) {
    return message.newView;
  }
  return 'view' in message ? message.view : 0;
}

type WaitingFields = 'timeoutMs' | 'timer' | 'oldestRequest' | 'leftView' | 'viewChanges' | 'missing';

function waitingResponse(explanation: Explanation | undefined): Pick<GetStatusResponse, WaitingFields> {
  const { timeoutMs = 0, timer, oldestRequest, left, viewChanges = [], missing = [] } = explanation ?? {};
  return {
    timeoutMs,
    timer: timer && { name: snakeCase(timer.name), remainingMs: wholeMs(timer.remainingMs) },
    oldestRequest: oldestRequest && {
      clientId: Buffer.from(oldestRequest.clientId, 'hex'),
      number: oldestRequest.number,
      waitedMs: wholeMs(oldestRequest.waitedMs),
    },
    leftView: left && { cause: snakeCase(left.cause ?? ''), sinceMs: wholeMs(left.sinceMs) },
    viewChanges: viewChanges.map(({ replica, view, isValid }) => ({ replica, view, valid: isValid })),
    missing: missing.map((thing) => ({ ...thing, kind: snakeCase(thing.kind) })),
  };
}

function wholeMs(ms: number): number {
  return Math.max(0, Math.round(ms));
}
