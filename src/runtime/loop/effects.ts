/** Does what the core wants done: one case an effect, each handed to whose business it is. */
import type { Effect } from '../../protocol/effects.js';
import { unreachable } from '../../util/assert.js';
import type { Fetcher } from '../catch-up/fetcher.js';
import type { Egress } from '../egress/egress.js';
import type { BatchBodies } from '../execution/batch-bodies.js';
import type { Executor } from '../execution/executor.js';
import type { ViewChangeJudge } from '../ingress/view-change-judge.js';
import type { Instrumentation } from '../report/instrumentation.js';
import type { CoreTimers } from './core-timers.js';
import type { GroupCommit } from './group-commit.js';

/** Whose business effects are. */
export interface EffectTargets {
  readonly groupCommit: GroupCommit;
  readonly bodies: BatchBodies;
  readonly egress: Egress;
  readonly executor: Executor;
  readonly fetcher: Fetcher;
  readonly timers: CoreTimers;
  readonly judge: ViewChangeJudge;
  readonly instrumentation: Instrumentation;
  /** Ends this replica, which was shown a statement of its own that it doesn't remember. */
  readonly giveUp: (effect: Extract<Effect, { kind: 'giveUp' }>) => void;
  /** Discards what a stable checkpoint made useless. */
  readonly discard: (effect: Extract<Effect, { kind: 'discard' }>) => void;
}

/** Does one effect. They are given in order. */
export function runEffect(effect: Effect, targets: EffectTargets): void {
  switch (effect.kind) {
    case 'persist':
      return persist(effect, targets);
    case 'broadcast':
      return targets.egress.broadcast(effect.message);
    case 'propose':
      return propose(effect, targets);
    case 'sign':
      return targets.egress.sign(effect.message);
    case 'signPrePrepares':
      return targets.egress.signPrePrepares(effect.view, effect.messages);
    case 'judgeViewChange':
      return targets.judge.judge(effect.viewChange, effect.digest);
    case 'sendStatus':
      return targets.egress.sendStatus(effect.message);
    case 'forward':
      return targets.egress.forward(effect.to, effect.item);
    case 'execute':
      return targets.executor.execute(effect.sequence, effect.view, effect.batchDigest, effect.certificate);
    case 'startTimer':
      return targets.timers.start(effect);
    case 'stopTimer':
      return targets.timers.stop(effect.timer);
    case 'fetch':
      return targets.fetcher.fetch(effect.what);
    case 'discard':
      // Only after the certificate that allows it is durable.
      return targets.groupCommit.afterDurable(() => targets.discard(effect));
    case 'giveUp':
      return targets.giveUp(effect);
    case 'note':
      return targets.instrumentation.onNote(effect.note);
    default:
      return unreachable(effect);
  }
}

/** The own batch is at hand for execution, like those that come from others. */
function propose(effect: Extract<Effect, { kind: 'propose' }>, { bodies, egress }: EffectTargets): void {
  if ('bytes' in effect.batch) {
    bodies.put(effect.batch, effect.requests);
  }
  egress.propose(effect);
}

function persist({ record }: Extract<Effect, { kind: 'persist' }>, targets: EffectTargets): void {
  const { groupCommit, bodies, executor } = targets;
  groupCommit.add(record);
  if (record.kind === 'accepted' || record.kind === 'batch') {
    const { digest } = record.batch;
    const { sequence } = record.kind === 'accepted' ? record.prePrepare : record;
    bodies.markPending(sequence, digest);
    groupCommit.afterDurable(() => {
      bodies.markPersisted(sequence, digest);
      executor.retry();
    });
  }
}
