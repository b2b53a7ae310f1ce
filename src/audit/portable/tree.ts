import { sha256 } from '@noble/hashes/sha2.js'
import { joined } from './bytes.ts'

const leafMark = Uint8Array.of(0)
const nodeMark = Uint8Array.of(1)

/** The hash of a record: RFC 6962, section 2.1. */
export function hashOfLeaf(body: Uint8Array): Uint8Array {
  return sha256(joined(leafMark, body))
}

/** The hash of a node over two others. */
function hashOfNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(joined(nodeMark, left, right))
}

/** A tree that grows by one leaf after the other and remembers only what its root needs. */
export class GrowingTree {
  /** Full subtrees from left to right; each is at least twice as high as the next. */
  readonly #subtrees: { readonly height: number; readonly hash: Uint8Array }[] = []
  #size = 0

  /** Leaves. */
  get size(): number {
    return this.#size
  }

  /** Takes the hash of the next leaf. */
  add(leaf: Uint8Array): void {
    let subtree = { height: 0, hash: leaf }
    for (let left = this.#subtrees.at(-1); left?.height === subtree.height;) {
      this.#subtrees.pop()
      subtree = { height: left.height + 1, hash: hashOfNode(left.hash, subtree.hash) }
      left = this.#subtrees.at(-1)
    }
    this.#subtrees.push(subtree)
    this.#size += 1
  }

  /** The root over all leaves. */
  root(): Uint8Array {
    const [last, ...others] = this.#subtrees.toReversed()
    if (last === undefined) return sha256(new Uint8Array(0))
    return others.reduce((right, { hash }) => hashOfNode(hash, right), last.hash)
  }
}

/** Where a leaf stands, and the hashes that lead from it to the root. */
export interface Path {
  readonly index: number
  /** Leaves of the tree. */
  readonly size: number
  readonly leaf: Uint8Array
  /** From the sibling of the leaf up. */
  readonly siblings: readonly Uint8Array[]
}

/**
 * The root that a path leads to; undefined when no tree of this size has such a path.
 *
 * Below the point where the ways of this leaf and of the last one part, the bits of the index say on which side
 * a sibling stands; above it all stand on the left.
 */
export function rootOfPath({ index, size, leaf, siblings }: Path): Uint8Array | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size)) return undefined
  if (index < 0 || index >= size) return undefined
  const way = BigInt(index)
  const bits = (way ^ BigInt(size - 1)).toString(2)
  const below = bits === '0' ? 0 : bits.length
  const above = (way >> BigInt(below)).toString(2).replaceAll('0', '').length
  if (siblings.length !== below + above) return undefined
  return siblings.reduce((hash, sibling, level) => {
    const isLeft = level >= below || ((way >> BigInt(level)) & 1n) === 1n
    return isLeft ? hashOfNode(sibling, hash) : hashOfNode(hash, sibling)
  }, leaf)
}
