import Database from 'better-sqlite3'
import { expect, test, vi } from 'vitest'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { software } from './log-files.ts'
import { olderLog } from './older-log.ts'
import { expectSigned } from './signed-log.ts'
import { newSQLitePlace } from './sqlite-subject.ts'

const places = {
  'makes it': () => newSQLitePlace().path,
  'upgrades it': () => olderLog(3).path,
} as const

test.each(Object.entries(places))(
  'whoever opens a log while another process %s, right after looking at its version, has a sound one',
  async (_, place) => {
    const path = place()
    let others = 0
    // The real one, with the connection that asks as `this`.
    // oxlint-disable-next-line typescript/unbound-method -- called on the connection below
    const { pragma } = Database.prototype
    const spy = vi.spyOn(Database.prototype, 'pragma').mockImplementation(function look(
      this: Database.Database,
      source,
      options,
    ) {
      const answer: unknown = pragma.call(this, source, options)
      if (source === 'user_version' && others === 0) {
        others += 1
        try {
          void SQLiteEngine.open({ path, software, maxLockWaitMs: 50 }).close()
        } catch {
          // It was kept out, which is as good.
        }
      }
      return answer
    })
    try {
      await SQLiteEngine.open({ path, software }).close()
    } finally {
      spy.mockRestore()
    }
    expect(others).toBe(1)
    expectSigned(path)
  },
)
