import assert from 'node:assert/strict';
import { fitDescriptors, readDescriptorLimit, withBudget } from '../../../src/replica/descriptor-budget.js';

const clients = {
  allowPlaintext: false,
  callTimeoutMs: 10_000,
  callTimeoutMaxMs: 60_000,
  callsMax: 10_000,
  connectionsMax: 1_024,
  connectionsOfAddressMax: 512,
  connectionsReserved: 16,
  operatorAddresses: '',
  silentConnectionMs: 5_000,
} as Parameters<typeof fitDescriptors>[0]['clients'];
const http = { connectionsMax: 256, connectionsOfAddressMax: 128 };
const settings = { clients, http };

describe('the budget of descriptors', () => {
  it('FU-07: leaves the settings alone where they fit, and where there is no limit', () => {
    for (const limit of [undefined, 20_000]) {
      const { budget, warning } = fitDescriptors(settings, 3, limit);
      assert.equal(warning, undefined);
      assert.deepEqual(withBudget(settings, budget), settings);
    }
  });

  it('FU-07: lowers what callers may take until all fits, and says what, and what to do', () => {
    for (const limit of [230, 256, 512, 1_024, 2_048]) {
      const { budget, warning } = fitDescriptors(settings, 3, limit);
      const sum = Object.values(budget).reduce((total, count) => total + count, 0);
      assert.ok(sum + 72 + 9 <= limit, `${limit}: ${JSON.stringify(budget)}`);
      assert.ok(Object.values(budget).every((count) => count >= 8));
      assert.match(warning ?? '', new RegExp(`may open ${limit} files.*may use \\d+.*ulimit -n.*LimitNOFILE`));
      assert.ok(warning?.includes(`\`clients.connectionsMax\` is lowered to ${budget.clientConnections}`));
      const lowered = withBudget(settings, budget);
      assert.ok(lowered.clients.connectionsReserved * 2 <= lowered.clients.connectionsMax);
    }
  });

  it('FU-07: refuses to start where not even the least fits, with both numbers and the remedy', () => {
    assert.throws(() => fitDescriptors(settings, 3, 128), /may open 128 files, and a replica needs \d+.*ulimit -n/);
  });

  it('knows the limit of this process', () => {
    assert.ok((readDescriptorLimit() ?? 100) >= 64);
  });
});
