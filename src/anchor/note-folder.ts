import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCheckpoint } from '../audit/checkpoint.ts'
import { cosignedAt, type CosignerKey } from '../audit/cosignature.ts'
import { parseNote } from '../audit/note.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'

/**
 * The newest note that each witness has cosigned, each in a file of its own, which `capfence audit verify --anchor` reads.
 *
 * The folder may be lost: the witness knows what it has cosigned. It is made when there is something to keep.
 */
export class NoteFolder {
  readonly #path: string

  /** @param path absolute */
  constructor(path: string) {
    this.#path = path
  }

  /** How long the log was when the witness cosigned it last, as far as is known; 0 when nothing is. */
  sizeOf(key: CosignerKey): number {
    try {
      const path = this.#fileOf(key)
      if (statSync(path).size > limits.maxNoteBytes) return 0
      const note = parseNote(readFileSync(path, 'utf8'))
      return cosignedAt(note, key) === undefined ? 0 : parseCheckpoint(note.text).size
    } catch {
      // Whatever is wrong with it, the witness says the size when it is asked.
      return 0
    }
  }

  /**
   * Keeps a note instead of the one before.
   *
   * @throws CapFenceError `ANCHOR_FAILED` when it cannot be written; the witness has cosigned it all the same
   */
  keep(key: CosignerKey, note: string): void {
    const path = this.#fileOf(key)
    try {
      mkdirSync(this.#path, { mode: 0o700, recursive: true })
      writeFileSync(`${path}.next`, note, { mode: 0o600, flush: true })
      renameSync(`${path}.next`, path)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new CapFenceError('ANCHOR_FAILED', `the cosigned note was not kept: ${reason}`, {
        cause,
      })
    }
  }

  #fileOf({ id }: CosignerKey): string {
    return join(this.#path, `witness-${id}.note`)
  }
}
