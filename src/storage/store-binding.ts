/**
 * Binds a store to its data directory: the store holds the identity too, so that a store's folder that was put into
 * another replica's directory is refused although the files around it say otherwise.
 */
import type { KeyValueStore, StoreError } from '../ports/key-value-store.js';
import { equalBytes } from '../util/bytes.js';
import { failed, ok, type Result } from '../util/result.js';
import { CanonicalWriter } from '../wire/canonical-writer.js';
import { createChecksummedStore } from './checksummed-store.js';
import type { DirectoryIdentity } from './directory-identity.js';
import { END_OF, logGroupKey, nameOfKeySpace, numberOfGroupKey, SINGLE_KEY } from './key-space.js';
import { corruptError } from './store-error.js';

/** Writes the identity into a new store, or compares it with that of an old one. */
export async function bindStore(
  engineStore: KeyValueStore,
  identity: DirectoryIdentity,
  isNew: boolean,
): Promise<Result<void, { readonly code: StoreError['code'] | 'refused'; readonly message: string }>> {
  const store = createChecksummedStore(engineStore, nameOfKeySpace);
  const value = new CanonicalWriter()
    .digest(1, identity.clusterId)
    .number(2, identity.replica)
    .digest(3, identity.keyFingerprint)
    .finish();
  const found = await new Promise<Parameters<Parameters<KeyValueStore['getMany']>[1]>[0]>((resolve) => {
    store.getMany([SINGLE_KEY.identity], resolve);
  });
  if (!found.ok) {
    return found;
  }
  const [stored] = found.value;
  if (stored !== undefined) {
    return equalBytes(stored, value)
      ? ok(undefined)
      : failed({ code: 'refused', message: "the folder store is another replica's; put this replica's own back" });
  }
  if (!isNew) {
    return failed(corruptError("the store's identity is missing"));
  }
  return new Promise((resolve) => {
    store.write([{ type: 'put', key: SINGLE_KEY.identity, value }], { sync: true }, resolve);
  });
}

/** The number of the newest group of the log, 0 where there never was one. */
export function readNewestGroup(store: KeyValueStore): Promise<Result<number, StoreError>> {
  const range = { first: logGroupKey(0), end: END_OF.logGroups, limit: 1, reverse: true };
  return new Promise((resolve) => {
    store.read(range, (result) => {
      const key = result.ok ? result.value[0]?.key : undefined;
      resolve(result.ok ? ok(key === undefined ? 0 : (numberOfGroupKey(key) ?? 0)) : result);
    });
  });
}
