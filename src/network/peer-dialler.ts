/**
 * Dials one peer with a lower id, again and again, with a delay that grows while it fails. Each attempt has a channel of
 * its own, so that nothing of a broken one is left: grpc-js's own reconnecting would be a second delay on top.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, Client, Metadata } from '@grpc/grpc-js';
import type { TimerHandle } from '../ports/timer-service.js';
import type { ReplicaId } from '../protocol/identifiers.js';
import { defined } from '../util/assert.js';
import type { Digest } from '../util/digest.js';
import { Backoff } from './backoff.js';
import { FrameStream, type LinkStream } from './frame-stream.js';
import { LinkCredentials } from './link-credentials.js';
import { foreignText, type LinkEnd } from './link-end.js';
import { DiallerHandshake } from './link-handshake.js';
import { asBuffer, asFrame, CONNECT_PATH } from './peer-service.js';
import { gateOutgoing, ReadGate } from './read-gate.js';
import { destroyLater } from './socket-end.js';
import { identifyReplica } from './tls-identity.js';
import {
  commonChannelOptions,
  type GrpcTransportOptions,
  HANDSHAKE_DEADLINE_MS,
  type PeerAddress,
  RECONNECT_DELAY_MAX_MS,
  RECONNECT_DELAY_MIN_MS,
  STABLE_LINK_MS,
} from './transport-options.js';

/** HTTP/2's own 64 KiB would make a large message wait for several turns of both event loops. */
const FLOW_CONTROL_WINDOW_BYTES = 1024 * 1024;

/** What a dialler is made with. */
export interface PeerDiallerOptions {
  readonly transport: GrpcTransportOptions;
  readonly peer: ReplicaId;
  readonly base: ChannelCredentials;
  readonly ownCertificateDigest: Digest;
  /** The handshake is done. */
  readonly onStream: (stream: LinkStream, address: string) => void;
  /** An attempt failed. */
  readonly onFailed: (end: LinkEnd) => void;
}

/** An address as grpc-js takes it. */
export function targetOf({ host, port }: PeerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** grpc-js's settings of a connection to one peer. */
export function dialOptions(peer: ReplicaId, messageBytesMax: number): ChannelOptions {
  return {
    ...commonChannelOptions(messageBytesMax),
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config_disable_resolution': 1,
    // Retries would keep the first MiB of what was written and call it flushed.
    'grpc.enable_retries': 0,
    'grpc.per_rpc_retry_buffer_size': 0,
    'grpc.retry_buffer_size': 0,
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    // A name for TLS's SNI, which must not be an IP address; nothing is compared with it.
    'grpc.ssl_target_name_override': `replica-${peer}`,
  };
}

/** One attempt: a channel, a stream, and its handshake. */
class Attempt {
  readonly stream: LinkStream;
  private readonly options: PeerDiallerOptions;
  private readonly client: Client;
  private readonly deadline: TimerHandle;
  private readonly sockets: Socket[] = [];
  private readonly address: PeerAddress;
  private peerCertificateDigest: Digest | undefined;
  private hasSucceeded = false;

  constructor(options: PeerDiallerOptions, address: PeerAddress) {
    this.options = options;
    this.address = address;
    const { transport, peer } = options;
    const credentials = new LinkCredentials({
      base: options.base,
      onSocket: (socket) => this.keep(socket),
      onSecured: (socket) => this.onSecured(socket, address),
      onRefused: (error) => this.onRefused(error, address),
    });
    this.client = new Client(targetOf(address), credentials, dialOptions(peer, transport.limits.messageBytesMax));
    const gate = new ReadGate();
    const call = this.client.makeBidiStreamRequest(CONNECT_PATH, asBuffer, asFrame, new Metadata(), {
      interceptors: [gateOutgoing(gate)],
    });
    const release = (): void => {
      this.deadline.cancel();
      call.cancel();
      this.client.close();
      destroyLater(this.sockets, transport.timers);
    };
    this.stream = new FrameStream({ call, gate, release });
    this.deadline = transport.timers.startTimer(HANDSHAKE_DEADLINE_MS, () => {
      this.stream.end({ reason: 'timeout', text: `no handshake within ${HANDSHAKE_DEADLINE_MS} ms` });
    });
    this.beginHandshake();
  }

  private beginHandshake(): void {
    const { transport, peer, ownCertificateDigest } = this.options;
    new DiallerHandshake(this.stream, {
      ends: { own: transport.own, peer },
      terms: transport,
      signer: transport.signer,
      verifier: transport.verifier,
      ownCertificateDigest,
      peerCertificateDigest: () =>
        defined(this.peerCertificateDigest, 'nothing is read before TLS has proven the peer'),
      onDone: () => this.onDone(),
      onFailed: (end) => this.onFailed(end),
    });
  }

  private onDone(): void {
    this.hasSucceeded = true;
    this.deadline.cancel();
    this.options.onStream(this.stream, targetOf(this.address));
  }

  private onFailed(end: LinkEnd): void {
    const isUnreachable = end.reason === 'closed' && this.peerCertificateDigest === undefined;
    this.options.onFailed(isUnreachable ? { reason: 'unreachable', text: end.text } : end);
  }

  private keep(socket: Socket): void {
    if (this.stream.hasEnded) {
      destroyLater([socket], this.options.transport.timers);
      return;
    }
    this.sockets.push(socket);
    socket.once('close', () => {
      // A stream whose reading is stopped isn't told that its connection is gone. Before that, grpc-js knows why.
      if (this.hasSucceeded) {
        this.stream.end({ reason: 'closed', text: 'the connection was closed' });
      }
    });
  }

  /** Not the same as nobody being there: the operator has mixed up clusters, or somebody answers in the peer's place. */
  private onRefused(error: Error, address: PeerAddress): void {
    const place = `${targetOf(address)}, configured as replica ${this.options.peer},`;
    const text = `${place} has no certificate of this cluster's authority: ${foreignText(error.message)}`;
    this.stream.end({ reason: 'identity', text });
  }

  private onSecured(socket: TLSSocket, address: PeerAddress): void {
    this.keep(socket);
    const { transport, peer } = this.options;
    const certificate = socket.getPeerX509Certificate();
    const identity = certificate === undefined ? undefined : identifyReplica(certificate, transport);
    const place = `${targetOf(address)}, configured as replica ${peer},`;
    if (identity?.ok !== true) {
      const text = `${place} is not: ${identity?.error.text ?? 'it has no certificate'}`;
      if (identity?.error.otherClusterOf === peer) {
        this.awaitRefusal({ reason: 'mismatch', text });
        return;
      }
      this.stream.end({ reason: 'identity', text });
      throw new Error(text);
    }
    if (identity.value.replica !== peer) {
      const text = `${place} is replica ${identity.value.replica}: check the addresses of both`;
      this.stream.end({ reason: 'identity', text });
      throw new Error(text);
    }
    this.peerCertificateDigest = identity.value.certificateDigest;
  }

  /**
   * The peer has another genesis. To hang up now would tell its operator nothing: it is let see this end's certificate,
   * and refuses the stream for the same reason. Nothing that it says is listened to.
   */
  private awaitRefusal(mismatch: LinkEnd): void {
    this.stream.setReceiver({
      onFrame: () => this.stream.end(mismatch),
      onDrain: () => undefined,
      onEnd: () => this.options.onFailed(mismatch),
    });
  }
}

/** Keeps a link to one peer. */
export class PeerDialler {
  private readonly options: PeerDiallerOptions;
  private readonly backoff: Backoff;
  private attempt: Attempt | undefined;
  private timer: TimerHandle | undefined;
  private isStopped = false;

  constructor(options: PeerDiallerOptions) {
    this.options = options;
    this.backoff = new Backoff({
      delayMinMs: RECONNECT_DELAY_MIN_MS,
      delayMaxMs: RECONNECT_DELAY_MAX_MS,
      stableMs: STABLE_LINK_MS,
      random: () => options.transport.timers.random(),
    });
  }

  /** Dials now. */
  start(): void {
    const { peer, transport } = this.options;
    const address = transport.peers.get(peer);
    if (address === undefined) {
      this.onFailed({ reason: 'unreachable', text: `no address of replica ${peer} is configured` });
      return;
    }
    const { onStream } = this.options;
    const attempt = { ...this.options, onStream, onFailed: (end: LinkEnd) => this.onFailed(end) };
    try {
      this.attempt = new Attempt(attempt, address);
    } catch (error) {
      const text = error instanceof Error ? error.message : 'unknown error';
      this.onFailed({ reason: 'unreachable', text: `${targetOf(address)}: ${text}` });
    }
  }

  /** The link went down after it held for so long: dials again after a delay. */
  redial(heldMs: number): void {
    if (!this.isStopped) {
      this.timer = this.options.transport.timers.startTimer(this.backoff.nextDelayMs(heldMs), () => this.start());
    }
  }

  /** Gives up for good. */
  stop(): void {
    this.isStopped = true;
    this.timer?.cancel();
    this.attempt?.stream.end({ reason: 'stopped', text: 'this replica stops' });
  }

  private onFailed(end: LinkEnd): void {
    if (!this.isStopped) {
      this.options.onFailed(end);
      this.redial(0);
    }
  }
}
