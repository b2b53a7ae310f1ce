import { fork, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { CapFenceError } from '../errors.ts'
import {
  unreadFacts,
  type FileFacts,
  type FileReader,
  type ReadQuestion,
} from '../scan/read-file.ts'
import type { NumberedQuestion, ReaderReply } from '../scan/reader-process.ts'

/** How long a process may say nothing while it reads a file, milliseconds; then the file is left alone. */
const maxSilenceMs = 20_000
/** The most processes, count. */
const maxReaders = 8
/** Files that one process is given at once, so that it need not wait for the next, count. */
const filesAtOnce = 8
/** Its memory, mebibytes. */
const maxMemoryMib = 1024

const programs = [
  '../scan/reader-process.js',
  '../../scan/reader-process.js',
  '../../dist/scan/reader-process.js',
]

/** Where a process that reads files finds its program; the build puts this module into one of several files. */
const program = programs
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path))

interface Waiting {
  readonly question: ReadQuestion
  /** Whether a process ended while it had this file: it is read alone then. */
  readonly isSuspect: boolean
  readonly answer: (facts: FileFacts) => void
  readonly fail: (error: Error) => void
}

/**
 * Reads files in processes of their own: a parser may die on a file, or never end, and then it is that file which could not be
 * read. Native parsers use up their stack on text that is nested deep enough, and nothing in the same process survives that.
 */
export class ScanReaders implements FileReader {
  readonly width: number
  readonly #readers: readonly Reader[]
  readonly #queue: Waiting[] = []

  constructor(count: number = Math.min(maxReaders, availableParallelism())) {
    this.#readers = Array.from({ length: count }, () => new Reader(this.#queue))
    this.width = count * filesAtOnce
  }

  async read(question: ReadQuestion): Promise<FileFacts> {
    return new Promise((answer, fail) => {
      this.#queue.push({ question, isSuspect: false, answer, fail })
      for (const reader of this.#readers) reader.take()
    })
  }

  /** Ends every process. */
  end(): void {
    for (const reader of this.#readers) reader.end()
  }
}

/** One process, and the files that it has. */
class Reader {
  readonly #queue: Waiting[]
  readonly #has = new Map<number, Waiting>()
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #next = 0
  #isReady = false
  #isEnded = false

  constructor(queue: Waiting[]) {
    this.#queue = queue
  }

  /** Takes what waits, as much as it may have at once. */
  take(): void {
    while (!this.#isEnded && this.#queue.length > 0 && this.#mayTake(this.#queue[0])) {
      const next = this.#queue.shift()
      if (next === undefined) return
      this.#ask(next)
    }
  }

  #mayTake(next: Waiting | undefined): boolean {
    if (this.#has.size === 0) return true
    const isAlone = [...this.#has.values()].some(({ isSuspect }) => isSuspect)
    return !isAlone && next?.isSuspect === false && this.#has.size < filesAtOnce
  }

  #ask(waiting: Waiting): void {
    const id = this.#next++
    this.#has.set(id, waiting)
    const message: NumberedQuestion = { id, question: waiting.question }
    const child = this.#running()
    child.send(message, () => {
      // Whoever cannot be told is gone, and says so itself.
    })
    if (this.#has.size === 1) this.#watch(child)
  }

  #running(): ChildProcess {
    if (this.#child !== undefined) return this.#child
    if (program === undefined)
      throw new CapFenceError(
        'SCAN_UNAVAILABLE',
        'the program that reads files is not part of this installation',
      )
    // What is read is nobody's business to have run: no variables of the user's, no options of this process.
    const child = fork(program, [], {
      env: {},
      execArgv: [
        `--max-old-space-size=${String(maxMemoryMib)}`,
        // Trees are made and dropped: room for a whole one saves most of the collecting.
        '--max-semi-space-size=64',
      ],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#isReady = false
    child.on('message', (reply: ReaderReply) => this.#heard(child, reply))
    child.once('error', () => this.#gone(child, 'its reader could not be started'))
    child.once('exit', (code, signal) =>
      this.#gone(child, `its reader ended with ${signal ?? `code ${String(code)}`}`),
    )
    this.#child = child
    return child
  }

  #heard(child: ChildProcess, reply: ReaderReply): void {
    this.#isReady = true
    this.#watch(child)
    if (reply === 'ready') return
    const waiting = this.#has.get(reply.id)
    this.#has.delete(reply.id)
    if (this.#has.size === 0) clearTimeout(this.#timer)
    waiting?.answer(reply.facts)
    this.take()
  }

  /** From each answer on, the next one has its time. */
  #watch(child: ChildProcess): void {
    clearTimeout(this.#timer)
    if (this.#has.size === 0) return
    this.#timer = setTimeout(() => {
      child.kill('SIGKILL')
      this.#gone(child, `it took more than ${String(maxSilenceMs / 1000)} seconds`)
    }, maxSilenceMs)
  }

  #gone(child: ChildProcess, why: string): void {
    if (this.#child !== child) return
    clearTimeout(this.#timer)
    this.#child = undefined
    const had = [...this.#has.values()]
    this.#has.clear()
    if (this.#isEnded) return
    if (!this.#isReady) {
      const error = new CapFenceError('SCAN_UNAVAILABLE', `files cannot be read: ${why}`, {
        hint: 'the parsers may be missing: install CapFence again, without `--omit=optional`',
      })
      for (const { fail } of had) fail(error)
      return
    }
    const [only, ...others] = had
    if (only !== undefined && others.length === 0) only.answer(unreadFacts(only.question.name, why))
    else this.#queue.unshift(...had.map((one) => ({ ...one, isSuspect: true })))
    this.take()
  }

  end(): void {
    this.#isEnded = true
    clearTimeout(this.#timer)
    this.#child?.kill()
    for (const { fail } of this.#has.values()) fail(new Error('the scan was ended'))
    this.#has.clear()
  }
}
