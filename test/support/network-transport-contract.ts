/**
 * What every Transport keeps to, whatever carries its links: run against each adapter by transport-*.test.ts. The
 * messages are any bytes; a transport doesn't look into them.
 */
import assert from 'node:assert/strict';
import type { Transport, TransportHandlers } from '../../src/ports/transport.js';
import { type ReplicaId, replicaId } from '../../src/protocol/identifiers.js';
import { utf8 } from '../../src/util/bytes.js';

/** Three replicas' transports as an adapter makes them. */
export interface TransportHarness {
  readonly messageBytesMax: number;
  readonly queueBytesMax: number;
  /** A new transport for this replica, 0 to 2, that is not started; a second one after the first was stopped. */
  make(replica: ReplicaId): Transport;
  /** Lets time pass until the condition holds; fails where it doesn't. */
  until(condition: () => boolean, what: string): Promise<void>;
  /** Called after each test; stops what still runs. */
  close(): Promise<void>;
}

class Recorder implements TransportHandlers {
  readonly events: string[] = [];
  readonly received: { readonly peer: ReplicaId; readonly bytes: Uint8Array }[] = [];
  onEach: (peer: ReplicaId) => void = () => undefined;

  onConnected(peer: ReplicaId): void {
    this.events.push(`connected ${peer}`);
  }

  onDisconnected(peer: ReplicaId): void {
    this.events.push(`disconnected ${peer}`);
  }

  onMessage(peer: ReplicaId, bytes: Uint8Array): void {
    this.received.push({ peer, bytes });
    this.onEach(peer);
  }

  textsFrom(peer: ReplicaId): string[] {
    return this.received.filter((one) => one.peer === peer).map((one) => Buffer.from(one.bytes).toString());
  }
}

interface Party {
  readonly transport: Transport;
  readonly seen: Recorder;
}

const ZERO = replicaId(0);
const ONE = replicaId(1);
const TWO = replicaId(2);

function isUp(party: Party, peer: ReplicaId): boolean {
  return party.transport.links().some((link) => link.peer === peer && link.connected);
}

function stop(party: Party): Promise<void> {
  return new Promise((resolve) => party.transport.stop(resolve));
}

/** Declares the suite for one adapter. */
export function describeTransport(adapter: string, open: () => Promise<TransportHarness>): void {
  describe(`transport contract: ${adapter}`, () => {
    let harness: TransportHarness;

    async function begin(replica: ReplicaId): Promise<Party> {
      const party = { transport: harness.make(replica), seen: new Recorder() };
      let outcome: { readonly error: Error | undefined } | undefined;
      party.transport.start(party.seen, (error) => {
        outcome = { error };
      });
      await harness.until(() => outcome !== undefined, `replica ${replica} to start`);
      assert.equal(outcome?.error, undefined);
      return party;
    }

    async function beginPair(): Promise<readonly [Party, Party]> {
      const zero = await begin(ZERO);
      const one = await begin(ONE);
      await harness.until(() => isUp(zero, ONE) && isUp(one, ZERO), 'the link between 0 and 1');
      return [zero, one];
    }

    beforeEach(async () => {
      harness = await open();
    });

    afterEach(() => harness.close());

    it('connects every pair once and tells both ends', async () => {
      const parties = [await begin(ZERO), await begin(ONE), await begin(TWO)];
      const allUp = (): boolean => parties.every((party) => party.seen.events.length === 2);
      await harness.until(allUp, 'three links');
      const events = parties.map((party) => [...party.seen.events].sort());
      assert.deepEqual(events, [
        ['connected 1', 'connected 2'],
        ['connected 0', 'connected 2'],
        ['connected 0', 'connected 1'],
      ]);
    });

    it('has one row for each peer and none for itself', async () => {
      const zero = await begin(ZERO);
      const peers = zero.transport.links().map((link) => link.peer);
      assert.ok(peers.includes(ONE) && peers.includes(TWO) && !peers.includes(ZERO));
      assert.equal(new Set(peers).size, peers.length);
      assert.ok(zero.transport.links().every((link) => !link.connected && link.queuedMessages === 0));
    });

    it('carries messages both ways, whole and in order', async () => {
      const [zero, one] = await beginPair();
      const texts = Array.from({ length: 300 }, (_, index) => `message ${index}`);
      for (const text of texts) {
        assert.equal(zero.transport.send(ONE, utf8(text), 'vote'), true);
        assert.equal(one.transport.send(ZERO, utf8(text), 'bulk'), true);
      }
      const count = texts.length;
      await harness.until(() => zero.seen.received.length === count && one.seen.received.length === count, 'all');
      assert.deepEqual(one.seen.textsFrom(ZERO), texts);
      assert.deepEqual(zero.seen.textsFrom(ONE), texts);
    });

    it('refuses what it has no link for', async () => {
      const zero = await begin(ZERO);
      assert.equal(zero.transport.send(ONE, utf8('nobody there'), 'vote'), false);
      assert.equal(zero.transport.send(ZERO, utf8('to itself'), 'vote'), false);
      assert.equal(zero.transport.send(replicaId(99), utf8('to no replica'), 'vote'), false);
    });

    it('carries the longest message, and refuses a longer one without harm to the link (GR-01)', async () => {
      const [zero, one] = await beginPair();
      const longest = new Uint8Array(harness.messageBytesMax).fill(7);
      assert.equal(zero.transport.send(ONE, new Uint8Array(harness.messageBytesMax + 1), 'bulk'), false);
      assert.equal(zero.transport.send(ONE, longest, 'bulk'), true);
      assert.equal(zero.transport.send(ONE, utf8('after'), 'bulk'), true);
      await harness.until(() => one.seen.received.length === 2, 'both messages');
      assert.deepEqual(one.seen.received[0]?.bytes.length, longest.length);
      assert.deepEqual(
        one.seen.received[0]?.bytes.every((byte) => byte === 7),
        true,
      );
      assert.deepEqual(zero.seen.events, ['connected 1']);
    });

    it('delivers nothing while reading is stopped, and everything in order afterwards', async () => {
      const [zero, one] = await beginPair();
      one.seen.onEach = () => {
        one.transport.setReading(ZERO, false);
      };
      for (const text of ['a', 'b', 'c']) {
        zero.transport.send(ONE, utf8(text), 'vote');
      }
      await harness.until(() => one.seen.received.length > 0, 'the first message');
      // The way back is open, and what came this way after it would have come before.
      one.transport.send(ZERO, utf8('echo'), 'vote');
      await harness.until(() => zero.seen.received.length === 1, 'the echo');
      assert.deepEqual(one.seen.textsFrom(ZERO), ['a']);
      one.transport.setReading(ZERO, true);
      await harness.until(() => one.seen.received.length === 2, 'the second message');
      one.seen.onEach = () => undefined;
      one.transport.setReading(ZERO, true);
      await harness.until(() => one.seen.received.length === 3, 'the third message');
      assert.deepEqual(one.seen.textsFrom(ZERO), ['a', 'b', 'c']);
    });

    it('holds no more than its queue for a peer that does not read (GR-04)', async () => {
      const [zero, one] = await beginPair();
      one.transport.setReading(ZERO, false);
      const message = new Uint8Array(Math.min(harness.messageBytesMax, harness.queueBytesMax / 4));
      const rounds = 40 + Math.ceil((4 * harness.queueBytesMax) / message.length);
      for (let round = 0; round < rounds; round++) {
        zero.transport.send(ONE, message, 'bulk');
        const [link] = zero.transport.links();
        assert.ok(link !== undefined && link.queuedBytes <= harness.queueBytesMax);
        await new Promise((resolve) => setImmediate(resolve));
      }
      one.transport.setReading(ZERO, true);
      await harness.until(() => one.seen.received.length > 0, 'what was kept');
      assert.ok(one.seen.received.length < rounds, 'something had to be dropped');
      assert.deepEqual(zero.seen.events, ['connected 1']);
    });

    it('tells the end of a link, and makes a new one when the peer is back', async () => {
      const [zero, one] = await beginPair();
      await stop(one);
      await harness.until(() => zero.seen.events.length === 2, 'the end of the link');
      assert.deepEqual(zero.seen.events, ['connected 1', 'disconnected 1']);
      assert.equal(zero.transport.send(ONE, utf8('lost'), 'vote'), false);
      const again = await begin(ONE);
      await harness.until(() => isUp(zero, ONE) && isUp(again, ZERO), 'the new link');
      assert.equal(zero.transport.send(ONE, utf8('found'), 'vote'), true);
      await harness.until(() => again.seen.received.length === 1, 'a message on the new link');
      assert.deepEqual(again.seen.textsFrom(ZERO), ['found']);
      assert.deepEqual(zero.seen.events, ['connected 1', 'disconnected 1', 'connected 1']);
    });

    it('is silent after it has stopped', async () => {
      const [zero, one] = await beginPair();
      await stop(one);
      const eventCount = one.seen.events.length;
      zero.transport.send(ONE, utf8('too late'), 'vote');
      await harness.until(() => !isUp(zero, ONE), 'the end of the link');
      assert.equal(one.transport.send(ZERO, utf8('from the grave'), 'vote'), false);
      assert.equal(one.seen.received.length, 0);
      assert.equal(one.seen.events.length, eventCount);
    });
  });
}
