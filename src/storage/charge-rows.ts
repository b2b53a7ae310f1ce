import type Database from 'better-sqlite3'
import { isAddable, sumOf } from '../json/decimal-sum.ts'
import { Decimal } from '../json/decimal.ts'
import { limits } from '../limits.ts'
import type { Charge, StoreView } from '../runtime/store.ts'
import { prunedAtOnce } from './prune.ts'
import type { SealedRow, StateSeal } from './state-seal.ts'

/** Into how many parts the window of a limit is cut where charges of one part become one. */
const slots = 128
/** Charges of one pot that are kept one by one; more than two windows have parts, so that it is not reached at once again. */
const singleCharges = 3 * slots

type Counted = NonNullable<ReturnType<StoreView['charges']>>[number]

interface ChargeRow {
  readonly at_ms: number
  readonly decision_seq: number
  readonly amount: string
  readonly expires_ms: number
  readonly state: 'reserved' | 'settled'
}

/** What is sealed of a charge; whether it may still be given back is known from its call. */
type SealedCharge = { readonly pot: string } & Omit<ChargeRow, 'state'>

/** What calls have taken out of the pots of limits; everything here expects a write transaction. */
export class ChargeRows {
  readonly #statements: Statements
  readonly #seal: StateSeal

  constructor(db: Database.Database, seal: StateSeal) {
    this.#statements = prepareStatements(db)
    this.#seal = seal
  }

  /** Every row, as it is sealed. */
  *sealed(): Iterable<SealedRow> {
    for (const row of this.#statements.everyCharge.iterate()) yield sealedCharge(row)
  }

  /** Puts rows in the place of all that there are. */
  replace(rows: Iterable<SealedCharge>): void {
    for (const row of this.#statements.deleteAll.all()) this.#toggle(row)
    for (const row of rows) {
      this.#insert(row)
      this.settle(row.decision_seq)
    }
  }

  charges(pot: string, sinceMs: number): ReturnType<StoreView['charges']> {
    const rows = this.#statements.charges.all(pot, sinceMs, limits.maxCharges + 1)
    if (rows.length > limits.maxCharges) return undefined
    return rows
  }

  /** Takes charges out of their pots, and removes what has expired. */
  add(charges: readonly Charge[], nowMs: number): void {
    const lastOf = new Map<string, Charge>()
    for (const charge of charges) {
      const { pot, atMs, decisionSeq, amount, expiresAtMs } = charge
      this.#insert({ pot, at_ms: atMs, decision_seq: decisionSeq, amount, expires_ms: expiresAtMs })
      lastOf.set(pot, charge)
    }
    for (const charge of lastOf.values()) this.#bound(charge, nowMs)
    const ended = this.#statements.prune.all(nowMs, prunedAtOnce + charges.length)
    for (const row of ended) this.#toggle(row)
  }

  /** Gives back what a decision has reserved, if nothing is known of its call yet. */
  giveBack(decisionSeq: number): void {
    for (const row of this.#statements.giveBack.all(decisionSeq)) this.#toggle(row)
  }

  /** The outcome of a decision is known, or never will be: what it reserved stays charged. */
  settle(decisionSeq: number): void {
    this.#statements.settle.run(decisionSeq)
  }

  #insert(row: SealedCharge): void {
    const { pot, at_ms, decision_seq, amount, expires_ms } = row
    this.#statements.insertCharge.run(pot, at_ms, decision_seq, amount, expires_ms)
    this.#toggle(row)
  }

  #toggle(row: SealedCharge): void {
    this.#seal.toggle(sealedCharge(row))
  }

  /** Keeps few charges of a pot. */
  #bound(charge: Charge, nowMs: number): void {
    // Only the oldest are looked at: what is still reserved stands behind them.
    const kept = this.#statements.countSettled.get(charge.pot, 2 * singleCharges) ?? 0
    if (kept > singleCharges) this.#merge(charge, nowMs)
  }

  /**
   * Makes one charge of all that fall into the same short time; it counts as made with the last of them, so that it
   * counts for longer and never for less. A call that is under way keeps its own, which may have to be given back.
   */
  #merge({ pot, windowMs, shortestMs }: Charge, nowMs: number): void {
    const { allCharges, deleteCharge, changeCharge } = this.#statements
    // What the shortest limit counts is cut finely enough for it.
    const partOf = ({ at_ms }: ChargeRow): string =>
      at_ms > nowMs - shortestMs ? `short ${part(at_ms, shortestMs)}` : `${part(at_ms, windowMs)}`
    let last: ChargeRow | undefined
    // Latest first, so that each row meets the one that stays.
    for (const row of allCharges.all(pot)) {
      if (row.state === 'reserved') continue
      if (last === undefined || partOf(row) !== partOf(last)) {
        last = row
        continue
      }
      const amount = sumOfTwo(last.amount, row.amount)
      if (amount === undefined) {
        last = row
        continue
      }
      const merged = { ...last, amount, expires_ms: Math.max(last.expires_ms, row.expires_ms) }
      for (const changed of [row, last, merged]) this.#toggle({ pot, ...changed })
      deleteCharge.run(pot, row.at_ms, row.decision_seq)
      changeCharge.run(amount, merged.expires_ms, pot, last.at_ms, last.decision_seq)
      last = merged
    }
  }
}

function sealedCharge({ pot, at_ms, decision_seq, amount, expires_ms }: SealedCharge): SealedRow {
  return ['charge', pot, at_ms, decision_seq, amount, expires_ms]
}

/** Into which part of time something falls, when a window has `slots` of them. */
function part(atMs: number, windowMs: number): number {
  return Math.floor(atMs / Math.max(1, Math.ceil(windowMs / slots)))
}

/** Undefined when it could not be kept as one amount: then nothing more is known of the pot, as long as both count. */
function sumOfTwo(one: string, other: string): string | undefined {
  const numbers = [one, other].flatMap((amount) => Decimal.parsePlain(amount) ?? [])
  if (numbers.length < 2 || !numbers.every(isAddable)) return undefined
  const sum = sumOf(numbers)
  return isAddable(sum) ? sum.canonical : undefined
}

type Statements = ReturnType<typeof prepareStatements>

function prepareStatements(db: Database.Database): {
  readonly charges: Database.Statement<[string, number, number], Counted>
  readonly allCharges: Database.Statement<[string], ChargeRow>
  readonly countSettled: Database.Statement<[string, number], number>
  readonly insertCharge: Database.Statement<[string, number, number, string, number]>
  readonly deleteCharge: Database.Statement<[string, number, number]>
  readonly changeCharge: Database.Statement<[string, number, string, number, number]>
  readonly settle: Database.Statement<[number]>
  readonly giveBack: Database.Statement<[number], SealedCharge>
  readonly prune: Database.Statement<[number, number], SealedCharge>
  readonly everyCharge: Database.Statement<[], SealedCharge>
  readonly deleteAll: Database.Statement<[], SealedCharge>
} {
  return {
    charges: db.prepare(
      `SELECT at_ms AS atMs, amount FROM limit_charges
       WHERE pot = ? AND at_ms > ? ORDER BY at_ms, decision_seq LIMIT ?`,
    ),
    allCharges: db.prepare(
      'SELECT * FROM limit_charges WHERE pot = ? ORDER BY at_ms DESC, decision_seq DESC',
    ),
    countSettled: db
      .prepare<[string, number], number>(
        `SELECT count(*) FILTER (WHERE state = 'settled')
         FROM (SELECT state FROM limit_charges WHERE pot = ? LIMIT ?)`,
      )
      .pluck(),
    insertCharge: db.prepare(
      `INSERT INTO limit_charges (pot, at_ms, decision_seq, amount, expires_ms, state)
       VALUES (?, ?, ?, ?, ?, 'reserved')`,
    ),
    deleteCharge: db.prepare(
      'DELETE FROM limit_charges WHERE pot = ? AND at_ms = ? AND decision_seq = ?',
    ),
    changeCharge: db.prepare(
      'UPDATE limit_charges SET amount = ?, expires_ms = ? WHERE pot = ? AND at_ms = ? AND decision_seq = ?',
    ),
    settle: db.prepare(
      `UPDATE limit_charges SET state = 'settled' WHERE decision_seq = ? AND state = 'reserved'`,
    ),
    giveBack: db.prepare(
      `DELETE FROM limit_charges WHERE decision_seq = ? AND state = 'reserved' RETURNING *`,
    ),
    everyCharge: db.prepare('SELECT * FROM limit_charges'),
    deleteAll: db.prepare('DELETE FROM limit_charges RETURNING *'),
    prune: db.prepare(
      `DELETE FROM limit_charges WHERE (pot, at_ms, decision_seq) IN
       (SELECT pot, at_ms, decision_seq FROM limit_charges WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?)
       RETURNING *`,
    ),
  }
}
