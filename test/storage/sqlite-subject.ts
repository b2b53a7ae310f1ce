import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { dist } from '../support/dist.ts'
import type { OpenOptions, Place, Subject } from './subject.ts'

const software = 'capfence/test'

/** A database file in a folder that lives as long as the test. */
export interface SQLitePlace extends Place {
  readonly path: string
  readonly folder: string
  open(options?: OpenOptions): SQLiteEngine
  openReader(): SQLiteLog
  holdLock(): () => void
}

/** A place in an existing folder. */
export function sqlitePlaceIn(folder: string): SQLitePlace {
  const path = join(folder, 'log.db')
  return {
    path,
    folder,
    open: (options) => SQLiteEngine.open({ path, software, ...options }),
    openReader: () => SQLiteLog.open(path),
    child: {
      module: pathToFileURL(`${dist}/storage/sqlite-engine.js`).href,
      engine: 'SQLiteEngine',
      options: { path, software },
    },
    holdLock: () => {
      const holder = new Database(path)
      holder.exec('BEGIN IMMEDIATE')
      return () => holder.close()
    },
  }
}

/** A place in a folder of its own. */
export function newSQLitePlace(): SQLitePlace {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-storage-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return sqlitePlaceIn(folder)
}

/** The embedded engine. */
export const sqlite: Subject = { name: 'SQLite, in a file', newPlace: newSQLitePlace }
