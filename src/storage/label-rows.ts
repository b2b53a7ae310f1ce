import type Database from 'better-sqlite3'
import type { LabelChange, LabelQuestion, StoreView } from '../runtime/store.ts'
import { prunedAtOnce } from './prune.ts'
import type { SealedRow, StateSeal } from './state-seal.ts'

/** A label as it stands in its table. */
interface LabelRow {
  readonly subject: string
  readonly label: string
  readonly bind: string
  readonly added_seq: number
  readonly held_until_ms: number
  readonly proven_until_ms: number
}

/** The labels of sessions; everything here expects a write transaction. */
export class LabelRows {
  readonly #statements: Statements
  readonly #seal: StateSeal

  constructor(db: Database.Database, seal: StateSeal) {
    this.#statements = prepareStatements(db)
    this.#seal = seal
  }

  /** Every row, as it is sealed. */
  *sealed(): Iterable<SealedRow> {
    for (const row of this.#statements.everyLabel.iterate()) yield sealedLabel(row)
  }

  /** Puts labels in the place of all that there are. */
  replace(labels: Iterable<LabelChange>): void {
    for (const row of this.#statements.deleteAll.all()) this.#toggle(row)
    for (const label of labels) this.#add(label)
  }

  find({ subject, label, bind }: LabelQuestion, nowMs: number): ReturnType<StoreView['label']> {
    const { heldAbout, heldAny, provenAbout, provenAny } = this.#statements
    const about = { subject, label, bind: bind ?? '', nowMs }
    const [held, proven] = bind === undefined ? [heldAny, provenAny] : [heldAbout, provenAbout]
    return { held: held.get(about) !== undefined, proven: proven.get(about) !== undefined }
  }

  /** Adds labels, and removes those that have ended. */
  add(labels: readonly LabelChange[], nowMs: number): void {
    for (const label of labels) this.#add(label)
    const ended = this.#statements.prune.all(nowMs, prunedAtOnce + labels.length)
    for (const row of ended) this.#toggle(row)
  }

  #add({ subject, label, bind, seq, heldUntilMs, provenUntilMs }: LabelChange): void {
    const { add, labelRow } = this.#statements
    const before = labelRow.get(subject, label, bind)
    const after = add.get(subject, label, bind, seq, heldUntilMs, provenUntilMs)
    for (const row of [before, after]) if (row !== undefined) this.#toggle(row)
  }

  #toggle(row: LabelRow): void {
    this.#seal.toggle(sealedLabel(row))
  }
}

function sealedLabel(row: LabelRow): SealedRow {
  const { subject, label, bind, added_seq, held_until_ms, proven_until_ms } = row
  return ['label', subject, label, bind, added_seq, held_until_ms, proven_until_ms]
}

type Statements = ReturnType<typeof prepareStatements>

interface LabelParameters {
  readonly subject: string
  readonly label: string
  readonly bind: string
  readonly nowMs: number
}

function prepareStatements(db: Database.Database): {
  readonly add: Database.Statement<[string, string, string, number, number, number], LabelRow>
  readonly labelRow: Database.Statement<[string, string, string], LabelRow>
  readonly everyLabel: Database.Statement<[], LabelRow>
  readonly deleteAll: Database.Statement<[], LabelRow>
  readonly heldAbout: Database.Statement<[LabelParameters]>
  readonly heldAny: Database.Statement<[LabelParameters]>
  readonly provenAbout: Database.Statement<[LabelParameters]>
  readonly provenAny: Database.Statement<[LabelParameters]>
  readonly prune: Database.Statement<[number, number], LabelRow>
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
         proven_until_ms = max(proven_until_ms, excluded.proven_until_ms)
       RETURNING *`,
    ),
    labelRow: db.prepare('SELECT * FROM labels WHERE subject = ? AND label = ? AND bind = ?'),
    everyLabel: db.prepare('SELECT * FROM labels'),
    deleteAll: db.prepare('DELETE FROM labels RETURNING *'),
    heldAbout: label('held_until_ms', about),
    heldAny: label('held_until_ms', ''),
    provenAbout: label('proven_until_ms', about),
    provenAny: label('proven_until_ms', ''),
    prune: db.prepare(
      `DELETE FROM labels WHERE (subject, label, bind) IN
       (SELECT subject, label, bind FROM labels WHERE held_until_ms <= ? ORDER BY held_until_ms LIMIT ?)
       RETURNING *`,
    ),
  }
}
