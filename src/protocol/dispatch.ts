/** Which handler a signed message goes to: one that came, or the signed copy of an own one. */
import { assert } from '../util/assert.js';
import { onNewView, onOwnNewViewSigned } from './beginning-view.js';
import { onCheckpoint } from './checkpoints.js';
import type { ReplicaId } from './identifiers.js';
import { onViewChange } from './joining-view.js';
import { onOwnViewChangeSigned } from './leaving-view.js';
import type {
  Checkpoint,
  Commit,
  NewView,
  PrePrepare,
  Prepare,
  Signed,
  Status,
  Verified,
  ViewChange,
} from './messages.js';
import { onCommit, onOwnPrePrepareSigned, onPrepare } from './normal-case.js';
import { onOwnStatement } from './own-statements.js';
import { onStatus } from './retransmission.js';
import type { CoreState } from './state.js';
import { isOf } from './verified.js';

/** A verified message came; `over` is the peer on whose link it came, undefined where it was fetched. */
export function onReceived(
  state: CoreState,
  signed: Verified<Signed<Prepare | Commit | Checkpoint | Status | ViewChange | NewView>>,
  over: ReplicaId | undefined,
): void {
  if (signed.sender === state.configuration.replica) {
    // A ViewChange that a NewView names, fetched.
    onOwnStatement(state, signed, over);
  } else if (isOf(signed, 'prepare')) {
    onPrepare(state, signed);
  } else if (isOf(signed, 'commit')) {
    onCommit(state, signed);
  } else if (isOf(signed, 'checkpoint')) {
    onCheckpoint(state, signed);
  } else if (isOf(signed, 'status')) {
    onStatus(state, signed);
  } else if (isOf(signed, 'viewChange')) {
    onViewChange(state, signed);
  } else if (isOf(signed, 'newView')) {
    onNewView(state, signed);
  } else {
    assert(false, `no handler takes a ${signed.message.type}`);
  }
}

/** What this replica asked to be signed is signed, and on its way where it needs nothing more. */
export function onSigned(
  state: CoreState,
  signed: Verified<Signed<PrePrepare | Prepare | Commit | Checkpoint | ViewChange | NewView>>,
): void {
  if (isOf(signed, 'prePrepare')) {
    onOwnPrePrepareSigned(state, signed);
  } else if (isOf(signed, 'prepare')) {
    onPrepare(state, signed);
  } else if (isOf(signed, 'commit')) {
    onCommit(state, signed);
  } else if (isOf(signed, 'checkpoint')) {
    onCheckpoint(state, signed);
  } else if (isOf(signed, 'viewChange')) {
    onOwnViewChangeSigned(state, signed);
  } else if (isOf(signed, 'newView')) {
    onOwnNewViewSigned(state, signed);
  } else {
    assert(false, `no handler takes an own ${signed.message.type}`);
  }
}
