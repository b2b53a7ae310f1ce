import { statSync } from 'node:fs'
import type { LogReader } from '../runtime/store.ts'
import type { OpenLog } from './places.ts'

/**
 * One reader for many questions: a page asks several times a second, and opening a log takes longer than most answers.
 *
 * A file that was put in the place of the one that is open, as `audit archive` does, is opened instead.
 */
export class LogDoor {
  readonly #open: OpenLog
  #held: { readonly identity: string; readonly reader: LogReader } | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(open: OpenLog) {
    this.#open = open
  }

  /** Opens a log as any command does; closing what it gives does nothing. */
  readonly open: OpenLog = async (place) => {
    const reader = await this.#inTurn(async () => {
      const identity = identityOf(place.path)
      if (this.#held?.identity === identity) return this.#held.reader
      await this.#let()
      const opened = await this.#open(place)
      this.#held = { identity, reader: opened }
      return opened
    })
    return withoutClose(reader)
  }

  /** Closes the reader. */
  async close(): Promise<void> {
    await this.#inTurn(() => this.#let())
  }

  async #let(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    await held?.reader.close()
  }

  /** Two questions at once must not open the log twice. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(act)
    this.#turn = result.catch(() => undefined)
    return result
  }
}

function identityOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${String(dev)}:${String(ino)}:${path}`
}

function withoutClose(reader: LogReader): LogReader {
  return {
    size: () => reader.size(),
    records: (from, count) => reader.records(from, count),
    rows: (from, count) => reader.rows(from, count),
    find: (query) => reader.find(query),
    orphans: () => reader.orphans(),
    call: (id) => reader.call(id),
    disclosures: (seq) => reader.disclosures(seq),
    approval: (id) => reader.approval(id),
    approvalRequests: () => reader.approvalRequests(),
    grants: () => reader.grants(),
    policy: (hash) => reader.policy(hash),
    verify: (options) => reader.verify(options),
    pots: (nowMs) => reader.pots(nowMs),
    close: async () => undefined,
  }
}
