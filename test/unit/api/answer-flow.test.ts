import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { AnswerFlow } from '../../../src/api/answer-flow.js';
import { ManualTimers } from './manual-timers.js';

/** A call as far as answers go. */
class FakeCall extends EventEmitter {
  cancelled = false;
  readonly #peer: string;

  constructor(peer: string) {
    super();
    this.#peer = peer;
  }

  getPeer(): string {
    return this.#peer;
  }
}

function createSubject() {
  const timers = new ManualTimers();
  const closed: string[] = [];
  const limits = { unreadBytesMax: 100_000, unreadMsMax: 1_000 };
  return { timers, closed, flow: new AnswerFlow(limits, timers, (peer) => closed.push(peer)) };
}

describe('the flow of answers', () => {
  it('GR-04: admits no more calls of a connection with too much unread, until it reads', () => {
    const { flow } = createSubject();
    const call = new FakeCall('one');
    flow.track(call, 60_000);
    assert.equal(flow.admits('one'), true);
    flow.track(new FakeCall('one'), 60_000);
    assert.deepEqual([flow.admits('one'), flow.admits('other')], [false, true]);
    call.emit('cancelled');
    assert.equal(flow.admits('one'), true);
  });

  it('GR-04: closes a connection that leaves an answer unread for too long, and no other', () => {
    const { flow, timers, closed } = createSubject();
    flow.track(new FakeCall('slow'), 60_000);
    const quick = new FakeCall('quick');
    flow.track(quick, 60_000);
    quick.emit('cancelled');
    timers.advance(999);
    assert.deepEqual(closed, []);
    timers.advance(1);
    assert.deepEqual(closed, ['slow']);
  });

  it('does not count what ended before it was answered, nor short answers, and leaves no timer behind', () => {
    const { flow, timers } = createSubject();
    const gone = new FakeCall('one');
    gone.cancelled = true;
    flow.track(gone, 200_000);
    for (let index = 0; index < 1_000; index++) {
      flow.track(new FakeCall('one'), 200);
    }
    assert.equal(flow.admits('one'), true);
    assert.equal(timers.running, 0);
  });

  it('stops checking when nothing waits', () => {
    const { flow, timers } = createSubject();
    const call = new FakeCall('one');
    flow.track(call, 60_000);
    call.emit('cancelled');
    timers.advance(1_000);
    assert.equal(timers.running, 0);
  });
});
