/** What a core that crashed starts again with: the records that it wanted durable, as the store would give them back. */
import type { CommitCertificate } from '../../src/protocol/certificates.js';
import type { Effect } from '../../src/protocol/effects.js';
import { type Sequence, sequence, view } from '../../src/protocol/identifiers.js';
import type { LogRecord, RecoveredState } from '../../src/protocol/log-record.js';
import type { Digest } from '../../src/util/digest.js';
import { FRESH, GENESIS_DIGEST, headerDigestAt } from './core-cluster.js';

/** What a disk holds. */
export interface Disk {
  /** In the order in which they were written. */
  readonly records: readonly LogRecord[];
  /** What was handed over for execution; it is written up to `lastExecuted`. */
  readonly executed: readonly {
    readonly sequence: Sequence;
    readonly batchDigest: Digest;
    readonly certificate: CommitCertificate | undefined;
  }[];
  readonly lastExecuted: Sequence;
  readonly lastHeaderDigest: Digest;
}

/** The state after these effects, where the executor wrote everything up to `lastExecuted`. */
export function recoverFrom(effects: readonly Effect[], lastExecuted: number): RecoveredState {
  return recoverFromDisk({
    records: effects.flatMap((effect) => (effect.kind === 'persist' ? [effect.record] : [])),
    executed: effects.flatMap((effect) => (effect.kind === 'execute' ? [effect] : [])),
    lastExecuted: sequence(lastExecuted),
    lastHeaderDigest: lastExecuted === 0 ? GENESIS_DIGEST : headerDigestAt(lastExecuted),
  });
}

/** The state that a disk gives back. */
export function recoverFromDisk({ records, executed, lastExecuted, lastHeaderDigest }: Disk): RecoveredState {
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
  const committed = executed.flatMap(({ sequence: at, batchDigest, certificate }) => {
    const batch = batches.get(batchDigest);
    return batch !== undefined && at <= lastExecuted ? [{ sequence: at, batch, certificate }] : [];
  });
  return {
    ...FRESH,
    ...standingOf(records),
    batches: stored.filter((one) => one.sequence > h),
    stableCheckpoint: stable,
    accepted: [...accepted.values()].filter(({ prePrepare }) => prePrepare.sequence > h),
    prepared: [...prepared.values()].filter(({ prePrepare }) => prePrepare.message.sequence > h),
    ownCheckpoints: of(records, 'ownCheckpoint')
      .map(({ checkpoint }) => checkpoint)
      .filter((checkpoint) => checkpoint.sequence > h),
    committed: committed.filter((one) => one.sequence > h),
    evidence: of(records, 'evidence').map(({ evidence }) => evidence),
    lastExecuted,
    lastHeaderDigest,
  };
}

/** The view it was in, whether it was active there, and the message that shows it. */
function standingOf(
  records: readonly LogRecord[],
): Pick<RecoveredState, 'view' | 'active' | 'ownViewChange' | 'begunView'> {
  let standing: ReturnType<typeof standingOf> = {
    view: view(0),
    active: true,
    ownViewChange: undefined,
    begunView: undefined,
  };
  for (const record of records) {
    if (record.kind === 'view') {
      standing = { view: record.view, active: false, ownViewChange: undefined, begunView: undefined };
    } else if (record.kind === 'viewChange') {
      const { viewChange } = record;
      standing = { view: viewChange.message.newView, active: false, ownViewChange: viewChange, begunView: undefined };
    } else if (record.kind === 'newView') {
      const { newView } = record.begun.newView.message;
      standing = { view: newView, active: true, ownViewChange: undefined, begunView: record.begun };
    }
  }
  return standing;
}

function of<K extends LogRecord['kind']>(
  records: readonly LogRecord[],
  kind: K,
): readonly Extract<LogRecord, { kind: K }>[] {
  return records.filter((record): record is Extract<LogRecord, { kind: K }> => record.kind === kind);
}
