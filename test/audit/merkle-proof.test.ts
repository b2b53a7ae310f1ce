import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  consistencyRanges,
  inclusionRanges,
  RangeRoots,
  verifyConsistency,
  verifyInclusion,
  type ConsistencyClaim,
  type InclusionClaim,
  type LeafRange,
} from '../../src/audit/merkle-proof.ts'
import { appendLeaf, emptyTree, rootOf, type TreeHead } from '../../src/audit/tree.ts'
import { sha256Hex } from '../../src/crypto/sha256.ts'
import { requireSharedOrSkip, sharedPath } from '../support/needs.ts'

const maxSize = 260
const leaves = Array.from({ length: maxSize }, (_, index) => sha256Hex(`leaf ${index}`))
const roots = [rootOf(emptyTree)]
let tree: TreeHead = emptyTree
for (const leaf of leaves) roots.push(rootOf((tree = appendLeaf(tree, leaf))))

function prove(ranges: readonly LeafRange[], size: number): readonly string[] {
  const collector = new RangeRoots(ranges)
  for (const leaf of leaves.slice(0, size)) collector.push(leaf)
  return collector.roots()
}

function inclusion(index: number, size: number): InclusionClaim {
  const proof = prove(inclusionRanges(index, size), size)
  return { index, size, leaf: leaves[index] ?? '', proof, root: roots[size] ?? '' }
}

function consistency(fromSize: number, toSize: number): ConsistencyClaim {
  const proof = prove(consistencyRanges(fromSize, toSize), toSize)
  const [fromRoot = '', toRoot = ''] = [roots[fromSize], roots[toSize]]
  return { fromSize, fromRoot, toSize, toRoot, proof }
}

/** The hash with one bit changed. */
function flipped(hash: string, bit: number): string {
  const bytes = Buffer.from(hash, 'hex')
  const at = (bit >> 3) % bytes.length
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7))
  return bytes.toString('hex')
}

const sizes = fc.integer({ min: 1, max: maxSize })
const bits = fc.nat({ max: 255 })
const run = { seed: 6962, numRuns: 300 }

describe('an inclusion proof', () => {
  test('holds for every leaf of every size up to 130, and for no other place', () => {
    for (let size = 1; size <= 130; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const claim = inclusion(index, size)
        expect(verifyInclusion(claim), `${index} of ${size}`).toBe(true)
        expect(verifyInclusion({ ...claim, index: (index + 1) % (size + 1) })).toBe(false)
      }
    }
  })

  test('holds for any leaf of any size', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (size, at) => verifyInclusion(inclusion(at % size, size))),
      run,
    )
  })

  test('is refused when any bit of it is another one', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), bits, (size, at, which, bit) => {
        const claim = inclusion(at % size, size)
        const all = [claim.leaf, claim.root, ...claim.proof]
        all[which % all.length] = flipped(all[which % all.length] ?? '', bit)
        const [leaf = '', root = '', ...proof] = all
        return !verifyInclusion({ ...claim, leaf, root, proof })
      }),
      run,
    )
  })

  test('is refused with a hash more, a hash less and hashes in another order', () => {
    for (const size of [2, 3, 8, 100]) {
      for (let index = 0; index < size; index += 1) {
        const claim = inclusion(index, size)
        const { proof, root, leaf } = claim
        const others = [
          [...proof, root],
          [...proof, leaf],
          [leaf, ...proof],
          proof.slice(1),
          proof.slice(0, -1),
        ]
        if (proof.length > 1) others.push(proof.toReversed())
        for (const other of others) expect(verifyInclusion({ ...claim, proof: other })).toBe(false)
      }
    }
  })

  const claim = inclusion(3, 7)
  test.each([
    ['a leaf behind the end', { index: 7 }],
    ['a negative index', { index: -1 }],
    ['half an index', { index: 3.5 }],
    ['a size past 2^53-1', { size: 2 ** 53 }],
    ['no size', { size: 0 }],
    ['no number', { size: Number.NaN }],
    ['a root in upper case', { root: claim.root.toUpperCase() }],
    ['a short leaf', { leaf: claim.leaf.slice(2) }],
    ['an empty hash in the proof', { proof: ['', ...claim.proof] }],
    ['the root itself as a leaf of a tree of one', { index: 0, size: 1, proof: [] }],
  ])('is refused for %s', (_, changes) => {
    expect(verifyInclusion({ ...claim, ...changes })).toBe(false)
  })
})

describe('a consistency proof', () => {
  test('holds between all sizes up to 70', () => {
    for (let toSize = 1; toSize <= 70; toSize += 1) {
      for (let fromSize = 1; fromSize <= toSize; fromSize += 1) {
        expect(verifyConsistency(consistency(fromSize, toSize)), `${fromSize} ${toSize}`).toBe(true)
      }
    }
  })

  test('holds between any two sizes, and not the other way round', () => {
    fc.assert(
      fc.property(sizes, sizes, (left, right) => {
        const claim = consistency(Math.min(left, right), Math.max(left, right))
        const { fromSize, fromRoot, toSize, toRoot } = claim
        const back = { fromSize: toSize, fromRoot: toRoot, toSize: fromSize, toRoot: fromRoot }
        return (
          verifyConsistency(claim) && (left === right || !verifyConsistency({ ...claim, ...back }))
        )
      }),
      run,
    )
  })

  test('is refused when any bit of it is another one', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.nat(), bits, (left, right, which, bit) => {
        const claim = consistency(Math.min(left, right), Math.max(left, right))
        const all = [claim.fromRoot, claim.toRoot, ...claim.proof]
        all[which % all.length] = flipped(all[which % all.length] ?? '', bit)
        const [fromRoot = '', toRoot = '', ...proof] = all
        return !verifyConsistency({ ...claim, fromRoot, toRoot, proof })
      }),
      run,
    )
  })

  test('is refused with a hash more and a hash less', () => {
    for (const [from, to] of [
      [1, 2],
      [4, 8],
      [6, 8],
      [7, 100],
      [64, 100],
    ] as const) {
      const claim = consistency(from, to)
      const { proof, fromRoot, toRoot } = claim
      const others = [proof.slice(1), proof.slice(0, -1)]
      for (const hash of [fromRoot, toRoot]) others.push([hash, ...proof], [...proof, hash])
      for (const other of others) expect(verifyConsistency({ ...claim, proof: other })).toBe(false)
    }
  })

  test('from the empty tree is refused, whatever it says', () => {
    const [fromRoot = '', toRoot = ''] = [roots[0], roots[5]]
    for (const proof of [[], [toRoot], [fromRoot]]) {
      expect(verifyConsistency({ fromSize: 0, fromRoot, toSize: 5, toRoot, proof })).toBe(false)
    }
  })
})

describe('the roots of ranges', () => {
  test('are not given before all their leaves are known', () => {
    const collector = new RangeRoots(inclusionRanges(2, 7))
    for (const leaf of leaves.slice(0, 6)) collector.push(leaf)
    expect(() => collector.roots()).toThrow('all leaves')
  })

  test.each([
    ['no leaf', () => inclusionRanges(7, 7)],
    ['no number', () => inclusionRanges(Number.NaN, 7)],
    ['the empty tree', () => consistencyRanges(0, 7)],
    ['a tree that shrank', () => consistencyRanges(8, 7)],
  ])('are not asked for %s', (_, ask) => {
    expect(ask).toThrow('bug')
  })

  test('are as many as the levels of a tree of 2^52 leaves', () => {
    expect(inclusionRanges(2 ** 51, 2 ** 52)).toHaveLength(52)
    expect(consistencyRanges(2 ** 51 + 1, 2 ** 52)).toHaveLength(53)
  })
})

/** Probes of transparency-dev/merkle; hashes in base64, in parts absent. */
interface Probe {
  readonly desc: string
  readonly wantErr: boolean
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string
  readonly leafHash: string
  readonly size1: number
  readonly size2: number
  readonly root1: string
  readonly root2: string
  readonly proof: readonly (string | null)[] | null
}

const hex = (base64: string | null): string => Buffer.from(base64 ?? '', 'base64').toString('hex')

function isTrue(kind: string, probe: Probe): boolean {
  const proof = (probe.proof ?? []).map(hex)
  if (kind === 'inclusion') {
    const { leafIdx: index, treeSize: size, leafHash, root } = probe
    return verifyInclusion({ index, size, leaf: hex(leafHash), root: hex(root), proof })
  }
  const { size1: fromSize, size2: toSize, root1, root2 } = probe
  return verifyConsistency({ fromSize, toSize, fromRoot: hex(root1), toRoot: hex(root2), proof })
}

describe.each(['inclusion', 'consistency'])('the %s probes of others', (kind) => {
  const folder = sharedPath(`vectors/merkle/${kind}`)
  test.skipIf(requireSharedOrSkip(`vectors/merkle/${kind}`))('are answered as they say', () => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    const probes = files.filter((name) => name.endsWith('.json'))
    expect(probes.length).toBeGreaterThan(50)
    for (const name of probes) {
      const probe = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Probe
      expect(isTrue(kind, probe), `${name}: ${probe.desc}`).toBe(!probe.wantErr)
    }
  })
})
