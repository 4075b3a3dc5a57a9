/** Runs in miniature for the tests of the checks: a few statements, executions and records. */
import { sha256 } from '../../../src/crypto/hash.js';
import type { ExecutionWrite } from '../../../src/ports/replica-store.js';
import { replicaId, sequence, view } from '../../../src/protocol/identifiers.js';
import type { LogRecord } from '../../../src/protocol/log-record.js';
import type { ProtocolMessage, Signed } from '../../../src/protocol/messages.js';
import { utf8 } from '../../../src/util/bytes.js';
import type { ClientId, Digest } from '../../../src/util/digest.js';
import { encodePayload } from '../../../src/wire/message-codec.js';
import { encodePeerMessage } from '../../../src/wire/peer-codec.js';
import { batchOf, CONSENSUS, digest, request, verified } from '../../support/core-cluster.js';
import { Random } from '../kernel/random.js';
import { KeyedHashScheme, SignatureRegistry } from '../machine/signatures.js';
import { type Observer, Observers, Violations } from './observer.js';
import { MessageReader, type SeenMessage } from './seen-message.js';

export const ZERO = replicaId(0);
export const ONE = replicaId(1);
export const TWO = replicaId(2);
export const THREE = replicaId(3);
export const GENESIS = digest('genesis');
export const CLIENTS = [0, 1, 2, 3].map((id) => sha256(utf8(`client ${id}`)) as string as ClientId);
export const LIMITS = { ...CONSENSUS, replicaCount: 4 };

/** Keys of four replicas. */
export function registry(): SignatureRegistry {
  return new SignatureRegistry(new Random('checks'), new KeyedHashScheme(new Random('keys'), CLIENTS), () => undefined);
}

/** Shows a check one run and gives the invariant that it finds broken. */
export function judged(make: (violations: Violations) => Observer, run: (check: Required<Observer>) => void) {
  const violations = new Violations();
  run(new Observers([make(violations)]));
  return violations.first?.invariant;
}

/** An executed batch. */
export function header(at: number, previous: Digest, content = 'batch'): ExecutionWrite {
  const batchDigest = digest(`${content} ${at}`);
  const root = digest('root');
  return {
    header: {
      sequence: at,
      previousHeaderDigest: previous,
      batchDigest,
      resultsRoot: root,
      writesDigest: root,
      timestampMs: 1,
    },
    headerDigest: digest(`header ${content} ${at}`),
    certificate: undefined,
    application: [],
    clients: [],
    rowsPut: [],
    rowsDeleted: [],
  };
}

/** A vote of the normal case. */
export function vote(type: 'prePrepare' | 'prepare' | 'commit', content = 'one', at = 1, inView = 0) {
  return { type, view: view(inView), sequence: sequence(at), batchDigest: digest(content) };
}

/** A checkpoint. */
export function checkpoint(content = 'one', at = 4) {
  return { type: 'checkpoint', sequence: sequence(at), headerDigest: digest(content) } as const;
}

/** A statement with its signature. */
export function sign<M extends ProtocolMessage>(keys: SignatureRegistry, message: M, sender = ONE): Signed<M> {
  const payload = encodePayload(message);
  return { message, sender, payload, signature: keys.signNow(sender, message.type, payload) };
}

/** A message on the network with one statement. */
export function seen(signed: Signed): SeenMessage {
  return new MessageReader(LIMITS).read(encodePeerMessage({ kind: 'signed', signed }));
}

/** The record of a prepared certificate. */
export function prepared(content: string): LogRecord {
  const prePrepare = verified(sign(registry(), { ...vote('prePrepare', content), type: 'prePrepare' as const }, ZERO));
  return { kind: 'prepared', certificate: { prePrepare, prepares: [] } };
}

/** The record of an accepted proposal. */
export function accepted(content: string): LogRecord {
  const batch = { ...batchOf([request('a', 1)]), digest: digest(content) };
  return {
    kind: 'accepted',
    prePrepare: { ...vote('prePrepare', content), type: 'prePrepare' },
    signed: undefined,
    batch,
  };
}
