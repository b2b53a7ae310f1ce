import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { dist } from '../support/dist.ts'
import type { Place } from './subject.ts'

const program = fileURLToPath(new URL('child.mjs', import.meta.url))

/** What a child is to do; see `child.mjs`. */
export interface Job {
  readonly kind: 'calls' | 'calls-through-outages' | 'until-refused' | 'rotations' | 'nothing'
  readonly count?: number
  readonly callers?: number
  readonly forwarded?: boolean
  readonly settled?: boolean
  readonly durability?: 'power' | 'process'
  /** Keep the store open afterwards, until the child is stopped. */
  readonly wait?: boolean
}

/** One line of a child: what had been stored, or how it ended. */
export interface Fact {
  readonly open?: boolean
  readonly call?: string
  readonly seq?: number
  readonly settled?: boolean
  readonly refused?: {
    readonly code: string
    readonly message: string
    readonly hint: string | undefined
  } | null
  /** The epoch of keys that it began. */
  readonly epoch?: number
  readonly closed?: boolean
  /** Why the store could not be opened. */
  readonly failed?: { readonly code: string; readonly hint: string | undefined }
}

/** A child process that writes to a store. */
export class WriterChild {
  readonly facts: Fact[] = []
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  #onFact: (() => void)[] = []

  /** @param shell a line that sets the child's limits, before it becomes Node */
  constructor(place: Pick<Place, 'child'>, job: Job, shell = '') {
    const argument = JSON.stringify({ dist, ...place.child, job })
    const command = `${shell} exec "$0" "$@"`
    this.#process = spawn('sh', ['-c', command, process.execPath, program, argument], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#ended = new Promise((resolve) => {
      this.#process.once('close', () => {
        resolve()
        this.#tell()
      })
    })
    const { stdout } = this.#process
    if (stdout === null) throw new Error('a child has an output')
    createInterface(stdout).on('line', (line) => {
      this.facts.push(JSON.parse(line) as Fact)
      this.#tell()
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** Resolves with the first fact of a kind; rejects when the child ends without. */
  async until(test: (fact: Fact) => boolean): Promise<Fact> {
    for (;;) {
      const fact = this.facts.find(test)
      if (fact !== undefined) return fact
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
        await this.#ended
        const last = this.facts.find(test)
        if (last === undefined)
          throw new Error(`a child ended too early: ${JSON.stringify(this.facts)}`)
        return last
      }
      await new Promise<void>((resolve) => {
        this.#onFact.push(resolve)
      })
    }
  }

  /** kill -9; resolves when it is gone and everything it said has been read. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#ended
  }

  /** Lets a child that waits go on to its end. */
  async stop(): Promise<void> {
    this.#process.stdin?.end()
    await this.#ended
  }

  async end(): Promise<void> {
    await this.#ended
  }

  #tell(): void {
    const waiting = this.#onFact
    this.#onFact = []
    for (const resolve of waiting) resolve()
  }
}
