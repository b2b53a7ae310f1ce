import { expect } from 'vitest'
import { verifyChain } from '../../src/audit/chain.ts'
import type { ChainReport } from '../../src/audit/chain.ts'
import { CapFenceError } from '../../src/errors.ts'
import type { LogReader, Store } from '../../src/runtime/store.ts'
import type { OpenOptions, Place } from './subject.ts'

/** Gives tests empty places, and closes what they open. */
export interface ContractContext {
  readonly newPlace: () => Place
  readonly open: (place: Place, options?: OpenOptions) => Promise<Store>
}

/** Checks the whole log, and fails when a record does not follow. */
export async function verified(log: LogReader): Promise<ChainReport> {
  const report = verifyChain(await log.rows(0, 1_000_000))
  expect(report.bad).toBeNull()
  expect(report.size).toBe(await log.size())
  return report
}

/** The kinds of a log's records, in their order. */
export async function typesOf(log: LogReader): Promise<readonly string[]> {
  return (await log.records(0, 1000)).map(({ type }) => type)
}

/** The code a commit is refused with, or `stored`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'stored'
  } catch (error) {
    if (error instanceof CapFenceError) return error.code
    throw error
  }
}
