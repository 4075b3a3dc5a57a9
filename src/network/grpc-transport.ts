/**
 * The links of a replica over gRPC: PeerService.Connect on mutually authenticated TLS, one bidirectional stream a pair,
 * which the replica with the higher id dials [protocol.md 2].
 *
 * 1. No message is delivered before TLS certificate, pin, and signed Hello have named the same replica.
 * 2. What is held for a peer, or for someone who isn't one, is bounded in bytes, number and time.
 * 3. Nothing that comes in throws.
 *
 * It keeps links up; what is lost with a broken one is the protocol's to send again.
 */
import { X509Certificate } from 'node:crypto';
import type { Transport, TransportHandlers } from '../ports/transport.js';
import { type ReplicaId, replicaId } from '../protocol/identifiers.js';
import { assert } from '../util/assert.js';
import type { OwnLinkAnswer } from '../wire/own-link.js';
import type { LinkStream } from './frame-stream.js';
import { createBaseCredentials } from './link-credentials.js';
import type { LinkEnd } from './link-end.js';
import { ListenerHandshake } from './link-handshake.js';
import { LinkReporter } from './link-reporter.js';
import { PeerDialler } from './peer-dialler.js';
import { type LiveLink, PeerLink } from './peer-link.js';
import { type IncomingStream, type OwnLinkAsker, PeerListener } from './peer-listener.js';
import { identifyReplica, type LinkIdentity } from './tls-identity.js';
import type { GrpcTransportOptions, PeerAddress } from './transport-options.js';

/** A transport that also says where it listens. */
export interface GrpcTransport extends Transport {
  /** The peer port's address; undefined while it doesn't listen. */
  address(): PeerAddress | undefined;
}

/** The links of replica `options.own`. Nothing happens before `start`. */
export function createGrpcTransport(options: GrpcTransportOptions): GrpcTransport {
  assert(options.own < options.tlsPins.length, 'the own replica is one of the genesis');
  return new PeerTransport(options);
}

/** What runs between start and stop. */
interface Running {
  readonly listener: PeerListener;
  readonly links: ReadonlyMap<ReplicaId, PeerLink>;
  readonly diallers: ReadonlyMap<ReplicaId, PeerDialler>;
}

class PeerTransport implements GrpcTransport {
  private readonly options: GrpcTransportOptions;
  private readonly reporter: LinkReporter;
  private running: Running | undefined;
  private isStopped = false;

  constructor(options: GrpcTransportOptions) {
    this.options = options;
    this.reporter = new LinkReporter(options);
  }

  start(handlers: TransportHandlers, started: (error: Error | undefined) => void): void {
    assert(this.running === undefined && !this.isStopped, 'a transport starts once');
    try {
      const identity = this.ownIdentity();
      const running = this.assemble(handlers, identity);
      this.running = running;
      running.listener.start((error) => {
        if (error === undefined && !this.isStopped) {
          for (const dialler of running.diallers.values()) {
            dialler.start();
          }
        }
        started(error);
      });
    } catch (error) {
      started(error instanceof Error ? error : new Error('the peer port could not be opened'));
    }
  }

  send(peer: ReplicaId, message: Uint8Array, priority: 'vote' | 'bulk'): boolean {
    return this.running?.links.get(peer)?.send(message, priority) ?? false;
  }

  setReading(peer: ReplicaId, reading: boolean): void {
    this.running?.links.get(peer)?.setReading(reading);
  }

  links(): ReturnType<Transport['links']> {
    return [...(this.running?.links.values() ?? [])].map((link) => link.state());
  }

  address(): PeerAddress | undefined {
    return this.running?.listener.address();
  }

  stop(done: () => void): void {
    this.isStopped = true;
    if (this.running === undefined) {
      this.options.timers.defer(done);
      return;
    }
    for (const dialler of this.running.diallers.values()) {
      dialler.stop();
    }
    for (const link of this.running.links.values()) {
      link.end({ reason: 'stopped', text: 'this replica stops' });
    }
    this.running.listener.stop(done);
  }

  /** The own certificate as the peers will judge it (OP-03). */
  private ownIdentity(): LinkIdentity {
    const identity = identifyReplica(new X509Certificate(this.options.tls.certificatePem), this.options);
    if (!identity.ok) {
      throw new Error(`the own TLS certificate is not usable: ${identity.error.text}`);
    }
    const { replica } = identity.value;
    if (replica !== this.options.own) {
      throw new Error(`the own TLS certificate is replica ${replica}'s, this is replica ${this.options.own}`);
    }
    return identity.value;
  }

  private assemble(handlers: TransportHandlers, identity: LinkIdentity): Running {
    const { own, tlsPins, limits, metrics, timers } = this.options;
    const { reporter } = this;
    const links = new Map<ReplicaId, PeerLink>();
    const diallers = new Map<ReplicaId, PeerDialler>();
    const base = createBaseCredentials(this.options.tls);
    for (const peer of tlsPins.keys()) {
      const id = replicaId(peer);
      if (id !== own) {
        const onDown = (heldMs: number): void => diallers.get(id)?.redial(heldMs);
        const link = new PeerLink({ peer: id, limits, metrics, timers, reporter, handlers, onDown });
        links.set(id, link);
        if (id < own) {
          diallers.set(id, this.diallerOf(link, id, { base, identity }));
        }
      }
    }
    const listener = new PeerListener(this.options, reporter, {
      onStream: (incoming) => this.answer(incoming, identity, links),
      onRefused: (peer, end) => links.get(peer)?.noteFailure(end),
      onOwnLinkAsked: (asker, answer) => this.tellOwnLink(asker, links, answer),
    });
    return { listener, links, diallers };
  }

  private diallerOf(
    link: PeerLink,
    peer: ReplicaId,
    own: { readonly base: ReturnType<typeof createBaseCredentials>; readonly identity: LinkIdentity },
  ): PeerDialler {
    return new PeerDialler({
      transport: this.options,
      peer,
      base: own.base,
      ownCertificateDigest: own.identity.certificateDigest,
      onStream: (stream: LinkStream, address: string) => link.attach(stream, address),
      onFailed: (end: LinkEnd) => {
        this.reporter.ended(peer, end);
        link.noteFailure(end);
      },
    });
  }

  /**
   * A stream of a peer that has a link already replaces it where the link's other end is dead, as after a power cut. A
   * live one keeps its place: then two processes run as that peer, and both are told (FU-02).
   */
  private answer(incoming: IncomingStream, own: LinkIdentity, links: ReadonlyMap<ReplicaId, PeerLink>): void {
    const { stream, address } = incoming;
    const peer = incoming.identity.replica;
    const link = links.get(peer);
    assert(link !== undefined, 'a pinned replica has a link');
    // Its greeting waits until the other link is known to be dead.
    stream.setReading(false);
    link.findLive(address, (live) => {
      if (stream.hasEnded) {
        return;
      }
      if (live === undefined) {
        this.shakeHands(incoming, own, link);
        stream.setReading(true);
        return;
      }
      this.reporter.conflict(peer, { live: live.address, rival: address });
      stream.end({ reason: 'conflict', text: conflictText(peer, live) });
    });
  }

  /** Speaks the listener's side of the handshake. */
  private shakeHands(incoming: IncomingStream, own: LinkIdentity, link: PeerLink): void {
    const peer = incoming.identity.replica;
    const { signer, verifier } = this.options;
    new ListenerHandshake(incoming.stream, {
      ends: { own: this.options.own, peer },
      terms: this.options,
      signer,
      verifier,
      ownCertificateDigest: own.certificateDigest,
      peerCertificateDigest: () => incoming.identity.certificateDigest,
      onDone: () => {
        incoming.onProven();
        link.attach(incoming.stream, incoming.address);
      },
      onFailed: (end) => {
        this.reporter.ended(peer, end);
        link.noteFailure(end);
      },
    });
  }

  /** Answers a replica that starts: who is linked under its identity already. */
  private tellOwnLink(
    { replica, address }: OwnLinkAsker,
    links: ReadonlyMap<ReplicaId, PeerLink>,
    answer: (response: OwnLinkAnswer) => void,
  ): void {
    const tell = (live: LiveLink | undefined): void => {
      if (live !== undefined) {
        this.reporter.conflict(replica, { live: live.address, rival: address });
      }
      answer({ isAlive: live !== undefined, address: live?.address ?? '', ageMs: Math.round(live?.ageMs ?? 0) });
    };
    const link = links.get(replica);
    if (link === undefined) {
      // Whoever asks as this very replica is its twin.
      this.reporter.toldOfRival(this.options.own, address);
      answer({ isAlive: true, address: '', ageMs: 0 });
    } else {
      link.findLive(address, tell);
    }
  }
}

function conflictText(peer: ReplicaId, { address, ageMs }: LiveLink): string {
  const seconds = Math.round(ageMs / 1_000);
  return `another process runs as replica ${peer}, connected from ${address} for ${seconds} s: stop one of the two`;
}
