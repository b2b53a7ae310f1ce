import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Change, Launch } from './edits.ts'

/** A server that was wrapped: what stood in the client's file, and what stands there now. */
export interface WrapRecord {
  /** When, RFC 3339. */
  readonly time: string
  /** The client's file, absolute. */
  readonly file: string
  /** The names on the way to the server in it. */
  readonly at: readonly string[]
  /** Its name in CapFence's configuration, and that configuration, absolute. */
  readonly server: string
  readonly config: string
  readonly before: Launch
  readonly after: Launch
  readonly changes: readonly Change[]
}

type Line = ({ readonly type: 'wrap' } & WrapRecord) | Unwrapped

interface Unwrapped {
  readonly type: 'unwrap'
  readonly time: string
  readonly file: string
  readonly at: readonly string[]
}

/** What was done to clients' files, so that it can be undone: one JSON object a line, for this user alone. */
export class Journal {
  readonly path: string

  /** @param folder for files of CapFence's own */
  constructor(folder: string) {
    this.path = join(folder, 'clients.jsonl')
  }

  /** What is wrapped now, by file and place; a line that cannot be read is passed over. */
  wrapped(): readonly WrapRecord[] {
    const now = new Map<string, WrapRecord>()
    for (const line of this.#lines()) {
      const key = JSON.stringify([line.file, line.at])
      if (line.type === 'wrap') now.set(key, line)
      else now.delete(key)
    }
    return [...now.values()]
  }

  /** Notes what is about to be done; it is on disk when this returns. */
  wrap(records: readonly WrapRecord[]): void {
    this.#append(records.map((record) => ({ type: 'wrap', ...record })))
  }

  unwrap(records: readonly WrapRecord[], time: string): void {
    this.#append(records.map(({ file, at }) => ({ type: 'unwrap', time, file, at })))
  }

  #append(lines: readonly Line[]): void {
    if (lines.length === 0) return
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    appendFileSync(this.path, text, { mode: 0o600, flush: true })
  }

  #lines(): readonly Line[] {
    if (!existsSync(this.path)) return []
    return readFileSync(this.path, 'utf8').split('\n').flatMap(lineOf)
  }
}

function lineOf(text: string): readonly Line[] {
  if (text === '') return []
  try {
    const line: unknown = JSON.parse(text)
    return isLine(line) ? [line] : []
  } catch {
    // A line that a crash has cut off was never acted on.
    return []
  }
}

function isLine(value: unknown): value is Line {
  if (typeof value !== 'object' || value === null) return false
  if (!('type' in value && 'file' in value && 'at' in value)) return false
  const { type, file, at } = value
  const isPlaced = typeof file === 'string' && Array.isArray(at)
  if (!isPlaced || (type !== 'wrap' && type !== 'unwrap')) return false
  return type === 'unwrap' || ('changes' in value && 'before' in value && 'after' in value)
}
