import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { sha256 } from '../../../src/crypto/hash.js';
import {
  computeMerklePaths,
  computeMerkleRoot,
  MERKLE_PATH_MAX,
  verifyMerklePath,
} from '../../../src/ledger/merkle.js';
import { type Digest, digestBytes } from '../../../src/util/digest.js';
import { digest } from './arbitraries.js';

/** Distinct leaves, so that a proof of the wrong place can't be right by chance. */
const leaves = fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 12 }), {
  maxLength: 40,
  selector: (leaf) => Buffer.from(leaf).toString('hex'),
});
const someLeaves = leaves.filter((list) => list.length > 0);

/** The definition as it stands in docs/encodings.md, without levels: node by node from the root down. */
function slowRoot(list: readonly Uint8Array[], depth: number): Digest {
  const input = (domain: string, ...parts: Uint8Array[]): Digest => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(domain.length);
    return sha256(Buffer.concat([length, Buffer.from(domain), ...parts]));
  };
  const [first] = list;
  if (first === undefined) {
    return input('pbft/1/merkle-empty');
  }
  if (depth === 0) {
    return input('pbft/1/merkle-leaf', Uint8Array.of(0), first);
  }
  const half = 2 ** (depth - 1);
  const [left, right] = [list.slice(0, half), list.slice(half)].map((part) => slowRoot(part, depth - 1));
  assert.ok(left !== undefined && right !== undefined);
  return input('pbft/1/merkle-node', Uint8Array.of(1), digestBytes(left), digestBytes(right));
}

describe('ledger: a Merkle tree', () => {
  it('has the root of its definition', () => {
    fc.assert(
      fc.property(leaves, (list) => {
        const depth = list.length <= 1 ? 0 : Math.ceil(Math.log2(list.length));
        assert.equal(computeMerkleRoot(list, sha256), slowRoot(list, depth));
      }),
    );
  });

  it('proves each leaf at its index, by a path as long as the tree is deep', () => {
    fc.assert(
      fc.property(someLeaves, (list) => {
        const { root, paths } = computeMerklePaths(list, sha256);
        assert.equal(root, computeMerkleRoot(list, sha256));
        assert.equal(paths.length, list.length);
        for (const [leafIndex, leaf] of list.entries()) {
          const path = paths[leafIndex] ?? [];
          assert.equal(path.length, Math.ceil(Math.log2(list.length)));
          assert.ok(verifyMerklePath({ leaf, leafIndex, path, root }, sha256));
        }
      }),
    );
  });

  it('proves no leaf at another index, of whatever tree with the same root', () => {
    fc.assert(
      fc.property(someLeaves, (list) => {
        const { root, paths } = computeMerklePaths(list, sha256);
        for (const [own, leaf] of list.entries()) {
          for (let leafIndex = 0; leafIndex <= 2 * list.length; leafIndex++) {
            for (const path of [paths[own] ?? [], paths[leafIndex] ?? []]) {
              assert.equal(verifyMerklePath({ leaf, leafIndex, path, root }, sha256), leafIndex === own);
            }
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('proves nothing with a path that is changed, shorter or longer', () => {
    fc.assert(
      fc.property(someLeaves, fc.nat(), fc.nat(), digest, (list, chosen, place, other) => {
        const { root, paths } = computeMerklePaths(list, sha256);
        const leafIndex = chosen % list.length;
        const leaf = list[leafIndex] ?? new Uint8Array(0);
        const path = paths[leafIndex] ?? [];
        const at = place % (path.length + 1);
        const changes = [
          [...path, other],
          [...path.slice(0, at), other, ...path.slice(at + 1)],
          [other, ...path],
        ];
        if (path.length > 0) {
          changes.push(
            path.slice(1),
            path.slice(0, -1),
            [...path].fill(other, at % path.length, (at % path.length) + 1),
          );
        }
        for (const changed of changes) {
          assert.ok(!verifyMerklePath({ leaf, leafIndex, path: changed, root }, sha256));
        }
      }),
    );
  });

  it('takes no inner node for a leaf, and no filling', () => {
    const list = [1, 2, 3].map((byte) => Uint8Array.of(byte));
    const { root, paths } = computeMerklePaths(list, sha256);
    const [sibling, parent] = paths[2] ?? [];
    assert.ok(sibling !== undefined && parent !== undefined);
    assert.equal(sibling, computeMerkleRoot([], sha256));
    const own = computeMerkleRoot([Uint8Array.of(3)], sha256);
    const node = Buffer.concat([digestBytes(own), digestBytes(sibling)]);
    assert.ok(!verifyMerklePath({ leaf: node, leafIndex: 1, path: [parent], root }, sha256));
    const path = [own, parent];
    assert.ok(!verifyMerklePath({ leaf: new Uint8Array(0), leafIndex: 3, path, root }, sha256));
  });

  it('is not fooled by indexes that are no indexes, nor by endless paths', () => {
    const leaf = Uint8Array.of(1);
    const root = computeMerkleRoot([leaf], sha256);
    assert.ok(verifyMerklePath({ leaf, leafIndex: 0, path: [], root }, sha256));
    for (const leafIndex of [-1, 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      assert.ok(!verifyMerklePath({ leaf, leafIndex, path: [], root }, sha256));
    }
    let hashed = 0;
    const path = new Array<Digest>(MERKLE_PATH_MAX + 1).fill(root);
    const counting = (bytes: Uint8Array): Digest => {
      hashed++;
      return sha256(bytes);
    };
    assert.ok(!verifyMerklePath({ leaf, leafIndex: 0, path, root }, counting));
    assert.equal(hashed, 0);
  });

  it('differs with every leaf, their order and their number', () => {
    fc.assert(
      fc.property(leaves, leaves, (left, right) => {
        const same =
          left.length === right.length &&
          left.every((leaf, at) => Buffer.compare(leaf, right[at] ?? Buffer.alloc(0)) === 0);
        assert.equal(computeMerkleRoot(left, sha256) === computeMerkleRoot(right, sha256), same);
        const reversed = [...left].reverse();
        assert.equal(computeMerkleRoot(left, sha256) === computeMerkleRoot(reversed, sha256), left.length < 2);
      }),
    );
  });
});
