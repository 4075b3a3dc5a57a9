/** Messages in the shape of the generated code, which serves as an independent second codec in tests. */
import type {
  NamedViewChange,
  NewView,
  ProtocolMessage,
  Signed,
  SignedRequest,
  Status,
  ViewChange,
} from '../../../src/protocol/messages.js';
import { unreachable } from '../../../src/util/assert.js';
import { digestBytes } from '../../../src/util/digest.js';
import type { Envelope } from '../../../src/wire/envelope.js';
import type { Hello } from '../../../src/wire/hello-codec.js';
import type { FetchWhat, OwnFetchAnswer, PeerOutput } from '../../../src/wire/peer-message.js';
import type { RequestContent } from '../../../src/wire/request-codec.js';
import type { SignatureType } from '../../../src/wire/signature-type.js';
import * as generated from '../../gen/pbft/v1/message.js';
import * as peer from '../../gen/pbft/v1/peer.js';

const TYPE: Readonly<Record<SignatureType, generated.MessageType>> = {
  request: generated.MessageType.REQUEST,
  prePrepare: generated.MessageType.PRE_PREPARE,
  prepare: generated.MessageType.PREPARE,
  commit: generated.MessageType.COMMIT,
  checkpoint: generated.MessageType.CHECKPOINT,
  status: generated.MessageType.STATUS,
  hello: generated.MessageType.HELLO,
  header: generated.MessageType.HEADER,
  viewChange: generated.MessageType.VIEW_CHANGE,
  newView: generated.MessageType.NEW_VIEW,
};

const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
const digestBuffer = (digest: Parameters<typeof digestBytes>[0]): Buffer => buffer(digestBytes(digest));

export function generatedEnvelope(envelope: Envelope): generated.SignedMessage {
  const { sender } = envelope;
  return {
    type: TYPE[envelope.type],
    sender:
      sender.kind === 'replica'
        ? { $case: 'replica', value: sender.replica }
        : { $case: 'clientId', value: digestBuffer(sender.clientId) },
    payload: buffer(envelope.payload),
    signature: buffer(envelope.signature),
  };
}

export function envelopeOf(signed: Signed): Envelope {
  const { message, sender, payload, signature } = signed;
  return { type: message.type, sender: { kind: 'replica', replica: sender }, payload, signature };
}

const generatedSigned = (signed: Signed): generated.SignedMessage => generatedEnvelope(envelopeOf(signed));

export function generatedPayload(message: ProtocolMessage): Uint8Array {
  switch (message.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit': {
      const codec = { prePrepare: generated.PrePrepare, prepare: generated.Prepare, commit: generated.Commit };
      const { view, sequence, batchDigest } = message;
      return codec[message.type].encode({ view, sequence, batchDigest: digestBuffer(batchDigest) }).finish();
    }
    case 'checkpoint': {
      const { sequence, headerDigest } = message;
      return generated.Checkpoint.encode({ sequence, headerDigest: digestBuffer(headerDigest) }).finish();
    }
    case 'status':
      return generated.Status.encode(generatedStatus(message)).finish();
    case 'viewChange':
      return generated.ViewChange.encode(generatedViewChange(message)).finish();
    case 'newView':
      return generated.NewView.encode(generatedNewView(message)).finish();
    default:
      return unreachable(message);
  }
}

function generatedViewChange(message: ViewChange): generated.ViewChange {
  const { newView, stableCheckpoint, checkpointCertificate, prepared } = message;
  return {
    newView,
    stableCheckpoint,
    checkpointCertificate: checkpointCertificate.map(generatedSigned),
    prepared: prepared.map(({ prePrepare, prepares }) => ({
      prePrepare: generatedSigned(prePrepare),
      prepares: prepares.map(generatedSigned),
    })),
  };
}

function generatedNewView({ newView, viewChanges, prePrepares }: NewView): generated.NewView {
  return { newView, viewChanges: viewChanges.map(generatedName), prePrepares: prePrepares.map(generatedSigned) };
}

const generatedName = ({ replica, digest }: NamedViewChange): generated.NamedViewChange => ({
  replica,
  digest: digestBuffer(digest),
});

function generatedStatus(status: Status): generated.Status {
  const { type: _, ...fields } = status;
  return {
    ...fields,
    missingPrePrepares: buffer(status.missingPrePrepares),
    missingPrepares: buffer(status.missingPrepares),
    missingCommits: buffer(status.missingCommits),
    checkpoints: [...status.checkpoints],
    viewChanges: status.viewChanges.map(generatedName),
    newViewDigest: status.newViewDigest === undefined ? buffer(new Uint8Array(0)) : digestBuffer(status.newViewDigest),
  };
}

export function generatedHello(hello: Hello): Uint8Array {
  return generated.Hello.encode({
    ...hello,
    clusterId: digestBuffer(hello.clusterId),
    parametersDigest: digestBuffer(hello.parametersDigest),
    diallerNonce: buffer(hello.diallerNonce),
    listenerNonce: buffer(hello.listenerNonce),
    diallerCertificateDigest: digestBuffer(hello.diallerCertificateDigest),
    listenerCertificateDigest: digestBuffer(hello.listenerCertificateDigest),
  }).finish();
}

export function generatedRequest(content: RequestContent): Uint8Array {
  const { number, acknowledged } = content;
  const operations = content.operations.map(buffer);
  return generated.Request.encode({
    clientId: digestBuffer(content.clientId),
    number,
    acknowledged,
    operations,
  }).finish();
}

export function generatedBatch(timestampMs: number, requests: readonly SignedRequest[]): Uint8Array {
  return generated.Batch.encode({
    timestampMs,
    requests: requests.map((request) => generated.SignedMessage.decode(request.bytes)),
  }).finish();
}

export function generatedPeerMessage(output: PeerOutput): Uint8Array {
  return peer.PeerMessage.encode({ message: peerOneof(output) }).finish();
}

function peerOneof(output: PeerOutput): peer.PeerMessage['message'] {
  switch (output.kind) {
    case 'greeting':
      return { $case: 'greeting', value: { ...output.greeting, nonce: buffer(output.greeting.nonce) } };
    case 'hello':
      return { $case: 'hello', value: generatedEnvelope(output.envelope) };
    case 'signed':
      return { $case: 'signed', value: generatedSigned(output.signed) };
    case 'proposal':
      return {
        $case: 'proposal',
        value: { prePrepare: generatedSigned(output.prePrepare), batch: buffer(output.batchBytes) },
      };
    case 'request':
      return { $case: 'request', value: generated.SignedMessage.decode(output.bytes) };
    case 'committedBatch':
      return {
        $case: 'committedBatch',
        value: { batch: buffer(output.batchBytes), commits: output.commits.map(generatedSigned) },
      };
    case 'checkpointCertificate':
      return { $case: 'checkpointCertificate', value: { checkpoints: output.checkpoints.map(generatedSigned) } };
    case 'fetch':
      return { $case: 'fetch', value: { id: output.id, what: fetchOneof(output.what) } };
    case 'fetchAnswer':
      return { $case: 'fetchAnswer', value: { id: output.id, answer: answerOneof(output.answer) } };
    case 'evidence':
      return {
        $case: 'evidence',
        value: { first: generatedSigned(output.first), second: generatedSigned(output.second) },
      };
    default:
      return unreachable(output);
  }
}

function fetchOneof(what: FetchWhat): peer.Fetch['what'] {
  switch (what.kind) {
    case 'batch':
      return { $case: 'batch', value: { sequence: what.sequence, batchDigest: digestBuffer(what.batchDigest) } };
    case 'ledger':
      return { $case: 'ledger', value: { first: what.first, last: what.last, headersOnly: what.headersOnly } };
    case 'checkpointCertificate':
      return { $case: 'checkpointCertificate', value: { sequence: what.sequence } };
    case 'viewChange':
      return { $case: 'viewChange', value: generatedName(what) };
    default:
      return unreachable(what);
  }
}

function answerOneof(answer: OwnFetchAnswer): peer.FetchAnswer['answer'] {
  switch (answer.kind) {
    case 'notFound':
      return { $case: 'notFound', value: {} };
    case 'batch':
      return { $case: 'batch', value: buffer(answer.batchBytes) };
    case 'ledger': {
      const entries = answer.entries.map((entry) => ({
        header: buffer(entry.headerBytes),
        batch: buffer(entry.batchBytes),
      }));
      return { $case: 'ledger', value: { entries } };
    }
    case 'checkpointCertificate':
      return { $case: 'checkpointCertificate', value: { checkpoints: answer.checkpoints.map(generatedSigned) } };
    case 'viewChange':
      return { $case: 'viewChange', value: generatedSigned(answer.viewChange) };
    default:
      return unreachable(answer);
  }
}
