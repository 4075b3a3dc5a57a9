/** Hundreds of local Ranges at a time over large values: a read that is not ordered costs its caller next to nothing. */
import { randomBytes } from 'node:crypto';
import { connect } from '../../../src/client/client.js';
import { Consistency } from '../../../src/wire/gen/pbft/v1/key_value.js';
import type { Attack } from './attack.js';
import { LoneCaller } from './lone-caller.js';

const VALUES = 60;
const VALUE_BYTES = 1_000_000;
const CALLS_AT_ONCE = 400;
const CALL_TIMEOUT_MS = 30_000;

export const localRanges: Attack = {
  name: 'local-ranges',
  fault: 'FU-03',
  title: `${CALLS_AT_ONCE} local Ranges at a time over ${VALUES} values of ${VALUE_BYTES.toLocaleString('en')} B`,
  by: 'caller',
  async prepare({ clientPorts }) {
    const client = connect(`127.0.0.1:${clientPorts[0]}`);
    try {
      for (let index = 0; index < VALUES; index++) {
        await client.put(`large/${index}`, randomBytes(VALUE_BYTES), { timeoutMs: CALL_TIMEOUT_MS });
      }
    } finally {
      client.close();
    }
  },
  async run({ clientPorts, target }, isOver) {
    const tally = { answered: 0, refused: 0 };
    const ask = async (): Promise<void> => {
      const caller = new LoneCaller(clientPorts[target] ?? 0);
      const continuation = Buffer.alloc(0);
      while (!isOver()) {
        const request = { prefix: 'large/', limit: 1_000, continuation, consistency: Consistency.LOCAL };
        if (await caller.range(request)) {
          tally.answered++;
        } else {
          tally.refused++;
        }
      }
      caller.close();
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, ask));
    return tally;
  },
};
