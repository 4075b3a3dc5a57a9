/**
 * A partition for one machine (docs/faults-tour.md): passes TCP connections on, `node docs/tcp-proxy.mjs 7450:7500` those
 * to port 7450 to port 7500, until it is killed. Then what went through it is cut.
 */
import { connect, createServer } from 'node:net';

for (const pair of process.argv.slice(2)) {
  const [from, to] = pair.split(':').map(Number);
  createServer((near) => {
    const far = connect(to, '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  }).listen(from, '127.0.0.1');
}
