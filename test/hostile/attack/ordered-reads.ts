/**
 * Operations that cost those who execute them far more than those who ask: reads in the total order, hundreds at a time
 * at one replica. What they cost is to be paid by who asks, not by callers of other replicas, nor by those beside them.
 */
import { randomBytes } from 'node:crypto';
import { type Client, connect } from '../../../src/client/client.js';
import { ClientError } from '../../../src/client/client-error.js';
import type { Attack, AttackedCluster, AttackTally } from './attack.js';

const LARGE_VALUES = 60;
const LARGE_BYTES = 1_000_000;
const SMALL_VALUES = 1_000;
const SMALL_BYTES = 1_000;
const CALLS_AT_ONCE = 400;
const NEIGHBOURS = 8;
const PUTS_AT_ONCE = 20;
const CALL_TIMEOUT_MS = 30_000;
/** A caller that is refused asks again soon; nobody is so polite as to wait as long as it is told. */
const REFUSED_PAUSE_MS = 20;

async function prepare({ clientPorts }: AttackedCluster): Promise<void> {
  const client = connect(`127.0.0.1:${clientPorts[0]}`);
  try {
    for (let index = 0; index < LARGE_VALUES; index++) {
      await client.put(`large/${index}`, randomBytes(LARGE_BYTES), { timeoutMs: CALL_TIMEOUT_MS });
    }
    for (let first = 0; first < SMALL_VALUES; first += PUTS_AT_ONCE) {
      const puts = Array.from({ length: PUTS_AT_ONCE }, (_, index) =>
        client.put(`small/${first + index}`, randomBytes(SMALL_BYTES), { timeoutMs: CALL_TIMEOUT_MS }),
      );
      await Promise.all(puts);
    }
  } finally {
    client.close();
  }
}

/** One call after the other over a connection of its own; each is counted as answered or refused. */
async function repeat(
  { clientPorts, target }: AttackedCluster,
  isOver: () => boolean,
  count: { answered: number; refused: number },
  call: (client: Client, round: number) => Promise<unknown>,
): Promise<void> {
  const client = connect(`127.0.0.1:${clientPorts[target]}`);
  for (let round = 0; !isOver(); round++) {
    try {
      await call(client, round);
      count.answered++;
    } catch (error) {
      if (!(error instanceof ClientError)) {
        throw error;
      }
      count.refused++;
      await new Promise((resolve) => setTimeout(resolve, REFUSED_PAUSE_MS));
    }
  }
  client.close();
}

const timeout = { timeoutMs: CALL_TIMEOUT_MS };

function attackAtOnce(
  calls: number,
  call: (client: Client, round: number, caller: number) => Promise<unknown>,
): Attack['run'] {
  return async (cluster, isOver): Promise<AttackTally> => {
    const count = { answered: 0, refused: 0 };
    const callers = Array.from({ length: calls }, (_, caller) =>
      repeat(cluster, isOver, count, (client, round) => call(client, round, caller)),
    );
    await Promise.all(callers);
    return count;
  };
}

const rangeOf = (client: Client, caller: number): Promise<unknown> =>
  client.range({ prefix: caller % 2 === 0 ? 'large/' : 'small/', limit: 1_000 }, timeout);

export const orderedRanges: Attack = {
  name: 'ordered-ranges',
  fault: 'FU-05',
  title: `${CALLS_AT_ONCE} ordered Ranges at a time, half of them over values of ${LARGE_BYTES.toLocaleString('en')} B`,
  by: 'caller',
  prepare,
  run: attackAtOnce(CALLS_AT_ONCE, (client, _, caller) => rangeOf(client, caller)),
};

export const orderedGets: Attack = {
  name: 'ordered-gets',
  fault: 'FU-05',
  title: `${CALLS_AT_ONCE} ordered Gets at a time of values of ${LARGE_BYTES.toLocaleString('en')} B`,
  by: 'caller',
  prepare,
  run: attackAtOnce(CALLS_AT_ONCE, (client, round, caller) =>
    client.get(`large/${(round + caller) % LARGE_VALUES}`, timeout),
  ),
};

export const vainSwaps: Attack = {
  name: 'vain-swaps',
  fault: 'FU-05',
  title: `${CALLS_AT_ONCE} swaps at a time that compare values of ${LARGE_BYTES.toLocaleString('en')} B and fail`,
  by: 'caller',
  prepare,
  run: attackAtOnce(CALLS_AT_ONCE, (client, round, caller) =>
    client.compareAndSwap(
      `large/${(round + caller) % LARGE_VALUES}`,
      { expected: { version: 1 }, value: 'never' },
      timeout,
    ),
  ),
};

export const longNeighbours: Attack = {
  name: 'long-neighbours',
  fault: 'FU-04',
  title: `puts and gets of ${NEIGHBOURS} callers beside hundreds of ordered Ranges at the same replica`,
  by: 'caller',
  prepare,
  async run(cluster, isOver) {
    const [ranges, own] = [
      { answered: 0, refused: 0 },
      { answered: 0, refused: 0 },
    ];
    const readers = Array.from({ length: CALLS_AT_ONCE }, (_, caller) =>
      repeat(cluster, isOver, ranges, (client) => rangeOf(client, caller)),
    );
    const neighbours = Array.from({ length: NEIGHBOURS }, (_, caller) =>
      repeat(cluster, isOver, own, async (client, round) => {
        const key = `neighbour/${caller}`;
        const { version } = await client.put(key, `${round}`, timeout);
        const read = await client.get(key, timeout);
        if (read.version !== version) {
          throw new Error(`${key} was put with version ${version} and has ${read.version}`);
        }
      }),
    );
    await Promise.all([...readers, ...neighbours]);
    return { ...ranges, neighboursServed: own.answered, neighboursFailed: own.refused };
  },
};
