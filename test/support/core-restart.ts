/** What a core that crashed starts again with: the records that it wanted durable, as the store would give them back. */
import type { Effect } from '../../src/protocol/effects.js';
import { sequence } from '../../src/protocol/identifiers.js';
import type { LogRecord, RecoveredState } from '../../src/protocol/log-record.js';
import { FRESH, GENESIS_DIGEST, headerDigestAt } from './core-cluster.js';

/** The state after these effects, all of view 0, where the executor wrote everything up to `lastExecuted`. */
export function recoverFrom(effects: readonly Effect[], lastExecuted: number): RecoveredState {
  const records = effects.flatMap((effect) => (effect.kind === 'persist' ? [effect.record] : []));
  const stable = of(records, 'stableCheckpoint').at(-1)?.certificate;
  const h = stable?.checkpoints[0]?.message.sequence ?? 0;
  const accepted = new Map(
    of(records, 'accepted').map(({ prePrepare, signed, batch }) => [
      prePrepare.sequence,
      { prePrepare, signed, batch },
    ]),
  );
  const prepared = new Map(
    of(records, 'prepared').map(({ certificate }) => [certificate.prePrepare.message.sequence, certificate]),
  );
  const stored = records.flatMap((record) => {
    if (record.kind === 'accepted') {
      return [{ sequence: record.prePrepare.sequence, batch: record.batch }];
    }
    return record.kind === 'batch' ? [{ sequence: record.sequence, batch: record.batch }] : [];
  });
  const batches = new Map(stored.map(({ batch }) => [batch.digest, batch]));
  const committed = effects.flatMap((effect) => {
    const batch = effect.kind === 'execute' ? batches.get(effect.batchDigest) : undefined;
    return effect.kind === 'execute' && batch !== undefined && effect.sequence <= lastExecuted
      ? [{ sequence: effect.sequence, batch, certificate: effect.certificate }]
      : [];
  });
  return {
    ...FRESH,
    batches: stored.filter((one) => one.sequence > h),
    stableCheckpoint: stable,
    accepted: [...accepted.values()].filter(({ prePrepare }) => prePrepare.sequence > h),
    prepared: [...prepared.values()].filter(({ prePrepare }) => prePrepare.message.sequence > h),
    ownCheckpoints: of(records, 'ownCheckpoint')
      .map(({ checkpoint }) => checkpoint)
      .filter((checkpoint) => checkpoint.sequence > h),
    committed: committed.filter((one) => one.sequence > h),
    evidence: of(records, 'evidence').map(({ evidence }) => evidence),
    lastExecuted: sequence(lastExecuted),
    lastHeaderDigest: lastExecuted === 0 ? GENESIS_DIGEST : headerDigestAt(lastExecuted),
  };
}

function of<K extends LogRecord['kind']>(
  records: readonly LogRecord[],
  kind: K,
): readonly Extract<LogRecord, { kind: K }>[] {
  return records.filter((record): record is Extract<LogRecord, { kind: K }> => record.kind === kind);
}
