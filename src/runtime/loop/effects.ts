/** Does what the core wants done: one case an effect, each handed to whose business it is. */
import type { ReplicaStore } from '../../ports/replica-store.js';
import type { Effect } from '../../protocol/effects.js';
import { unreachable } from '../../util/assert.js';
import type { CatchUpRoom } from '../catch-up/room.js';
import type { EgressRoom } from '../egress/room.js';
import type { ExecutionRoom } from '../execution/room.js';
import type { IngressRoom } from '../ingress/room.js';
import type { FatalKind } from '../replica-runtime-options.js';
import { forgottenText } from '../report/forgotten-text.js';
import type { Instrumentation } from '../report/instrumentation.js';
import type { CoreTimers } from './core-timers.js';
import type { GroupCommit } from './group-commit.js';

/** Whose business effects are. */
export interface EffectTargets {
  readonly groupCommit: GroupCommit;
  readonly coreTimers: CoreTimers;
  readonly ingress: Pick<IngressRoom, 'viewChanges'>;
  readonly egress: Pick<EgressRoom, 'sending'>;
  readonly execution: Pick<ExecutionRoom, 'bodies' | 'executor'>;
  readonly catchUp: Pick<CatchUpRoom, 'fetcher'>;
  readonly report: Instrumentation;
  readonly store: Pick<ReplicaStore, 'discard'>;
  readonly onFatal: (reason: string, kind?: FatalKind) => void;
}

/** Does one effect. They are given in order. */
export function runEffect(effect: Effect, targets: EffectTargets): void {
  switch (effect.kind) {
    case 'persist':
      return persist(effect, targets);
    case 'broadcast':
      return targets.egress.sending.broadcast(effect.message);
    case 'propose':
      return propose(effect, targets);
    case 'sign':
      return targets.egress.sending.sign(effect.message);
    case 'signPrePrepares':
      return targets.egress.sending.signPrePrepares(effect.view, effect.messages);
    case 'judgeViewChange':
      return targets.ingress.viewChanges.judge(effect.viewChange, effect.digest);
    case 'sendStatus':
      return targets.egress.sending.sendStatus(effect.message);
    case 'forward':
      return targets.egress.sending.forward(effect.to, effect.item);
    case 'execute':
      return targets.execution.executor.execute(effect.sequence, effect.view, effect.batchDigest, effect.certificate);
    case 'startTimer':
      return targets.coreTimers.start(effect);
    case 'stopTimer':
      return targets.coreTimers.stop(effect.timer);
    case 'fetch':
      return targets.catchUp.fetcher.fetch(effect.what);
    case 'discard':
      // Only after the certificate that allows it is durable.
      return targets.groupCommit.afterDurable(() => discard(effect, targets));
    case 'giveUp':
      return targets.onFatal(forgottenText(effect.forgotten.message, effect.from), 'forgotten');
    case 'note':
      return targets.report.onNote(effect.note);
    default:
      return unreachable(effect);
  }
}

/** The own batch is at hand for execution, like those that come from others. */
function propose(effect: Extract<Effect, { kind: 'propose' }>, { execution, egress }: EffectTargets): void {
  if ('bytes' in effect.batch) {
    execution.bodies.put(effect.batch, effect.requests);
  }
  egress.sending.propose(effect);
}

function persist({ record }: Extract<Effect, { kind: 'persist' }>, targets: EffectTargets): void {
  const { groupCommit } = targets;
  const { bodies, executor } = targets.execution;
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

/** What a stable checkpoint made useless goes. */
function discard({ lowWatermark }: Extract<Effect, { kind: 'discard' }>, { store, onFatal }: EffectTargets): void {
  store.discard(lowWatermark, (result) => {
    if (!result.ok) {
      onFatal(`discarding the log failed: ${result.error.message}`);
    }
  });
}
