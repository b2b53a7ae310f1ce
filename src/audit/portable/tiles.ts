import { areSame, joined, textOf } from './bytes.ts'
import { LogWalk, type LogProof } from './log.ts'
import { readHead, type Pin } from './note.ts'
import { isCount, isObject, isTexts, parseJson, type JsonObject } from './record.ts'
import { Refused, insist } from './refused.ts'
import { GrowingTree } from './tree.ts'

/** Gets a file of an export by its path, which has slashes; undefined when there is none. */
export type FetchFile = (path: string) => Promise<Uint8Array | undefined>

const width = 256

/**
 * Verifies an export in tiles (c2sp.org/tlog-tiles): its entries, all its hashes, and what stands beside them.
 *
 * @param fetch asked for each file once, in the order of the log
 * @throws Refused when anything of it is not what was recorded
 */
export async function verifyTiles(fetch: FetchFile, pin: Pin): Promise<LogProof> {
  const files = new Files(fetch)
  const note = await files.text('checkpoint')
  const { size } = readHead(note)
  insist(
    (await files.text('keys.txt')) === `${pin.stable.text}\n${pin.genesis.text}\n`,
    'keys.txt names other keys',
  )
  const checkpoints = checkpointsOf(await files.text('checkpoints.jsonl'))
  const hasDisclosures = (await fetch(`disclosures/${pathOf(0)}.jsonl`)) !== undefined
  const walk = new LogWalk(pin, { hasDisclosures })
  const tiles = new TileReader(files, size)
  for (let bundle = 0; bundle * width < size; bundle += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one bundle after the other, so that only one is held
    await readBundle(bundle, { files, walk, tiles, checkpoints, size })
  }
  insist(checkpoints.size === 0, 'checkpoints of sizes that the log does not have')
  await tiles.end()
  return walk.end(note)
}

interface Reading {
  readonly files: Files
  readonly walk: LogWalk
  readonly tiles: TileReader
  readonly checkpoints: Map<number, string>
  readonly size: number
}

async function readBundle(bundle: number, reading: Reading): Promise<void> {
  const { files, walk, tiles, checkpoints, size } = reading
  const count = Math.min(width, size - bundle * width)
  const path = `${pathOf(bundle)}${count < width ? `.p/${count}` : ''}`
  const entries = entriesOf(await files.bytes(`tile/entries/${path}`))
  insist(entries.length === count, `a bundle of ${entries.length} entries`)
  const shown = await files.disclosures(bundle)
  for (const entry of entries) {
    const { leaf, seq } = walk.record(entry, shown.get(walk.size))
    shown.delete(seq)
    const checkpoint = checkpoints.get(walk.size)
    checkpoints.delete(walk.size)
    if (checkpoint !== undefined) walk.checkpoint(checkpoint)
    // oxlint-disable-next-line no-await-in-loop -- asks for a file only when a tile is full
    await tiles.add(leaf)
  }
  insist(shown.size === 0, 'disclosures of records that are not there')
}

/** Files that must be there. */
class Files {
  readonly #fetch: FetchFile

  constructor(fetch: FetchFile) {
    this.#fetch = fetch
  }

  async bytes(path: string): Promise<Uint8Array> {
    const bytes = await this.#fetch(path)
    if (bytes === undefined) throw new Refused(`there is no ${path}`)
    return bytes
  }

  async text(path: string): Promise<string> {
    return textOf(await this.bytes(path))
  }

  /** By record; empty when no disclosures are shown. */
  async disclosures(bundle: number): Promise<Map<number, readonly string[]>> {
    const bytes = await this.#fetch(`disclosures/${pathOf(bundle)}.jsonl`)
    const shown = new Map<number, readonly string[]>()
    for (const line of bytes === undefined ? [] : objectsOf(textOf(bytes))) {
      const { seq, disclosures } = line
      insist(isCount(seq) && isTexts(disclosures), 'a line of disclosures has a seq')
      insist(Object.keys(line).length === 2, 'a line with unknown members')
      insist(!shown.has(seq), 'two lines of disclosures for one record', seq)
      shown.set(seq, disclosures)
    }
    return shown
  }
}

/** Makes the tiles anew from the hashes of the records, and compares each with the file. */
class TileReader {
  readonly #files: Files
  readonly #size: number
  readonly #levels: Uint8Array[][] = []
  #added = 0

  constructor(files: Files, size: number) {
    this.#files = files
    this.#size = size
  }

  async add(leaf: Uint8Array): Promise<void> {
    let hash = leaf
    for (let level = 0; ; level += 1) {
      const tile = (this.#levels[level] ??= [])
      tile.push(hash)
      if (tile.length < width) break
      const index = Math.floor(this.#added / width ** (level + 1))
      // oxlint-disable-next-line no-await-in-loop -- a tile is full before the one above it
      await this.#compare(`tile/${level}/${pathOf(index)}`, tile)
      this.#levels[level] = []
      const tree = new GrowingTree()
      for (const one of tile) tree.add(one)
      hash = tree.root()
    }
    this.#added += 1
  }

  /** Compares the tiles that are not full. */
  async end(): Promise<void> {
    for (const [level, tile] of this.#levels.entries()) {
      if (tile.length === 0) continue
      const index = Math.floor(this.#size / width ** (level + 1))
      // oxlint-disable-next-line no-await-in-loop -- there are seven at most
      await this.#compare(`tile/${level}/${pathOf(index)}.p/${tile.length}`, tile)
    }
  }

  async #compare(path: string, tile: readonly Uint8Array[]): Promise<void> {
    const bytes = await this.#files.bytes(path)
    insist(areSame(bytes, joined(...tile)), `${path} holds other hashes than those of the records`)
  }
}

/** Each entry has its length in two bytes before it. */
function entriesOf(bundle: Uint8Array): readonly Uint8Array[] {
  const entries: Uint8Array[] = []
  for (let at = 0; at < bundle.length;) {
    const length = (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0)
    const end = at + 2 + length
    insist(end <= bundle.length, 'a bundle that is cut off')
    entries.push(bundle.slice(at + 2, end))
    at = end
  }
  return entries
}

function checkpointsOf(text: string): Map<number, string> {
  const notes = new Map<number, string>()
  for (const line of objectsOf(text)) {
    const { size, note } = line
    insist(isCount(size) && typeof note === 'string', 'a checkpoint has a size and a note')
    insist(Object.keys(line).length === 2, 'a line with unknown members')
    insist(!notes.has(size), `two checkpoints of ${size} records`)
    notes.set(size, note)
  }
  return notes
}

/** JSON Lines, each spelled as it is printed. */
function objectsOf(text: string): readonly JsonObject[] {
  if (text === '') return []
  insist(text.endsWith('\n'), 'the last line does not end')
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const value = parseJson(line)
      insist(isObject(value) && JSON.stringify(value) === line, 'a line that is no object')
      return value
    })
}

/** 1234067 is `x001/x234/067`. */
function pathOf(index: number): string {
  const last = String(index % 1000).padStart(3, '0')
  let path = last
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  }
  return path
}
