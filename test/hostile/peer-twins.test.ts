/** Two processes with one identity, at the peer port of a third (FU-02): who keeps the link, and who is told. */
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { PROBE_DEADLINE_MS } from '../../src/network/link-probe.js';
import { findOwnLinks, OWN_LINKS_DEADLINE_MS, type OwnLink } from '../../src/network/own-links.js';
import type { PeerAddress } from '../../src/network/transport-options.js';
import { replicaId } from '../../src/protocol/identifiers.js';
import { utf8 } from '../../src/util/bytes.js';
import { probeFrameOf, probeOf } from '../../src/wire/frame.js';
import {
  isConnected,
  lastError,
  startTransport,
  TestCluster,
  type TestReplica,
  until,
} from '../support/network-cluster.js';
import { FaultyReplica } from '../support/network-hostile-peer.js';

const TWIN = 2;

describe('two processes with one identity', () => {
  let cluster: TestCluster;
  let victim: TestReplica;

  beforeEach(async () => {
    cluster = await TestCluster.create();
    victim = await cluster.start(0);
  });

  afterEach(() => cluster.stop());

  function addressOf(replica: TestReplica): PeerAddress {
    const address = replica.transport.address();
    assert.ok(address !== undefined);
    return address;
  }

  const conflicts = (at: TestReplica) => at.metrics.value('pbft_identity_conflicts_total', { peer: `${TWIN}` });

  /** What replica 2 is told when it starts. */
  function ownLinks(proofCount: number, peers = cluster.addresses): Promise<readonly OwnLink[]> {
    const others = new Map([...peers].filter(([peer]) => peer !== replicaId(TWIN)));
    return new Promise((resolve) => findOwnLinks({ ...cluster.options(TWIN), peers: others }, proofCount, resolve));
  }

  it('FU-02: the live one keeps its link, the other learns where it is, and both addresses are logged', async () => {
    const original = await cluster.start(TWIN);
    await until(() => isConnected(victim, TWIN) && isConnected(original, 0), 'the link of the original');
    const twin = cluster.make(TWIN);
    assert.equal(await startTransport(twin), undefined);
    await until(() => lastError(twin, 0) !== '', 'the refusal');
    assert.match(lastError(twin, 0), /another process runs as replica 2, connected from 127\.0\.0\.1:\d+ for \d+ s/);
    await until(() => conflicts(victim) >= 2, 'a second attempt');
    const [line, ...more] = victim.logger.lines.filter((one) => one.includes('two processes run as one replica'));
    assert.match(line ?? '', /^error .*"peer":"2".*"live":"127\.0\.0\.1:\d+".*"rival":"127\.0\.0\.1:\d+"/);
    assert.deepEqual(more, [], 'not at every attempt');
    assert.ok(original.logger.lines.some((one) => /^error a peer reports another process.*"rival"/.test(one)));
    assert.ok(twin.logger.lines.some((one) => /^error peer link ended.*"conflict".*runs as replica 2/.test(one)));
    assert.deepEqual([twin.handlers.events, original.handlers.events], [[], ['connected 0']]);
    original.transport.send(replicaId(0), utf8('still here'), 'vote');
    await until(() => victim.handlers.textsFrom(TWIN).includes('still here'), 'a message of the original');
  });

  it('FU-02: a replica that starts again is linked soon, though its old link still looks open', async () => {
    const halfOpen = await new FaultyReplica(TWIN, cluster.keys).connect(addressOf(victim), 0);
    await until(() => isConnected(victim, TWIN), 'the link of the earlier life');
    const startMs = performance.now();
    assert.deepEqual(await ownLinks(1), [], 'what gives no sign of life keeps nobody from starting');
    const again = await cluster.start(TWIN);
    await until(() => isConnected(again, 0), 'the new link');
    assert.ok(performance.now() - startMs < 2 * PROBE_DEADLINE_MS);
    assert.equal(conflicts(victim), 0);
    halfOpen.close();
  });

  it('FU-02: one that starts is told by peers that dial its identity and by those that its identity dials', async () => {
    const original = await cluster.start(TWIN);
    const higher = await cluster.start(3);
    await until(() => isConnected(original, 0) && isConnected(higher, TWIN), 'both links of the original');
    const found = await ownLinks(2);
    assert.deepEqual(found.map(({ peer }) => peer).sort(), [0, 3]);
    for (const { peer, address } of found) {
      assert.match(address, peer === 3 ? new RegExp(`:${addressOf(original).port}$`) : /^127\.0\.0\.1:\d+$/);
    }
    assert.deepEqual([conflicts(victim), conflicts(higher)], [1, 1]);
    assert.deepEqual(original.handlers.events.sort(), ['connected 0', 'connected 3']);
  });

  it('FU-02: one that starts waits no longer than its peers’ answers can matter, and not for those that hang', async () => {
    const open: Socket[] = [];
    const hanging: Server = createServer((socket) => open.push(socket.on('error', () => undefined).resume()));
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const bound = hanging.address();
    assert.ok(bound !== null && typeof bound === 'object');
    const nobody = { host: '127.0.0.1', port: 1 };
    const [one, three] = [replicaId(1), replicaId(3)];
    const hangs = { host: '127.0.0.1', port: bound.port };
    const peers = (entries: [typeof one, PeerAddress][]) => new Map([[replicaId(0), addressOf(victim)], ...entries]);
    const startMs = performance.now();
    assert.deepEqual(
      await ownLinks(
        2,
        peers([
          [one, hangs],
          [three, nobody],
        ]),
      ),
      [],
      'one is left: no proof any more',
    );
    assert.ok(performance.now() - startMs < OWN_LINKS_DEADLINE_MS / 2);
    assert.deepEqual(await ownLinks(1, peers([[one, hangs]])), []);
    assert.ok(performance.now() - startMs < 2 * OWN_LINKS_DEADLINE_MS);
    assert.deepEqual(await ownLinks(1, new Map()), [], 'a cluster of one');
    hanging.close();
    for (const socket of open) {
      socket.destroy();
    }
  });

  it('FU-02: a peer that asks for signs of life by the thousand gets a handful', async () => {
    const faulty = await new FaultyReplica(TWIN, cluster.keys).connect(addressOf(victim), 0);
    await until(() => isConnected(victim, TWIN), 'its link');
    const before = faulty.frames.length;
    for (let number = 1; number <= 2_000; number++) {
      faulty.write(probeFrameOf({ number, isAnswer: false, rival: utf8('10.0.0.9:1\n"') }));
      faulty.write(probeFrameOf({ number, isAnswer: true, rival: new Uint8Array() }));
    }
    await until(() => faulty.unflushedCount === 0 && faulty.frames.length > before, 'answers');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const answers = faulty.frames.slice(before).map((frame) => probeOf(frame));
    assert.ok(answers.length <= 20, `${answers.length} answers`);
    assert.ok(answers.every((answer) => answer?.ok === true && answer.value.isAnswer));
    const told = victim.logger.lines.filter((line) => line.includes('a peer reports'));
    assert.equal(told.length, 1);
    assert.ok(told[0]?.includes('10.0.0.9:1??') || told[0]?.includes('10.0.0.9:1?\\"'), told[0]);
    assert.ok(isConnected(victim, TWIN));
    faulty.close();
  });
});
