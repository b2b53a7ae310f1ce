import type { ReadRecord } from './read-row.ts'

/** A forwarded decision without a known outcome. */
export interface OrphanedCall {
  readonly call: string
  readonly seq: number
}

/** A forwarded call that has no outcome, or only `unknown`. */
export interface OpenCall extends OrphanedCall {
  readonly unknown: boolean
}

/** Which decisions, outcomes and questions may follow one another. */
export class OpenCalls {
  readonly #open: Map<string, { readonly seq: number; unknown: boolean }>

  constructor(open: Iterable<OpenCall> = []) {
    this.#open = new Map(Array.from(open, ({ call, seq, unknown }) => [call, { seq, unknown }]))
  }

  /** In the order of the log. */
  get list(): readonly OpenCall[] {
    return Array.from(this.#open, ([call, { seq, unknown }]) => ({ call, seq, unknown }))
  }

  /** What is wrong with a record, before it is accepted. */
  complaint({ type, said, seq }: ReadRecord): string | undefined {
    const call = callOf(said)
    const open = this.#open.get(call)
    if (type === 'decision' && open !== undefined) return `call ${call} was decided in ${open.seq}`
    if (type === 'outcome') return outcomeComplaint(said, open)
    if (type === 'approval.request' && !isBefore(said['decision_seq'], seq)) {
      return 'the decision that asked is not in the log'
    }
    if (type === 'approval.use' && !isBefore(said['decision_seq'], seq)) {
      return 'the decision that used the approval is not in the log'
    }
    const isUsed = type === 'grant.use'
    if (isUsed && ![said['decision_seq'], said['created_seq']].every((one) => isBefore(one, seq))) {
      return 'the decision that used the grant, or the grant, is not in the log'
    }
    return undefined
  }

  accept({ type, said, seq }: ReadRecord): void {
    const call = callOf(said)
    if (type === 'decision' && said['forwarded'] === true) {
      this.#open.set(call, { seq, unknown: false })
    }
    if (type !== 'outcome') return
    const open = this.#open.get(call)
    if (open !== undefined && said['status'] === 'unknown') open.unknown = true
    else this.#open.delete(call)
  }
}

function callOf(said: ReadRecord['said']): string {
  return typeof said['call'] === 'string' ? said['call'] : ''
}

/** A writer that was taken for dead may still come back with the true outcome, once. */
function outcomeComplaint(
  said: ReadRecord['said'],
  open: { readonly seq: number; readonly unknown: boolean } | undefined,
): string | undefined {
  if (open === undefined) return 'an outcome without a forwarded decision'
  if (said['decision_seq'] !== open.seq)
    return `an outcome of ${open.seq} that names another decision`
  if (open.unknown && said['status'] === 'unknown') return 'the outcome is unknown already'
  return undefined
}

function isBefore(decisionSeq: unknown, seq: number): boolean {
  return typeof decisionSeq === 'number' && decisionSeq < seq
}
