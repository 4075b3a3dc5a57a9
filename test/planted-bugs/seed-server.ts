/** Runs the seeds that its parent asks for, one after the other, with the code of the checkout it stands in. */
import { runSeed } from '../simulation/run.js';
import type { SeedAnswer } from './seed-worker.js';

process.on('message', (seed) => {
  const { violation } = runSeed({ seed: Number(seed), keepsTrace: false });
  process.send?.({ violation } satisfies SeedAnswer);
});
