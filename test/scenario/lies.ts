/** What faulty replicas of a scenario say: statements made up for some peers, and NewViews spoilt on their way out. */
import type { Event } from '../../src/protocol/events.js';
import { replicaId, sequence, view } from '../../src/protocol/identifiers.js';
import type { NewView, ViewChange } from '../../src/protocol/messages.js';
import { digest, signed } from '../support/core-cluster.js';
import type { Waiting } from '../support/network-effects.js';
import type { CommandWords } from './script.js';
import type { Vocabulary } from './vocabulary.js';

/** The event that a made-up statement is for whoever gets it. Its own signature is right: a replica signs what it likes. */
export function makeStatement(liar: number, words: CommandWords, vocabulary: Vocabulary): Event {
  const type = words.next('what it says: PrePrepare, Prepare, Commit, Checkpoint or ViewChange');
  const inView = view(words.number('view') ?? 0);
  const at = sequence(words.number('sequence') ?? 0);
  switch (type) {
    case 'PrePrepare': {
      const { batch, requests } = vocabulary.batch(words.get('batch') ?? '');
      const message = { type: 'prePrepare', view: inView, sequence: at, batchDigest: batch.digest } as const;
      return { kind: 'prePrepareReceived', prePrepare: signed(message, liar), batch, requests };
    }
    case 'Prepare':
    case 'Commit': {
      const { batch } = vocabulary.batch(words.get('batch') ?? '');
      const kind = type === 'Prepare' ? 'prepare' : 'commit';
      const message = { type: kind, view: inView, sequence: at, batchDigest: batch.digest } as const;
      return { kind: 'messageReceived', message: signed(message, liar) };
    }
    case 'Checkpoint': {
      const headerDigest = digest(words.get('state') ?? '');
      return { kind: 'messageReceived', message: signed({ type: 'checkpoint', sequence: at, headerDigest }, liar) };
    }
    case 'ViewChange':
      return { kind: 'messageReceived', message: signed(makeViewChange(words), liar) };
    default:
      return words.fail(`nobody can say "${type}"`);
  }
}

/** A ViewChange that shows nothing, or a checkpoint with signatures that others never made. */
function makeViewChange(words: CommandWords): ViewChange {
  const stable = sequence(words.number('stable') ?? 0);
  const signers = words.get('forged')?.split(',').map(Number) ?? [];
  return {
    type: 'viewChange',
    newView: view(words.number('view') ?? 0),
    stableCheckpoint: stable,
    checkpointCertificate: signers.map((signer) => ({
      ...signed({ type: 'checkpoint', sequence: stable, headerDigest: digest('made up') }, signer),
      signature: Buffer.from('forged'),
    })),
    prepared: [],
  };
}

/** Spoils the NewViews that a replica sends. */
export function spoilNewViews(
  liar: number,
  words: CommandWords,
  vocabulary: Vocabulary,
): (message: Waiting) => Waiting {
  const spoil = chooseSpoiling(liar, words, vocabulary);
  return (waiting) => {
    const { from, to, event } = waiting;
    if (from !== liar || to === liar || event.kind !== 'messageReceived') {
      return waiting;
    }
    const { message } = event.message;
    return message.type === 'newView'
      ? { from, to, event: { kind: 'messageReceived', message: signed(spoil(message), liar) } }
      : waiting;
  };
}

function chooseSpoiling(liar: number, words: CommandWords, vocabulary: Vocabulary): (message: NewView) => NewView {
  const without = words.number('without');
  const batch = words.get('batch');
  const at = words.number('sequence');
  const named = words.get('naming')?.split(',').map(Number);
  return (message) => {
    let { prePrepares, viewChanges } = message;
    if (without !== undefined) {
      prePrepares = prePrepares.filter(({ message: { sequence: of } }) => of !== without);
    }
    if (batch !== undefined && at !== undefined) {
      const batchDigest = vocabulary.batch(batch).batch.digest;
      const own = signed(
        { type: 'prePrepare', view: message.newView, sequence: sequence(at), batchDigest },
        replicaId(liar),
      );
      prePrepares = [...prePrepares.filter(({ message: { sequence: of } }) => of !== at), own].sort(
        (left, right) => left.message.sequence - right.message.sequence,
      );
    }
    if (named !== undefined) {
      viewChanges = named.flatMap((replica) => message.viewChanges.filter((one) => one.replica === replica));
    }
    return { ...message, prePrepares, viewChanges };
  };
}
