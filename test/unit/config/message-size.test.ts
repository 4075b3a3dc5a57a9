/** The bounds on message lengths against the real encodings of the longest messages (GR-01). */
import assert from 'node:assert/strict';
import { computeMessageSizes, type MessageSizeInput } from '../../../src/config/message-size.js';
import { type ReplicaId, replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type {
  Checkpoint,
  Commit,
  NewView,
  PrePrepare,
  ProtocolMessage,
  Signed,
  Status,
  ViewChange,
} from '../../../src/protocol/messages.js';
import { computeQuorumSizes } from '../../../src/protocol/quorum.js';
import type { Digest } from '../../../src/util/digest.js';
import { frameOf } from '../../../src/wire/frame.js';
import { INTEGER_MAX } from '../../../src/wire/limits.js';
import { encodePayload } from '../../../src/wire/message-codec.js';
import { encodePeerMessage } from '../../../src/wire/peer-codec.js';
import type { PeerOutput } from '../../../src/wire/peer-message.js';

const DIGEST = 'f'.repeat(64) as Digest;
const LAST = sequence(INTEGER_MAX);
const VIEW = view(INTEGER_MAX);

function inputOf(replicaCount: number, signatureBytes: number): MessageSizeInput {
  const parameters = {
    checkpointInterval: 8,
    windowSize: 64,
    batchBytesMax: 100_000,
    batchOperationsMax: 1_000,
    requestBytesMax: 50_000,
  };
  return { quorumSizes: { replicaCount }, signatureBytes, parameters };
}

function sizeOf(name: string, input: MessageSizeInput): number {
  const size = computeMessageSizes(input).find((one) => one.name === name);
  assert.ok(size, name);
  return size.sizeBytes;
}

function signedBy<M extends ProtocolMessage>(sender: ReplicaId, message: M, signatureBytes: number): Signed<M> {
  return { message, sender, payload: encodePayload(message), signature: new Uint8Array(signatureBytes).fill(255) };
}

function statusOf({ parameters, quorumSizes }: MessageSizeInput): Status {
  const bitmap = new Uint8Array(parameters.windowSize / 8).fill(255);
  const held = parameters.windowSize / parameters.checkpointInterval + 1;
  const last = replicaId(quorumSizes.replicaCount - 1);
  return {
    type: 'status',
    to: last,
    view: VIEW,
    active: true,
    lowWatermark: LAST,
    lastExecuted: LAST,
    clockMs: INTEGER_MAX,
    missingPrePrepares: bitmap,
    missingPrepares: bitmap,
    missingCommits: bitmap,
    checkpoints: Array.from({ length: quorumSizes.replicaCount * held }, () => ({ replica: last, sequence: LAST })),
    number: INTEGER_MAX,
    recovering: true,
    viewChanges: Array.from({ length: 4 * quorumSizes.replicaCount }, () => ({ replica: last, digest: DIGEST })),
    newViewDigest: DIGEST,
    heard: INTEGER_MAX,
  };
}

/** As long as legal ones can be: every checkpoint, and a certificate with all prepares for each sequence. */
function viewChangesOf({ quorumSizes, signatureBytes, parameters }: MessageSizeInput): [ViewChange, NewView] {
  const { replicaCount } = quorumSizes;
  const last = replicaId(replicaCount - 1);
  const vote = { view: VIEW, sequence: LAST, batchDigest: DIGEST };
  const prePrepare = signedBy(last, { type: 'prePrepare', ...vote }, signatureBytes);
  const prepare = signedBy(last, { type: 'prepare', ...vote }, signatureBytes);
  const checkpoint = signedBy(last, { type: 'checkpoint', sequence: LAST, headerDigest: DIGEST }, signatureBytes);
  const proof = { prePrepare, prepares: new Array(replicaCount - 1).fill(prepare) };
  const viewChange: ViewChange = {
    type: 'viewChange',
    newView: VIEW,
    stableCheckpoint: LAST,
    checkpointCertificate: new Array(replicaCount).fill(checkpoint),
    prepared: new Array(parameters.windowSize).fill(proof),
  };
  const newView: NewView = {
    type: 'newView',
    newView: VIEW,
    viewChanges: new Array(replicaCount).fill({ replica: last, digest: DIGEST }),
    prePrepares: new Array(parameters.windowSize).fill(prePrepare),
  };
  return [viewChange, newView];
}

/** The longest messages of each kind that exists on the wire. */
function longestMessages(input: MessageSizeInput): readonly [string, PeerOutput][] {
  const { quorumSizes, signatureBytes, parameters } = input;
  const ids = Array.from({ length: quorumSizes.replicaCount }, (_, id) => replicaId(id));
  const last = replicaId(quorumSizes.replicaCount - 1);
  const prePrepare: PrePrepare = { type: 'prePrepare', view: VIEW, sequence: LAST, batchDigest: DIGEST };
  const commit: Commit = { ...prePrepare, type: 'commit' };
  const checkpoint: Checkpoint = { type: 'checkpoint', sequence: LAST, headerDigest: DIGEST };
  const batchBytes = new Uint8Array(parameters.batchBytesMax);
  const noBytes = new Uint8Array(0);
  const entries = new Array(2 * parameters.checkpointInterval).fill({
    headerBytes: new Uint8Array(144),
    batchBytes: noBytes,
  });
  const [viewChange, newView] = viewChangesOf(input);
  const signedViewChange = signedBy(last, viewChange, signatureBytes);
  const signedNewView = signedBy(last, newView, signatureBytes);
  const commits = ids.map((id) => signedBy(id, commit, signatureBytes));
  const checkpoints = ids.map((id) => signedBy(id, checkpoint, signatureBytes));
  return [
    ['Proposal', { kind: 'proposal', prePrepare: signedBy(last, prePrepare, signatureBytes), batchBytes }],
    ['CommittedBatch', { kind: 'committedBatch', batchBytes, commits }],
    ['CheckpointCertificate', { kind: 'checkpointCertificate', checkpoints }],
    ['Request', { kind: 'request', bytes: new Uint8Array(parameters.requestBytesMax) }],
    ['LedgerRange', { kind: 'fetchAnswer', id: INTEGER_MAX, answer: { kind: 'ledger', entries } }],
    ['ViewChange', { kind: 'signed', signed: signedViewChange }],
    [
      'ViewChange',
      { kind: 'fetchAnswer', id: INTEGER_MAX, answer: { kind: 'viewChange', viewChange: signedViewChange } },
    ],
    ['NewView', { kind: 'signed', signed: signedNewView }],
    ['Evidence', { kind: 'evidence', first: signedNewView, second: signedNewView }],
    ['Status', { kind: 'signed', signed: signedBy(last, statusOf(input), signatureBytes) }],
  ];
}

describe('the longest legal message', () => {
  it('GR-01 of each kind is bounded from above, and not by much', () => {
    for (const replicaCount of [1, 4, 7, 100]) {
      for (const signatureBytes of [256, 512]) {
        const input = inputOf(replicaCount, signatureBytes);
        for (const [name, message] of longestMessages(input)) {
          const real = frameOf([encodePeerMessage(message)]).length;
          const bound = sizeOf(name, input);
          const where = `${name}, n = ${replicaCount}, signatures of ${signatureBytes}: ${real} of ${bound}`;
          assert.ok(real <= bound, where);
          assert.ok(name === 'LedgerRange' || bound <= real + 100, where);
        }
      }
    }
  });

  it('GR-01 of a view change has room for a quorum of votes for each sequence of the window', () => {
    const input = inputOf(7, 256);
    const commit: Commit = { type: 'commit', view: VIEW, sequence: LAST, batchDigest: DIGEST };
    const vote = encodePeerMessage({ kind: 'signed', signed: signedBy(replicaId(6), commit, 256) }).length;
    const { windowSize } = input.parameters;
    assert.ok(sizeOf('ViewChange', input) >= windowSize * computeQuorumSizes(7).quorum * vote);
    assert.ok(sizeOf('NewView', input) >= windowSize * vote);
  });

  it('comes first, longest first', () => {
    const sizes = computeMessageSizes(inputOf(100, 256)).map(({ sizeBytes }) => sizeBytes);
    assert.deepEqual(
      sizes,
      sizes.toSorted((left, right) => right - left),
    );
  });
});
