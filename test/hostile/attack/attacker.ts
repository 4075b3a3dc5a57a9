/**
 * The process that attacks, so that what it costs itself is not taken from the honest callers: its first argument is the
 * attack's name, its second the attacked cluster as JSON. It attacks until it is asked to end by SIGTERM, and prints its
 * tally and the processor seconds it used as one line of JSON.
 */
import type { AttackedCluster } from './attack.js';
import { findAttack } from './attacks.js';

const [name = '', cluster = ''] = process.argv.slice(2);
const attack = findAttack(name);
if (attack === undefined) {
  throw new Error(`there is no attack ${name}`);
}
let isOver = false;
process.once('SIGTERM', () => {
  isOver = true;
});
console.log('attacking');
const before = process.cpuUsage();
const tally = await attack.run(JSON.parse(cluster) as AttackedCluster, () => isOver);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ tally, cpuSeconds: (user + system) / 1_000_000 }));
process.exit(0);
