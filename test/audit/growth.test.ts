import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Growth } from '../../src/audit/growth.ts'
import { consistencyRanges, RangeRoots, verifyConsistency } from '../../src/audit/merkle-proof.ts'
import { appendLeaf, emptyTree, rootOf, type TreeHead } from '../../src/audit/tree.ts'
import { sha256Hex } from '../../src/crypto/sha256.ts'

const leaves = Array.from({ length: 600 }, (_, at) => sha256Hex(String(at)))
const treeOf = (size: number): TreeHead => leaves.slice(0, size).reduce(appendLeaf, emptyTree)

function grow(from: number, to: number): Growth {
  const growth = new Growth(treeOf(from), to)
  for (const leaf of leaves.slice(from, to)) growth.push(leaf)
  return growth
}

function provedFromTheStart(from: number, to: number): readonly string[] {
  const roots = new RangeRoots(consistencyRanges(from, to))
  for (const leaf of leaves.slice(0, to)) roots.push(leaf)
  return roots.roots()
}

describe('growth', () => {
  test('is proved by what all leaves prove, for every step among the first 70', () => {
    for (let to = 1; to <= 70; to += 1) {
      for (let from = 1; from <= to; from += 1) {
        expect(grow(from, to).proof(), `${from} to ${to}`).toEqual(provedFromTheStart(from, to))
      }
    }
  })

  test('verifies, and leaves the tree to go on from', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.nat(599), (from, more) => {
        const to = Math.min(from + more, 600)
        const growth = grow(from, to)
        expect(growth.tree).toEqual(treeOf(to))
        expect(
          verifyConsistency({
            fromSize: from,
            fromRoot: rootOf(treeOf(from)),
            toSize: to,
            toRoot: rootOf(growth.tree),
            proof: growth.proof(),
          }),
        ).toBe(true)
      }),
      { seed: 4, numRuns: 60 },
    )
  })

  test('of a tree whose root is another one does not verify', () => {
    const { size, frontier } = treeOf(300)
    const other = new Growth({ size, frontier: frontier.with(0, sha256Hex('other')) }, 301)
    other.push(leaves[300] ?? '')
    const claim = {
      fromSize: 300,
      fromRoot: rootOf(treeOf(300)),
      toSize: 301,
      toRoot: rootOf(treeOf(301)),
    }
    expect(verifyConsistency({ ...claim, proof: other.proof() })).toBe(false)
  })
})
