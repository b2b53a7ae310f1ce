import Database from 'better-sqlite3'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Store } from '../../src/runtime/store.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { decisionOn, newCall, storing } from './drafts.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

export const software = 'capfence/test'

export function openLog(path: string): SQLiteEngine {
  return SQLiteEngine.open({ path, software, maxLockWaitMs: 200 })
}

export function commitOne(store: Store): Promise<undefined> {
  return store.commit(storing(decisionOn(newCall(), { decision: 'deny' })), 'process')
}

/** The path of a log with three decisions, closed. */
export async function closedLog(): Promise<string> {
  const { path } = newSQLitePlace()
  const store = openLog(path)
  for (let index = 0; index < 3; index += 1) await commitOne(store)
  await store.close()
  return path
}

/** Runs a statement behind the engine's back. */
export function change(path: string, sql: string, ...values: readonly unknown[]): void {
  const db = new Database(path)
  db.prepare(sql).run(...values)
  db.close()
}

export function errorOf(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}

export function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
