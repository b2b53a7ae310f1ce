import { assert, CapFenceError } from '../errors.ts'
import type { StoredRow } from './record.ts'
import { appendLeaf, emptyTree, nodeHash, rootOf, type TreeHead } from './tree.ts'

/** A file of an export, its path relative to the export and with slashes. */
export interface ExportedFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** Hashes in a full tile, and entries in a full bundle. */
export const tileWidth = 256
const hashBytes = 32
/** 256^6 is the last power below 2^53. */
const maxLevels = 7

/** Whether a tree of `size` has a tile that is not full on a level, and which: its index and width. */
export interface PartialTile {
  readonly level: number
  readonly index: number
  /** 1 to 255. */
  readonly width: number
}

/**
 * Writes a log as tiles of hashes and bundles of entries (c2sp.org/tlog-tiles), each file as soon as it is full.
 *
 * Holds at most one bundle and one tile a level, however long the log is.
 */
export class TileBuilder {
  /** Hashes of the last tile of each level, which is not full. */
  readonly #levels: string[][]
  #entries: Uint8Array[] = []
  #size: number

  /** @param from where an earlier export is continued; the beginning when absent */
  constructor(from: TileStart = { size: 0, levels: [] }) {
    const { size, levels } = from
    assert(size % tileWidth === 0, 'an export is continued at a full bundle')
    assert(
      levels.every((level, index) => level.length === widthAt(size, index)),
      'each level continues the tile that is not full',
    )
    this.#levels = levels.map((level) => [...level])
    this.#size = size
  }

  /** Entries so far. */
  get size(): number {
    return this.#size
  }

  /**
   * Takes the next record and gives the files that it completes.
   *
   * @throws CapFenceError `AUDIT_CORRUPT` when it is not the next one
   */
  push({ seq, leaf, body }: StoredRow): readonly ExportedFile[] {
    if (seq !== this.#size) {
      throw new CapFenceError('AUDIT_CORRUPT', `record ${seq} stands where ${this.#size} should`)
    }
    this.#entries.push(entryOf(body))
    const files = this.#add(0, hexOf(leaf))
    this.#size += 1
    if (this.#entries.length < tileWidth) return files
    const path = entriesPath(Math.floor(seq / tileWidth))
    const bytes = Buffer.concat(this.#entries)
    this.#entries = []
    return [{ path, bytes }, ...files]
  }

  /** The files that are not full: what is needed for a checkpoint of the size so far. */
  partialFiles(): readonly ExportedFile[] {
    const tiles = partialTiles(this.#size).map((tile) => ({
      path: tilePath(tile.level, tile.index, tile.width),
      bytes: tileBytes(this.#levels[tile.level] ?? []),
    }))
    const width = this.#entries.length
    if (width === 0) return tiles
    const path = entriesPath(Math.floor(this.#size / tileWidth), width)
    return [{ path, bytes: Buffer.concat(this.#entries) }, ...tiles]
  }

  /** Root of the tree so far, hex. */
  root(): string {
    let right: string | undefined
    for (const level of this.#levels) {
      if (level.length === 0) continue
      const { frontier } = level.reduce<TreeHead>(appendLeaf, emptyTree)
      right = frontier.reduceRight<string | undefined>(joined, right)
    }
    return right ?? rootOf(emptyTree)
  }

  #add(level: number, hash: string): readonly ExportedFile[] {
    assert(level < maxLevels, 'a log has fewer than 2^53 records')
    const hashes = (this.#levels[level] ??= [])
    hashes.push(hash)
    if (hashes.length < tileWidth) return []
    this.#levels[level] = []
    const index = Math.floor(this.#size / tileWidth ** (level + 1))
    const tile = { path: tilePath(level, index), bytes: tileBytes(hashes) }
    return [tile, ...this.#add(level + 1, rootOf(hashes.reduce(appendLeaf, emptyTree)))]
  }
}

/** What of an earlier export is needed in order to continue it. */
export interface TileStart {
  /** A multiple of 256: the entries behind it are written again. */
  readonly size: number
  /** The hashes of the tiles that are not full in a tree of that size, from level 0 up; none where all are full. */
  readonly levels: readonly (readonly string[])[]
}

/** The tiles that are not full in a tree of `size` leaves, from level 0 up. */
export function partialTiles(size: number): readonly PartialTile[] {
  const tiles: PartialTile[] = []
  for (let level = 0; tileWidth ** level <= size; level += 1) {
    const width = widthAt(size, level)
    if (width > 0) tiles.push({ level, index: Math.floor(size / tileWidth ** (level + 1)), width })
  }
  return tiles
}

/** The path of a tile; of one that is not full with its width. */
export function tilePath(level: number, index: number, width?: number): string {
  return `tile/${level}/${indexPath(index)}${partialSuffix(width)}`
}

/** The path of a bundle of entries; of one that is not full with its width. */
function entriesPath(index: number, width?: number): string {
  return `tile/entries/${indexPath(index)}${partialSuffix(width)}`
}

/** The path of the disclosures of a bundle's records. */
export function disclosuresPath(bundle: number): string {
  return `disclosures/${indexPath(bundle)}.jsonl`
}

/**
 * The hashes of a tile, hex.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when it does not hold as many
 */
export function parseTile(bytes: Uint8Array, width: number): readonly string[] {
  if (bytes.length !== width * hashBytes) {
    throw new CapFenceError('AUDIT_CORRUPT', `a tile of ${width} hashes has ${bytes.length} bytes`)
  }
  const hex = hexOf(bytes)
  return Array.from({ length: width }, (_, at) => hex.slice(at * 64, (at + 1) * 64))
}

function joined(right: string | undefined, left: string): string {
  return right === undefined ? left : nodeHash(left, right)
}

function widthAt(size: number, level: number): number {
  return Math.floor(size / tileWidth ** level) % tileWidth
}

/** 1234067 is `x001/x234/067`: no name is both a file and a folder. */
function indexPath(index: number): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
}

function partialSuffix(width: number | undefined): string {
  return width === undefined ? '' : `.p/${width}`
}

/** A length of two bytes stands before each entry, which is why a record has at most 65,535. */
function entryOf(body: Uint8Array): Uint8Array {
  assert(body.length <= 0xffff, 'a record fits in an entry')
  const entry = Buffer.allocUnsafe(body.length + 2)
  entry.writeUInt16BE(body.length)
  entry.set(body, 2)
  return entry
}

function tileBytes(hashes: readonly string[]): Uint8Array {
  return Buffer.from(hashes.join(''), 'hex')
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
