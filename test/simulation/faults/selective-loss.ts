/**
 * A network that picks what it lets through, so that views begin from where they seldom do by chance. In about half of
 * the views only a few replicas get to see prepares, and mostly these are unheard as the view ends: their ViewChanges
 * come late, and they don't see the prepares of the next view. So that view knows nothing of what they hold and gives the
 * sequences to other batches, and a later one finds certificates of different views that contradict each other. In the
 * other views all prepare, and commits reach some. Of the sequences under way with the few some are missing, which
 * leaves gaps; and checkpoints reach some later than others, so stable checkpoints differ where views change.
 *
 * Votes that are lost are lost for good, however often they are resent; what was decided still comes with its
 * certificate. Those who are unheard are never more than a quorum can do without, and not for long: of the others some
 * may be faulty.
 */
import { type ReplicaId, replicaId } from '../../../src/protocol/identifiers.js';
import type { ProtocolMessage } from '../../../src/protocol/messages.js';
import type { QuorumSizes } from '../../../src/protocol/quorum.js';
import { Random } from '../kernel/random.js';

/** How often only a few prepare, and how often these are unheard then. */
const FEW_SHARE = 0.6;
const UNHEARD_SHARE = 0.9;
/** After the first ViewChange for a view. */
const UNHEARD_MS = 1_500;
/** Where all may prepare, so many see the commits. */
const COMMITTING_SHARE = 0.6;
const NEW_VIEW_LOSS = 0.1;
/** Of the sequences that the few could prepare, and of the checkpoints to each replica. */
const SEQUENCE_LOSS = 0.3;
const CHECKPOINT_LOSS = 0.25;

/** The few of a view. */
interface Few {
  readonly all: readonly ReplicaId[];
  readonly few: ReadonlySet<ReplicaId>;
  /** Whether only they prepare. */
  readonly isAlone: boolean;
  readonly isUnheard: boolean;
}

/** What of one view comes through to whom, and whose ViewChanges for it are late. */
interface Selection {
  readonly isAlone: boolean;
  readonly prepares: ReadonlySet<ReplicaId>;
  readonly commits: ReadonlySet<ReplicaId>;
  readonly missesNewView: ReadonlySet<ReplicaId>;
  readonly late: ReadonlySet<ReplicaId>;
  /** When the first ViewChange for it was sent. */
  leftForMs: number | undefined;
}

/** Picks, for one run. */
export class SelectiveLoss {
  private readonly selections = new Map<number, Selection>();
  private readonly draws = new Map<string, boolean>();

  constructor(
    private readonly salt: number,
    private readonly sizes: QuorumSizes,
  ) {}

  /** Whether this statement is lost on its way. */
  loses(nowMs: number, from: ReplicaId, to: ReplicaId, statement: ProtocolMessage): boolean {
    switch (statement.type) {
      case 'prepare':
        return !this.of(statement.view).prepares.has(to) || this.isMissing(statement.view, statement.sequence);
      case 'checkpoint':
        return this.isDrawn(`checkpoint ${statement.sequence} ${to}`, CHECKPOINT_LOSS);
      case 'commit':
        return !this.of(statement.view).commits.has(to);
      case 'viewChange': {
        const selection = this.of(statement.newView);
        selection.leftForMs ??= nowMs;
        return selection.late.has(from) && nowMs < selection.leftForMs + UNHEARD_MS;
      }
      case 'newView':
        return this.of(statement.newView).missesNewView.has(to);
      default:
        return false;
    }
  }

  private isMissing(view: number, sequence: number): boolean {
    return this.of(view).isAlone && this.isDrawn(`sequence ${view} ${sequence}`, SEQUENCE_LOSS);
  }

  private isDrawn(what: string, share: number): boolean {
    const drawn = this.draws.get(what) ?? new Random(`selective loss ${this.salt} ${what}`).chance(share);
    this.draws.set(what, drawn);
    return drawn;
  }

  private of(view: number): Selection {
    const known = this.selections.get(view) ?? this.draw(view);
    this.selections.set(view, known);
    return known;
  }

  private draw(view: number): Selection {
    const random = new Random(`selective loss ${this.salt} commits ${view}`);
    const before = this.drawFew(view - 1);
    const { all, few, isAlone } = this.drawFew(view);
    const late = new Set(before.isAlone && before.isUnheard ? before.few : []);
    const prepares = all.filter((id) => !late.has(id) && (!isAlone || few.has(id)));
    return {
      isAlone,
      prepares: new Set(prepares),
      commits: new Set(isAlone ? few : prepares.filter(() => random.chance(COMMITTING_SHARE))),
      missesNewView: new Set(all.filter(() => random.chance(NEW_VIEW_LOSS))),
      late,
      leftForMs: undefined,
    };
  }

  private drawFew(view: number): Few {
    const { replicaCount, quorum } = this.sizes;
    const random = new Random(`selective loss ${this.salt} few ${view}`);
    const all = random.shuffle(Array.from({ length: replicaCount }, (_, id) => replicaId(id)));
    const few = new Set(all.slice(0, random.integer(1, replicaCount - quorum)));
    return { all, few, isAlone: random.chance(FEW_SHARE), isUnheard: random.chance(UNHEARD_SHARE) };
  }
}
