/**
 * Operations that cost those who execute them far more than those who ask: reads in the total order, hundreds at a time
 * at one replica. What they cost is to be paid by who asks, not by callers of other replicas, nor by those beside them.
 */
import { randomBytes } from 'node:crypto';
import { type Client, connect } from '../../../src/client/client.js';
import { ClientError } from '../../../src/client/client-error.js';
import { Consistency } from '../../../src/wire/gen/pbft/v1/key_value.js';
import type { Attack, AttackedCluster, AttackTally } from './attack.js';
import { LoneCaller } from './lone-caller.js';

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

interface Count {
  answered: number;
  refused: number;
}

/** One call after the other; each is counted as answered or refused. */
async function repeat(isOver: () => boolean, count: Count, call: (round: number) => Promise<boolean>): Promise<void> {
  for (let round = 0; !isOver(); round++) {
    if (await call(round)) {
      count.answered++;
    } else {
      count.refused++;
      await new Promise((resolve) => setTimeout(resolve, REFUSED_PAUSE_MS));
    }
  }
}

const timeout = { timeoutMs: CALL_TIMEOUT_MS };

function attackAtOnce(call: (caller: LoneCaller, index: number, round: number) => Promise<boolean>): Attack['run'] {
  return async ({ clientPorts, target }, isOver): Promise<AttackTally> => {
    const count = { answered: 0, refused: 0 };
    const callers = Array.from({ length: CALLS_AT_ONCE }, async (_, index) => {
      const caller = new LoneCaller(clientPorts[target] ?? 0);
      await repeat(isOver, count, (round) => call(caller, index, round));
      caller.close();
    });
    await Promise.all(callers);
    return count;
  };
}

const callRange = (caller: LoneCaller, index: number): Promise<boolean> =>
  caller.range({
    prefix: index % 2 === 0 ? 'large/' : 'small/',
    limit: 1_000,
    continuation: Buffer.alloc(0),
    consistency: Consistency.ORDERED,
  });

const largeKey = (index: number, round: number): string => `large/${(round + index) % LARGE_VALUES}`;

export const orderedRanges: Attack = {
  name: 'ordered-ranges',
  fault: 'FU-05',
  title: `${CALLS_AT_ONCE} ordered Ranges at a time, half of them over values of ${LARGE_BYTES.toLocaleString('en')} B`,
  by: 'caller',
  prepare,
  run: attackAtOnce(callRange),
};

export const orderedGets: Attack = {
  name: 'ordered-gets',
  fault: 'FU-05',
  title: `${CALLS_AT_ONCE} ordered Gets at a time of values of ${LARGE_BYTES.toLocaleString('en')} B`,
  by: 'caller',
  prepare,
  run: attackAtOnce((caller, index, round) =>
    caller.get({ key: largeKey(index, round), consistency: Consistency.ORDERED }),
  ),
};

export const vainSwaps: Attack = {
  name: 'vain-swaps',
  fault: 'FU-05',
  title: `${CALLS_AT_ONCE} swaps at a time that compare values of ${LARGE_BYTES.toLocaleString('en')} B and fail`,
  by: 'caller',
  prepare,
  run: attackAtOnce((caller, index, round) =>
    caller.compareAndSwap({
      key: largeKey(index, round),
      expected: { expected: { $case: 'version', value: 1 } },
      value: { value: { $case: 'text', value: 'never' } },
      requestId: '',
    }),
  ),
};

/** No attack, but what as many callers do who only want to be served: the yardstick for the cheap ones. */
export const ordinarySwaps: Attack = {
  name: 'ordinary-swaps',
  fault: 'none',
  title: `${CALLS_AT_ONCE} swaps at a time of short values, each of a key of its own`,
  by: 'caller',
  run: attackAtOnce((caller, index, round) =>
    caller.compareAndSwap({
      key: `ordinary/${index}/${round}`,
      expected: { expected: { $case: 'absent', value: true } },
      value: { value: { $case: 'text', value: 'v'.repeat(200) } },
      requestId: '',
    }),
  ),
};

export const longNeighbours: Attack = {
  name: 'long-neighbours',
  fault: 'FU-04',
  title: `puts and gets of ${NEIGHBOURS} callers beside hundreds of ordered Ranges at the same replica`,
  by: 'caller',
  prepare,
  async run(cluster, isOver) {
    const own = { answered: 0, refused: 0 };
    const client = connect(`127.0.0.1:${cluster.clientPorts[cluster.target]}`);
    const neighbours = Array.from({ length: NEIGHBOURS }, (_, index) =>
      repeat(isOver, own, (round) => putAndGet(client, `neighbour/${index}`, `${round}`)),
    );
    const [ranges] = await Promise.all([attackAtOnce(callRange)(cluster, isOver), ...neighbours]);
    client.close();
    return { ...ranges, neighboursServed: own.answered, neighboursFailed: own.refused };
  },
};

/** Whether both were answered; the get must find what was put. */
async function putAndGet(client: Client, key: string, value: string): Promise<boolean> {
  try {
    const { version } = await client.put(key, value, timeout);
    const read = await client.get(key, timeout);
    if (read.version !== version) {
      throw new Error(`${key} was put with version ${version} and has ${read.version}`);
    }
    return true;
  } catch (error) {
    if (error instanceof ClientError) {
      return false;
    }
    throw error;
  }
}
