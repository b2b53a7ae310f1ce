import type Database from 'better-sqlite3'
import { readFileSync, writeFileSync } from 'node:fs'
import type { LogVerdict } from '../../src/audit/log-report.ts'
import { noteSigner, printVerifierKey, verifierOf } from '../../src/audit/note.ts'
import type { NoteSigner } from '../../src/audit/note.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { honestLog, kept, lastRecord, other, secret } from '../audit/honest-log.ts'
import { callId, logOfTests } from '../audit/samples.ts'
import { disclosureOf, signerOf, SignedLog } from '../audit/signed-log.ts'
import { editRecord, replaceLog } from './stored-log.ts'

/** Something that is done to the file of an honest log, and what `audit verify` must say of it. */
export interface Attack {
  /** As docs/audit.md has it. */
  readonly name: string
  /** What is said with the pin alone, and with an anchor of the honest log as well. */
  readonly alone: LogVerdict
  readonly anchored: LogVerdict
  readonly change: ((db: Database.Database) => void) | { readonly file: (path: string) => void }
}

const thief = signingKey(Buffer.alloc(32, 66))

/** A key that looks like the log's own, whose signatures a thief has made. */
function forger(name: string): NoteSigner {
  const { publicKey } = signerOf(name).key
  return noteSigner(name, { publicKey, sign: (message) => thief.sign(message) })
}

/** A key of the thief's under the log's name. */
function impostor(name: string): NoteSigner {
  return noteSigner(name, thief)
}

/** Only the key of the first epoch is not the thief's: it was erased when the second began. */
function withoutFirstEpoch(name: string): NoteSigner {
  return name.endsWith('/epoch-1') ? forger(name) : signerOf(name)
}

function tampered(name: string, change: Attack['change']): Attack {
  return { name, alone: 'tampered', anchored: 'tampered', change }
}

/** What only somebody with both current keys can do, or with the database of an earlier time. */
function anchorOnly(name: string, anchored: LogVerdict, change: Attack['change']): Attack {
  return { name, alone: 'ok', anchored, change }
}

const honest = honestLog()
const sql =
  (statements: string): ((db: Database.Database) => void) =>
  (db) => {
    db.exec(statements)
  }
const keptNote = (size: number): string =>
  honest.checkpoints.find((one) => one.size === size)?.note ?? ''

export const attacks: readonly Attack[] = [
  tampered('a field of a record was edited', (db) => {
    editRecord(db, { seq: 40, leaf: 'kept' }, (json) => json.replace('"deny"', '"allow"'))
  }),
  tampered('a field and the leaf were edited', (db) => {
    editRecord(db, { seq: 40, leaf: 'new' }, (json) => json.replace('"agent"', '"ghost"'))
  }),
  tampered('an outcome was rewritten', (db) => {
    editRecord(db, { seq: 601, leaf: 'new' }, (json) => json.replace('"ok"', '"timeout"'))
  }),
  tampered('the last record was edited, with its leaf and the head', (db) => {
    const { rows, head } = honestLog({ at: lastRecord }).stored()
    const note = honest.stored().head?.note ?? null
    replaceLog(db, { ...honest.stored(), rows, head: head && { ...head, note } })
  }),
  tampered('the whole chain and tree were forged anew', (db) => {
    const forged = honestLog({ at: 40 }).stored()
    const { checkpoints, head } = honest.stored()
    const note = head?.note ?? null
    replaceLog(db, { ...forged, checkpoints, head: forged.head && { ...forged.head, note } })
  }),
  tampered('the same, with new signatures under the old names', (db) => {
    replaceLog(db, honestLog({ at: 40, signer: forger }).stored())
  }),
  tampered('the same, with all signatures stripped', (db) => {
    const opening = { vkey: null, epoch_vkey: null }
    const { rows, head } = new SignedLog().open(opening).stored()
    replaceLog(db, { rows, checkpoints: [], head: head && { ...head, note: null } })
  }),
  tampered(
    'all signatures were stripped',
    sql('DELETE FROM checkpoints; UPDATE head SET note = NULL'),
  ),
  tampered('the head row was deleted', sql('DELETE FROM head')),
  tampered('the tail was cut off', sql('DELETE FROM records WHERE seq >= 1100')),
  tampered('the tail was cut off, and the head with it', (db) => {
    const { rows, checkpoints, head } = honestLog({ to: 1100 }).stored()
    const note = honest.stored().head?.note ?? null
    replaceLog(db, { rows, checkpoints, head: head && { ...head, note } })
  }),
  tampered('a record in the middle was deleted', sql('DELETE FROM records WHERE seq = 500')),
  tampered('a record was deleted and the rest renumbered', (db) => {
    db.exec('DELETE FROM records WHERE seq = 500')
    for (let seq = 501; seq <= lastRecord; seq += 1) {
      db.prepare('UPDATE records SET seq = ? WHERE seq = ?').run(seq - 1, seq)
    }
    db.exec('UPDATE head SET size = size - 1')
  }),
  tampered('all records were deleted', sql('DELETE FROM records')),
  {
    name: 'the log was emptied, and its head with it',
    alone: 'cannot_verify',
    anchored: 'rolled_back',
    change: (db) => {
      const { head } = new SignedLog().stored()
      replaceLog(db, { rows: [], checkpoints: [], head: head && { ...head, note: null } })
      db.exec('DELETE FROM disclosures')
    },
  },
  tampered('another log was put in its place', (db) => {
    replaceLog(db, new SignedLog('capfence.local/01JD3333333333333333333333').open().stored())
  }),
  tampered('two rows were swapped', (db) => {
    for (const [from, to] of [
      [500, 9999],
      [501, 500],
      [9999, 501],
    ]) {
      db.prepare('UPDATE records SET seq = ? WHERE seq = ?').run(to, from)
    }
  }),
  tampered('a forged record was appended', (db) => {
    const { rows, head } = honestLog({ to: lastRecord + 2 }).stored()
    const { checkpoints, ...old } = honest.stored()
    const note = old.head?.note ?? null
    replaceLog(db, { rows, checkpoints, head: head && { ...head, note } })
  }),
  tampered('a record was appended outside the head', (db) => {
    db.prepare('INSERT INTO records SELECT seq + 5000, leaf, body FROM records WHERE seq = 7').run()
  }),
  tampered('an allow was replayed', (db) => {
    db.exec(
      `INSERT INTO records SELECT ${lastRecord + 1}, leaf, body FROM records WHERE seq = 600;
       UPDATE head SET size = size + 1`,
    )
  }),
  tampered('the JSON of a record was formatted anew', (db) => {
    editRecord(db, { seq: 40, leaf: 'new' }, (json) => json.replace('":', '": '))
  }),
  tampered(
    'leaves were blanked, so that they might be filled in again',
    sql('UPDATE records SET leaf = zeroblob(32)'),
  ),
  tampered('the version of a record was lowered', (db) => {
    editRecord(db, { seq: 40, leaf: 'new' }, (json) => json.replace('"v":1', '"v":0'))
  }),
  tampered('the version of the database was lowered', sql('PRAGMA user_version = 3')),
  tampered('a disclosure was changed', (db) => {
    setDisclosures(db, 3, `${disclosureOf('note', 'other').encoded}~`)
  }),
  tampered('the disclosures of two records were swapped', (db) => {
    setDisclosures(db, 3, `${other.encoded}~`)
    setDisclosures(db, 4, `${kept.encoded}~`)
  }),
  tampered('a disclosure was erased silently', sql('DELETE FROM disclosures WHERE seq = 4')),
  tampered('a redacted disclosure was put back', (db) => {
    setDisclosures(db, 3, `${secret.encoded}~${kept.encoded}~`)
  }),
  tampered('a disclosure of no record was added', (db) => {
    db.prepare('INSERT INTO disclosures VALUES (9000, ?)').run(`${secret.encoded}~`)
  }),
  tampered('a periodic checkpoint was deleted', sql('DELETE FROM checkpoints WHERE size = 1000')),
  tampered(
    'the checkpoint that closes an epoch was deleted',
    sql('DELETE FROM checkpoints WHERE size = 604'),
  ),
  tampered('a note was altered', (db) => {
    setNote(db, 1000, keptNote(1000).replace('\n1000\n', '\n1001\n'))
  }),
  tampered('a note of another size was put in its place', (db) => setNote(db, 1000, keptNote(600))),
  tampered('a signature by a foreign key stands in place of a right one', (db) => {
    const log = honestLog({ to: 1000 })
    setNote(db, 1000, log.note([log.stable, impostor(`${logOfTests}/epoch-2`)]))
  }),
  tampered('a signature by a foreign key was added', (db) => {
    const log = honestLog({ to: 1000 })
    setNote(db, 1000, log.note([log.stable, log.epochKey, impostor('example.org/foreign')]))
  }),
  tampered('the first keys were replaced, and everything signed anew', (db) => {
    replaceLog(db, honestLog({ signer: impostor }).stored())
  }),
  tampered('the key of the first epoch was replaced, and everything signed anew', (db) => {
    const signer = (name: string): NoteSigner =>
      name === logOfTests ? signerOf(name) : impostor(name)
    replaceLog(db, honestLog({ signer }).stored())
  }),
  tampered('a rotation was forged', (db) => {
    const log = honestLog({ to: 700 })
    log.append({
      type: 'key.rotate',
      data: {
        epoch: 3,
        next: printVerifierKey(verifierOf(impostor(`${logOfTests}/epoch-3`))),
        previous: printVerifierKey(verifierOf(log.epochKey)),
        reason: 'operator',
      },
    })
    log.keep([log.stable, forger(`${logOfTests}/epoch-2`), impostor(`${logOfTests}/epoch-3`)])
    replaceLog(db, log.stored())
  }),
  tampered(
    'a trigger was added',
    sql('CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM calls; END'),
  ),
  tampered('a view was added', sql('CREATE VIEW v AS SELECT * FROM records')),
  tampered(
    'a generated column was added',
    sql('ALTER TABLE head ADD COLUMN x INTEGER GENERATED ALWAYS AS (size) VIRTUAL'),
  ),
  tampered('the pages of two indexes were swapped', (db) => {
    db.unsafeMode()
    db.pragma('writable_schema = ON')
    const page = db
      .prepare<[string], number>('SELECT rootpage FROM sqlite_schema WHERE name = ?')
      .pluck()
    const names = ['approvals_waiting', 'grants_active'] as const
    const [one, two] = names.map((name) => page.get(name))
    const set = db.prepare('UPDATE sqlite_schema SET rootpage = ? WHERE name = ?')
    set.run(two, names[0])
    set.run(one, names[1])
  }),
  tampered('bytes of a page were flipped', {
    file: (path) => {
      const bytes = readFileSync(path)
      // Wherever SQLite has left a copy of it, too.
      for (let at = bytes.indexOf(callId(40)); at >= 0; at = bytes.indexOf(callId(40), at)) {
        bytes[at] = (bytes[at] ?? 0) ^ 1
      }
      writeFileSync(path, bytes)
    },
  }),
  tampered('with the current keys, an earlier epoch was rewritten', (db) => {
    replaceLog(db, honestLog({ at: 40, signer: withoutFirstEpoch }).stored())
  }),
  anchorOnly('with the current keys, records of this epoch were rewritten', 'forked', (db) => {
    replaceLog(db, honestLog({ at: 800 }).stored())
  }),
  anchorOnly(
    'with the current keys, the log was written on from an earlier record',
    'forked',
    (db) => {
      replaceLog(db, honestLog({ from: 700, to: 1400 }).stored())
    },
  ),
  anchorOnly('with the current keys, the tail was cut off', 'rolled_back', (db) => {
    replaceLog(db, honestLog({ to: 700 }).stored())
  }),
  anchorOnly('a copy of an earlier time was put back', 'rolled_back', (db) => {
    replaceLog(db, honestLog({ to: 1100 }).stored())
  }),
  anchorOnly('with the current keys, records after the last anchor were rewritten', 'ok', (db) => {
    replaceLog(db, honestLog({ to: lastRecord + 100 }).stored())
  }),
]

function setDisclosures(db: Database.Database, seq: number, encoded: string): void {
  db.prepare('UPDATE disclosures SET encoded = ? WHERE seq = ?').run(encoded, seq)
}

function setNote(db: Database.Database, size: number, note: string): void {
  db.prepare('UPDATE checkpoints SET note = ? WHERE size = ?').run(note, size)
}
