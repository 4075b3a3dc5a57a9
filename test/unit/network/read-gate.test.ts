import assert from 'node:assert/strict';
import { ReadGate } from '../../../src/network/read-gate.js';

describe('a read gate', () => {
  it('holds what comes while it is closed and keeps the order', () => {
    const gate = new ReadGate();
    const seen: number[] = [];
    gate.pass(() => seen.push(1));
    gate.setOpen(false);
    gate.pass(() => seen.push(2));
    gate.pass(() => seen.push(3));
    assert.deepEqual(seen, [1]);
    gate.setOpen(true);
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it('may be closed again by what it delivers', () => {
    const gate = new ReadGate();
    const seen: number[] = [];
    gate.setOpen(false);
    gate.pass(() => {
      seen.push(1);
      gate.setOpen(false);
    });
    gate.pass(() => seen.push(2));
    gate.setOpen(true);
    assert.deepEqual(seen, [1]);
    gate.discard();
    gate.setOpen(true);
    assert.deepEqual(seen, [1]);
  });
});
