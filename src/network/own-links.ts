/**
 * Whether another process runs as this replica: asked of every peer before this one listens, dials or votes (FU-02).
 * Before that no link of this identity can be this process's own, so whatever lives belongs to another: an accidental
 * twin, or copied data on two machines.
 *
 * One peer alone proves nothing, because it may lie: f + 1 contain a correct one. Peers that don't answer are not waited
 * for beyond a deadline, and no longer than their answers could still matter.
 */
import { Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { ReplicaId } from '../protocol/identifiers.js';
import { decodeOwnLinkAnswer, type OwnLinkAnswer } from '../wire/own-link.js';
import { createBaseCredentials, LinkCredentials } from './link-credentials.js';
import { foreignText } from './link-end.js';
import { dialOptions, targetOf } from './peer-dialler.js';
import { asBuffer, OWN_LINK_PATH, OWN_LINK_QUESTION } from './peer-service.js';
import { identifyReplica } from './tls-identity.js';
import type { GrpcTransportOptions, PeerAddress } from './transport-options.js';

/** A peer that has a live link of this replica's identity. */
export interface OwnLink {
  readonly peer: ReplicaId;
  /** Where the link's other end is, as the peer says. */
  readonly address: string;
  readonly ageMs: number;
}

/** What is asked with. */
export type OwnLinksOptions = Pick<
  GrpcTransportOptions,
  'own' | 'peers' | 'tls' | 'tlsPins' | 'clusterId' | 'hash' | 'timers'
>;

/** Longer than a peer needs to find out that a link is dead. */
export const OWN_LINKS_DEADLINE_MS = 3_000;
const ANSWER_BYTES_MAX = 1_024;

/** Asks all peers; `done` gets what was found, as soon as `proofCount` peers say the same or can't any more. */
export function findOwnLinks(
  options: OwnLinksOptions,
  proofCount: number,
  done: (found: readonly OwnLink[]) => void,
): void {
  const found: OwnLink[] = [];
  const open = new Map<ReplicaId, Client>();
  let isDone = false;
  const settle = (): void => {
    if (isDone || (found.length < proofCount && found.length + open.size >= proofCount)) {
      return;
    }
    isDone = true;
    deadline.cancel();
    for (const client of open.values()) {
      client.close();
    }
    done(found);
  };
  const deadline = options.timers.startTimer(OWN_LINKS_DEADLINE_MS, () => {
    for (const client of open.values()) {
      client.close();
    }
    open.clear();
    settle();
  });
  for (const [peer, address] of options.peers) {
    const client = clientOf(options, peer, address);
    open.set(peer, client);
    ask(client, (answer) => {
      client.close();
      if (open.delete(peer)) {
        if (answer?.isAlive === true) {
          found.push({ peer, address: foreignText(answer.address), ageMs: answer.ageMs });
        }
        settle();
      }
    });
  }
  // Nobody to ask.
  settle();
}

function clientOf(options: OwnLinksOptions, peer: ReplicaId, address: PeerAddress): Client {
  const shown = new LinkCredentials({
    base: createBaseCredentials(options.tls),
    onSocket: () => undefined,
    onSecured: (socket) => {
      const certificate = socket.getPeerX509Certificate();
      const identity = certificate === undefined ? undefined : identifyReplica(certificate, options);
      if (identity?.ok !== true || identity.value.replica !== peer) {
        throw new Error(`${targetOf(address)} is not replica ${peer}`);
      }
    },
    onRefused: () => undefined,
  });
  return new Client(targetOf(address), shown, dialOptions(peer, ANSWER_BYTES_MAX));
}

function ask(client: Client, done: (answer: OwnLinkAnswer | undefined) => void): void {
  client.makeUnaryRequest<Uint8Array, OwnLinkAnswer | undefined>(
    OWN_LINK_PATH,
    asBuffer,
    (bytes) => {
      const answer = decodeOwnLinkAnswer(bytes);
      return answer.ok ? answer.value : undefined;
    },
    OWN_LINK_QUESTION,
    new Metadata(),
    { deadline: Date.now() + OWN_LINKS_DEADLINE_MS },
    (error: ServiceError | null, answer) => done(error === null ? answer : undefined),
  );
}
