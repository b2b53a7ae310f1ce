import { sha256Hex } from '../crypto/sha256.ts'
import { assert } from '../errors.ts'

/**
 * A Merkle tree (RFC 6962, section 2.1), as little of it as appending and the root need.
 *
 * `frontier` holds the roots of the full subtrees from left to right, as hex: one for each bit that is set in `size`.
 */
export interface TreeHead {
  readonly size: number
  readonly frontier: readonly string[]
}

/** The tree without leaves. */
export const emptyTree: TreeHead = Object.freeze({ size: 0, frontier: Object.freeze([]) })

/** RFC 6962: the root of the empty tree is the hash of nothing. */
const emptyRoot = sha256Hex('')

/** The tree with one leaf more; costs as many hashes as `size` has trailing one bits. */
export function appendLeaf(tree: TreeHead, leaf: string): TreeHead {
  const frontier = [...tree.frontier]
  let node = leaf
  for (let rest = tree.size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = frontier.pop()
    assert(left !== undefined, 'the frontier has a subtree for each bit of the size')
    node = nodeHash(left, node)
  }
  frontier.push(node)
  return { size: tree.size + 1, frontier }
}

/** The root over all leaves, hex. */
export function rootOf(tree: TreeHead): string {
  return tree.size === 0
    ? emptyRoot
    : tree.frontier.reduceRight((right, left) => nodeHash(left, right))
}

/** Whether `frontier` has as many subtrees as a tree of `size` leaves. */
export function isTreeHead(tree: TreeHead): boolean {
  return (
    Number.isSafeInteger(tree.size) &&
    tree.size >= 0 &&
    tree.frontier.length === bitsSet(tree.size) &&
    tree.frontier.every((node) => /^[0-9a-f]{64}$/.test(node))
  )
}

/** Hex of SHA-256(0x01 || left || right): RFC 6962, section 2.1. */
export function nodeHash(left: string, right: string): string {
  nodeInput.write(left, 1, 'hex')
  nodeInput.write(right, 33, 'hex')
  return sha256Hex(nodeInput)
}

/** Filled anew by every call, which is synchronous. */
const nodeInput = Buffer.alloc(65, 1)

function bitsSet(size: number): number {
  let bits = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2
  return bits
}
