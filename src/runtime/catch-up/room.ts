/** Catching up: what this replica lacks is fetched from peers, and what they lack is served to them. */
import type { Core } from '../../protocol/core.js';
import type { Event } from '../../protocol/events.js';
import { encodePeerMessage } from '../../wire/peer-codec.js';
import type { ExecutionRoom } from '../execution/room.js';
import type { IngressRoom } from '../ingress/room.js';
import type { RoomOptions } from '../replica-runtime-options.js';
import type { Instrumentation } from '../report/instrumentation.js';
import { FetchServer } from './fetch-server.js';
import { Fetcher } from './fetcher.js';

/** What catching up shows to the other rooms. */
export interface CatchUpRoom {
  readonly fetcher: Fetcher;
  readonly fetchServer: FetchServer;
}

/** Whom it asks and tells. */
export interface CatchUpNeighbours {
  /** loop/loop.ts: takes what was fetched. */
  readonly loop: { onFetched(event: Event): void };
  readonly report: Pick<Instrumentation, 'onRejected'>;
  readonly core: Pick<Core, 'findViewChange'>;
  readonly execution: Pick<ExecutionRoom, 'bodies' | 'executor'>;
  readonly ingress: Pick<IngressRoom, 'messages'>;
}

/** Makes it. */
export function createCatchUp(options: RoomOptions, neighbours: CatchUpNeighbours): CatchUpRoom {
  return { fetcher: createFetcher(options, neighbours), fetchServer: createFetchServer(options, neighbours) };
}

function createFetcher(options: RoomOptions, { loop, report, execution, ingress }: CatchUpNeighbours): Fetcher {
  const { identity, transport } = options;
  const { bodies } = execution;
  return new Fetcher({
    ...options,
    quorum: identity.sizes.quorum,
    connectedPeers: () =>
      transport
        .links()
        .filter(({ connected }) => connected)
        .map(({ peer }) => peer),
    send: (peer, id, what) => transport.send(peer, encodePeerMessage({ kind: 'fetch', id, what }), 'vote'),
    verifyCheckpoints: (peer, envelopes) => ingress.messages.verifyCheckpoints(peer, envelopes),
    verifyViewChange: (envelope) => ingress.messages.verifyViewChange(envelope),
    loadBatch: (sequence, digest, done) => bodies.load(sequence, digest, done),
    keepBatch: (batch, requests) => bodies.put(batch, requests),
    onUnasked: (peer) => report.onRejected('fetchAnswer', 'unasked', peer),
    onEvent: (event) => loop.onFetched(event),
  });
}

function createFetchServer(options: RoomOptions, { report, core, execution }: CatchUpNeighbours): FetchServer {
  const { transport, onFatal } = options;
  return new FetchServer({
    ...options,
    checkpointInterval: options.consensus.checkpointInterval,
    lastExecuted: () => execution.executor.executed.lastExecuted,
    findViewChange: (digest) => core.findViewChange(digest),
    roomBytes: (peer) => transport.links().find((link) => link.peer === peer)?.roomBytes ?? 0,
    send: (peer, message) => transport.send(peer, message, 'bulk'),
    onRefused: (peer, reason) => report.onRejected('fetch', reason, peer),
    onStoreFailed: (message) => onFatal(`reading for a peer failed: ${message}`),
  });
}
