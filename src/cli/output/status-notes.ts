/**
 * What the states of replicas mean when they are read together: what they wait for, who shows another header than the
 * others, and what proof of misbehaviour is held against whom.
 */
import type { Client } from '../../client/client.js';
import { digestOf } from '../../util/digest.js';
import { type Colours, harmless } from './colours.js';

/** What a replica says of itself. */
export type Status = Awaited<ReturnType<Client['status']>>;

type Evidence = Status['evidence'][number];

/** The replicas that answered, by sequence and by the header that they show there. */
function groupByHeader(statuses: readonly Status[]): ReadonlyMap<number, ReadonlyMap<string, readonly Status[]>> {
  const sequences = new Map<number, Map<string, readonly Status[]>>();
  for (const status of statuses) {
    const groups = sequences.get(status.lastExecutedSequence) ?? new Map<string, readonly Status[]>();
    const header = digestOf(status.headerDigest) ?? '';
    groups.set(header, [...(groups.get(header) ?? []), status]);
    sequences.set(status.lastExecutedSequence, groups);
  }
  return sequences;
}

/** Sequences for which replicas show different headers. */
export function findDisagreements(statuses: readonly Status[]): readonly number[] {
  return [...groupByHeader(statuses)].filter(([, groups]) => groups.size > 1).map(([sequence]) => sequence);
}

/** Who shows another header than the others. One correct replica among f + 1 that agree makes their header the right one. */
export function disagreementNotes(statuses: readonly Status[], colours: Colours): readonly string[] {
  return [...groupByHeader(statuses)].flatMap(([sequence, byHeader]) => {
    const groups = [...byHeader.values()];
    const certain = groups.filter((group) => group.length > (group[0]?.faultsMax ?? 0));
    if (groups.length === 1) {
      return [];
    }
    if (certain.length === 1) {
      const others = groups.filter((group) => group !== certain[0]).flat();
      return others.map(({ name }) =>
        colours.red(
          `${harmless(name)} shows another header at sequence ${sequence} than the others: it lies or diverged`,
        ),
      );
    }
    const meaning =
      certain.length > 1 ? 'more are faulty than the cluster tolerates' : 'too few answer to tell who lies';
    return [colours.red(`Replicas show different headers at sequence ${sequence}: ${meaning}`)];
  });
}

/** What replicas wait for, one a line. */
export function waitingNotes(statuses: readonly Status[], colours: Colours): readonly string[] {
  return statuses
    .filter(({ waitingFor }) => waitingFor !== '')
    .map(({ name, waitingFor }) => colours.yellow(`${harmless(name)} waits: ${harmless(waitingFor)}`));
}

/** Which replicas keep their data in which engine, where they differ: they then differ in speed and in what they need. */
export function engineNotes(statuses: readonly Status[], colours: Colours): readonly string[] {
  const engines = new Map<string, readonly string[]>();
  for (const { name, storageEngine } of statuses) {
    engines.set(storageEngine, [...(engines.get(storageEngine) ?? []), harmless(name)]);
  }
  const parts = [...engines].map(([engine, names]) => `${names.join(', ')} with ${harmless(engine)}`);
  return parts.length < 2
    ? []
    : [colours.yellow(`Replicas keep their data in different engines: ${parts.join('; ')} (see \`pbft convert\`)`)];
}

/** Against whom a replica holds proof, and about what: `2: prepare, commit`. */
export function evidenceCell(evidence: readonly Evidence[]): string {
  const accused = [...new Set(evidence.map(({ replica }) => replica))].sort((left, right) => left - right);
  return accused
    .map((replica) => {
      const kinds = evidence.filter((one) => one.replica === replica).map(({ kind }) => harmless(kind));
      return `${replica}: ${kinds.join(', ')}`;
    })
    .join('; ');
}

/** The proofs that are held, each with all who hold it. */
export function evidenceNotes(statuses: readonly Status[], colours: Colours): readonly string[] {
  const holders = new Map<string, readonly string[]>();
  for (const { name, evidence } of statuses) {
    for (const one of evidence) {
      const what = `proof against replica ${one.replica}: two different ${harmless(one.kind)} messages ${placeOf(one)}`;
      holders.set(what, [...(holders.get(what) ?? []), harmless(name)]);
    }
  }
  return [...holders].map(([what, names]) =>
    colours.yellow(`${names.join(', ')} ${names.length === 1 ? 'holds' : 'hold'} ${what}`),
  );
}

function placeOf({ kind, view, sequence }: Evidence): string {
  switch (kind) {
    case 'checkpoint':
      return `at sequence ${sequence}`;
    case 'view_change':
    case 'new_view':
      return `for view ${view}`;
    default:
      return `at view ${view}, sequence ${sequence}`;
  }
}
