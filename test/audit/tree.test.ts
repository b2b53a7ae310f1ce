import { describe, expect, test } from 'vitest'
import { appendLeaf, emptyTree, isTreeHead, rootOf } from '../../src/audit/tree.ts'
import type { TreeHead } from '../../src/audit/tree.ts'
import { sha256Hex } from '../../src/crypto/sha256.ts'

/** The leaves that the tests of certificate transparency's implementations share, and the roots by their number. */
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const leafOf = (hex: string): string => sha256Hex(Buffer.from(`00${hex}`, 'hex'))

/** RFC 6962, section 2.1, as it is written there. */
function slowRoot(all: readonly string[]): string {
  const [only] = all
  if (only === undefined) return sha256Hex('')
  if (all.length === 1) return only
  let half = 1
  while (half * 2 < all.length) half *= 2
  const node = `01${slowRoot(all.slice(0, half))}${slowRoot(all.slice(half))}`
  return sha256Hex(Buffer.from(node, 'hex'))
}

describe('the tree', () => {
  test('has the roots of RFC 6962 for the known leaves', () => {
    let tree: TreeHead = emptyTree
    expect(rootOf(tree)).toBe(roots[0])
    for (const [index, leaf] of leaves.entries()) {
      tree = appendLeaf(tree, leafOf(leaf))
      expect(rootOf(tree), `${index + 1} leaves`).toBe(roots[index + 1])
    }
  })

  test('has the root of the definition at every size up to 300', () => {
    const all: string[] = []
    let tree: TreeHead = emptyTree
    for (let size = 1; size <= 300; size += 1) {
      all.push(sha256Hex(String(size)))
      tree = appendLeaf(tree, all.at(-1) ?? '')
      expect(rootOf(tree)).toBe(slowRoot(all))
      expect(isTreeHead(tree)).toBe(true)
    }
  })

  test('is a value: appending leaves the tree before as it was', () => {
    const before = appendLeaf(emptyTree, leafOf('00'))
    const root = rootOf(before)
    appendLeaf(before, leafOf('01'))
    appendLeaf(before, leafOf('02'))
    expect(rootOf(before)).toBe(root)
    expect(emptyTree).toEqual({ size: 0, frontier: [] })
  })

  test('counts past 2^32', () => {
    const size = 2 ** 40 + 1
    const tree = { size, frontier: [leafOf('00'), leafOf('01')] }
    expect(isTreeHead(tree)).toBe(true)
    const next = appendLeaf(tree, leafOf('02'))
    expect(next.size).toBe(size + 1)
    expect(next.frontier).toHaveLength(2)
    expect(isTreeHead(next)).toBe(true)
  })

  const node = 'a'.repeat(64)
  const none: Readonly<Record<string, TreeHead>> = {
    'a subtree too few': { size: 3, frontier: [node] },
    'a subtree too many': { size: 4, frontier: [node, node] },
    'a negative size': { size: -1, frontier: [] },
    'half a leaf': { size: 0.5, frontier: [] },
    'a size past 2^53-1': { size: 2 ** 53, frontier: [node] },
    'a node in upper case': { size: 1, frontier: ['A'.repeat(64)] },
    'a short node': { size: 1, frontier: ['a'.repeat(62)] },
  }
  test.each(Object.entries(none))('%s is no tree', (_name, tree) => {
    expect(isTreeHead(tree)).toBe(false)
  })
})
