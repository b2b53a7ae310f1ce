import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { openCheckpoint } from '../audit/checkpoint.ts'
import { disclosuresLine, sizedCheckpointLine } from '../audit/export-lines.ts'
import { printPin, type LogPin } from '../audit/pin.ts'
import {
  disclosuresPath,
  parseTile,
  partialTiles,
  TileBuilder,
  tilePath,
  tileWidth,
  type TileStart,
} from '../audit/tiles.ts'
import { CapFenceError } from '../errors.ts'
import type { LogSnapshot } from '../storage/log-snapshot.ts'
import type { Exported } from './audit-export.ts'
import { disclosuresOf, type ExportOptions } from './export-options.ts'
import { damaged, pinNamedBy, signedHeadOf, soundRows, type SignedHead } from './signed-log.ts'

/**
 * Writes a log in tiles, or what has come to it since an earlier export into the same folder.
 *
 * The checkpoint is written last: a reader never finds one whose tiles are not all there.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when log and folder are not what was signed; `USAGE` when the folder holds
 *   something else
 */
export function exportTiles(snapshot: LogSnapshot, options: ExportOptions): Exported {
  const head = signedHeadOf(snapshot)
  const pin = pinNamedBy(snapshot)
  const folder = new ExportFolder(options.to)
  const builder = new TileBuilder(folder.start(head, pin))
  for (const row of soundRows(snapshot, builder.size)) {
    for (const { path, bytes } of builder.push(row)) folder.write(path, bytes)
    if (builder.size % tileWidth === 0) options.onProgress(builder.size, head.size)
  }
  if (builder.size !== head.size || builder.root() !== head.root) {
    throw damaged('log and folder do not hold the records that the head was signed over')
  }
  for (const { path, bytes } of builder.partialFiles()) folder.write(path, bytes)
  folder.writeDisclosures(options.hasDisclosures ? snapshot : undefined)
  const notes = Array.from(snapshot.checkpoints(0), ({ size, note }) =>
    sizedCheckpointLine(size, note),
  )
  folder.write('checkpoints.jsonl', notes.join(''))
  folder.write('keys.txt', printPin(pin))
  folder.write('checkpoint', head.note)
  return { log: head.origin, size: head.size, root: head.root, files: folder.written }
}

/** What an export writes at the top of its folder. */
const ownNames: ReadonlySet<string> = new Set([
  'checkpoint',
  'checkpoints.jsonl',
  'disclosures',
  'keys.txt',
  'tile',
])

class ExportFolder {
  readonly #path: string
  readonly #folders = new Set<string>()
  #written = 0

  constructor(path: string) {
    this.#path = path
    if (!existsSync(path)) return
    const stranger = readdirSync(path).find((name) => !ownNames.has(name))
    if (stranger === undefined) return
    throw new CapFenceError('USAGE', `\`${path}\` holds \`${stranger}\`, which is of no export`, {
      hint: 'name an empty folder, or one that an earlier export has made',
    })
  }

  get written(): number {
    return this.#written
  }

  /** Where the tiles of an earlier export end; what they hold is proved by the root that they lead to. */
  start(head: SignedHead, pin: LogPin): TileStart | undefined {
    const file = join(this.#path, 'checkpoint')
    if (!existsSync(file)) return undefined
    const before = this.#earlier(readFileSync(file, 'utf8'), pin)
    if (before > head.size) {
      throw damaged(`the folder has ${before} records of the log, the log only ${head.size}`)
    }
    const size = before - (before % tileWidth)
    const levels: (readonly string[])[] = []
    for (const { level, index, width } of partialTiles(size)) {
      while (levels.length < level) levels.push([])
      levels.push(parseTile(this.#read(tilePath(level, index, width)), width))
    }
    return { size, levels }
  }

  write(path: string, content: Uint8Array | string): void {
    const file = join(this.#path, path)
    const folder = dirname(file)
    if (!this.#folders.has(folder)) mkdirSync(folder, { recursive: true })
    this.#folders.add(folder)
    // Beside the old one first: nobody reads half a file.
    writeFileSync(`${file}.new`, content)
    renameSync(`${file}.new`, file)
    this.#written += 1
  }

  /** All of them anew: one that was shown before may have been erased since. */
  writeDisclosures(snapshot: LogSnapshot | undefined): void {
    rmSync(join(this.#path, 'disclosures'), { recursive: true, force: true })
    let lines = ''
    let size = 0
    for (const row of snapshot?.rows(0) ?? []) {
      if (row.disclosures !== '') lines += disclosuresLine(row.seq, disclosuresOf(row))
      size = row.seq + 1
      if (size % tileWidth !== 0) continue
      this.write(disclosuresPath(size / tileWidth - 1), lines)
      lines = ''
    }
    if (size % tileWidth !== 0) this.write(disclosuresPath(Math.floor(size / tileWidth)), lines)
  }

  #earlier(note: string, pin: LogPin): number {
    try {
      return openCheckpoint(note, pin.stable.name, [pin.stable]).size
    } catch (cause) {
      throw new CapFenceError('USAGE', `\`${this.#path}\` holds an export of another log`, {
        cause,
        hint: 'name an empty folder',
      })
    }
  }

  #read(path: string): Uint8Array {
    try {
      return readFileSync(join(this.#path, path))
    } catch (cause) {
      throw new CapFenceError('AUDIT_CORRUPT', `\`${path}\` is missing in \`${this.#path}\``, {
        cause,
        hint: 'remove the folder, and export the log again',
      })
    }
  }
}
