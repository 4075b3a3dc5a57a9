/**
 * Merkle trees over the leaves of a batch (protocol.md 7), with the leaf and node prefixes of RFC 6962.
 *
 * Deviation from the shape in RFC 6962: where a level has an odd number of nodes, the last one is paired with the digest
 * of the empty tree instead of moving up alone. So all leaves are equally deep, the bits of a leaf's index say at each
 * level whether its sibling stands left or right, and a path proves the index without the number of leaves: in RFC 6962's
 * shape the path of leaf 4 of 5 is also one of leaf 1 of 2. No leaf can pass for the filling or for a node: the three
 * are hashed under different domain strings and prefixes.
 */
import type { Digest, Hash } from '../util/digest.js';
import { ByteWriter } from './encoding.js';

/** A tree's root, and for each leaf the siblings on its way there, from the leaf up. */
export interface MerklePaths {
  readonly root: Digest;
  readonly paths: readonly (readonly Digest[])[];
}

/** The longest path: more than 2^31 leaves don't exist. */
export const MERKLE_PATH_MAX = 31;

const EMPTY_DOMAIN = 'pbft/1/merkle-empty';
const LEAF_DOMAIN = 'pbft/1/merkle-leaf';
const NODE_DOMAIN = 'pbft/1/merkle-node';
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/**
 * The root over encoded leaves; over none it is the hash of the domain string alone.
 *
 * @example
 * ```ts
 * import { computeMerkleRoot, sha256 } from 'pbft';
 *
 * const leaves = ['a', 'b', 'c'].map((text) => new TextEncoder().encode(text));
 * console.log(computeMerkleRoot(leaves, sha256).length); //> 64
 * ```
 */
export function computeMerkleRoot(leaves: readonly Uint8Array[], hash: Hash): Digest {
  return computeLevels(leaves, hash).root;
}

/**
 * The root over encoded leaves, and each leaf's path.
 *
 * @example
 * ```ts
 * import { computeMerklePaths, sha256, verifyMerklePath } from 'pbft';
 *
 * const leaves = ['a', 'b', 'c'].map((text) => new TextEncoder().encode(text));
 * const { root, paths } = computeMerklePaths(leaves, sha256);
 * const [leaf, path] = [leaves[2], paths[2]];
 * if (leaf !== undefined && path !== undefined) {
 *   console.log(verifyMerklePath({ leaf, leafIndex: 2, path, root }, sha256)); //> true
 *   console.log(verifyMerklePath({ leaf, leafIndex: 1, path, root }, sha256)); //> false
 * }
 * ```
 */
export function computeMerklePaths(leaves: readonly Uint8Array[], hash: Hash): MerklePaths {
  const { levels, filling, root } = computeLevels(leaves, hash);
  const paths = leaves.map((_, leafIndex) => {
    let index = leafIndex;
    return levels.map((level) => {
      const sibling = level[index ^ 1] ?? filling;
      index >>= 1;
      return sibling;
    });
  });
  return { root, paths };
}

/**
 * Whether the encoded leaf stands at this index (from 0) of the tree with this root. Total.
 *
 * @example
 * ```ts
 * import { computeMerklePaths, sha256, verifyMerklePath } from 'pbft';
 *
 * const leaves = ['a', 'b', 'c'].map((text) => new TextEncoder().encode(text));
 * const { root, paths } = computeMerklePaths(leaves, sha256);
 * const [leaf, path] = [leaves[2], paths[2]];
 * if (leaf !== undefined && path !== undefined) {
 *   console.log(verifyMerklePath({ leaf, leafIndex: 2, path, root }, sha256)); //> true
 *   console.log(verifyMerklePath({ leaf, leafIndex: 1, path, root }, sha256)); //> false
 * }
 * ```
 */
export function verifyMerklePath(
  proof: {
    readonly leaf: Uint8Array;
    readonly leafIndex: number;
    readonly path: readonly Digest[];
    readonly root: Digest;
  },
  hash: Hash,
): boolean {
  const { leaf, leafIndex, path, root } = proof;
  if (path.length > MERKLE_PATH_MAX || !Number.isInteger(leafIndex) || leafIndex < 0 || leafIndex >= 2 ** path.length) {
    return false;
  }
  let digest = hashLeaf(leaf, hash);
  let index = leafIndex;
  for (const sibling of path) {
    digest = index % 2 === 0 ? hashNode(digest, sibling, hash) : hashNode(sibling, digest, hash);
    index >>= 1;
  }
  return digest === root;
}

/** All levels below the root, the leaves' digests first. */
function computeLevels(
  leaves: readonly Uint8Array[],
  hash: Hash,
): { readonly levels: readonly (readonly Digest[])[]; readonly filling: Digest; readonly root: Digest } {
  const filling = hash(new ByteWriter().domain(EMPTY_DOMAIN).finish());
  const levels: (readonly Digest[])[] = [];
  let level: readonly Digest[] = leaves.map((leaf) => hashLeaf(leaf, hash));
  while (level.length > 1) {
    levels.push(level);
    level = computeParents(level, filling, hash);
  }
  return { levels, filling, root: level[0] ?? filling };
}

function computeParents(level: readonly Digest[], filling: Digest, hash: Hash): readonly Digest[] {
  const parents: Digest[] = [];
  for (let index = 0; index < level.length; index += 2) {
    parents.push(hashNode(level[index] ?? filling, level[index + 1] ?? filling, hash));
  }
  return parents;
}

function hashLeaf(leaf: Uint8Array, hash: Hash): Digest {
  return hash(new ByteWriter().domain(LEAF_DOMAIN).u8(LEAF_PREFIX).raw(leaf).finish());
}

function hashNode(left: Digest, right: Digest, hash: Hash): Digest {
  return hash(new ByteWriter().domain(NODE_DOMAIN).u8(NODE_PREFIX).digest(left).digest(right).finish());
}
