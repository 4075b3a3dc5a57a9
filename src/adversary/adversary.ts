/** Puts a strategy between a replica and its links. */
import type { Transport } from '../ports/transport.js';
import { createFabricating, createRepeating, createSwappingBatches } from './deceiving-primary.js';
import { createCorrupting, createDelaying, createReplaying } from './disturbing.js';
import { createContradicting, createEquivocating } from './equivocating.js';
import { createFlooding } from './flooding.js';
import { createForging } from './forging.js';
import { createLying } from './lying.js';
import { createLyingClient } from './lying-client.js';
import { createMutating } from './mutating.js';
import { createCensoring, createSlowPrimary } from './obstructing-primary.js';
import { createNeverCommitting, createPartlySilent, createSilent } from './silent.js';
import {
  createHidingPrepared,
  createSpoilingNewViews,
  createSpoilingViewChanges,
  createStormingViews,
} from './spoiling-views.js';
import type { Strategy, StrategyContext } from './strategy.js';

const STRATEGIES = {
  silent: createSilent,
  partlySilent: createPartlySilent,
  neverCommitting: createNeverCommitting,
  equivocating: createEquivocating,
  contradicting: createContradicting,
  swappingBatches: createSwappingBatches,
  fabricating: createFabricating,
  repeating: createRepeating,
  forging: createForging,
  replaying: createReplaying,
  delaying: createDelaying,
  corrupting: createCorrupting,
  lying: createLying,
  mutating: createMutating,
  lyingClient: createLyingClient,
  hidingPrepared: createHidingPrepared,
  spoilingViewChanges: createSpoilingViewChanges,
  spoilingNewViews: createSpoilingNewViews,
  stormingViews: createStormingViews,
  censoring: createCensoring,
  slowPrimary: createSlowPrimary,
  flooding: createFlooding,
} as const satisfies Readonly<Record<string, (context: StrategyContext) => Strategy>>;

/** The name of a strategy. */
export type StrategyName = keyof typeof STRATEGIES;

/** All of them. */
export const STRATEGY_NAMES = Object.keys(STRATEGIES) as readonly StrategyName[];

/** What an adversary is put around. */
export interface AdversaryOptions extends Omit<StrategyContext, 'send'> {
  readonly transport: Transport;
}

/** The links of a replica that follows the strategy. */
export function createAdversary(name: StrategyName, options: AdversaryOptions): Transport {
  const { transport } = options;
  const strategy: Strategy = STRATEGIES[name]({
    ...options,
    send: (peer, message) => {
      transport.send(peer, message, 'vote');
    },
  });
  return {
    start: (handlers, started) =>
      transport.start(
        {
          onConnected: (peer) => handlers.onConnected(peer),
          onDisconnected: (peer, reason) => handlers.onDisconnected(peer, reason),
          onMessage: (peer, message) => {
            strategy.onReceived?.(peer, message);
            if (strategy.withholds?.(peer, message) !== true) {
              handlers.onMessage(peer, message);
            }
          },
        },
        (error) => {
          if (error === undefined) {
            strategy.onStart?.();
          }
          started(error);
        },
      ),
    send: (peer, message) => {
      strategy.onSend(peer, message);
      return true;
    },
    setReading: (peer, reading) => transport.setReading(peer, reading),
    links: () => transport.links(),
    stop: (done) => {
      strategy.onStop?.();
      transport.stop(done);
    },
  };
}
