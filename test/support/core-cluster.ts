/**
 * Cores without a shell: effects are done in memory, messages wait until a test delivers them. For tests of rules; the
 * simulator runs the whole replica.
 */
import { createHash } from 'node:crypto';
import { Core } from '../../src/protocol/core.js';
import type { Effect } from '../../src/protocol/effects.js';
import type { Event } from '../../src/protocol/events.js';
import { type ReplicaId, replicaId, type Sequence, sequence, view } from '../../src/protocol/identifiers.js';
import type { LogRecord, RecoveredState } from '../../src/protocol/log-record.js';
import type {
  EncodedBatch,
  PrePrepare,
  ProtocolMessage,
  Signed,
  SignedRequest,
  Status,
  Verified,
} from '../../src/protocol/messages.js';
import type { Note } from '../../src/protocol/notes.js';
import type { ConsensusParameters, LocalParameters } from '../../src/protocol/parameters.js';
import { computeQuorumSizes } from '../../src/protocol/quorum.js';
import type { ClientId, Digest } from '../../src/util/digest.js';

/** SHA-256. */
function hash(bytes: Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest;
}

/** A digest of some text. */
export function digest(text: string): Digest {
  return hash(Buffer.from(text));
}

export const GENESIS_DIGEST = digest('genesis');

export const CONSENSUS: ConsensusParameters = {
  checkpointInterval: 4,
  windowSize: 8,
  batchOperationsMax: 10,
  batchBytesMax: 10_000,
  requestBytesMax: 5_000,
  requestCostMax: 100_000,
  batchCostMax: 400_000,
  resultBytesMax: 5_000,
  keptResultBytesMax: 50_000,
  clientWindow: 64,
  snapshotInterval: 256,
  clockDriftMs: 10_000,
};

export const LOCAL: LocalParameters = {
  pipeline: 4,
  requestTimeoutMs: 2_000,
  requestTimeoutMaxMs: 60_000,
  batchDelayMs: 2,
  waitingRequestsOfClientMax: 8,
  waitingRequestsMax: 32,
  waitingBytesMax: 100_000,
};

/** Marks test data as verified. */
export function verified<T>(value: T): Verified<T> {
  return value as Verified<T>;
}

/** A request of a client; its content follows from client and number unless said. */
export function request(client: string, number: number, content = `${client} ${number}`): Verified<SignedRequest> {
  const bytes = Buffer.from(content);
  return verified({
    clientId: digest(`client ${client}`) as string as ClientId,
    number,
    acknowledged: 0,
    digest: hash(bytes),
    operations: [bytes],
    bytes,
  });
}

/** A batch of requests. */
export function batchOf(requests: readonly SignedRequest[], timestampMs = 1_000): Verified<EncodedBatch> {
  const bytes = encodeBatch(timestampMs, requests);
  return verified({
    digest: hash(bytes),
    bytes,
    sizeBytes: bytes.length,
    timestampMs,
    requests: requests.map(({ clientId, number }) => ({ clientId, number })),
    operationCount: requests.length,
  });
}

function encodeBatch(timestampMs: number, requests: readonly SignedRequest[]): Uint8Array {
  return Buffer.from(JSON.stringify([timestampMs, requests.map(({ digest: of }) => of)]));
}

/** The batch that fills gaps. */
export const NULL_BATCH = batchOf([], 0);

/** A statement as if it were signed. */
export function signed<M extends ProtocolMessage>(message: M, sender: number): Verified<Signed<M>> {
  const payload = Buffer.from(JSON.stringify(message));
  return verified({ message, sender: replicaId(sender), payload, signature: Buffer.from(`signed by ${sender}`) });
}

/** What a replica that never ran starts with. */
export const FRESH: RecoveredState = {
  view: view(0),
  active: true,
  ownViewChange: undefined,
  begunView: undefined,
  batches: [],
  stableCheckpoint: undefined,
  accepted: [],
  prepared: [],
  ownCheckpoints: [],
  committed: [],
  evidence: [],
  lastExecuted: sequence(0),
  lastHeaderDigest: GENESIS_DIGEST,
};

/** No two lives have a Status number in common. */
const NUMBERS_OF_LIFE = 1_000_000;

/** One core with the effects it had so far. */
export class CoreUnderTest {
  readonly core: Core;
  readonly effects: Effect[] = [];
  wallMs: number;
  elapsedMs: number;

  constructor(
    readonly replica: number,
    replicaCount = 4,
    options: {
      readonly recovered?: RecoveredState;
      readonly local?: Partial<LocalParameters>;
      readonly consensus?: Partial<ConsensusParameters>;
      readonly elapsedMs?: number;
      /** How often this replica started before. */
      readonly life?: number;
      readonly costOf?: (request: SignedRequest) => number;
      /** Whether its peers have not answered its Status yet, so that it doesn't vote; else they have. */
      readonly isStarting?: boolean;
    } = {},
  ) {
    this.elapsedMs = options.elapsedMs ?? 0;
    this.wallMs = 1_000 + this.elapsedMs;
    this.core = new Core(
      {
        replica: replicaId(replica),
        sizes: computeQuorumSizes(replicaCount),
        consensus: { ...CONSENSUS, ...options.consensus },
        local: { ...LOCAL, ...options.local },
        hash,
        nullBatch: NULL_BATCH,
        encodeBatch,
        firstStatusNumber: 1 + NUMBERS_OF_LIFE * (options.life ?? 0),
        costOf: options.costOf ?? (({ bytes }) => bytes.length),
      },
      options.recovered ?? FRESH,
    );
    this.step({ kind: 'started' });
    if (options.isStarting !== true) {
      this.meetPeers(replicaCount, options.recovered ?? FRESH);
    }
  }

  /** All peers answer its Status, which shows them nothing: it votes from now on, and no link is up. */
  private meetPeers(replicaCount: number, { view: inView, lastExecuted, stableCheckpoint }: RecoveredState): void {
    const nothing = new Uint8Array(CONSENSUS.windowSize);
    for (const peer of Array.from({ length: replicaCount }, (_, each) => replicaId(each))) {
      if (peer === this.replica) {
        continue;
      }
      const greeting = effectsOf(this.stepQuietly({ kind: 'peerConnected', peer }), 'sendStatus')[0]?.message;
      const answer: Status = {
        type: 'status',
        to: replicaId(this.replica),
        view: inView,
        active: true,
        lowWatermark: stableCheckpoint?.checkpoints[0]?.message.sequence ?? sequence(0),
        lastExecuted,
        clockMs: this.wallMs,
        missingPrePrepares: nothing,
        missingPrepares: nothing,
        missingCommits: nothing,
        checkpoints: [],
        number: 1,
        recovering: false,
        viewChanges: [],
        newViewDigest: undefined,
        heard: greeting?.number ?? 0,
      };
      this.stepQuietly({ kind: 'messageReceived', message: signed(answer, peer) });
      this.stepQuietly({ kind: 'peerDisconnected', peer });
      // On the next link his numbers begin anew.
      this.stepQuietly({ kind: 'peerConnected', peer });
      this.stepQuietly({ kind: 'peerDisconnected', peer });
    }
    // The heartbeat was quick until now.
    const beat = effectsOf(this.effects, 'startTimer').findLast(({ timer }) => timer === 'status');
    if (beat !== undefined) {
      this.stepQuietly({ kind: 'timerExpired', timer: 'status', generation: beat.generation });
    }
  }

  /** Steps once; of the effects those that are about Status and clocks only are not kept. */
  private stepQuietly(event: Event): readonly Effect[] {
    const effects = this.core.step(event, { wallMs: this.wallMs, elapsedMs: this.elapsedMs });
    const isQuiet = (effect: Effect): boolean =>
      effect.kind === 'sendStatus' ||
      (effect.kind === 'note' && ['clockSkew', 'votingBegun', 'timerExpired'].includes(effect.note.kind));
    this.effects.push(...effects.filter((effect) => !isQuiet(effect)));
    return effects;
  }

  /** Steps once; returns the effects. */
  step(event: Event): readonly Effect[] {
    const effects = this.core.step(event, { wallMs: this.wallMs, elapsedMs: this.elapsedMs });
    this.effects.push(...effects);
    return effects;
  }

  /** A pre-prepare of the primary of its view, with a batch of one request. */
  prePrepare(
    at: number,
    options: {
      view?: number;
      batch?: Verified<EncodedBatch>;
      sender?: number;
      requests?: Verified<SignedRequest>[];
    } = {},
  ) {
    const batch = options.batch ?? batchOf([request('a', at)]);
    const inView = options.view ?? 0;
    const message: PrePrepare = {
      type: 'prePrepare',
      view: view(inView),
      sequence: sequence(at),
      batchDigest: batch.digest,
    };
    const effects = this.step({
      kind: 'prePrepareReceived',
      prePrepare: signed(message, options.sender ?? inView % 4),
      batch,
      requests: options.requests ?? [request('a', at)],
    });
    return { batch, message, effects };
  }

  /** A prepare or commit of a replica. */
  vote(type: 'prepare' | 'commit', sender: number, at: number, batchDigest: Digest, inView = 0): readonly Effect[] {
    const message = { type, view: view(inView), sequence: sequence(at), batchDigest };
    return this.step({
      kind: sender === this.replica ? 'messageSigned' : 'messageReceived',
      message: signed(message, sender),
    });
  }

  /** A checkpoint of a replica. */
  checkpoint(sender: number, at: number, headerDigest = headerDigestAt(at)): readonly Effect[] {
    const message = signed({ type: 'checkpoint' as const, sequence: sequence(at), headerDigest }, sender);
    return this.step({ kind: sender === this.replica ? 'messageSigned' : 'messageReceived', message });
  }

  /** The executor did a sequence. */
  executed(at: number, headerDigest = headerDigestAt(at)): readonly Effect[] {
    return this.step({
      kind: 'batchExecuted',
      sequence: sequence(at),
      headerDigest,
      settled: [],
      acknowledged: [],
    });
  }

  /** Runs a sequence through all phases at a backup, up to execution. */
  commitAndExecute(at: number): void {
    const { batch } = this.prePrepare(at);
    for (const sender of [1, 2, 3]) {
      this.vote('prepare', sender, at, batch.digest);
    }
    for (const sender of [1, 2, 3]) {
      this.vote('commit', sender, at, batch.digest);
    }
    this.executed(at);
  }
}

/** The header digest that every correct replica has at a sequence. */
export function headerDigestAt(at: Sequence | number): Digest {
  return digest(`header ${at}`);
}

/** The effects of one kind. */
export function effectsOf<K extends Effect['kind']>(
  effects: readonly Effect[],
  kind: K,
): readonly Extract<Effect, { kind: K }>[] {
  return effects.filter((effect): effect is Extract<Effect, { kind: K }> => effect.kind === kind);
}

/** The records that were persisted. */
export function recordsOf<K extends LogRecord['kind']>(
  effects: readonly Effect[],
  kind: K,
): readonly Extract<LogRecord, { kind: K }>[] {
  return effectsOf(effects, 'persist')
    .map(({ record }) => record)
    .filter((record): record is Extract<LogRecord, { kind: K }> => record.kind === kind);
}

/** The messages of one type that were broadcast. */
export function broadcastsOf(effects: readonly Effect[], type: 'prepare' | 'commit' | 'checkpoint') {
  return effectsOf(effects, 'broadcast')
    .map(({ message }) => message)
    .filter((message) => message.type === type);
}

/** The notes of one kind. */
export function notesOf<K extends Note['kind']>(
  effects: readonly Effect[],
  kind: K,
): readonly Extract<Note, { kind: K }>[] {
  return effectsOf(effects, 'note')
    .map(({ note }) => note)
    .filter((note): note is Extract<Note, { kind: K }> => note.kind === kind);
}

/** The codes of the rejections. */
export function rejectionsOf(effects: readonly Effect[]): readonly string[] {
  return notesOf(effects, 'rejected').map(({ code }) => code);
}

/** The replica's id type of a number. */
export function id(number: number): ReplicaId {
  return replicaId(number);
}
