#!/usr/bin/env node
// Starts the compiled command line. Plain JavaScript that older versions of Node.js can read too, so that they get an
// answer instead of a syntax error.
import { existsSync } from 'node:fs';

// At SIGUSR1 Node.js would open its debugger to whoever is on this machine; this process holds private keys. Before
// anything else, so that there is no moment in which it could.
process.on('SIGUSR1', () => {});

const OLDEST = [20, 19];
const compiled = new URL('../dist/cli/main.js', import.meta.url);

function refuse(message) {
  process.stderr.write(`pbft: ${message}\n`);
  process.exit(1);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  refuse(`needs Node.js ${OLDEST.join('.')} or newer; this is ${process.versions.node}`);
}
if (!existsSync(compiled)) {
  refuse('dist/ is missing; run `make build` first');
}

const { main } = await import(compiled.href).catch((error) => {
  if (error.code === 'EMFILE') {
    refuse('this process may not even open the files of its code: raise the limit (`ulimit -n`, `LimitNOFILE=`)');
  }
  throw error;
});
await main(process.argv);
