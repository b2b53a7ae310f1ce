import type Database from 'better-sqlite3'

/** Where the log stands; read in every transaction. */
export interface HeadRow {
  readonly size: number
  readonly frontier: Buffer
}

/** What proves it; read when others have written. */
export interface SignedHeadRow {
  readonly root: Buffer
  readonly note: string | null
  /** Of the state, see `StateSeal`. */
  readonly state: Buffer | null
  /** Of grants, see `GrantRows`. */
  readonly grants: Buffer | null
}

/** The statements of `prepareStatements`. */
export type Statements = ReturnType<typeof prepareStatements>

/** Every statement of a write transaction, prepared once. */
export function prepareStatements(db: Database.Database): HeadStatements & {
  readonly lastLeaf: Database.Statement<[], { readonly seq: number; readonly leaf: Buffer }>
  readonly keepCheckpoint: Database.Statement<[number, string]>
  readonly insertRecord: Database.Statement<[number, Buffer, Uint8Array]>
  readonly openCall: Database.Statement<[object]>
  readonly blockCall: Database.Statement<[object]>
  readonly loseCall: Database.Statement<[object]>
  readonly closeCall: Database.Statement<[object]>
  readonly settleCall: Database.Statement<[object]>
  readonly insertDisclosures: Database.Statement<[number, string]>
  readonly insertPolicy: Database.Statement<[string, number, string, Uint8Array]>
} {
  return {
    ...prepareHead(db),
    lastLeaf: db.prepare('SELECT seq, leaf FROM records ORDER BY seq DESC LIMIT 1'),
    // One of the same size was made in this transaction, and has fewer signatures.
    keepCheckpoint: db.prepare(
      'INSERT INTO checkpoints (size, note) VALUES (?, ?) ON CONFLICT (size) DO UPDATE SET note = excluded.note',
    ),
    insertRecord: db.prepare('INSERT INTO records (seq, leaf, body) VALUES (?, ?, ?)'),
    openCall: db.prepare(
      `INSERT INTO open_calls (call, decision_seq)
       SELECT $call, $seq WHERE NOT EXISTS (SELECT 1 FROM calls WHERE call = $call)`,
    ),
    blockCall: db.prepare(
      `INSERT INTO calls (call, decision_seq)
       SELECT $call, $seq WHERE NOT EXISTS (SELECT 1 FROM open_calls WHERE call = $call)`,
    ),
    // A call whose outcome was recorded as unknown may still get the true one, but not a second unknown.
    loseCall: db.prepare(
      `UPDATE open_calls SET unknown_seq = $seq
       WHERE call = $call AND decision_seq = $decisionSeq AND unknown_seq IS NULL`,
    ),
    closeCall: db.prepare(
      'DELETE FROM open_calls WHERE call = $call AND decision_seq = $decisionSeq',
    ),
    settleCall: db.prepare(
      'INSERT INTO calls (call, decision_seq, outcome_seq) VALUES ($call, $decisionSeq, $seq)',
    ),
    insertDisclosures: db.prepare('INSERT INTO disclosures (seq, encoded) VALUES (?, ?)'),
    insertPolicy: db.prepare(
      'INSERT INTO policies (hash, position, path, bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
  }
}

/** Those about where the log stands. */
interface HeadStatements {
  readonly head: Database.Statement<[], HeadRow>
  readonly signedHead: Database.Statement<[], SignedHeadRow>
  readonly createHead: Database.Statement<[Buffer]>
  readonly updateHead: Database.Statement<[number, Buffer, Buffer, string, Buffer, Buffer]>
  readonly updateState: Database.Statement<[Buffer]>
  readonly dataVersion: Database.Statement<[], number>
}

function prepareHead(db: Database.Database): HeadStatements {
  return {
    head: db.prepare('SELECT size, frontier FROM head WHERE id = 1'),
    signedHead: db.prepare('SELECT root, note, state, grants FROM head WHERE id = 1'),
    createHead: db.prepare(`INSERT INTO head (id, size, root, frontier) VALUES (1, 0, ?, x'')`),
    updateHead: db.prepare(
      'UPDATE head SET size = ?, root = ?, frontier = ?, note = ?, state = ?, grants = ? WHERE id = 1',
    ),
    updateState: db.prepare('UPDATE head SET state = ? WHERE id = 1'),
    // Changes when another connection has written.
    dataVersion: db.prepare<[], number>('PRAGMA data_version').pluck(),
  }
}
