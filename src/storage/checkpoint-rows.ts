import type Database from 'better-sqlite3'

/** The checkpoints that are kept, when one is kept on demand. */
export class CheckpointRows {
  readonly #kept: Database.Statement<[number], string>
  readonly #drop: Database.Statement<[number]>
  readonly #keep: Database.Statement<[number, string]>

  constructor(db: Database.Database) {
    this.#kept = db.prepare<[number], string>('SELECT note FROM checkpoints WHERE size = ?').pluck()
    this.#drop = db.prepare('DELETE FROM checkpoints WHERE size = ?')
    this.#keep = db.prepare('INSERT INTO checkpoints (size, note) VALUES (?, ?)')
  }

  /**
   * Keeps the checkpoint of a size as it was signed first: at a rotation that was by three keys.
   *
   * Something is written in any case, because a transaction without a change syncs nothing of what others have left in
   * the system's cache; and SQLite sees through a change that changes nothing.
   *
   * @returns the note that is kept
   */
  keep(size: number, note: string): string {
    const first = this.#kept.get(size) ?? note
    this.#drop.run(size)
    this.#keep.run(size, first)
    return first
  }
}
