import assert from 'node:assert/strict';
import type { FrameReceiver, LinkStream } from '../../../src/network/frame-stream.js';
import type { LinkEnd } from '../../../src/network/link-end.js';
import { LinkReporter } from '../../../src/network/link-reporter.js';
import { PeerLink } from '../../../src/network/peer-link.js';
import { BUNDLE_BYTES_MAX, UNFLUSHED_BYTES_MAX } from '../../../src/network/transport-options.js';
import { replicaId } from '../../../src/protocol/identifiers.js';
import { utf8 } from '../../../src/util/bytes.js';
import { frameOf, messagesOf } from '../../../src/wire/frame.js';
import { RecordingHandlers, RecordingLogger, RecordingMetrics } from '../../support/network-cluster.js';
import { ManualTimers } from '../../support/network-manual-timers.js';

const PEER = replicaId(3);
const LIMITS = { messageBytesMax: 4_000_000, queueBytesMax: 8_000_000, queueMessagesMax: 1_000 };

/** A stream in the test's hands. */
class FakeStream implements LinkStream {
  readonly frames: Uint8Array[] = [];
  readonly flushes: (() => void)[] = [];
  hasRoom = true;
  isReading = true;
  ending: LinkEnd | undefined;
  receiver: FrameReceiver | undefined;

  get hasEnded(): boolean {
    return this.ending !== undefined;
  }

  setReceiver(receiver: FrameReceiver): void {
    this.receiver = receiver;
  }

  write(frame: Uint8Array, onFlushed: () => void): boolean {
    this.frames.push(frame);
    this.flushes.push(onFlushed);
    return this.hasRoom;
  }

  setReading(reading: boolean): void {
    this.isReading = reading;
  }

  end(end: LinkEnd): void {
    if (this.ending === undefined) {
      this.ending = end;
      this.receiver?.onEnd(end);
    }
  }

  /** What the frames carry, a list each. */
  texts(): string[][] {
    return this.frames.map((frame) => {
      const messages = messagesOf(frame);
      assert.ok(messages.ok);
      return messages.value.map((bytes) => Buffer.from(bytes).toString());
    });
  }
}

describe('a peer link', () => {
  let link: PeerLink;
  let stream: FakeStream;
  let handlers: RecordingHandlers;
  let metrics: RecordingMetrics;
  let timers: ManualTimers;
  let heldMs: number[];

  beforeEach(() => {
    handlers = new RecordingHandlers();
    metrics = new RecordingMetrics();
    timers = new ManualTimers();
    heldMs = [];
    const reporter = new LinkReporter({ metrics, logger: new RecordingLogger(), timers });
    const onDown = (ms: number): unknown => heldMs.push(ms);
    link = new PeerLink({ peer: PEER, limits: LIMITS, metrics, timers, reporter, handlers, onDown });
    stream = new FakeStream();
    link.attach(stream, '127.0.0.1:1');
  });

  /** What was queued in this turn is written by now. */
  async function turn(): Promise<void> {
    await Promise.resolve();
  }

  it('puts the messages of one turn into one frame, and those of the next into another', async () => {
    link.send(utf8('a'), 'bulk');
    link.send(utf8('b'), 'vote');
    assert.deepEqual(stream.frames, []);
    await turn();
    link.send(utf8('c'), 'vote');
    await turn();
    assert.deepEqual(stream.texts(), [['b', 'a'], ['c']]);
  });

  it('waits for a drain where the stream is full, and bundles what came meanwhile', async () => {
    stream.hasRoom = false;
    link.send(utf8('a'), 'vote');
    await turn();
    link.send(utf8('b'), 'vote');
    await turn();
    link.send(utf8('c'), 'vote');
    await turn();
    assert.equal(stream.frames.length, 1);
    stream.hasRoom = true;
    stream.receiver?.onDrain();
    assert.deepEqual(stream.texts(), [['a'], ['b', 'c']]);
  });

  it('gives the stream no more than it flushes, so that a vote overtakes bulk that waits', async () => {
    const bulk = new Uint8Array(BUNDLE_BYTES_MAX);
    for (let index = 0; index < 10; index++) {
      link.send(bulk, 'bulk');
    }
    await turn();
    const given = UNFLUSHED_BYTES_MAX / BUNDLE_BYTES_MAX;
    assert.equal(stream.frames.length, given);
    link.send(utf8('urgent'), 'vote');
    stream.flushes[0]?.();
    assert.equal(stream.texts()[given]?.[0], 'urgent');
  });

  it('takes no message above the limit, counts it and stays up (GR-01)', async () => {
    assert.equal(link.send(new Uint8Array(LIMITS.messageBytesMax + 1), 'bulk'), false);
    await turn();
    assert.deepEqual(stream.frames, []);
    assert.equal(metrics.value('pbft_send_dropped_total', { peer: '3' }), 1);
    assert.ok(link.state().connected);
  });

  it('delivers messages in order, and while reading is stopped none', () => {
    handlers.onEach = () => {
      if (handlers.messages.length === 2) {
        link.setReading(false);
      }
    };
    stream.receiver?.onFrame(frameOf(['a', 'b', 'c', 'd'].map(utf8)));
    assert.deepEqual(handlers.textsFrom(3), ['a', 'b']);
    assert.equal(stream.isReading, false);
    stream.receiver?.onFrame(frameOf([utf8('e')]));
    assert.deepEqual(handlers.textsFrom(3), ['a', 'b']);
    link.setReading(true);
    assert.deepEqual(handlers.textsFrom(3), ['a', 'b', 'c', 'd', 'e']);
    assert.equal(stream.isReading, true);
  });

  it('delivers each message once where the handler stops and goes on at once', () => {
    handlers.onEach = () => {
      link.setReading(false);
      link.setReading(true);
    };
    // As many as a frame may hold: one call inside the other for each would be too deep.
    const texts = Array.from({ length: 16_000 }, (_, index) => `message ${index}`);
    stream.receiver?.onFrame(frameOf(texts.map(utf8)));
    assert.deepEqual(handlers.textsFrom(3), texts);
  });

  it('keeps reading stopped on the next stream', () => {
    link.setReading(false);
    const next = new FakeStream();
    link.attach(next, '127.0.0.1:1');
    assert.equal(next.isReading, false);
    next.receiver?.onFrame(frameOf([utf8('a')]));
    assert.deepEqual(handlers.textsFrom(3), []);
    link.setReading(true);
    assert.deepEqual(handlers.textsFrom(3), ['a']);
  });

  it('keeps no large frame alive for a short message in it', () => {
    const frame = frameOf([new Uint8Array(1_000_000), utf8('short')]);
    stream.receiver?.onFrame(frame);
    const [large, short] = handlers.messages;
    assert.equal(large?.bytes.buffer, frame.buffer);
    assert.ok((short?.bytes.buffer.byteLength ?? Number.POSITIVE_INFINITY) <= 10_000);
  });

  it('delivers nothing more of a frame when the handler ends the link', () => {
    handlers.onEach = () => link.end({ reason: 'stopped', text: 'enough' });
    stream.receiver?.onFrame(frameOf(['a', 'b'].map(utf8)));
    assert.deepEqual(handlers.textsFrom(3), ['a']);
  });

  it('loses what waits when its stream ends, and says why and how long it held', async () => {
    stream.hasRoom = false;
    for (const text of ['a', 'b', 'c']) {
      link.send(utf8(text), 'vote');
      await turn();
    }
    timers.advance(1_234);
    stream.end({ reason: 'closed', text: 'cable cut' });
    assert.deepEqual(handlers.events, ['connected 3', 'disconnected 3: cable cut']);
    assert.deepEqual(link.state(), {
      peer: 3,
      connected: false,
      lastError: 'cable cut',
      queuedMessages: 0,
      queuedBytes: 0,
      roomBytes: 0,
    });
    assert.equal(metrics.value('pbft_send_dropped_total', { peer: '3' }), 2);
    assert.equal(metrics.value('pbft_peer_connected', { peer: '3' }), 0);
    assert.deepEqual(heldMs, [1_234]);
    assert.equal(link.send(utf8('d'), 'vote'), false);
  });

  it('ends the older stream when a newer one comes, and does not mix their accounts', async () => {
    link.send(new Uint8Array(UNFLUSHED_BYTES_MAX), 'bulk');
    await turn();
    const next = new FakeStream();
    link.attach(next, '127.0.0.1:1');
    assert.equal(stream.ending?.reason, 'replaced');
    assert.deepEqual(
      handlers.events.map((event) => event.split(':')[0]),
      ['connected 3', 'disconnected 3', 'connected 3'],
    );
    stream.flushes[0]?.();
    link.send(utf8('a'), 'vote');
    await turn();
    assert.deepEqual(next.texts(), [['a']]);
  });

  it('counts bytes by direction', async () => {
    const frame = frameOf([utf8('counted')]);
    link.send(utf8('counted'), 'vote');
    await turn();
    stream.receiver?.onFrame(frame);
    assert.equal(metrics.value('pbft_link_bytes_total', { peer: '3', direction: 'sent' }), frame.length);
    assert.equal(metrics.value('pbft_link_bytes_total', { peer: '3', direction: 'received' }), frame.length);
  });
});
