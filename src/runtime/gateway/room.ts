/** The gateway: own callers' operations go into requests of this replica's own, and their reads past the order. */
import type { Core } from '../../protocol/core.js';
import type { SignedRequest, Verified } from '../../protocol/messages.js';
import type { EgressRoom } from '../egress/room.js';
import type { ExecutionRoom } from '../execution/room.js';
import type { RoomOptions } from '../replica-runtime-options.js';
import { Gateway } from './gateway.js';
import { QueryService } from './query-service.js';

/** What the gateway shows to the other rooms. */
export interface GatewayRoom {
  readonly calls: Gateway;
  readonly queries: QueryService;
}

/** Whom the gateway asks and tells. */
export interface GatewayNeighbours {
  /** loop/loop.ts: takes own requests. */
  readonly loop: { submitRequest(request: Verified<SignedRequest>): void };
  readonly core: Pick<Core, 'inspect'>;
  readonly execution: Pick<ExecutionRoom, 'operations' | 'table' | 'executor'>;
  readonly egress: Pick<EgressRoom, 'signing'>;
}

/** Makes it. */
export function createGateway(options: RoomOptions, neighbours: GatewayNeighbours): GatewayRoom {
  const { loop, core, execution, egress } = neighbours;
  const { consensus, queues, local, ownClientId } = options;
  const { operations, table, executor } = execution;
  const calls = new Gateway({
    ...options,
    ...consensus,
    signer: egress.signing,
    clientId: ownClientId,
    table,
    operations,
    resendMs: local.requestTimeoutMs,
    waitingOperationsMax: queues.clientOperationsMax,
    waitingBytesMax: queues.clientBytesMax,
    inFlightBytesMax: local.waitingBytesMax / 2,
    onRequest: (request) => loop.submitRequest(request),
  });
  const queries = new QueryService({
    ...options,
    operations,
    executed: () => executor.executed,
    view: () => core.inspect(0).view,
  });
  return { calls, queries };
}
