import type { Effect } from '../policy/answer.ts'
import type { Compared } from './comparison.ts'

/** How many calls of a column came to what. */
export interface Amounts {
  readonly allow: number
  readonly require_approval: number
  readonly deny: number
  /** Could not be evaluated, or was not recorded. */
  readonly unknown: number
}

/** A part of the time that a trace is about. */
export interface Column {
  /** Milliseconds since the epoch; null where the trace has no clock. */
  readonly startMs: number | null
  /** Calls. */
  readonly before: Amounts
  readonly now: Amounts
  readonly different: number
  readonly unknown: number
}

/** How long each column is: one call, or a time. */
export type ColumnWidth = 'call' | number

interface Counting {
  startMs: number | null
  before: Record<keyof Amounts, number>
  now: Record<keyof Amounts, number>
  different: number
  unknown: number
}

/** A picture has no more columns. */
const maxColumns = 160

/** What a column can be as long as, milliseconds: lengths that a person knows. */
const widthsMs: readonly number[] = [
  1000, 5000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000,
  2_419_200_000,
]

/** Counts what became of the calls of a trace over its time, in a bounded number of columns. */
export class Timeline {
  /** One column for each call, while there are few. */
  #calls: Counting[] | undefined = []
  /** The same by time, by the number of the column. */
  readonly #columns = new Map<number, Counting>()
  #width = 0
  #lastMs: number | null = null
  #count = 0

  add(compared: Compared, atMs: number | null): void {
    this.#count += 1
    this.#lastMs = atMs ?? this.#lastMs
    this.#addCall(compared, atMs)
    // Without any clock the calls follow one another a second apart.
    const ms = this.#lastMs ?? this.#count * 1000
    count(this.#columnAt(ms), compared)
  }

  /** The columns from the first to the last, those without calls too. */
  get columns(): { readonly width: ColumnWidth; readonly columns: readonly Column[] } {
    if (this.#calls !== undefined) return { width: 'call', columns: this.#calls }
    const numbers = [...this.#columns.keys()]
    const first = Math.min(...numbers)
    const length = Math.max(...numbers) - first + 1
    const widthMs = this.#widthMs
    const hasClock = this.#lastMs !== null
    const columns = Array.from({ length }, (_, at): Column => {
      const startMs = hasClock ? (first + at) * widthMs : null
      return { ...(this.#columns.get(first + at) ?? newCounting()), startMs }
    })
    return { width: widthMs, columns }
  }

  get #widthMs(): number {
    const last = widthsMs.length - 1
    // Beyond the longest one a column is twice as long again and again.
    return (widthsMs[Math.min(this.#width, last)] ?? 0) * 2 ** Math.max(0, this.#width - last)
  }

  #addCall(compared: Compared, atMs: number | null): void {
    if (this.#calls === undefined) return
    if (this.#calls.length === maxColumns) {
      this.#calls = undefined
      return
    }
    const column = newCounting()
    column.startMs = atMs
    count(column, compared)
    this.#calls.push(column)
  }

  #columnAt(ms: number): Counting {
    const at = Math.floor(ms / this.#widthMs)
    const known = this.#columns.get(at)
    if (known !== undefined) return known
    const column = newCounting()
    this.#columns.set(at, column)
    if (!this.#isTooWide()) return column
    while (this.#isTooWide()) this.#widen()
    return this.#columnAt(ms)
  }

  #isTooWide(): boolean {
    const numbers = [...this.#columns.keys()]
    return Math.max(...numbers) - Math.min(...numbers) >= maxColumns
  }

  #widen(): void {
    const before = this.#widthMs
    this.#width += 1
    const old = [...this.#columns]
    this.#columns.clear()
    for (const [at, column] of old) {
      const into = Math.floor((at * before) / this.#widthMs)
      const known = this.#columns.get(into)
      if (known === undefined) this.#columns.set(into, column)
      else add(known, column)
    }
  }
}

function newCounting(): Counting {
  return { startMs: null, before: noAmounts(), now: noAmounts(), different: 0, unknown: 0 }
}

function noAmounts(): Record<keyof Amounts, number> {
  return { allow: 0, require_approval: 0, deny: 0, unknown: 0 }
}

function count(column: Counting, compared: Compared): void {
  const before: Effect | undefined =
    compared.kind === 'unrecorded' ? undefined : compared.before?.decision
  const now = compared.kind === 'unknown' ? undefined : compared.now.decision
  column.before[before ?? 'unknown'] += 1
  column.now[now ?? 'unknown'] += 1
  if (compared.kind === 'different') column.different += 1
  if (compared.kind === 'unknown') column.unknown += 1
}

function add(column: Counting, other: Counting): void {
  for (const name of ['allow', 'require_approval', 'deny', 'unknown'] as const) {
    column.before[name] += other.before[name]
    column.now[name] += other.now[name]
  }
  column.different += other.different
  column.unknown += other.unknown
}
