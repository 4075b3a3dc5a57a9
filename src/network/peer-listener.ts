/**
 * The peer port. TLS with a required client certificate of the cluster's authority stands in front of the gRPC server,
 * in this process's own hands: so connections can be counted, timed and ended at every stage, which grpc-js's own
 * listener doesn't allow.
 *
 * 1. A stream is refused before anything is read from it, unless the certificate is that of a replica with a higher id.
 * 2. One stream a connection; connections that prove nothing are bounded in number and time.
 * 3. A signature is made or checked for the TLS-proven only, and not too often for any of them.
 */
import type { Socket } from 'node:net';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerInterceptingCallInterface,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { ConnectionClosing } from '../ports/metrics.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import { describeListenError } from '../util/listen-error.js';
import { TokenBucket } from '../util/token-bucket.js';
import type { OwnLinkAnswer } from '../wire/own-link.js';
import { FrameStream, type LinkStream } from './frame-stream.js';
import { IncomingConnection } from './incoming-connection.js';
import { type EndReason, foreignText, type LinkEnd, STATUS_OF_END } from './link-end.js';
import type { LinkReporter } from './link-reporter.js';
import { PEER_SERVICE } from './peer-service.js';
import { PendingConnections } from './pending-connections.js';
import { gateIncoming, ReadGate } from './read-gate.js';
import { identifyReplica, type LinkIdentity } from './tls-identity.js';
import {
  commonChannelOptions,
  type GrpcTransportOptions,
  HANDSHAKE_BURST,
  HANDSHAKE_DEADLINE_MS,
  HANDSHAKES_PER_SECOND,
  PENDING_CONNECTIONS_MAX,
  type PeerAddress,
} from './transport-options.js';

/** What it is called where the connections of all ports are counted. */
const UNUSED: Partial<Record<EndReason, ConnectionClosing>> = { throttled: 'displaced', timeout: 'silent' };

type Call = ServerDuplexStream<Uint8Array, Uint8Array>;
type OwnLinkCall = ServerUnaryCall<unknown, OwnLinkAnswer>;

/** A stream of a replica that TLS has proven; the handshake is still to come. */
export interface IncomingStream {
  readonly identity: LinkIdentity;
  readonly stream: LinkStream;
  /** Where it comes from, `address:port`. */
  readonly address: string;
  /** The handshake is done: the connection's deadline is off. */
  readonly onProven: () => void;
}

/** Who is told of streams. */
export interface ListenerEvents {
  onStream(incoming: IncomingStream): void;
  /** A stream of this replica was refused before the handshake. */
  onRefused(peer: ReplicaId, end: LinkEnd): void;
  /** This replica asks whether another process has a link under its identity. */
  onOwnLinkAsked(asker: OwnLinkAsker, answer: (response: OwnLinkAnswer) => void): void;
}

/** Who asks, as TLS proved it, and from where. */
export interface OwnLinkAsker {
  readonly replica: ReplicaId;
  readonly address: string;
}

/** Listens for the replicas with higher ids. */
export class PeerListener {
  private readonly options: GrpcTransportOptions;
  private readonly reporter: LinkReporter;
  private readonly events: ListenerEvents;
  private readonly connections: PendingConnections<IncomingConnection>;
  private readonly handshakeLimits = new Map<ReplicaId, TokenBucket>();
  private readonly grpc: Server;
  private readonly injector: ConnectionInjector;
  private server: TlsServer | undefined;

  constructor(options: GrpcTransportOptions, reporter: LinkReporter, events: ListenerEvents) {
    this.options = options;
    this.reporter = reporter;
    this.events = events;
    const countMax = options.pendingConnectionsMax ?? PENDING_CONNECTIONS_MAX;
    const limits = { countMax, deadlineMs: HANDSHAKE_DEADLINE_MS };
    this.connections = new PendingConnections(limits, options.timers);
    this.grpc = new Server({
      ...commonChannelOptions(options.limits.messageBytesMax),
      'grpc.max_concurrent_streams': 8,
      interceptors: [(_method, call) => this.intercept(call)],
    });
    this.grpc.addService(PEER_SERVICE, {
      connect: (call: Call) => this.onCall(call),
      getOwnLink: (call: OwnLinkCall, done: sendUnaryData<OwnLinkAnswer>) => this.onOwnLinkAsked(call, done),
    });
    // The sockets given to it have TLS already.
    this.injector = this.grpc.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** Begins to listen; throws where the key or a certificate is unusable. */
  start(started: (error: Error | undefined) => void): void {
    const { tls, listen } = this.options;
    const server = createServer({
      key: tls.keyPem,
      cert: tls.certificatePem,
      ca: tls.authorityPem,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
    });
    this.server = server;
    const onError = (error: Error): void =>
      started(describeListenError({ purpose: 'peers', ...listen, setting: 'listen.peer' }, error));
    server.once('error', onError);
    server.on('connection', (socket: Socket) => this.onConnection(socket));
    server.on('secureConnection', (socket: TLSSocket) => this.onSecured(socket));
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      // Whoever hangs up has claimed nothing: a health check, or grpc-js, which tries once more after it was closed.
      const reason = error.code === 'ECONNRESET' ? 'closed' : 'identity';
      this.reporter.ended(undefined, { reason, text: `no TLS: ${foreignText(error.message)}` });
      socket.destroy();
    });
    server.listen(listen.port, listen.host, () => {
      server.off('error', onError);
      server.on('error', (error) => this.onAcceptFailure(error));
      started(undefined);
    });
  }

  /** Where it listens, once it does. */
  address(): PeerAddress | undefined {
    const address = this.server?.address();
    return typeof address === 'object' && address !== null ? { host: address.address, port: address.port } : undefined;
  }

  /** Ends every connection and stops listening. */
  stop(done: () => void): void {
    for (const connection of this.connections.all()) {
      connection.close({ reason: 'stopped', text: 'this replica stops' });
      connection.destroy();
    }
    this.grpc.forceShutdown();
    if (this.server?.listening === true) {
      this.server.close(() => done());
    } else {
      done();
    }
  }

  private onConnection(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    socket.on('error', () => socket.destroy());
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const onUnused = (end: LinkEnd): void => this.onUnused(end);
    const key = `${remoteAddress}:${remotePort}`;
    const { timers } = this.options;
    const connection = new IncomingConnection({ key, address: remoteAddress, socket, timers, onUnused });
    socket.once('close', () => {
      this.connections.remove(connection);
      this.countPending();
      connection.stream?.end({ reason: 'closed', text: 'the connection was closed' });
    });
    this.connections.add(connection);
    this.countPending();
  }

  private countPending(): void {
    this.options.metrics.set('pbft_connections', { port: 'peer' }, this.connections.pendingCount);
  }

  /** A connection went before it was of any use. */
  private onUnused(end: LinkEnd): void {
    const reason = UNUSED[end.reason];
    if (reason !== undefined) {
      this.options.metrics.increment('pbft_connections_closed_total', { port: 'peer', reason });
    }
    this.reporter.ended(undefined, end);
  }

  private onAcceptFailure(error: Error): void {
    this.options.metrics.increment('pbft_connections_closed_total', { port: 'peer', reason: 'accept_failed' });
    this.reporter.acceptFailed(error);
  }

  private onSecured(socket: TLSSocket): void {
    socket.on('error', () => socket.destroy());
    const connection = this.connections.get(`${socket.remoteAddress}:${socket.remotePort}`);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    connection.tls = socket;
    this.connections.secure(connection);
    if (socket.alpnProtocol !== 'h2') {
      connection.close({ reason: 'handshake', text: 'a connection without HTTP/2' });
      return;
    }
    this.injector.injectConnection(socket);
  }

  /** Gates what is read, and learns why grpc-js ends a stream by itself, which its handler isn't told. */
  private intercept(call: ServerInterceptingCallInterface): ReturnType<typeof gateIncoming> {
    const connection = this.connections.get(call.getPeer());
    if (connection === undefined || connection.stream !== undefined) {
      return gateIncoming(call, new ReadGate());
    }
    const sendStatus = call.sendStatus.bind(call);
    call.sendStatus = (ending) => {
      sendStatus(ending);
      const reason = ending.code === status.RESOURCE_EXHAUSTED ? 'oversized' : 'malformed';
      connection.stream?.end({ reason, text: foreignText(ending.details) });
    };
    return gateIncoming(call, connection.gate);
  }

  private onCall(call: Call): void {
    const connection = this.connections.get(call.getPeer());
    const certificate = connection?.tls?.getPeerX509Certificate();
    if (connection === undefined || certificate === undefined || connection.stream !== undefined) {
      this.refuse(call, { reason: 'throttled', text: 'one stream a connection' });
      return;
    }
    const stream = this.streamOf(call, connection);
    connection.stream = stream;
    const identity = identifyReplica(certificate, this.options);
    if (!identity.ok) {
      const { otherClusterOf, text } = identity.error;
      const reason = otherClusterOf === undefined ? 'identity' : 'mismatch';
      this.refuseStream(stream, otherClusterOf, { reason, text });
      return;
    }
    const { replica } = identity.value;
    if (replica <= this.options.own) {
      const text = `replica ${replica} must not dial replica ${this.options.own}: the higher id dials`;
      this.refuseStream(stream, replica, { reason: 'identity', text });
    } else if (!this.mayShakeHands(replica)) {
      this.refuseStream(stream, replica, { reason: 'throttled', text: `too many streams of replica ${replica}` });
    } else {
      const onProven = (): void => {
        this.connections.prove(connection.key);
        this.countPending();
      };
      this.events.onStream({ identity: identity.value, stream, address: connection.key, onProven });
    }
  }

  private onOwnLinkAsked(call: OwnLinkCall, done: sendUnaryData<OwnLinkAnswer>): void {
    const certificate = this.connections.get(call.getPeer())?.tls?.getPeerX509Certificate();
    const identity = certificate === undefined ? undefined : identifyReplica(certificate, this.options);
    if (identity?.ok !== true) {
      done({ code: status.PERMISSION_DENIED, details: identity?.error.text ?? 'no certificate' });
    } else if (!this.mayShakeHands(identity.value.replica)) {
      done({ code: status.RESOURCE_EXHAUSTED, details: 'asked too often' });
    } else {
      const asker = { replica: identity.value.replica, address: call.getPeer() };
      this.events.onOwnLinkAsked(asker, (response) => done(null, response));
    }
  }

  private refuseStream(stream: LinkStream, peer: ReplicaId | undefined, end: LinkEnd): void {
    this.reporter.ended(peer, end);
    if (peer !== undefined) {
      this.events.onRefused(peer, end);
    }
    stream.end(end);
  }

  private refuse(call: Call, end: LinkEnd): void {
    this.reporter.ended(undefined, end);
    call.on('error', () => undefined);
    call.emit('error', { code: STATUS_OF_END[end.reason], details: end.text });
  }

  private streamOf(call: Call, connection: IncomingConnection): LinkStream {
    const release = (end: LinkEnd): void => {
      if (end.reason === 'closed') {
        connection.destroy();
        return;
      }
      if (!call.cancelled) {
        call.emit('error', { code: STATUS_OF_END[end.reason], details: end.text });
      }
      connection.destroySoon();
    };
    return new FrameStream({ call, gate: connection.gate, release });
  }

  private mayShakeHands(replica: ReplicaId): boolean {
    const nowMs = this.options.timers.elapsedMs();
    let limit = this.handshakeLimits.get(replica);
    if (limit === undefined) {
      limit = new TokenBucket({ max: HANDSHAKE_BURST, perSecond: HANDSHAKES_PER_SECOND }, nowMs);
      this.handshakeLimits.set(replica, limit);
    }
    return limit.take(nowMs);
  }
}
