import type Database from 'better-sqlite3'
import { CapFenceError } from '../errors.ts'
import type { WriterPlace } from './log-end.ts'
import type { LogQueries } from './log-queries.ts'
import type { LogTransaction } from './log-transaction.ts'
import type { WriterPresence } from './writer-presence.ts'

/** Enters a writer among those that run; inside a write transaction, so that nobody takes it for dead meanwhile. */
export function enterWriter(
  db: Database.Database,
  presence: WriterPresence,
  { w, nowMs }: WriterPlace,
): void {
  presence.claim(w)
  db.prepare('INSERT INTO writers (w, pid, started_ms) VALUES (?, ?, ?)').run(w, process.pid, nowMs)
}

/** Notes that a writer has ended. */
export function leaveWriter(db: Database.Database, { w, nowMs }: WriterPlace): void {
  db.prepare('UPDATE writers SET ended_ms = ? WHERE w = ?').run(nowMs, w)
}

/**
 * Looks whether nobody but this writer writes; inside a write transaction, so that nobody begins meanwhile.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` that names the processes
 */
export function requireAlone(db: Database.Database, presence: WriterPresence, own: string): void {
  const running = db
    .prepare<[], { readonly w: string; readonly pid: number }>(
      'SELECT w, pid FROM writers WHERE ended_ms IS NULL',
    )
    .all()
  const others = running.filter(({ w }) => w !== own && presence.isAlive(w))
  if (others.length === 0) return
  const pids = others.map(({ pid }) => pid).join(', ')
  throw new CapFenceError('AUDIT_UNAVAILABLE', `others write to the log: process ${pids}`, {
    hint: 'end the gates that use it (close their clients), and start them again afterwards',
  })
}

/** What settling the calls of dead writers needs; inside a write transaction. */
export interface LostCallsContext {
  readonly db: Database.Database
  readonly presence: WriterPresence
  readonly transaction: LogTransaction
  readonly queries: LogQueries
  readonly place: WriterPlace
}

/**
 * Records the outcome `unknown` for every open call whose writer no longer runs; each call gets it once.
 *
 * Nothing is known of such a call: it may have run, it may not. It is never sent again (THREATS B34).
 */
export function recordLostCalls({
  db,
  presence,
  transaction,
  queries,
  place,
}: LostCallsContext): void {
  const running = db
    .prepare<[], string>('SELECT w FROM writers WHERE ended_ms IS NULL')
    .pluck()
    .all()
  const dead = running.filter((writer) => writer !== place.w && !presence.isAlive(writer))
  const alive = new Set(running.filter((writer) => !dead.includes(writer)))
  const records = queries.unknownOutcomes((writer) => alive.has(writer))
  transaction.store({ records, result: undefined }, place)
  for (const writer of dead) {
    leaveWriter(db, { ...place, w: writer })
    presence.forget(writer)
  }
}
