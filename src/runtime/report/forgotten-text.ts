/** What an operator is told of a replica that was shown a statement of its own that it doesn't remember. */
import type { ReplicaId } from '../../protocol/identifiers.js';
import type { ProtocolMessage } from '../../protocol/messages.js';

/** What was shown, by whom, what it means and what to do. */
export function forgottenText(message: ProtocolMessage, from: ReplicaId | undefined): string {
  const by = from === undefined ? 'a peer' : `replica ${from}`;
  return (
    `${by} showed ${statementText(message)} that this replica signed and doesn't remember. Its storage lost what was ` +
    'durable (an older copy was put in place, or another volume is mounted), or another process runs as this replica. ' +
    'It must not vote without memory of its votes, so it stopped. Stop any other process with its identity; put its ' +
    'latest data directory in place again; if that is lost, leave this replica stopped'
  );
}

function statementText(message: ProtocolMessage): string {
  switch (message.type) {
    case 'prePrepare':
    case 'prepare':
    case 'commit':
      return `a ${TYPE_NAMES[message.type]} of view ${message.view} at sequence ${message.sequence}`;
    case 'checkpoint':
      return `a Checkpoint at sequence ${message.sequence}`;
    case 'viewChange':
    case 'newView':
      return `a ${TYPE_NAMES[message.type]} for view ${message.newView}`;
    case 'status':
      return 'a Status';
  }
}

const TYPE_NAMES = {
  prePrepare: 'PrePrepare',
  prepare: 'Prepare',
  commit: 'Commit',
  viewChange: 'ViewChange',
  newView: 'NewView',
} as const;
