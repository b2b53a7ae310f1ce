import type Database from 'better-sqlite3'
import type { LabelChange, LabelQuestion, StoreView } from '../runtime/store.ts'
import { prunedAtOnce } from './prune.ts'

/** The labels of sessions; everything here expects a write transaction. */
export class LabelRows {
  readonly #statements: Statements

  constructor(db: Database.Database) {
    this.#statements = prepareStatements(db)
  }

  find({ subject, label, bind }: LabelQuestion, nowMs: number): ReturnType<StoreView['label']> {
    const { heldAbout, heldAny, provenAbout, provenAny } = this.#statements
    const about = { subject, label, bind: bind ?? '', nowMs }
    const [held, proven] = bind === undefined ? [heldAny, provenAny] : [heldAbout, provenAbout]
    return { held: held.get(about) !== undefined, proven: proven.get(about) !== undefined }
  }

  /** Adds labels, and removes those that have ended. */
  add(labels: readonly LabelChange[], nowMs: number): void {
    const { add, prune } = this.#statements
    for (const { subject, label, bind, seq, heldUntilMs, provenUntilMs } of labels) {
      add.run(subject, label, bind, seq, heldUntilMs, provenUntilMs)
    }
    prune.run(nowMs, prunedAtOnce + labels.length)
  }
}

type Statements = ReturnType<typeof prepareStatements>

interface LabelParameters {
  readonly subject: string
  readonly label: string
  readonly bind: string
  readonly nowMs: number
}

function prepareStatements(db: Database.Database): {
  readonly add: Database.Statement<[string, string, string, number, number, number]>
  readonly heldAbout: Database.Statement<[LabelParameters]>
  readonly heldAny: Database.Statement<[LabelParameters]>
  readonly provenAbout: Database.Statement<[LabelParameters]>
  readonly provenAny: Database.Statement<[LabelParameters]>
  readonly prune: Database.Statement<[number, number]>
} {
  const label = (column: string, about: string): Database.Statement<[LabelParameters]> =>
    db.prepare(
      `SELECT 1 FROM labels WHERE subject = $subject AND label = $label ${about} AND ${column} > $nowMs LIMIT 1`,
    )
  // A label about any value is about this one too.
  const about = `AND bind IN ($bind, '')`
  return {
    add: db.prepare(
      `INSERT INTO labels (subject, label, bind, added_seq, held_until_ms, proven_until_ms)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET added_seq = excluded.added_seq,
         held_until_ms = max(held_until_ms, excluded.held_until_ms),
         proven_until_ms = max(proven_until_ms, excluded.proven_until_ms)`,
    ),
    heldAbout: label('held_until_ms', about),
    heldAny: label('held_until_ms', ''),
    provenAbout: label('proven_until_ms', about),
    provenAny: label('proven_until_ms', ''),
    prune: db.prepare(
      `DELETE FROM labels WHERE (subject, label, bind) IN
       (SELECT subject, label, bind FROM labels WHERE held_until_ms <= ? ORDER BY held_until_ms LIMIT ?)`,
    ),
  }
}
