/**
 * The client port of a replica: the gRPC services for callers and operators, health and reflection.
 *
 * 1. Everything goes through ReplicaFace; this room knows neither storage nor peers.
 * 2. Everything that a caller can make it hold is bounded: connections, streams a connection, message length, memory a
 *    session, remembered request ids.
 * 3. Plaintext is served on loopback alone, unless the operator says otherwise.
 */
import type { Socket } from 'node:net';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { Logger } from '../ports/logger.js';
import type { Metrics } from '../ports/metrics.js';
import type { TimerService } from '../ports/timer-service.js';
import type { ReplicaFace } from '../runtime/face.js';
import type { Standing } from '../util/connection-places.js';
import type { Hash } from '../util/digest.js';
import { serveAdminService } from './admin-service.js';
import { AnswerBudget } from './answer-budget.js';
import { AnswerFlow, type AnswerFlowLimits } from './answer-flow.js';
import type { CallTimes } from './call-limits.js';
import { CallLimit } from './call-limits.js';
import { createCallWatch } from './call-watch.js';
import { serveClientService } from './client-service.js';
import { type HealthServiceHandle, serveHealthService } from './health-service.js';
import { serveKeyValueService } from './key-value-service.js';
import { isLoopback, Listener } from './listener.js';
import { serveReflection } from './reflection-service.js';
import type { RequestMemoryLimits } from './request-memory.js';
import { createSubmitter } from './submitter.js';
import { type CallServices, countCall } from './unary-method.js';

/** How the port is secured. */
export type ClientPortSecurity =
  /** Without `allowRemote` it listens on loopback addresses alone. */
  | { readonly kind: 'plaintext'; readonly allowRemote: boolean }
  /** Both in PEM. */
  | { readonly kind: 'tls'; readonly certificateChain: Uint8Array; readonly privateKey: Uint8Array };

/** What a caller may use; every number has a default. */
export interface ClientPortLimits {
  /** The longest operation; a message may be 64 KiB longer. 1 MiB + 64 KiB by default. */
  readonly operationBytesMax: number;
  /** 1,024 by default. */
  readonly connectionsMax: number;
  /** From one address; 512 by default. */
  readonly connectionsOfAddressMax: number;
  /** Of all, those that only the operator takes; 16 by default. */
  readonly connectionsReserved: number;
  /** IP addresses of the operator beside loopback; none by default. */
  readonly operatorAddresses: readonly string[];
  /** How long a connection may say nothing after it was made; 5 s by default. */
  readonly silentConnectionMs: number;
  /** Operations and reads that are served at one time, of all connections; 10,000 by default. */
  readonly callsMax: number;
  /** Calls in flight of one connection; 256 by default. */
  readonly streamsOfConnectionMax: number;
  /** What the HTTP/2 session of one connection may hold, in MiB; 64 by default. */
  readonly sessionMemoryMib: number;
  /** Memory for all reads and answers under way; 64 MiB by default. */
  readonly answerBytesMax: number;
  /** How long calls may take: 10 s for callers without a deadline and 60 s at the most by default. */
  readonly times: CallTimes;
  /** Remembered request ids: 10,000, 16 MiB, 5 minutes by default. */
  readonly memory: RequestMemoryLimits;
  /** Answers of one connection that it doesn't read: 32 MiB and 60 s by default. */
  readonly unread: AnswerFlowLimits;
  /** How long calls in flight may go on when the port is stopped; 1 s by default. */
  readonly stopGraceMs: number;
}

/** What a client port is made of. */
export interface ClientServerOptions {
  readonly face: ReplicaFace;
  readonly timers: TimerService;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly hash: Hash;
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly security: ClientPortSecurity;
  /** The state machine's name: KeyValueService is served for `key-value` alone. */
  readonly application: string;
  /** The software's version. */
  readonly version: string;
  readonly limits?: Partial<ClientPortLimits>;
}

/** A replica's client port. */
export interface ClientServer {
  /** Begins to listen; `done` says that it does, or why it can't. */
  start(done: (error: Error | undefined) => void): void;
  /** Accepts no more calls, lets those in flight end for a moment, and closes every connection. */
  stop(done: () => void): void;
  /** `host:port` as bound; empty before. */
  readonly address: string;
}

const DEFAULT_LIMITS: ClientPortLimits = {
  operationBytesMax: 1_048_576 + 65_536,
  connectionsMax: 1_024,
  connectionsOfAddressMax: 512,
  connectionsReserved: 16,
  operatorAddresses: [],
  silentConnectionMs: 5_000,
  callsMax: 10_000,
  streamsOfConnectionMax: 256,
  sessionMemoryMib: 64,
  answerBytesMax: 64 * 1_048_576,
  times: { defaultMs: 10_000, maxMs: 60_000 },
  memory: { idsMax: 10_000, bytesMax: 16 * 1_048_576, keepMs: 300_000 },
  unread: { unreadBytesMax: 32 * 1_048_576, unreadMsMax: 60_000 },
  stopGraceMs: 1_000,
};

/** What a message may have beside its operation. */
const MESSAGE_SLACK_BYTES = 65_536;
const IDLE_CONNECTION_MS = 300_000;
const KEEPALIVE_TIME_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

const HEALTH = 'grpc.health.v1.Health';

/** Makes a client port; it does not listen yet. */
export function createClientServer(options: ClientServerOptions): ClientServer {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  let listener: Listener | undefined;
  const server = createServer(limits, options.metrics, (peer, standing) => listener?.setStanding(peer, standing));
  const answers = new AnswerFlow(limits.unread, options.timers, (peer) => {
    options.metrics.increment('pbft_throttled_total', { reason: 'answers_unread' });
    listener?.closeConnection(peer);
  });
  const health = serveAll(server, options, limits, answers);
  // What is given to it has TLS already, where the port has it.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    start(done) {
      if (options.security.kind === 'plaintext' && !options.security.allowRemote && !isLoopback(options.host)) {
        const message = `the client port has no TLS, so it listens on loopback alone, not on ${options.host}`;
        options.timers.defer(() => done(new Error(message)));
        return;
      }
      try {
        listener = createListener(options, limits, (socket) => injector.injectConnection(socket));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        options.timers.defer(() => done(new Error(`the client port's certificate or key can't be used: ${reason}`)));
        return;
      }
      listener.listen(done);
    },
    stop(done) {
      health.stop();
      answers.stop();
      const end = (): void => {
        server.forceShutdown();
        done();
      };
      if (listener === undefined) {
        end();
        return;
      }
      const grace = options.timers.startTimer(limits.stopGraceMs, () => listener?.destroyConnections());
      listener.close(() => {
        grace.cancel();
        end();
      });
      injector.drain(limits.stopGraceMs);
    },
    get address() {
      return listener?.address ?? '';
    },
  };
}

function createListener(
  { host, port, security, metrics, logger, timers }: ClientServerOptions,
  limits: ClientPortLimits,
  onConnection: (socket: Socket) => void,
): Listener {
  return new Listener({
    host,
    port,
    places: {
      placesMax: limits.connectionsMax,
      placesOfAddressMax: limits.connectionsOfAddressMax,
      reservedForOperator: limits.connectionsReserved,
    },
    silentMs: limits.silentConnectionMs,
    tls:
      security.kind === 'plaintext'
        ? undefined
        : { cert: Buffer.from(security.certificateChain), key: Buffer.from(security.privateKey) },
    operatorAddresses: limits.operatorAddresses,
    metrics,
    logger,
    timers,
    onConnection,
  });
}

function createServer(
  limits: ClientPortLimits,
  metrics: Metrics,
  onStanding: (peer: string, standing: Standing) => void,
): Server {
  const messageBytesMax = limits.operationBytesMax + MESSAGE_SLACK_BYTES;
  const onOversized = (path: string): void => countCall(path, status.INVALID_ARGUMENT, { metrics });
  return new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_concurrent_streams': limits.streamsOfConnectionMax,
    'grpc-node.max_session_memory': limits.sessionMemoryMib,
    'grpc.max_connection_idle_ms': IDLE_CONNECTION_MS,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    interceptors: [createCallWatch({ messageBytesMax, onStanding, onOversized })],
  });
}

function serveAll(
  server: Server,
  options: ClientServerOptions,
  limits: ClientPortLimits,
  answers: AnswerFlow,
): HealthServiceHandle {
  const { face, timers, metrics, logger, hash, version } = options;
  const budget = new AnswerBudget(limits.answerBytesMax);
  const services: CallServices = { timers, metrics, logger, times: limits.times, answers, budget, limit: undefined };
  const limited: CallServices = { ...services, limit: new CallLimit(limits.callsMax) };
  const submitter = createSubmitter({ face, timers, hash, times: limits.times, memory: limits.memory });
  const serviceNames = ['pbft.v1.ClientService', 'pbft.v1.AdminService'];
  serveClientService(server, limited, submitter, face);
  serveAdminService(server, services, { face, version });
  if (options.application === 'key-value') {
    serveKeyValueService(server, limited, submitter);
    serviceNames.unshift('pbft.v1.KeyValueService');
  }
  serveReflection(server, [...serviceNames, HEALTH]);
  return serveHealthService(server, services, { face, serviceNames });
}
