/**
 * A caller of the cluster: one operation after the other at one of the correct replicas, another one when it is not
 * served there. It writes down what it asked and was told.
 */
import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { Executed, SubmitFailure } from '../../../src/runtime/face.js';
import { assert } from '../../../src/util/assert.js';
import type { Result } from '../../../src/util/result.js';
import type { KeyValueInput } from '../../support/linearizability/history.js';
import type { SimulatedReplica } from '../cluster/simulated-replica.js';
import type { World } from '../cluster/world.js';
import type { Random } from '../kernel/random.js';
import type { HistoryRecorder, OpenCall } from './history-recorder.js';
import { decodeOutput, encodeInput } from './operations.js';

/** Whom a client asks. */
export type Gateway = Pick<SimulatedReplica, 'id' | 'submit'>;

/** What a client works with. */
export interface ClientOptions {
  readonly id: number;
  readonly world: World;
  readonly random: Random;
  readonly history: HistoryRecorder;
  /** Whom it may ask: correct replicas. */
  readonly gateways: () => readonly Gateway[];
  readonly keys: readonly string[];
  readonly thinkMsMean: number;
}

/** Nobody thinks for longer: the time in which a healed quorum has to answer runs meanwhile. */
const THINK_MS_MAX = 10_000;
/** A caller that may begin nothing looks again after this. */
const IDLE_MS = 100;

const CALL_TIMEOUT_MS = 15_000;
const RETRY_MS_MEAN = 200;

/** One caller. */
export class SimulatedClient {
  private gateway: Gateway | undefined;
  private answeredCount = 0;
  private unknownCount = 0;
  private openCalls = 0;
  private valueCount = 0;
  private lastVersion = 0;
  private lastValue = '';
  private isStopped = false;
  private persists = false;
  private allowance = 0;

  constructor(private readonly options: ClientOptions) {}

  /** How many operations were answered. */
  get answered(): number {
    return this.answeredCount;
  }

  /** How many have an unknown outcome. */
  get unknown(): number {
    return this.unknownCount;
  }

  /** Whether it waits for an answer. */
  get isCalling(): boolean {
    return this.openCalls > 0;
  }

  /** Begins to work. */
  start(): void {
    this.think(this.options.thinkMsMean);
  }

  /** Lets it begin so many more operations, and take those that were refused at the door again. */
  allow(operations: number): void {
    this.allowance += operations;
  }

  /** From now on begins one more operation for each whose outcome stays unknown. */
  persist(): void {
    this.persists = true;
  }

  /** Begins nothing new. */
  stop(): void {
    this.isStopped = true;
  }

  private think(meanMs: number): void {
    const { world, random } = this.options;
    world.loop.schedule(Math.min(random.exponential(meanMs), THINK_MS_MAX), () => {
      if (this.isStopped) {
        return;
      }
      if (this.allowance > 0) {
        this.call();
      } else {
        this.think(IDLE_MS);
      }
    });
  }

  private call(): void {
    const { id, world, random, history, gateways, thinkMsMean } = this.options;
    const candidates = gateways();
    if (this.gateway === undefined || !candidates.includes(this.gateway)) {
      this.gateway = candidates.length === 0 ? undefined : random.pick(candidates);
    }
    const { gateway } = this;
    if (gateway === undefined) {
      this.think(RETRY_MS_MEAN);
      return;
    }
    const input = this.drawInput();
    const open = history.invoke(id, input);
    let isOver = false;
    let wasAnswered = false;
    this.openCalls++;
    const next = (meanMs: number, wasTaken: boolean): void => {
      isOver = true;
      this.openCalls--;
      this.allowance -= wasTaken ? 1 : 0;
      patience.cancel();
      this.think(meanMs);
    };
    // The process may end and never answer.
    const patience = world.loop.schedule(CALL_TIMEOUT_MS + 1_000, () => {
      this.unknownCount++;
      this.gateway = undefined;
      next(thinkMsMean, !this.persists);
    });
    world.trace.add(
      'invoke',
      [id, gateway.id],
      () => `client ${id} at replica ${gateway.id}: ${JSON.stringify(input)}`,
    );
    const isTaken = gateway.submit(encodeInput(input), CALL_TIMEOUT_MS, (result) => {
      assert(!wasAnswered, 'a caller is answered once');
      wasAnswered = true;
      if (isOver) {
        // It had given up: what it doesn't listen to it doesn't know.
        return;
      }
      this.take(gateway.id, open, result);
      const isUnknown = !result.ok && result.error.code === 'outcomeUnknown';
      next(result.ok ? thinkMsMean : RETRY_MS_MEAN, result.ok || (isUnknown && !this.persists));
    });
    if (!isTaken) {
      this.gateway = undefined;
      open.refuse();
      next(RETRY_MS_MEAN, false);
    }
  }

  private take(replica: ReplicaId, open: OpenCall, result: Result<Executed, SubmitFailure>): void {
    const { id, world } = this.options;
    const said = (): string => (result.ok ? `executed at ${result.value.sequence}` : JSON.stringify(result.error));
    world.trace.add('answer', [id, replica, result.ok ? result.value.sequence : 0], () => `client ${id}: ${said()}`);
    if (result.ok) {
      const output = decodeOutput(result.value.result);
      if (output.kind === 'get' || output.kind === 'compareAndSwap') {
        this.lastVersion = output.version;
      }
      if (output.kind === 'get') {
        this.lastValue = output.value ?? '';
      }
      this.answeredCount++;
      world.observer.onAnswered(replica, result.value);
      open.answer(output, result.value.sequence);
      return;
    }
    this.gateway = undefined;
    switch (result.error.code) {
      case 'outcomeUnknown':
      case 'resultDropped':
        this.unknownCount++;
        return;
      case 'queueFull':
      case 'notReady':
        open.refuse();
        return;
      case 'invalid':
        world.violations.report(14, `a good operation was refused: ${JSON.stringify(result.error)}`);
    }
  }

  private drawInput(): KeyValueInput {
    const { id, random, keys } = this.options;
    const key = random.pick(keys);
    this.valueCount++;
    const value = `${id}.${this.valueCount}`;
    const kind = random.pick([
      'put',
      'put',
      'put',
      'get',
      'get',
      'delete',
      'compareAndSwap',
      'compareAndSwap',
    ] as const);
    switch (kind) {
      case 'put':
        return { kind, key, value };
      case 'get':
      case 'delete':
        return { kind, key };
      case 'compareAndSwap': {
        const expected = random.pick([
          { kind: 'absent' },
          { kind: 'value', value: this.lastValue },
          { kind: 'version', version: this.lastVersion },
        ] as const);
        return { kind, key, expected, value };
      }
    }
  }
}
