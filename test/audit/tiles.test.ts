import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCheckpoint } from '../../src/audit/checkpoint.ts'
import { leafHash } from '../../src/audit/codec.ts'
import { parseVerifierKey } from '../../src/audit/note.ts'
import type { StoredRow } from '../../src/audit/record.ts'
import { parseTile, partialTiles, TileBuilder, tilePath } from '../../src/audit/tiles.ts'
import { appendLeaf, emptyTree, rootOf, type TreeHead } from '../../src/audit/tree.ts'
import { requireSharedOrSkip, sharedPath } from '../support/needs.ts'

const rowOf = (seq: number, body: Uint8Array = Buffer.from(`{"n":${seq}}`)): StoredRow => ({
  seq,
  body,
  leaf: Buffer.from(leafHash(body), 'hex'),
})
const rows = Array.from({ length: 66_000 }, (_, seq) => rowOf(seq))
const roots = [rootOf(emptyTree)]
let tree: TreeHead = emptyTree
for (const { leaf } of rows)
  roots.push(rootOf((tree = appendLeaf(tree, Buffer.from(leaf).toString('hex')))))

/** All files of an export of the first `size` records. */
function exported(size: number): Map<string, Buffer> {
  const builder = new TileBuilder()
  const files = rows.slice(0, size).flatMap((row) => builder.push(row))
  expect(builder.root()).toBe(roots[size])
  return new Map(
    [...files, ...builder.partialFiles()].map(({ path, bytes }) => [path, Buffer.from(bytes)]),
  )
}

describe('an export in tiles', () => {
  test('has the files that the specification names for 70,000 entries', () => {
    expect(partialTiles(70_000)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ])
    expect(partialTiles(256)).toEqual([{ level: 1, index: 0, width: 1 }])
    expect(partialTiles(0)).toEqual([])
    expect(tilePath(0, 1_234_067)).toBe('tile/0/x001/x234/067')
    expect(tilePath(63, 0, 7)).toBe('tile/63/000.p/7')
    expect(tilePath(1, 1000)).toBe('tile/1/x001/000')
  })

  test.each([0, 1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_793])(
    'of %i entries holds their hashes and themselves, each once',
    (size) => {
      const files = exported(size)
      const hashes: string[] = []
      const entries: Buffer[] = []
      for (let index = 0; index * 256 < size; index += 1) {
        const width = Math.min(size - index * 256, 256)
        const suffix = width === 256 ? undefined : width
        hashes.push(...parseTile(files.get(tilePath(0, index, suffix)) ?? Buffer.alloc(0), width))
        let bundle = files.get(tilePath(0, index, suffix).replace('tile/0', 'tile/entries'))
        while (bundle !== undefined && bundle.length > 0) {
          entries.push(bundle.subarray(2, 2 + bundle.readUInt16BE()))
          bundle = bundle.subarray(2 + bundle.readUInt16BE())
        }
      }
      const all = rows.slice(0, size)
      expect(hashes.length + entries.length).toBe(2 * size)
      expect(hashes.join('')).toBe(
        all.map(({ leaf }) => Buffer.from(leaf).toString('hex')).join(''),
      )
      expect(Buffer.concat(entries).equals(Buffer.concat(all.map(({ body }) => body)))).toBe(true)
      const bundles = Math.ceil(size / 256)
      const uppers = Math.ceil(Math.floor(size / 256) / 256) + (size >= 65_536 ? 1 : 0)
      expect(files.size).toBe(2 * bundles + uppers)
    },
  )

  test.each([
    [1, 2],
    [255, 256],
    [256, 257],
    [300, 700],
    [700, 700],
    [65_535, 65_536],
    [65_600, 66_000],
  ])('of %i entries is continued to %i as if it had been made at once', (from, to) => {
    const before = exported(from)
    const size = from - (from % 256)
    const levels = Array.from({ length: 3 }, (_, level): readonly string[] => {
      const tile = partialTiles(size).find((one) => one.level === level)
      if (tile === undefined) return []
      const { index, width } = tile
      return parseTile(before.get(tilePath(level, index, width)) ?? Buffer.alloc(0), width)
    })
    const builder = new TileBuilder({ size, levels })
    const files = rows.slice(size, to).flatMap((row) => builder.push(row))
    expect(builder.root()).toBe(roots[to])
    const after = new Map(before)
    for (const { path, bytes } of [...files, ...builder.partialFiles()])
      after.set(path, Buffer.from(bytes))
    for (const [path, bytes] of exported(to))
      expect(after.get(path)?.equals(bytes), path).toBe(true)
  })

  test('holds entries of 2 and of 65,535 bytes', () => {
    const builder = new TileBuilder()
    builder.push(rowOf(0, Buffer.from('{}')))
    builder.push(rowOf(1, Buffer.alloc(65_535, 'a')))
    const [bundle] = builder.partialFiles()
    expect(bundle?.bytes).toHaveLength(2 + 2 + 2 + 65_535)
    expect(() => builder.push(rowOf(2, Buffer.alloc(65_536)))).toThrow('bug')
  })

  test.each([
    ['a record left out', 1],
    ['a record twice', 0],
  ])('is not made with %s', (_, step) => {
    const builder = new TileBuilder()
    builder.push(rowOf(0))
    expect(() => builder.push(rowOf(step === 0 ? 0 : 2))).toThrow(
      expect.objectContaining({ code: 'AUDIT_CORRUPT' }),
    )
  })

  test('is not continued at a size that its tiles do not have', () => {
    expect(() => new TileBuilder({ size: 256, levels: [] })).not.toThrow()
    expect(() => new TileBuilder({ size: 256, levels: [[]] })).not.toThrow()
    expect(() => new TileBuilder({ size: 255, levels: [] })).toThrow('full bundle')
    expect(() => new TileBuilder({ size: 256, levels: [[], []] })).toThrow('not full')
  })

  test('takes no tile of another width', () => {
    expect(() => parseTile(Buffer.alloc(63), 2)).toThrow(
      expect.objectContaining({ code: 'AUDIT_CORRUPT' }),
    )
  })

  const real = sharedPath('vectors/tessera-log')
  test.skipIf(requireSharedOrSkip('vectors/tessera-log'))(
    'is, byte for byte, what a log of somebody else has',
    () => {
      const key = parseVerifierKey(
        'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx',
      )
      const entries = readFileSync(join(real, 'tile/entries/000.p/15'))
      const builder = new TileBuilder()
      let [at, compared] = [0, 0]
      for (let seq = 0; ; seq += 1) {
        const note = readFileSync(join(real, `checkpoint.${seq}`), 'utf8')
        expect(openCheckpoint(note, key.name, [key])).toMatchObject({
          size: seq,
          root: builder.root(),
        })
        for (const { path, bytes } of builder.partialFiles()) {
          if (!existsSync(join(real, path))) continue
          expect(readFileSync(join(real, path)), path).toEqual(bytes)
          compared += 1
        }
        if (at === entries.length) break
        const length = entries.readUInt16BE(at)
        builder.push(rowOf(seq, entries.subarray(at + 2, at + 2 + length)))
        at += 2 + length
      }
      expect(builder.size).toBe(15)
      const files = readdirSync(real, { recursive: true, encoding: 'utf8' })
      expect(compared).toBe(files.filter((name) => /^tile\/.*\/\d+$/.test(name)).length)
    },
  )
})
