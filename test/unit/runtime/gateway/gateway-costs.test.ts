/** How the gateway bundles and sends by what operations cost: FU-04 and FU-05 at one replica's door. */
import assert from 'node:assert/strict';
import { COSTLY, GatewayBench, last } from './gateway-bench.js';

/** Submits so many operations that each cost as much as half a request. */
function submitCostly(bench: GatewayBench, count: number): void {
  for (let index = 0; index < count; index++) {
    bench.submit(`costly ${index}`);
  }
}

describe('the gateway', () => {
  it('FU-05: bundles costly operations up to half of what a request may cost', () => {
    const bench = GatewayBench.started({ requestCostMax: 6 * COSTLY });
    submitCostly(bench, 7);
    for (let round = 0; round < 4; round++) {
      bench.loop.run();
      bench.execute(...bench.sent.slice(-1));
    }
    assert.deepEqual(
      bench.operations.map(({ length }) => length),
      [1, 3, 3],
    );
  });

  it('FU-04: never puts cheap operations into one request with costly ones', () => {
    const bench = GatewayBench.started();
    for (let index = 0; index < 40; index++) {
      bench.submit(index % 2 === 0 ? `costly ${index}` : `${index}`);
    }
    bench.loop.run();
    bench.execute(...bench.sent);
    bench.loop.run();
    for (const operations of bench.operations) {
      const costly = operations.filter((operation) => operation?.startsWith('costly'));
      assert.ok(costly.length === 0 || costly.length === operations.length, operations.join());
    }
  });

  it('FU-05: lets a cheap operation overtake hundreds of costly ones that wait', () => {
    const bench = GatewayBench.started();
    submitCostly(bench, 400);
    bench.loop.run();
    const before = bench.sent.length;
    bench.submit('put');
    bench.loop.run();
    assert.deepEqual(bench.operations.slice(before), [['put']]);
    assert.equal(bench.gateway.waitingOperations > 300, true);
  });

  it('FU-05: has one request of costly operations in flight, and sends the next when it is executed', () => {
    const bench = GatewayBench.started();
    submitCostly(bench, 20);
    bench.loop.run();
    assert.equal(bench.sent.length, 1);
    for (let executed = 0; executed < 20 && bench.answers.size < 20; executed++) {
      bench.execute(...bench.sent.splice(0));
      bench.loop.run();
    }
    assert.equal(bench.answers.size, 20, 'all are answered in the end');
  });

  it('FU-05: refuses at the door what costs more than a request may, and says what to do', () => {
    const bench = GatewayBench.started({ requestCostMax: COSTLY - 1 });
    bench.submit('costly');
    const answer = bench.answers.get('costly');
    assert.ok(answer !== undefined && !answer.ok && answer.error.code === 'invalid');
    assert.equal(answer.error.field, 'operation');
    assert.match(answer.error.description, /costs up to 1000000 .*allowed are 999999.*smaller limit.*continuation/);
    assert.equal(bench.signatures, 0);
  });

  it('FU-05: leaves half of the places where operations wait to cheap ones', () => {
    const bench = GatewayBench.started({ waitingOperationsMax: 10 });
    submitCostly(bench, 30);
    assert.equal(bench.answer('costly 29'), 'queueFull');
    bench.submit('put');
    assert.equal(bench.answer('put'), undefined);
    bench.loop.run();
    assert.ok(bench.operations.some((operations) => operations.includes('put')));
    bench.execute(last(bench.sent));
  });
});
