import { expect, test, vi } from 'vitest'
import type { LogReader, StoreView } from '../../src/runtime/store.ts'
import { BaseDBEngine } from '../../src/storage/engine.ts'
import type { Batch, WriteResult } from '../../src/storage/engine.ts'
import { codeOf } from './contract-context.ts'

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing here reads
const noReader = {} as LogReader
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing here looks
const noView = {} as StoreView
const maxLockWaitMs = 100

/** An engine on a clock of its own, whose every try ends as a test says. */
class ScriptedEngine extends BaseDBEngine {
  nowMs = 0
  tries = 0
  readonly #result: (engine: ScriptedEngine) => WriteResult

  constructor(result: (engine: ScriptedEngine) => WriteResult) {
    const clock = { nowMs: () => this.nowMs, elapsedMs: () => this.nowMs }
    super({ clock, maxLockWaitMs, jitter: () => 0 }, noReader)
    this.#result = result
  }

  argumentKey(): Uint8Array {
    return new Uint8Array(32)
  }

  syncedHead(): undefined {
    return undefined
  }

  protected write({ commits }: Batch): Promise<WriteResult> {
    this.tries += 1
    this.nowMs += 10
    const result = this.#result(this)
    if (result.kind === 'stored') for (const one of commits) one.decide(noView)
    return Promise.resolve(result)
  }

  protected releaseReserve(): boolean {
    return false
  }

  protected restoreReserve(): void {
    // There is none.
  }

  protected shutDown(): Promise<void> {
    return Promise.resolve()
  }
}

const commit = (engine: ScriptedEngine): Promise<string> =>
  codeOf(engine.commit(() => ({ records: [], result: undefined }), 'process'))

test('a lock that nobody uses is waited for as long as the limit says', async () => {
  const engine = new ScriptedEngine(() => ({ kind: 'busy', othersWrote: false }))
  expect(await commit(engine)).toBe('AUDIT_UNAVAILABLE')
  expect(engine.nowMs).toBe(maxLockWaitMs)
})

test('while others get on, the time begins anew: a busy log is not a stuck one', async () => {
  const engine = new ScriptedEngine(({ tries }) =>
    tries < 40
      ? { kind: 'busy', othersWrote: tries % 8 === 0 }
      : { kind: 'stored', othersWrote: true },
  )
  expect(await commit(engine)).toBe('stored')
  expect(engine.nowMs).toBe(400)
})

test('and goes on from the last time that others got on', async () => {
  const engine = new ScriptedEngine(({ tries }) => ({ kind: 'busy', othersWrote: tries === 8 }))
  expect(await commit(engine)).toBe('AUDIT_UNAVAILABLE')
  expect(engine.nowMs).toBe(80 + maxLockWaitMs)
})

test('not for ever: at five times the limit the call is refused', async () => {
  const engine = new ScriptedEngine(() => ({ kind: 'busy', othersWrote: true }))
  expect(await commit(engine)).toBe('AUDIT_UNAVAILABLE')
  expect(engine.nowMs).toBe(5 * maxLockWaitMs)
})

test('what others did before a commit came does not shorten its time', async () => {
  const engine = new ScriptedEngine(({ nowMs }) => ({ kind: 'busy', othersWrote: nowMs <= 10 }))
  expect(await commit(engine)).toBe('AUDIT_UNAVAILABLE')
  engine.nowMs = 10_000
  expect(await commit(engine)).toBe('AUDIT_UNAVAILABLE')
  expect(engine.nowMs).toBe(10_000 + maxLockWaitMs)
})

/** Commits one after the other without a rest, and counts the batches between two turns of the event loop. */
async function longestRow(othersWrote: boolean): Promise<number> {
  let inRow = 0
  let longest = 0
  let left = 100
  const engine = new ScriptedEngine(() => {
    inRow += 1
    longest = Math.max(longest, inRow)
    if (left > 0) void commit(engine)
    left -= 1
    return { kind: 'stored', othersWrote }
  })
  const timer = setInterval(() => (inRow = 0), 0)
  await commit(engine)
  await vi.waitFor(() => expect(left).toBeLessThan(0), { timeout: 10_000 })
  clearInterval(timer)
  return longest
}

test('a writer that is never idle lets others in: at once when there are some, else now and then', async () => {
  expect(await longestRow(true)).toBeLessThanOrEqual(2)
  expect(await longestRow(false)).toBeLessThanOrEqual(17)
})
