/**
 * Other statements about views for those who are deceived, as good as the first where that is possible: a ViewChange
 * that shows less, and a NewView that names other ViewChanges of others.
 */
import type { ReplicaId, Sequence } from '../protocol/identifiers.js';
import type { NamedViewChange, NewView, Signed, ViewChange } from '../protocol/messages.js';
import { concatBytes } from '../util/bytes.js';
import type { Digest } from '../util/digest.js';
import type { Envelope } from '../wire/envelope.js';
import { decodePayload } from '../wire/message-codec.js';
import { decodePeerMessage } from '../wire/peer-codec.js';
import { otherDigest, type StrategyContext } from './strategy.js';

/** ViewChanges that are remembered: of so many of the last ones. */
const REMEMBERED_MAX = 256;

/** One of another replica: what a NewView names it by, and where it begins. */
interface OtherViewChange extends NamedViewChange {
  readonly view: number;
  readonly stableCheckpoint: number;
}

/** What others said as they left views. */
export class OthersViewChanges {
  private readonly named = new Map<string, OtherViewChange>();

  constructor(private readonly context: StrategyContext) {}

  /** A message came in. */
  onReceived(message: Uint8Array): void {
    const decoded = decodePeerMessage(message, this.context.limits);
    if (decoded.ok && decoded.value.kind === 'signed') {
      this.take(decoded.value.envelope);
    }
  }

  /** Those for this view. */
  of(view: number): readonly OtherViewChange[] {
    return [...this.named.values()].filter((named) => named.view === view);
  }

  private take({ type, sender, payload }: Envelope): void {
    const { limits } = this.context;
    const decoded = type === 'viewChange' ? decodePayload(type, payload, limits) : undefined;
    if (sender.kind !== 'replica' || decoded === undefined || !decoded.ok || decoded.value.type !== 'viewChange') {
      return;
    }
    const { replica } = sender;
    const { newView: view, stableCheckpoint } = decoded.value;
    const digest = nameViewChange(this.context, { sender: replica, payload });
    this.named.set(`${view} ${replica}`, { replica, digest, view, stableCheckpoint });
    for (const [name] of this.named) {
      if (this.named.size > REMEMBERED_MAX) {
        this.named.delete(name);
      }
    }
  }
}

/** What a NewView names a ViewChange by. */
export function nameViewChange(
  { hash }: StrategyContext,
  { sender, payload }: Pick<Signed, 'sender' | 'payload'>,
): Digest {
  const prefix = new Uint8Array(4);
  new DataView(prefix.buffer).setUint32(0, sender);
  return hash(concatBytes([prefix, payload]));
}

/** One that shows one certificate fewer, or no checkpoint; the same where there is neither. */
export function otherViewChange(viewChange: ViewChange): ViewChange {
  const { prepared, stableCheckpoint } = viewChange;
  if (prepared.length > 0) {
    return { ...viewChange, prepared: prepared.slice(0, -1) };
  }
  return stableCheckpoint === 0
    ? viewChange
    : { ...viewChange, stableCheckpoint: 0 as Sequence, checkpointCertificate: [] };
}

/** One that names another ViewChange in place of one; one that nobody sent where no other is known. */
export function otherNewView(newView: NewView, own: ReplicaId, others: OthersViewChanges): NewView {
  const { viewChanges } = newView;
  const named = new Set(viewChanges.map(({ replica }) => replica));
  const other = others.of(newView.newView).find(({ replica }) => !named.has(replica));
  const replaced = viewChanges.find(({ replica }) => replica !== own);
  if (replaced === undefined) {
    return newView;
  }
  const inPlace = other ?? { ...replaced, digest: otherDigest(replaced.digest) };
  return {
    ...newView,
    viewChanges: viewChanges
      .map((kept) => (kept === replaced ? inPlace : kept))
      .map(({ replica, digest }) => ({ replica, digest }))
      .sort((left, right) => left.replica - right.replica),
  };
}
