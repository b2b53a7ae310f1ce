import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { ReadRow, RowWithDisclosures } from '../audit/read-row.ts'
import { packRows, unpackRead } from './row-pack.ts'
import type { RowReader } from './row-reader.ts'
import type { RowsAnswer, RowsQuestion } from './row-worker.ts'

/** What one thread may need, megabytes: half of what is promised of it. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 }

/** The program of a thread: beside this file, or where the command in its few large files finds it. */
const programs = ['./row-worker.js', '../../storage/row-worker.js']

interface Waiting {
  readonly resolve: (reads: readonly ReadRow[]) => void
  readonly reject: (error: unknown) => void
}

/** One thread, and the chunks that it has not read yet. */
class RowThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #failure: unknown

  constructor(program: URL) {
    this.#worker = new Worker(program, { resourceLimits })
    this.#worker.on('message', ({ id, reads }: RowsAnswer) => {
      this.#waiting.get(id)?.resolve(reads.map(unpackRead))
      this.#waiting.delete(id)
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('a thread that reads records has ended')))
  }

  get waiting(): number {
    return this.#waiting.size
  }

  ask(id: number, rows: readonly RowWithDisclosures[]): Promise<readonly ReadRow[]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#waiting.set(id, { resolve, reject })
      const question: RowsQuestion = { id, rows: packRows(rows) }
      this.#worker.postMessage(question, [question.rows.bytes.buffer])
    })
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#failure)
    this.#waiting.clear()
  }
}

/**
 * Reads rows in threads of their own.
 *
 * @returns undefined where their program is not found, as when the sources are run as they are
 */
export function rowThreads(count: number): RowReader | undefined {
  const program = programs
    .map((path) => new URL(path, import.meta.url))
    .find((url) => url.protocol === 'file:' && existsSync(url))
  if (program === undefined) return undefined
  const threads = Array.from({ length: count }, () => new RowThread(program))
  let asked = 0
  return {
    depth: 3 * count,
    read: async (rows) => {
      asked += 1
      const idle = threads.toSorted((left, right) => left.waiting - right.waiting)[0]
      return idle?.ask(asked, rows) ?? []
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.end()))
    },
  }
}
