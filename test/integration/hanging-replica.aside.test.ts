/**
 * One replica of a running cluster is paused: its connections stand, and nothing answers. Who asks it first loses a slice
 * of the time and no more, and nothing is sent twice that could be executed twice.
 */
import assert from 'node:assert/strict';
import { type Client, connect } from '../../src/client/client.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { pbft } from '../support/cluster-command.js';

/** A backup in view 0: without it the others go on at once. */
const PAUSED = 3;
/** Far above a slice with the start of a process on a loaded machine, far below the whole time. */
const SLICE_MAX_MS = 20_000;
const WHOLE_MS = '60000';

describe('a replica that hangs', function () {
  this.timeout(120_000);
  let cluster: TestCluster;
  let client: Client;

  const addressOf = (replica: number): string => `127.0.0.1:${cluster.clientPorts[replica]}`;
  before(async () => {
    cluster = await startCluster();
    client = connect([addressOf(PAUSED), addressOf(1)], { timeoutMs: 30_000 });
    // So that its connection stands.
    await client.put('before', 'there');
    await cluster.kill(PAUSED, 'SIGSTOP');
  });
  after(async () => {
    client?.close();
    await cluster?.stop();
  });

  const commands: readonly (readonly string[])[] = [
    ['put', 'key', 'value'],
    ['put', 'key', 'value', '--request-id', 'once'],
    ['get', 'before'],
    ['get', 'before', '--local'],
    ['cas', 'before', 'there', '--expect', 'there'],
    ['range'],
    ['status', '--timeout', '2000'],
  ];
  for (const command of commands) {
    it(`FU-10: costs a slice of: pbft ${command.join(' ')}`, async () => {
      const where = ['--cluster', cluster.directory, '--replica', `${PAUSED}`, '--replica', '1', '--replica', '2'];
      const patience = command.includes('--timeout') ? [] : ['--timeout', WHOLE_MS];
      const beganMs = performance.now();
      const { code, errors } = await pbft(...command, ...where, ...patience);
      assert.ok(performance.now() - beganMs < SLICE_MAX_MS);
      // Of three that were asked for their state three would be a quorum.
      assert.equal(code, command[0] === 'status' ? 1 : 0, errors);
    });
  }

  it('FU-10: is told from an unknown outcome where nothing was sent to it', async () => {
    const { code, errors } = await pbft('put', 'key', 'value', '--address', addressOf(PAUSED), '--timeout', '500');
    assert.equal(code, 1);
    assert.match(errors, /nobody answered at \S+ within 0\.5 s, so nothing was sent/);
  });

  it('FU-10: costs a slice of a read over a connection that stood', async () => {
    const beganMs = performance.now();
    assert.equal((await client.get('before')).value, 'there');
    assert.ok(performance.now() - beganMs < SLICE_MAX_MS);
  });

  it('FU-11: gets a repeat of what was sent to it, and has it executed once', async () => {
    await cluster.kill(PAUSED, 'SIGCONT');
    await cluster.waitReady();
    await cluster.client(PAUSED).get('before', { timeoutMs: 30_000 });
    const fresh = connect([addressOf(PAUSED), addressOf(1)]);
    try {
      await fresh.put('counted', 'zero');
      await cluster.kill(PAUSED, 'SIGSTOP');
      const change = { expected: { value: 'zero' }, value: 'one' };
      const once = { requestId: 'counted-once' };
      await assert.rejects(fresh.compareAndSwap('counted', change, { ...once, timeoutMs: 1_000 }), {
        outcomeKnown: false,
        replica: addressOf(PAUSED),
      });
      await cluster.kill(PAUSED, 'SIGCONT');
      // A second execution would not find "zero" any more.
      assert.equal((await fresh.compareAndSwap('counted', change, { ...once, timeoutMs: 30_000 })).swapped, true);
    } finally {
      fresh.close();
    }
  });
});
