/**
 * Watches the calls of every connection from below the handlers, where the RPC library itself speaks.
 *
 * 1. What a connection does (owes an answer, keeps streams open, nothing) is told, so that the port knows whom it may
 *    close. A call that isn't received in full owes nobody an answer.
 * 2. What the library refuses by itself is answered in this project's words: it calls a message above the limit
 *    RESOURCE_EXHAUSTED, which callers take for "try again" (GR-02).
 */
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import type { Standing } from '../util/connection-places.js';
import { STATUS_DETAILS_TRAILER } from '../wire/rich-status.js';
import { answerToFailure } from './failures.js';
import { statusOfAnswer } from './status-details.js';

/** What is told of connections and calls. */
export interface CallWatchOptions {
  readonly messageBytesMax: number;
  /** `peer` is the remote `address:port`. */
  readonly onStanding: (peer: string, standing: Standing) => void;
  /** A call was refused for its length. */
  readonly onOversized: (path: string) => void;
}

type Ending = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

interface Calls {
  open: number;
  owed: number;
}

/** The interceptor of a server that watches; the first of its interceptors, because it must see the library's own end. */
export function createCallWatch(options: CallWatchOptions): ServerInterceptor {
  const callsOfPeer = new Map<string, Calls>();
  return (method, call) => {
    const peer = call.getPeer();
    const calls = callsOfPeer.get(peer) ?? { open: 0, owed: 0 };
    callsOfPeer.set(peer, calls);
    let isOwed = false;
    let isOver = false;
    const tell = (): void => {
      options.onStanding(peer, calls.owed > 0 ? 'busy' : calls.open > 0 ? 'standing' : 'idle');
    };
    const end = (): void => {
      if (isOver) {
        return;
      }
      isOver = true;
      calls.open--;
      calls.owed -= isOwed ? 1 : 0;
      if (calls.open === 0) {
        callsOfPeer.delete(peer);
      }
      tell();
    };
    calls.open++;
    tell();
    const sendStatus = call.sendStatus.bind(call);
    call.sendStatus = (ending) => {
      const isOversized = !isOver && isLengthRefusal(ending);
      if (isOversized) {
        options.onOversized(method.path);
      }
      sendStatus(isOversized ? oversizedStatus(options.messageBytesMax) : ending);
      end();
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveHalfClose: (deliver) => {
            if (!method.responseStream && !isOver) {
              isOwed = true;
              calls.owed++;
              tell();
            }
            deliver();
          },
          onCancel: end,
        }),
    });
  };
}

/** Of the code, what comes without this project's details is the library's, which knows only one reason for it. */
function isLengthRefusal({ code, metadata }: Ending): boolean {
  return code === status.RESOURCE_EXHAUSTED && (metadata?.get(STATUS_DETAILS_TRAILER).length ?? 0) === 0;
}

function oversizedStatus(limitBytes: number): StatusObject {
  return statusOfAnswer(answerToFailure({ code: 'messageTooLong', limitBytes }));
}
