/**
 * gRPC's health service: SERVING while the replica is ready to serve callers.
 *
 * 1. Check and List look at the replica when asked; Watch sees a change within a poll.
 * 2. Bounded: at most so many watchers, in all and of one connection, one unsent answer each; names of services that aren't here are not kept.
 */
import type { Server, ServerWritableStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { TimerHandle } from '../ports/timer-service.js';
import type { ReplicaFace } from '../runtime/face.js';
import { failed, ok } from '../util/result.js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthListRequest,
  HealthListResponse,
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../wire/gen/grpc/health/v1/health.js';
import { decodeStrictly } from '../wire/strict-decode.js';
import { answerToFailure } from './failures.js';
import { statusOfAnswer } from './status-details.js';
import { type CallServices, countCall, encodeMessage, serveUnary } from './unary-method.js';

/** Watchers of one replica's health, at most. */
const WATCHERS_MAX = 1_000;
/** Of one connection: there is one server and a few services to watch. */
const WATCHERS_OF_CONNECTION_MAX = 8;
const POLL_MS = 250;
const RETRY_AFTER_MS = 10_000;

/** What the service answers for. */
export interface HealthServiceOptions {
  readonly face: ReplicaFace;
  /** The full names of the services that share the replica's health; the empty name, the server, is always known. */
  readonly serviceNames: readonly string[];
}

/** Ends the watching. */
export interface HealthServiceHandle {
  stop(): void;
}

/** Registers the service. */
export function serveHealthService(
  server: Server,
  services: CallServices,
  { face, serviceNames }: HealthServiceOptions,
): HealthServiceHandle {
  const known = new Set(['', ...serviceNames]);
  const readStatus = () =>
    face.status().notReadyReasons.length === 0 ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  serveUnary(server, services, {
    path: HealthService.check.path,
    request: HealthCheckRequest,
    response: HealthCheckResponse,
    handle: async ({ service }) =>
      known.has(service) ? ok({ status: readStatus() }) : failed({ code: 'serviceUnknown' }),
  });
  serveUnary(server, services, {
    path: HealthService.list.path,
    request: HealthListRequest,
    response: HealthListResponse,
    handle: async () => {
      const current = readStatus();
      return ok({ statuses: Object.fromEntries([...known].map((name) => [name, { status: current }])) });
    },
  });
  const watchers = new HealthWatchers(services, readStatus);
  server.register<HealthCheckRequest | undefined, Buffer>(
    HealthService.watch.path,
    (call: WatchCall) => watchers.add(call, call.request !== undefined && known.has(call.request.service)),
    (response) => response,
    (bytes) => decodeStrictly(HealthCheckRequest, bytes),
    'serverStream',
  );
  return { stop: () => watchers.stop() };
}

type WatchCall = ServerWritableStream<HealthCheckRequest | undefined, Buffer>;

interface Watcher {
  readonly call: WatchCall;
  /** What was written last. */
  told: ServingStatus;
  /** A slow reader's stream takes no more for now; it is told the newest status once it does. */
  blocked: boolean;
}

class HealthWatchers {
  private readonly services: CallServices;
  private readonly readStatus: () => ServingStatus;
  private readonly watchers = new Set<Watcher>();
  private readonly countOfPeer = new Map<string, number>();
  private poll: TimerHandle | undefined;

  constructor(services: CallServices, readStatus: () => ServingStatus) {
    this.services = services;
    this.readStatus = readStatus;
  }

  add(call: WatchCall, isKnown: boolean): void {
    const peer = call.getPeer();
    const ofPeer = this.countOfPeer.get(peer) ?? 0;
    if (this.watchers.size >= WATCHERS_MAX || ofPeer >= WATCHERS_OF_CONNECTION_MAX) {
      const answer = answerToFailure({ code: 'watchersExhausted', retryAfterMs: RETRY_AFTER_MS });
      countCall(HealthService.watch.path, answer.status, this.services);
      call.emit('error', Object.assign(new Error(answer.message), statusOfAnswer(answer)));
      return;
    }
    const watcher: Watcher = { call, told: ServingStatus.UNKNOWN, blocked: false };
    this.watchers.add(watcher);
    this.countOfPeer.set(peer, ofPeer + 1);
    call.on('cancelled', () => {
      this.watchers.delete(watcher);
      const left = (this.countOfPeer.get(peer) ?? 0) - 1;
      if (left > 0) {
        this.countOfPeer.set(peer, left);
      } else {
        this.countOfPeer.delete(peer);
      }
      countCall(HealthService.watch.path, status.CANCELLED, this.services);
    });
    if (isKnown) {
      call.on('drain', () => {
        watcher.blocked = false;
        tell(watcher, this.readStatus());
      });
      tell(watcher, this.readStatus());
      this.startPoll();
    } else {
      watcher.blocked = true;
      call.write(encodeMessage(HealthCheckResponse, { status: ServingStatus.SERVICE_UNKNOWN }));
    }
  }

  stop(): void {
    this.poll?.cancel();
    this.poll = undefined;
    for (const watcher of this.watchers) {
      tell(watcher, ServingStatus.NOT_SERVING);
      watcher.call.end();
    }
    this.watchers.clear();
  }

  private startPoll(): void {
    this.poll ??= this.services.timers.startTimer(POLL_MS, () => {
      this.poll = undefined;
      if (this.watchers.size > 0) {
        const current = this.readStatus();
        for (const watcher of this.watchers) {
          tell(watcher, current);
        }
        this.startPoll();
      }
    });
  }
}

function tell(watcher: Watcher, current: ServingStatus): void {
  if (!watcher.blocked && watcher.told !== current) {
    watcher.told = current;
    watcher.blocked = !watcher.call.write(encodeMessage(HealthCheckResponse, { status: current }));
  }
}
