/** What a primary can do with the batches that it proposes, beside telling two stories. */
import type { PrePrepare, SignedRequest } from '../protocol/messages.js';
import { utf8 } from '../util/bytes.js';
import { decodeBatch, encodeBatch } from '../wire/batch-codec.js';
import { encodeEnvelope } from '../wire/envelope.js';
import { encodePeerMessage } from '../wire/peer-codec.js';
import { computeRequestDigest, encodeRequestPayload } from '../wire/request-codec.js';
import { readOutgoing } from './own-statement.js';
import { drawIndex, type Strategy, type StrategyContext, signStatement } from './strategy.js';

const KEPT_REQUESTS_MAX = 64;
const NOT_A_SIGNATURE_BYTES = 64;

interface OwnProposal {
  readonly prePrepare: PrePrepare;
  readonly timestampMs: number;
  readonly requests: readonly SignedRequest[];
}

function readProposal(context: StrategyContext, message: Uint8Array): OwnProposal | undefined {
  const outgoing = readOutgoing(context, message);
  if (outgoing?.statement?.type !== 'prePrepare' || outgoing.input.kind !== 'proposal') {
    return undefined;
  }
  const decoded = decodeBatch(outgoing.input.batchBytes, context.limits, context.hash);
  return decoded.ok
    ? {
        prePrepare: outgoing.statement,
        timestampMs: decoded.value.batch.timestampMs,
        requests: decoded.value.requests.map(({ request }) => request),
      }
    : undefined;
}

/** Sends half of the peers its pre-prepare with a batch that has another digest. */
export function createSwappingBatches(context: StrategyContext): Strategy {
  return {
    onSend: (peer, message) => {
      const proposal = peer % 2 === 1 ? readProposal(context, message) : undefined;
      if (proposal === undefined) {
        context.send(peer, message);
        return;
      }
      const batchBytes = encodeBatch(proposal.timestampMs + 1, proposal.requests);
      signStatement(context, proposal.prePrepare, (prePrepare) => {
        context.send(peer, encodePeerMessage({ kind: 'proposal', prePrepare, batchBytes }));
      });
    },
  };
}

/** Puts requests into its batches that their clients never signed. */
export function createFabricating(context: StrategyContext): Strategy {
  return createChangingBatches(context, (requests) => {
    const victim = requests[drawIndex(context, Math.max(1, requests.length))];
    return victim === undefined ? requests : [...requests, fabricate(context, victim)];
  });
}

/** Puts requests into its batches that it proposed before. */
export function createRepeating(context: StrategyContext): Strategy {
  const kept: SignedRequest[] = [];
  return createChangingBatches(context, (requests) => {
    const old = kept[drawIndex(context, Math.max(1, kept.length))];
    kept.push(...requests);
    kept.splice(0, Math.max(0, kept.length - KEPT_REQUESTS_MAX));
    const isThere = requests.some(({ clientId, number }) => clientId === old?.clientId && number === old.number);
    return old === undefined || isThere ? requests : [...requests, old];
  });
}

/** Proposes other requests than its own core does, the same to all peers. */
function createChangingBatches(
  context: StrategyContext,
  change: (requests: readonly SignedRequest[]) => readonly SignedRequest[],
): Strategy {
  let last: { readonly sequence: number; readonly batchBytes: Uint8Array } | undefined;
  return {
    onSend: (peer, message) => {
      const proposal = readProposal(context, message);
      if (proposal === undefined) {
        context.send(peer, message);
        return;
      }
      const { prePrepare, timestampMs, requests } = proposal;
      if (last?.sequence !== prePrepare.sequence) {
        last = { sequence: prePrepare.sequence, batchBytes: encodeBatch(timestampMs, change(requests)) };
      }
      const { batchBytes } = last;
      const batchDigest = context.hash(batchBytes);
      signStatement(context, { ...prePrepare, batchDigest }, (signed) => {
        context.send(peer, encodePeerMessage({ kind: 'proposal', prePrepare: signed, batchBytes }));
      });
    },
  };
}

function fabricate({ hash }: StrategyContext, { clientId, number, acknowledged }: SignedRequest): SignedRequest {
  const operations = [utf8('fabricated')];
  const forgedNumber = number + 1;
  const payload = encodeRequestPayload({ clientId, number: forgedNumber, acknowledged, operations });
  const signature = new Uint8Array(NOT_A_SIGNATURE_BYTES).fill(7);
  const bytes = encodeEnvelope({ type: 'request', sender: { kind: 'client', clientId }, payload, signature });
  const digest = computeRequestDigest(clientId, payload, hash);
  return { clientId, number: forgedNumber, acknowledged, digest, operations, bytes };
}
