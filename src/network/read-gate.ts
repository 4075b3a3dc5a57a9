/**
 * Stops the messages of one stream before they pile up. Pausing the stream object isn't enough: in object mode it reads
 * on until 16 messages wait in it, whatever their size. A message that the gate keeps keeps grpc-js from asking for the
 * next, so that HTTP/2's window closes and the sender notices: one frame is kept at most.
 */
import {
  InterceptingCall,
  type Interceptor,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
} from '@grpc/grpc-js';

/** The gate of one stream, open at first. */
export class ReadGate {
  private isOpen = true;
  private kept: (() => void)[] = [];

  /** Delivers now, or when the gate opens. */
  pass(deliver: () => void): void {
    if (this.isOpen && this.kept.length === 0) {
      deliver();
    } else {
      this.kept.push(deliver);
    }
  }

  /** Opens or closes; what was kept is delivered in order. */
  setOpen(isOpen: boolean): void {
    this.isOpen = isOpen;
    while (this.isOpen) {
      const deliver = this.kept.shift();
      if (deliver === undefined) {
        return;
      }
      deliver();
    }
  }

  /** Forgets what is kept: the stream is over. */
  discard(): void {
    this.kept = [];
  }
}

/** Puts a gate into the receiving side of a call that this process makes. */
export function gateOutgoing(gate: ReadGate): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, _listener, next) => {
        next(metadata, {
          onReceiveMessage: (message: Uint8Array, deliver) => gate.pass(() => deliver(message)),
        });
      },
    });
}

/** Puts a gate into the receiving side of a call that this process answers. */
export function gateIncoming(call: ServerInterceptingCallInterface, gate: ReadGate): ServerInterceptingCall {
  return new ServerInterceptingCall(call, {
    start: (next) => {
      next({
        onReceiveMessage: (message: Uint8Array, deliver) => gate.pass(() => deliver(message)),
      });
    },
  });
}
