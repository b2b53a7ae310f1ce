import type { StoredRecord } from '../audit/record.ts'
import type { ShownArguments } from './log-arguments.ts'
import { numberOrNull, textOf } from './record-fields.ts'

/** A line of `capfence logs`, before it is a line. */
export type LogEntry = DecisionEntry | RefusalEntry | ChangeEntry

/** A call that was decided. */
export interface DecisionEntry {
  readonly kind: 'decision'
  readonly record: StoredRecord
  readonly arguments: ShownArguments
  readonly outcome: OutcomeEntry | undefined
}

/** A message that was refused before it was a call. */
export interface RefusalEntry {
  readonly kind: 'refusal'
  readonly record: StoredRecord
}

/** What governs calls, or what a server offers, is another than before. */
export interface ChangeEntry {
  readonly kind: 'change'
  readonly record: StoredRecord
}

/** How a call that was forwarded ended. */
export interface OutcomeEntry {
  readonly seq: number
  readonly status: string
  readonly ms: number | null
  readonly bytes: number | null
}

/** Reads an outcome record. */
export function outcomeEntry({ seq, data }: StoredRecord): OutcomeEntry {
  return {
    seq,
    status: textOf(data, 'status'),
    ms: numberOrNull(data, 'ms'),
    bytes: numberOrNull(data, 'bytes'),
  }
}
