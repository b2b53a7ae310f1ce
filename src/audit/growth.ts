import { assert } from '../errors.ts'
import { consistencyRanges, RangeRoots, type LeafRange } from './merkle-proof.ts'
import { appendLeaf, type TreeHead } from './tree.ts'

/**
 * Makes the proof that a log has only grown out of what it was and of the leaves that came since (RFC 6962, 2.1.2).
 *
 * Whoever remembers the earlier tree need not read its leaves again, however many they are.
 */
export class Growth {
  readonly #from: TreeHead
  readonly #ranges: readonly LeafRange[]
  readonly #roots: RangeRoots
  #tree: TreeHead

  /** @param from at least one leaf; every leaf from there to `toSize` must be pushed */
  constructor(from: TreeHead, toSize: number) {
    this.#from = from
    this.#tree = from
    this.#ranges = consistencyRanges(from.size, toSize)
    // A root does not depend on where its leaves stand, so that counting can begin at the first new one.
    this.#roots = new RangeRoots(
      this.#ranges
        .filter(({ start }) => start >= from.size)
        .map(({ start, end }) => ({ start: start - from.size, end: end - from.size })),
    )
  }

  /** Takes the next leaf, hex. */
  push(leaf: string): void {
    this.#roots.push(leaf)
    this.#tree = appendLeaf(this.#tree, leaf)
  }

  /** The tree with all leaves that were pushed. */
  get tree(): TreeHead {
    return this.#tree
  }

  /** The proof, hex. */
  proof(): readonly string[] {
    const old = oldRoots(this.#from)
    const later = this.#roots.roots().values()
    return this.#ranges.map(({ start }) => {
      const root = start < this.#from.size ? old.get(start) : later.next().value
      assert(root !== undefined, 'a proof is made of old subtrees and of new ones')
      return root
    })
  }
}

/** The full subtrees of a tree by the index of their first leaf: the only parts of it that a proof names. */
function oldRoots({ size, frontier }: TreeHead): ReadonlyMap<number, string> {
  const roots = new Map<number, string>()
  let end = size
  for (const root of frontier.toReversed()) {
    let leaves = 1
    while (end % (leaves * 2) === 0) leaves *= 2
    roots.set(end - leaves, root)
    end -= leaves
  }
  return roots
}
