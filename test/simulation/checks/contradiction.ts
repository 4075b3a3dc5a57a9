/**
 * Invariant 8: no correct replica emits two different statements of one type for one (view, sequence), in all its
 * lives. The network sees whatever leaves, also what others relay.
 */

import type { ReplicaId } from '../../../src/protocol/identifiers.js';
import type { ProtocolMessage } from '../../../src/protocol/messages.js';
import { toHex } from '../../../src/util/bytes.js';
import { encodePayload } from '../../../src/wire/message-codec.js';
import type { Observer, Violations } from './observer.js';
import { describeStatement, isShownToItsSigner, type SeenMessage } from './seen-message.js';

/** Every statement of correct replicas. */
export class ContradictionCheck implements Observer {
  private readonly said = new Map<string, ProtocolMessage>();
  private readonly judged = new WeakSet<SeenMessage>();

  constructor(
    private readonly violations: Violations,
    private readonly isCorrect: (replica: ReplicaId) => boolean,
  ) {}

  onSent(_from: ReplicaId, to: ReplicaId, message: SeenMessage): void {
    if (this.judged.has(message) || isShownToItsSigner(message, to)) {
      return;
    }
    this.judged.add(message);
    for (const { sender, message: statement } of message.statements) {
      const subject = subjectOf(statement);
      if (subject !== undefined && this.isCorrect(sender)) {
        this.judge(sender, subject, statement);
      }
    }
  }

  private judge(sender: ReplicaId, { name, content }: Subject, statement: ProtocolMessage): void {
    const key = `${sender} ${name}`;
    const known = this.said.get(key);
    if (known === undefined) {
      this.said.set(key, statement);
    } else if (subjectOf(known)?.content !== content) {
      this.violations.report(
        8,
        `replica ${sender} said ${describeStatement(known)} and then ${describeStatement(statement)}`,
      );
    }
  }
}

interface Subject {
  /** What the statement is about: a correct replica says one thing about it. */
  readonly name: string;
  /** What it says. */
  readonly content: string;
}

function subjectOf(message: ProtocolMessage): Subject | undefined {
  switch (message.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit':
      return { name: `${message.type} ${message.view} ${message.sequence}`, content: message.batchDigest };
    case 'checkpoint':
      return { name: `checkpoint ${message.sequence}`, content: message.headerDigest };
    case 'viewChange':
    case 'newView':
      // The very bytes: a correct replica signs one of each for a view, and resends it.
      return { name: `${message.type} ${message.newView}`, content: toHex(encodePayload(message)) };
    case 'status':
      return undefined;
  }
}
