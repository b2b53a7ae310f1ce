import type { RecordData, RecordType, StoredRecord } from '../audit/record.ts'
import type { LogReader } from '../runtime/store.ts'
import { fieldOf, isObject, listOf, numberOrNull, textOf, textOrNull } from './record-fields.ts'

/** The newest records of which the numbers of the page are made, count; of older ones it says that it left them out. */
const maxFacts = 20_000
/** How many records are read in one step. */
const stepRecords = 500

/** A rule that decided a call. */
export interface RuleHit {
  readonly id: string
  readonly effect: string
  readonly file: string
  readonly line: number
}

/** What of a record is counted. */
export type LogFact = DecisionFact | OutcomeFact | OtherFact

/** A decision. */
export interface DecisionFact {
  readonly kind: 'decision'
  readonly seq: number
  readonly atMs: number
  readonly decision: string
  readonly isObserved: boolean
  readonly tool: string
  readonly reason: string
  readonly rules: readonly RuleHit[]
}

/** How a call ended. */
export interface OutcomeFact {
  readonly kind: 'outcome'
  readonly seq: number
  readonly atMs: number
  readonly decisionSeq: number
  readonly ms: number | null
  readonly status: string
}

/** A refused message, a request for an approval or an answer to one. */
export interface OtherFact {
  readonly kind: 'refused' | 'asked' | 'answered'
  readonly seq: number
  readonly atMs: number
  /** Of an approval. */
  readonly id: string | null
}

const types: readonly RecordType[] = [
  'decision',
  'outcome',
  'refusal',
  'approval.request',
  'approval.grant',
  'approval.deny',
]

/** The newest records of a log as facts, read once and then only what is new. */
export class LogFacts {
  #facts: LogFact[] = []
  #next: number | undefined
  /** Whether there are older records than the facts. */
  hasOlder = false

  /** Reads what has come since. */
  async look(reader: LogReader): Promise<readonly LogFact[]> {
    const size = await reader.size()
    // Another log has taken its place.
    if (this.#next === undefined || size < this.#next) this.#begin(Math.max(0, size - maxFacts))
    let from: number | null = this.#next ?? 0
    while (from !== null) {
      const page: Awaited<ReturnType<LogReader['find']>> =
        // oxlint-disable-next-line no-await-in-loop -- each step begins where the one before it ended
        await reader.find({ types, order: 'oldest', from, count: stepRecords })
      for (const record of page.records) this.#facts.push(factOf(record))
      this.#next = page.next ?? page.size
      from = page.next
    }
    if (this.#facts.length > maxFacts) {
      this.#facts = this.#facts.slice(-maxFacts)
      this.hasOlder = true
    }
    return this.#facts
  }

  #begin(from: number): void {
    this.#facts = []
    this.#next = from
    this.hasOlder = from > 0
  }
}

function factOf({ type, seq, ts, data }: StoredRecord): LogFact {
  const at = { seq, atMs: Date.parse(ts) }
  if (type === 'decision') return { kind: 'decision', ...at, ...decisionOf(data) }
  if (type === 'outcome') {
    const decisionSeq = numberOrNull(data, 'decision_seq') ?? -1
    const ms = numberOrNull(data, 'ms')
    return { kind: 'outcome', ...at, decisionSeq, ms, status: textOf(data, 'status') }
  }
  if (type === 'refusal') return { kind: 'refused', ...at, id: null }
  const id = textOf(data, 'approval')
  return { kind: type === 'approval.request' ? 'asked' : 'answered', ...at, id }
}

function decisionOf(data: RecordData): Omit<DecisionFact, 'kind' | 'seq' | 'atMs'> {
  const tool = textOrNull(data, 'tool')
  return {
    decision: textOf(data, 'decision'),
    isObserved: fieldOf(data, 'mode') === 'observe',
    tool:
      tool === null ? textOf(data, 'capability') : `${textOrNull(data, 'server') ?? '?'}.${tool}`,
    reason: textOf(data, 'reason'),
    rules: listOf(data, 'rule')
      .filter(isObject)
      .map((rule) => ({
        id: textOf(rule, 'id'),
        effect: textOf(rule, 'effect'),
        file: textOf(rule, 'file'),
        line: numberOrNull(rule, 'line') ?? 0,
      })),
  }
}
