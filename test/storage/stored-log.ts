import Database from 'better-sqlite3'
import { leafHash } from '../../src/audit/codec.ts'
import { createSchema } from '../../src/storage/database-file.ts'
import type { StoredLog } from '../audit/signed-log.ts'

/** Writes a log into a database of its own, as a gate would have. */
export function writeDatabase(path: string, log: StoredLog): void {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.transaction(() => {
    createSchema(db)
    insertLog(db, log)
    db.exec(
      `INSERT INTO approvals VALUES ('apr_1', 'd', 'pending', 1, 2, 3, NULL, '{}');
       INSERT INTO grants VALUES ('g', 1, 1, 9, 0, '', '{}')`,
    )
  })()
  db.close()
}

/** Puts a log in the place of the one that a database holds. */
export function replaceLog(db: Database.Database, log: StoredLog): void {
  for (const table of ['log', 'records', 'head', 'checkpoints', 'disclosures']) {
    db.exec(`DELETE FROM ${table}`)
  }
  insertLog(db, log)
}

function insertLog(db: Database.Database, { rows, checkpoints, head }: StoredLog): void {
  const record = db.prepare('INSERT INTO records (seq, leaf, body) VALUES (?, ?, ?)')
  const disclosure = db.prepare('INSERT INTO disclosures (seq, encoded) VALUES (?, ?)')
  const checkpoint = db.prepare('INSERT INTO checkpoints (size, note) VALUES (?, ?)')
  for (const { seq, leaf, body, disclosures } of rows) {
    record.run(seq, leaf, body)
    if (disclosures !== '') disclosure.run(seq, disclosures)
  }
  for (const { size, note } of checkpoints) checkpoint.run(size, note)
  if (head === undefined) return
  db.prepare('INSERT INTO log (id, origin, opened_ms) VALUES (1, ?, 0)').run(head.origin)
  db.prepare('INSERT INTO head (id, size, root, frontier, note) VALUES (1, ?, ?, ?, ?)').run(
    head.size,
    Buffer.from(head.root, 'hex'),
    Buffer.from(head.frontier, 'hex'),
    head.note,
  )
}

/** Rewrites the text of a record; its leaf too, where that is said. */
export function editRecord(
  db: Database.Database,
  { seq, leaf }: { readonly seq: number; readonly leaf: 'kept' | 'new' },
  change: (json: string) => string,
): void {
  const body = db.prepare<[number], Buffer>('SELECT body FROM records WHERE seq = ?').pluck()
  const before = String(body.get(seq))
  const after = Buffer.from(change(before))
  if (String(after) === before) throw new Error('nothing was changed')
  db.prepare('UPDATE records SET body = ? WHERE seq = ?').run(after, seq)
  if (leaf === 'kept') return
  db.prepare('UPDATE records SET leaf = ? WHERE seq = ?').run(
    Buffer.from(leafHash(after), 'hex'),
    seq,
  )
}
