import Database from 'better-sqlite3'
import { createSchema, versionOf } from '../database-file.ts'
import { corrupt } from '../failure.ts'
import { applicationId, schemaOfVersion, schemaVersion } from '../schema.ts'
import type { Value } from './connection.ts'
import { logTables } from './layout.ts'

/** A row of `state`: of any table that is mirrored; `row` is null when it is gone. */
export interface MirroredRow {
  readonly tbl: string
  /** Its primary key, a JSON array. */
  readonly key: string
  /** The row as a JSON object; bytes are `{"hex": "…"}`. */
  readonly row: string | null
}

/** A row of a table that changed. */
export interface ChangedRow {
  readonly tbl: string
  readonly key: string
  /** Undefined when it is gone. */
  readonly row: Readonly<Record<string, Value>> | undefined
}

interface Table {
  readonly columns: readonly string[]
  readonly keys: readonly string[]
}

/** Rows of records that are looked at again and again: those that name keys, and those that made grants. */
const residentRecords = `SELECT seq FROM epochs UNION SELECT created_seq FROM grants`

/**
 * What one gate knows of a log that lies in PostgreSQL: a private database of SQLite with the same tables.
 *
 * All of the state is in it, and of the records those that are needed. `LogTransaction` decides, checks and signs in it
 * as it does in a file; what has changed in it then goes to PostgreSQL in one transaction, under the lock of the log, and
 * what others have changed was fetched before. So both engines do the same, word for word.
 */
export class WorkingCopy {
  readonly db: Database.Database
  readonly #tables = new Map<string, Table>()
  readonly #selects = new Map<string, Database.Statement<Value[], Record<string, Value>>>()
  readonly #puts = new Map<string, Database.Statement<Value[]>>()
  readonly #drops = new Map<string, Database.Statement<Value[]>>()

  /** An empty one; its database lies in a temporary file that nobody else can open, and only if memory is short. */
  constructor() {
    this.db = new Database('')
    this.db.pragma('journal_mode = MEMORY')
    this.db.pragma('synchronous = OFF')
    this.db.pragma('temp_store = MEMORY')
    // Without a key: a trigger ignores no conflict when the statement that set it off does not.
    this.db.exec('CREATE TEMP TABLE changed (tbl TEXT, key TEXT)')
  }

  /**
   * Makes the tables, as a version of the schema has them.
   *
   * @throws CapFenceError `AUDIT_CORRUPT` when there is no such version
   */
  makeTables(version: number): void {
    if (version === schemaVersion) createSchema(this.db)
    else {
      const statements = schemaOfVersion(version)
      if (statements === undefined) throw corrupt(`its tables are of version ${version}`)
      for (const statement of statements) this.db.exec(statement)
      this.db.pragma(`application_id = ${applicationId}`)
      this.db.pragma(`user_version = ${version}`)
    }
    this.#readTables()
  }

  /** Notes from here on which rows change, and forgets what has changed before. */
  watch(): void {
    this.#readTables()
    for (const [name, { keys }] of this.#tables) {
      const noted = (row: string): string => {
        const values = keys.map((key) => `${row}.${key}`).join(', ')
        return `INSERT INTO changed VALUES ('${name}', json_array(${values}));`
      }
      for (const [when, what] of [
        ['INSERT', noted('NEW')],
        ['UPDATE', noted('OLD') + noted('NEW')],
        ['DELETE', noted('OLD')],
      ]) {
        this.db.exec(
          `CREATE TEMP TRIGGER IF NOT EXISTS ${name}_${when} AFTER ${when} ON main.${name} BEGIN ${what} END`,
        )
      }
    }
    this.forget()
  }

  /** What has changed is stored, or was never to be. */
  forget(): void {
    this.db.exec('DELETE FROM temp.changed')
  }

  /** Every row that has changed, as it is now. */
  changes(): readonly ChangedRow[] {
    return this.db
      .prepare<[], { readonly tbl: string; readonly key: string }>(
        'SELECT DISTINCT tbl, key FROM temp.changed',
      )
      .all()
      .map(({ tbl, key }) => ({ tbl, key, row: this.#select(tbl).get(...keyValues(key)) }))
  }

  /** Every row there is, as if it had just been made. */
  everything(): readonly ChangedRow[] {
    this.#readTables()
    return [...this.#tables].flatMap(([tbl, { keys }]) =>
      this.db
        .prepare<[], Record<string, Value>>(`SELECT * FROM main.${tbl}`)
        .all()
        .map((row) => ({ tbl, key: JSON.stringify(keys.map((name) => row[name])), row })),
    )
  }

  /**
   * Takes in what others have changed.
   *
   * @throws CapFenceError `AUDIT_CORRUPT` for a row that no gate has written
   */
  apply(rows: readonly MirroredRow[]): void {
    for (const { tbl, key, row } of rows) {
      if (tbl.startsWith('$')) continue
      const table = this.#tables.get(tbl)
      if (table === undefined || (logTables as readonly string[]).includes(tbl)) {
        throw corrupt('it has state of a table that there is not')
      }
      try {
        if (row === null) this.#drop(tbl).run(...keyValues(key))
        else this.put(tbl, readRow(row))
      } catch (error) {
        throw corrupt(`a row of its state in \`${tbl}\` is damaged`, error)
      }
    }
  }

  /** Puts a row in the place of the one with its key. */
  put(tbl: string, row: Readonly<Record<string, Value>>): void {
    const columns = this.#tables.get(tbl)?.columns ?? []
    let put = this.#puts.get(tbl)
    if (put === undefined) {
      const marks = columns.map(() => '?').join(', ')
      put = this.db.prepare(
        `INSERT OR REPLACE INTO main.${tbl} (${columns.join(', ')}) VALUES (${marks})`,
      )
      this.#puts.set(tbl, put)
    }
    put.run(...columns.map((column) => row[column] ?? null))
  }

  /** Records that have to be at hand and are not. */
  missingRecords(): readonly number[] {
    return this.db
      .prepare<[], number>(
        `SELECT seq FROM (${residentRecords}) WHERE seq NOT IN (SELECT seq FROM records)`,
      )
      .pluck()
      .all()
  }

  /** The newest record that is known. */
  lastRecord(): { readonly seq: number; readonly leaf: Buffer } | undefined {
    return this.db
      .prepare<[], { readonly seq: number; readonly leaf: Buffer }>(
        'SELECT seq, leaf FROM records ORDER BY seq DESC LIMIT 1',
      )
      .get()
  }

  /** How many records the log has, as far as it is known. */
  get size(): number {
    return (this.lastRecord()?.seq ?? -1) + 1
  }

  /** Lets go of rows of the log that need not be at hand; what has changed must be stored by now. */
  prune(): void {
    const { size } = this
    this.db
      .prepare(`DELETE FROM records WHERE seq <> ? AND seq NOT IN (${residentRecords})`)
      .run(size - 1)
    this.db.prepare('DELETE FROM checkpoints WHERE size <> ?').run(size)
    this.db.exec('DELETE FROM disclosures; DELETE FROM calls; DELETE FROM policies')
    this.forget()
  }

  /** Lets go of everything, and makes the tables anew. */
  clear(): void {
    for (const name of this.#tables.keys()) this.db.exec(`DELETE FROM main.${name}`)
    this.forget()
  }

  /** The version of the tables that it has. */
  get version(): number {
    return versionOf(this.db)
  }

  close(): void {
    this.db.close()
  }

  #select(tbl: string): Database.Statement<Value[], Record<string, Value>> {
    let select = this.#selects.get(tbl)
    select ??= this.db.prepare(`SELECT * FROM main.${tbl} WHERE ${this.#byKey(tbl)}`)
    this.#selects.set(tbl, select)
    return select
  }

  #drop(tbl: string): Database.Statement<Value[]> {
    let drop = this.#drops.get(tbl)
    drop ??= this.db.prepare(`DELETE FROM main.${tbl} WHERE ${this.#byKey(tbl)}`)
    this.#drops.set(tbl, drop)
    return drop
  }

  #byKey(tbl: string): string {
    return (this.#tables.get(tbl)?.keys ?? []).map((key) => `${key} = ?`).join(' AND ')
  }

  #readTables(): void {
    this.#tables.clear()
    this.#selects.clear()
    this.#puts.clear()
    this.#drops.clear()
    const names = this.db
      .prepare<[], string>(`SELECT name FROM main.sqlite_schema WHERE type = 'table'`)
      .pluck()
      .all()
    for (const name of names) {
      const columns = this.db
        .prepare<[string], { readonly name: string; readonly pk: number }>(
          `SELECT name, pk FROM pragma_table_info(?, 'main') ORDER BY cid`,
        )
        .all(name)
      const keys = columns.filter(({ pk }) => pk > 0).toSorted((one, other) => one.pk - other.pk)
      this.#tables.set(name, {
        columns: columns.map((column) => column.name),
        keys: keys.map((key) => key.name),
      })
    }
  }
}

/** A row as it stands in `state`. */
export function printRow(row: Readonly<Record<string, Value>>): string {
  return JSON.stringify(row, (name, value: unknown) => {
    // A buffer has turned into an object of its own before this is called.
    const own = row[name]
    return Buffer.isBuffer(own) ? { hex: own.toString('hex') } : value
  })
}

function readRow(text: string): Readonly<Record<string, Value>> {
  const read: unknown = JSON.parse(text)
  if (typeof read !== 'object' || read === null) throw new TypeError('not an object')
  return Object.fromEntries(
    Object.entries(read).map(([name, value]: [string, unknown]) => [name, readValue(value)]),
  )
}

function readValue(value: unknown): Value {
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value
  if (typeof value === 'object' && 'hex' in value && typeof value.hex === 'string') {
    return Buffer.from(value.hex, 'hex')
  }
  throw new TypeError('not a value of SQLite')
}

function keyValues(key: string): Value[] {
  const read: unknown = JSON.parse(key)
  if (!Array.isArray(read)) throw new TypeError('not a key')
  return read.map(readValue)
}
