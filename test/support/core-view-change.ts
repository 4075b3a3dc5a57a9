/** One core on its way from a view to the next: its timers, and the ViewChanges that others send it. */
import assert from 'node:assert/strict';
import { sequence, view } from '../../src/protocol/identifiers.js';
import type { Signed, Verified, ViewChange } from '../../src/protocol/messages.js';
import { CoreUnderTest, effectsOf, id, request, signed } from './core-cluster.js';

/** The request timeout of these cores, in milliseconds. */
export const T = 2_000;

/** The running generation of a timer, undefined where it doesn't run. */
export function generationOf(core: CoreUnderTest, timer: string): number | undefined {
  let generation: number | undefined;
  for (const effect of core.effects) {
    if (effect.kind === 'startTimer' && effect.timer === timer) {
      generation = effect.generation;
    } else if (effect.kind === 'stopTimer' && effect.timer === timer) {
      generation = undefined;
    }
  }
  return generation;
}

/** Its timer expires, at this time. */
export function expire(core: CoreUnderTest, timer: 'request' | 'newView', elapsedMs: number) {
  const generation = generationOf(core, timer);
  assert.ok(generation !== undefined, `the ${timer} timer runs`);
  core.elapsedMs = elapsedMs;
  return core.step({ kind: 'timerExpired', timer, generation });
}

/** Whether it waits for a request. */
export function waits(core: CoreUnderTest): boolean {
  return generationOf(core, 'request') !== undefined;
}

/** The view it is in, `-` before it where it isn't active. */
export function viewOf(core: CoreUnderTest): string {
  const { view: of, active } = core.core.inspect(0);
  return active ? `${of}` : `-${of}`;
}

/** A ViewChange of a replica to which nothing is stable and nothing prepared. */
export function emptyViewChange(newView: number): ViewChange {
  return {
    type: 'viewChange',
    newView: view(newView),
    stableCheckpoint: sequence(0),
    checkpointCertificate: [],
    prepared: [],
  };
}

/** Gives a ViewChange without a checkpoint, and the judgement on its certificates where it is asked for. */
export function giveViewChange(
  core: CoreUnderTest,
  sender: number,
  newView: number,
  prepared: ViewChange['prepared'] = [],
): Verified<Signed<ViewChange>> {
  const before = core.effects.length;
  const given = signed({ ...emptyViewChange(newView), prepared }, sender);
  core.step({ kind: 'messageReceived', message: given });
  for (const { viewChange, digest } of effectsOf(core.effects.slice(before), 'judgeViewChange')) {
    core.step({ kind: 'viewChangeJudged', replica: viewChange.sender, digest, isValid: true });
  }
  return given;
}

/** Replica 3 gave the primary of view 0 up, and its ViewChange is signed. */
export function leftView0(): CoreUnderTest {
  const core = new CoreUnderTest(3);
  core.step({ kind: 'requestReceived', request: request('a', 1), from: id(1) });
  expire(core, 'request', T);
  const [sign] = effectsOf(core.effects, 'sign');
  assert.ok(sign?.message.type === 'viewChange');
  core.step({ kind: 'messageSigned', message: signed(sign.message, 3) });
  assert.equal(viewOf(core), '-1');
  return core;
}
