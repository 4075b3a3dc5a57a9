/** Ingress: what peers say is judged, each signature once, and nothing else of it reaches the core. */
import type { Core } from '../../protocol/core.js';
import type { Event } from '../../protocol/events.js';
import type { ExecutionRoom } from '../execution/room.js';
import type { RoomOptions } from '../replica-runtime-options.js';
import type { Instrumentation } from '../report/instrumentation.js';
import { CountedVerifier } from './counted-verifier.js';
import { Ingress } from './ingress.js';
import { VerifiedRequests } from './verified-requests.js';
import { ViewChangeJudge } from './view-change-judge.js';

/** What ingress shows to the other rooms. */
export interface IngressRoom {
  readonly messages: Ingress;
  readonly viewChanges: ViewChangeJudge;
  /** Counts what peers' messages cost. */
  readonly verifier: CountedVerifier;
  readonly verifiedRequests: VerifiedRequests;
}

/** Whom ingress asks and tells. */
export interface IngressNeighbours {
  /** loop/loop.ts: takes verdicts on view changes. */
  readonly loop: { submitEvent(event: Event): void };
  readonly report: Pick<Instrumentation, 'onRejected'>;
  readonly core: Core;
  readonly execution: Pick<ExecutionRoom, 'operations' | 'table' | 'bodies'>;
}

/** Makes it. */
export function createIngress(options: RoomOptions, neighbours: IngressNeighbours): IngressRoom {
  const { loop, report, core, execution } = neighbours;
  const { operations, table, bodies } = execution;
  const { identity, consensus, timers } = options;
  const verifier = new CountedVerifier(options.verifier);
  const verifiedRequests = new VerifiedRequests(verifier);
  const messages = new Ingress({
    ...options,
    replica: identity.replica,
    elapsedMs: () => timers.elapsedMs(),
    core,
    verifier,
    verifiedRequests,
    operations,
    isSettled: (key) => table.isSettled(key),
    isBeyondWindow: (request) => table.isBeyondWindow(request),
    keepBatch: (batch, requests) => bodies.put(batch, requests),
    onRejected: (type, reason, peer) => report.onRejected(type, reason, peer),
  });
  const viewChanges = new ViewChangeJudge({
    ...options,
    statementsMax: consensus.windowSize * identity.sizes.replicaCount,
    isHeld: (digest) => core.findViewChange(digest) !== undefined,
    onJudged: (event) => loop.submitEvent(event),
  });
  return { messages, viewChanges, verifier, verifiedRequests };
}
