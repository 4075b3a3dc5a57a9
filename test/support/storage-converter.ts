/** A process that converts a data directory, and may be killed meanwhile: its arguments are the directory and the engine. */
import { convertDirectory } from '../../src/storage/conversion.js';
import { IDENTITY } from './data-directory.js';

const [directory = '', to = ''] = process.argv.slice(2);
const engine = to === 'rocksdb' ? 'rocksdb' : 'leveldb';

process.send?.('begun');
const result = await convertDirectory({ directory, identity: IDENTITY, engine, keepsOld: false });
if (!result.ok) {
  throw new Error(result.error.message);
}
