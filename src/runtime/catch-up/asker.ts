/**
 * Asks peers for something until one gives a right answer: one source at a time, the next one after a timeout, a
 * missing or a wrong answer, with a growing pause after all were tried. What a wrong answer costs is one round trip: it is
 * judged by what was asked for, never by who sent it. (protocol.md 8)
 *
 * A peer serves few questions of one asker at a time and doesn't answer more (fetch-server.ts): so many are put to it,
 * the others wait. A view that begins with a window of unknown batches asks for hundreds at once.
 *
 * Who gave no answer, or a wrong one, is asked last for a while: catching up takes several questions for each checkpoint
 * interval, and must be faster than the cluster goes on.
 */
import type { Metrics } from '../../ports/metrics.js';
import type { TimerHandle, TimerService } from '../../ports/timer-service.js';
import type { ReplicaId } from '../../protocol/identifiers.js';
import type { FetchAnswer, FetchWhat } from '../../wire/peer-message.js';

/** What an asker needs. */
export interface AskerOptions {
  readonly timers: TimerService;
  readonly metrics: Metrics;
  /** Sorted by id. */
  readonly connectedPeers: () => readonly ReplicaId[];
  readonly send: (peer: ReplicaId, id: number, what: FetchWhat) => void;
}

/** Takes an answer; returns whether it is right. */
export type Accept = (answer: FetchAnswer, peer: ReplicaId) => boolean;

/** Something that is being asked for. */
export interface Question {
  /** Nothing happens any more. */
  cancel(): void;
}

/** The most questions put to one peer at a time: what it serves. */
export const QUESTIONS_A_PEER_MAX = 2;

const ANSWER_TIMEOUT_MS = 2_000;
/** How long a peer that gave no answer in time, or a wrong one, is asked after all others. */
const AVOID_MS = 30_000;
const PAUSE_MIN_MS = 250;
const PAUSE_MAX_MS = 5_000;

interface Pending {
  readonly id: number;
  readonly what: FetchWhat;
  readonly accept: Accept;
  source: ReplicaId | undefined;
  readonly tried: Set<ReplicaId>;
  pauseMs: number;
  timer: TimerHandle | undefined;
}

/** The questions under way. */
export class Asker {
  private readonly pending = new Map<number, Pending>();
  /** Those that a peer could be asked who is busy with others. */
  private readonly waiting = new Set<Pending>();
  /** How many questions each peer was put that it hasn't answered. */
  private readonly asked = new Map<ReplicaId, number>();
  private lastId = 0;
  /** Sources take turns over all questions. */
  private turn = 0;
  /** When a peer that let a question down is as good as the others again. A right answer makes up for it at once. */
  private readonly avoidedUntilMs = new Map<ReplicaId, number>();

  constructor(private readonly options: AskerOptions) {}

  /** Asks until `accept` takes an answer. */
  ask(what: FetchWhat, accept: Accept): Question {
    this.lastId++;
    const question: Pending = {
      id: this.lastId,
      what,
      accept,
      source: undefined,
      tried: new Set(),
      pauseMs: PAUSE_MIN_MS,
      timer: undefined,
    };
    this.pending.set(question.id, question);
    this.askNext(question);
    return { cancel: () => this.end(question) };
  }

  /** A peer answered something. Returns whether it was asked: what nobody waits for, or not from this peer, is ignored. */
  onAnswer(peer: ReplicaId, id: number, answer: FetchAnswer): boolean {
    const question = this.pending.get(id);
    if (question === undefined || question.source !== peer) {
      return false;
    }
    const { metrics } = this.options;
    const kind = question.what.kind;
    if (answer.kind === 'notFound') {
      metrics.increment('pbft_fetches_total', { kind, result: 'not_found' });
    } else if (question.accept(answer, peer)) {
      metrics.increment('pbft_fetches_total', { kind, result: 'ok' });
      this.avoidedUntilMs.delete(peer);
      this.end(question);
      return true;
    } else {
      metrics.increment('pbft_fetches_total', { kind, result: 'wrong' });
      this.avoid(peer);
    }
    this.askNext(question);
    return true;
  }

  /** Ends all questions. */
  stop(): void {
    for (const question of this.pending.values()) {
      question.timer?.cancel();
    }
    this.pending.clear();
    this.waiting.clear();
    this.asked.clear();
  }

  private askNext(question: Pending): void {
    this.release(question);
    this.put(question, this.options.connectedPeers());
    this.putWaiting();
  }

  /** Puts the question to its next source, or lets it wait for one that is busy, or pause where it tried all. */
  private put(question: Pending, connectedPeers: readonly ReplicaId[]): void {
    const { timers, metrics, send } = this.options;
    const untried = connectedPeers.filter((peer) => !question.tried.has(peer));
    if (untried.length === 0) {
      this.waiting.delete(question);
      question.tried.clear();
      question.timer = timers.startTimer(question.pauseMs, () => this.askNext(question));
      question.pauseMs = Math.min(2 * question.pauseMs, PAUSE_MAX_MS);
      return;
    }
    const source = this.nextOf(this.preferred(untried).filter((peer) => this.isFree(peer)));
    if (source === undefined) {
      this.waiting.add(question);
      return;
    }
    this.waiting.delete(question);
    question.source = source;
    question.tried.add(source);
    this.asked.set(source, this.askedOf(source) + 1);
    question.timer = timers.startTimer(ANSWER_TIMEOUT_MS, () => {
      metrics.increment('pbft_fetches_total', { kind: question.what.kind, result: 'timeout' });
      this.avoid(source);
      this.askNext(question);
    });
    send(source, question.id, question.what);
  }

  /** Puts what waits, view changes first: a view can't begin without them. */
  private putWaiting(): void {
    if (this.waiting.size === 0) {
      return;
    }
    const peers = this.options.connectedPeers();
    const questions = [...this.waiting];
    const urgent = questions.filter(({ what }) => what.kind === 'viewChange');
    for (const question of [...urgent, ...questions.filter(({ what }) => what.kind !== 'viewChange')]) {
      if (peers.length > 0 && !peers.some((peer) => this.isFree(peer))) {
        return;
      }
      this.put(question, peers);
    }
  }

  /** Peers that let no question down lately, or all where there is none. */
  private preferred(peers: readonly ReplicaId[]): readonly ReplicaId[] {
    const nowMs = this.options.timers.elapsedMs();
    const reliable = peers.filter((peer) => (this.avoidedUntilMs.get(peer) ?? 0) <= nowMs);
    return reliable.length > 0 ? reliable : peers;
  }

  private avoid(peer: ReplicaId): void {
    this.avoidedUntilMs.set(peer, this.options.timers.elapsedMs() + AVOID_MS);
  }

  private isFree(peer: ReplicaId): boolean {
    return this.askedOf(peer) < QUESTIONS_A_PEER_MAX;
  }

  private askedOf(peer: ReplicaId): number {
    return this.asked.get(peer) ?? 0;
  }

  private nextOf(peers: readonly ReplicaId[]): ReplicaId | undefined {
    this.turn++;
    return peers[this.turn % Math.max(1, peers.length)];
  }

  /** The question is no longer put to anyone. */
  private release(question: Pending): void {
    question.timer?.cancel();
    if (question.source !== undefined) {
      this.asked.set(question.source, this.askedOf(question.source) - 1);
      question.source = undefined;
    }
  }

  private end(question: Pending): void {
    if (this.pending.delete(question.id)) {
      this.waiting.delete(question);
      this.release(question);
      this.putWaiting();
    }
  }
}
