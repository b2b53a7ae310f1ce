import { assert } from '../errors.ts'
import { appendLeaf, emptyTree, nodeHash, rootOf, type TreeHead } from './tree.ts'

/** Leaves from `start` to before `end`; a proof is a list of roots over such ranges. */
export interface LeafRange {
  readonly start: number
  readonly end: number
}

/** That a leaf stands at a place of a tree; hashes are 64 lower-case hex digits. */
export interface InclusionClaim {
  readonly index: number
  /** Leaves of the tree. */
  readonly size: number
  readonly leaf: string
  /** From the leaf's sibling up to the child of the root. */
  readonly proof: readonly string[]
  readonly root: string
}

/** That a tree of `toSize` leaves begins with those of another; hashes are 64 lower-case hex digits. */
export interface ConsistencyClaim {
  readonly fromSize: number
  readonly fromRoot: string
  readonly toSize: number
  readonly toRoot: string
  readonly proof: readonly string[]
}

/**
 * Whose roots, in this order, prove that a leaf is in the tree (RFC 6962, section 2.1.1).
 *
 * @param index 0 to `size` - 1
 */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  assert(isSize(size) && isSize(index) && index < size, 'a proof is of a leaf of the tree')
  const ranges: LeafRange[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      ranges.push({ start: middle, end })
      end = middle
    } else {
      ranges.push({ start, end: middle })
      start = middle
    }
  }
  return ranges.toReversed()
}

/**
 * Whose roots, in this order, prove that a tree begins with another (RFC 6962, section 2.1.2).
 *
 * @param fromSize 1 to `toSize`: of the empty tree there is nothing to prove
 */
export function consistencyRanges(fromSize: number, toSize: number): readonly LeafRange[] {
  assert(isSize(toSize) && fromSize > 0 && fromSize <= toSize, 'a tree grows, from one leaf on')
  const ranges: LeafRange[] = []
  let [start, end] = [0, toSize]
  while (fromSize !== end) {
    const middle = start + splitOf(end - start)
    if (fromSize <= middle) {
      ranges.push({ start: middle, end })
      end = middle
    } else {
      ranges.push({ start, end: middle })
      start = middle
    }
  }
  // From the first leaf on it is the old tree itself, whose root the reader has.
  if (start > 0) ranges.push({ start, end })
  return ranges.toReversed()
}

/**
 * Takes the leaves of a tree in their order and keeps only the roots that a proof asks for.
 *
 * Memory grows with the logarithm of the tree: whoever reads the leaves need not hold them.
 */
export class RangeRoots {
  readonly #ranges: readonly LeafRange[]
  readonly #byStart: readonly LeafRange[]
  readonly #roots = new Map<LeafRange, string>()
  #current = 0
  #tree: TreeHead = emptyTree
  #index = 0

  /** @param ranges disjoint, in the order in which `roots` answers */
  constructor(ranges: readonly LeafRange[]) {
    this.#ranges = ranges
    this.#byStart = ranges.toSorted((left, right) => left.start - right.start)
  }

  /** Takes the next leaf, hex. */
  push(leaf: string): void {
    const range = this.#byStart[this.#current]
    const index = this.#index
    this.#index += 1
    if (range === undefined || index < range.start) return
    this.#tree = appendLeaf(this.#tree, leaf)
    if (this.#index < range.end) return
    this.#roots.set(range, rootOf(this.#tree))
    this.#tree = emptyTree
    this.#current += 1
  }

  /** The proof, hex; every leaf up to the last range must have been pushed. */
  roots(): readonly string[] {
    return this.#ranges.map((range) => {
      const root = this.#roots.get(range)
      assert(root !== undefined, 'a proof is made of all leaves of its tree')
      return root
    })
  }
}

/** Whether a claim is true, if its root is that of the tree (RFC 9162, section 2.1.3.2). */
export function verifyInclusion({ index, size, leaf, proof, root }: InclusionClaim): boolean {
  if (!isSize(index) || !isSize(size) || index >= size) return false
  if (![leaf, root, ...proof].every(isHash)) return false
  const path = new Path(index, size - 1)
  let node = leaf
  for (const sibling of proof) {
    if (path.isAtRoot) return false
    node = path.isRight ? nodeHash(sibling, node) : nodeHash(node, sibling)
    path.ascend()
  }
  return path.isAtRoot && node === root
}

/**
 * Whether a tree begins with another, if their roots are these (RFC 9162, section 2.1.4.2).
 *
 * A proof from the empty tree is refused: it would say something of every tree, and so of none.
 */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { fromSize, fromRoot, toSize, toRoot, proof } = claim
  if (!isSize(fromSize) || !isSize(toSize) || fromSize > toSize) return false
  if (fromSize === 0) return false
  if (fromSize === toSize) return proof.length === 0 && fromRoot === toRoot
  if (![fromRoot, toRoot, ...proof].every(isHash)) return false
  // A full tree is a node of the larger one: its root begins the proof, and is not repeated there.
  const [first, ...rest] = isPowerOfTwo(fromSize) ? [fromRoot, ...proof] : proof
  if (first === undefined || (isPowerOfTwo(fromSize) && proof.length === 0)) return false
  const path = new Path(fromSize - 1, toSize - 1)
  path.skipRightTurns()
  let [from, to] = [first, first]
  for (const sibling of rest) {
    if (path.isAtRoot) return false
    if (path.isRight) {
      from = nodeHash(sibling, from)
      to = nodeHash(sibling, to)
    } else {
      to = nodeHash(to, sibling)
    }
    path.ascend()
  }
  return path.isAtRoot && from === fromRoot && to === toRoot
}

/** A way from a node to the root: `fn` and `sn` of RFC 9162, in numbers that pass 2^32. */
class Path {
  #node: number
  #last: number

  /** @param last the index of the last node of the same level */
  constructor(node: number, last: number) {
    this.#node = node
    this.#last = last
  }

  get isAtRoot(): boolean {
    return this.#last === 0
  }

  /** Whether the next sibling stands on the left: so it does for the last node of a level, however far up it is. */
  get isRight(): boolean {
    return this.#node % 2 === 1 || this.#node === this.#last
  }

  ascend(): void {
    if (this.isRight) while (this.#node % 2 === 0 && this.#node !== 0) this.#up()
    this.#up()
  }

  skipRightTurns(): void {
    while (this.#node % 2 === 1) this.#up()
  }

  #up(): void {
    this.#node = Math.floor(this.#node / 2)
    this.#last = Math.floor(this.#last / 2)
  }
}

/** The largest power of two below `count`, which is at least 2. */
function splitOf(count: number): number {
  let split = 1
  while (split * 2 < count) split *= 2
  return split
}

function isPowerOfTwo(size: number): boolean {
  return splitOf(size + 1) === size
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0
}

function isHash(hash: string): boolean {
  return /^[0-9a-f]{64}$/.test(hash)
}
