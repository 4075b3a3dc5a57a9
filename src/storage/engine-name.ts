/** The engines on disk. */

/** One of them. */
export type EngineName = 'rocksdb' | 'leveldb';

/** All of them, the preferred one first. */
export const ENGINE_NAMES: readonly EngineName[] = ['rocksdb', 'leveldb'];
