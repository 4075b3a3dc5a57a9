/** A process that has a data directory open until it is killed: its arguments are the directory and the identity. */
import { openDataDirectory } from '../../src/storage/data-directory.js';

const [directory = '', identity = ''] = process.argv.slice(2);

openDataDirectory({ directory, engine: 'leveldb', identity: JSON.parse(identity) }, (opened) => {
  if (!opened.ok) {
    throw new Error(opened.error.message);
  }
  process.send?.('open');
  // The channel to the parent keeps this process alive; without one it ends.
  process.on('disconnect', () => process.exit());
});
