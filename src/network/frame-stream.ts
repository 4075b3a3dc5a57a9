/**
 * One stream of frames between two replicas, whichever side opened it: what is common to grpc-js's two kinds of duplex
 * streams. It ends once, for one reason, and nothing is delivered afterwards.
 */
import type { ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js';
import { type EndReason, foreignText, type LinkEnd, STATUS_OF_END } from './link-end.js';
import type { ReadGate } from './read-gate.js';

/** Who is told what happens on a stream. */
export interface FrameReceiver {
  onFrame(frame: Uint8Array): void;
  /** Writing may go on after a `write` that returned false. */
  onDrain(): void;
  /** Told once. */
  onEnd(end: LinkEnd): void;
}

/** A stream of frames; its receiver changes when the handshake is done. */
export interface LinkStream {
  /** Whether it has ended. */
  readonly hasEnded: boolean;
  /** Hands the stream on: from the handshake to the link. */
  setReceiver(receiver: FrameReceiver): void;
  /** Writes a frame; `onFlushed` follows when the socket has taken it. False where it is better to wait for a drain. */
  write(frame: Uint8Array, onFlushed: () => void): boolean;
  /** Stops or goes on reading; at most one frame more is delivered after it stopped. */
  setReading(reading: boolean): void;
  /** Ends the stream; harmless on one that has ended. */
  end(end: LinkEnd): void;
}

/** What belongs to a stream. */
export interface FrameStreamParts {
  readonly call: ClientDuplexStream<Uint8Array, Uint8Array> | ServerDuplexStream<Uint8Array, Uint8Array>;
  readonly gate: ReadGate;
  /** Releases what the stream stands on, and tells the other side why where that is possible. */
  readonly release: (end: LinkEnd) => void;
}

/** Of the reasons that a listener gives, the one that this end's operator must tell from a network's faults. */
function reasonOf(error: unknown): EndReason {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === STATUS_OF_END.conflict ? 'conflict' : 'closed';
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return 'unknown error';
  }
  return 'details' in error && typeof error.details === 'string' && error.details !== ''
    ? error.details
    : error.message;
}

/** A stream over a gRPC call. */
export class FrameStream implements LinkStream {
  private readonly parts: FrameStreamParts;
  private receiver: FrameReceiver | undefined;
  private isOver = false;

  constructor(parts: FrameStreamParts) {
    this.parts = parts;
    const { call } = parts;
    // The error listener stays for ever: an error event without one ends the process.
    call.on('error', (error: unknown) => this.end({ reason: reasonOf(error), text: foreignText(textOf(error)) }));
    call.on('cancelled', () => this.end({ reason: 'closed', text: 'the peer cancelled the stream' }));
    call.on('end', () => this.end({ reason: 'closed', text: 'the peer ended the stream' }));
    call.on('close', () => this.end({ reason: 'closed', text: 'the stream was closed' }));
    call.on('drain', () => this.receiver?.onDrain());
    call.on('data', (frame: Uint8Array) => {
      if (!this.isOver) {
        this.receiver?.onFrame(frame);
      }
    });
  }

  setReceiver(receiver: FrameReceiver): void {
    this.receiver = receiver;
  }

  get hasEnded(): boolean {
    return this.isOver;
  }

  write(frame: Uint8Array, onFlushed: () => void): boolean {
    return this.isOver || this.parts.call.write(frame, onFlushed);
  }

  setReading(reading: boolean): void {
    this.parts.gate.setOpen(reading);
  }

  end(end: LinkEnd): void {
    if (this.isOver) {
      return;
    }
    this.isOver = true;
    this.parts.gate.discard();
    this.parts.release(end);
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.onEnd(end);
  }
}
