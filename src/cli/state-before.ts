import { readDisclosure } from '../audit/open-disclosure.ts'
import type { Disclosure, StoredRecord } from '../audit/record.ts'
import { parseAccount, stateDigest } from '../audit/state-account.ts'
import type { StateAccount } from '../audit/state-account.ts'
import { isAddable, sumOf } from '../json/decimal-sum.ts'
import { Decimal } from '../json/decimal.ts'
import type { TraceCarry } from '../replay/trace.ts'
import { carryLine } from '../replay/trace-lines.ts'
import { sessionSubject } from '../runtime/decide-state.ts'
import { clockOf } from './recorded-call.ts'

type CarriedCharge = TraceCarry['charges'][number]
type CarriedLabel = TraceCarry['labels'][number]

/**
 * What limits and labels stand at where a part of a log begins, as the records before it say.
 *
 * Whether a label is proven no record says: a call that ended without an error may have proven what it has added.
 */
export class StateBefore {
  readonly #sinceMs: number
  /** By the decision that has made them, which an outcome may give back. */
  readonly #charges = new Map<number, readonly CarriedCharge[]>()
  readonly #labels = new Map<string, CarriedLabel>()
  /** Labels of calls of which no outcome is known yet, by their decision. */
  readonly #open = new Map<number, readonly OpenLabel[]>()
  #isKnown = true

  constructor(sinceMs: number) {
    this.#sinceMs = sinceMs
  }

  /** Whether nothing of it was erased that still counts. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** Takes in a record from before. */
  note(record: StoredRecord, disclosures: readonly Disclosure[]): void {
    const { type, data } = record
    if (type === 'outcome') this.#end(record)
    const hasForwarded = type === 'decision' && data['forwarded'] === true
    const digest = hasForwarded || type === 'state.carry' ? stateDigest(data) : undefined
    if (digest === undefined) return
    const kept = disclosures.find((one) => one.digest === digest)
    const account = kept && readDisclosure(kept).name === 'state' ? parseAccount(kept) : undefined
    if (account === undefined) this.#isKnown = false
    else this.#add(record, account)
  }

  /** The lines that a trace has of it. */
  get lines(): readonly string[] {
    const charges = boundedCharges([...this.#charges.values()].flat())
    for (const open of this.#open.values()) {
      for (const { label } of open) this.#addLabel({ ...label, perhapsUntilMs: never })
    }
    const labels = [...this.#labels.values()]
    const count = Math.ceil(Math.max(charges.length, labels.length) / perLine)
    return Array.from({ length: count }, (_, at) => {
      const [from, to] = [at * perLine, (at + 1) * perLine]
      return carryLine({ charges: charges.slice(from, to), labels: labels.slice(from, to) })
    })
  }

  #add(record: StoredRecord, { charged, added }: StateAccount): void {
    const clockMs = clockOf(record)
    const charges = charged
      .filter(({ expires_ms }) => expires_ms > this.#sinceMs)
      .map(({ pot, amount, expires_ms, at_ms }): CarriedCharge => {
        return { pot, amount, atMs: at_ms ?? clockMs, expiresAtMs: expires_ms }
      })
    if (charges.length > 0) this.#charges.set(record.seq, charges)
    const labels = added
      .filter(({ until_ms }) => until_ms > this.#sinceMs)
      .map((one) => openLabel(one, record, clockMs))
    if (record.type === 'decision') this.#open.set(record.seq, labels)
    else for (const { label } of labels) this.#addLabel(label)
  }

  /** A call that has ended without an error may have proven its labels, and has not otherwise. */
  #end({ data, ts }: StoredRecord): void {
    const { decision_seq: seq, sent, status } = data
    if (typeof seq !== 'number') return
    if (sent === false) this.#charges.delete(seq)
    const mayProve = status === 'ok' && sent !== false
    for (const { label, ttlMs } of this.#open.get(seq) ?? []) {
      const until = ttlMs === undefined ? never : Date.parse(ts) + ttlMs
      this.#addLabel({ ...label, perhapsUntilMs: mayProve ? until : 0 })
    }
    this.#open.delete(seq)
  }

  #addLabel(label: CarriedLabel): void {
    const key = JSON.stringify([label.subject, label.label, label.isBound])
    const known = this.#labels.get(key)
    this.#labels.set(key, {
      ...label,
      heldUntilMs: Math.max(known?.heldUntilMs ?? 0, label.heldUntilMs),
      provenUntilMs: Math.max(known?.provenUntilMs ?? 0, label.provenUntilMs),
      perhapsUntilMs: Math.max(known?.perhapsUntilMs ?? 0, label.perhapsUntilMs),
    })
  }
}

interface OpenLabel {
  readonly label: CarriedLabel
  /** For good when undefined. */
  readonly ttlMs: number | undefined
}

function openLabel(
  { label, bind, until_ms, subject, proven_until_ms }: StateAccount['added'][number],
  { data: { actor } }: StoredRecord,
  clockMs: number,
): OpenLabel {
  const made = {
    subject: subject ?? sessionSubject(typeof actor === 'string' ? actor : ''),
    label,
    isBound: bind !== '',
    heldUntilMs: until_ms,
    provenUntilMs: proven_until_ms ?? 0,
    perhapsUntilMs: 0,
  }
  return { label: made, ttlMs: until_ms === never ? undefined : until_ms - clockMs }
}

const perLine = 1000
/** For good: later than any clock. */
const never = Number.MAX_SAFE_INTEGER
/** Charges of one pot that a gate keeps one by one, and into how many parts it cuts a window beyond. */
const singleCharges = 384
const slots = 128

/** A pot with many charges is cut into as many parts as a gate cuts it into. */
function boundedCharges(charges: readonly CarriedCharge[]): readonly CarriedCharge[] {
  const pots = new Map<string, CarriedCharge[]>()
  for (const charge of charges) {
    const pot = pots.get(charge.pot)
    if (pot === undefined) pots.set(charge.pot, [charge])
    else pot.push(charge)
  }
  return [...pots.values()].flatMap((pot) => (pot.length > singleCharges ? merged(pot) : pot))
}

function merged(charges: readonly CarriedCharge[]): readonly CarriedCharge[] {
  const parts = new Map<number, CarriedCharge>()
  const alone: CarriedCharge[] = []
  for (const charge of charges) {
    const partMs = Math.max(1, Math.ceil((charge.expiresAtMs - charge.atMs) / slots))
    const part = Math.floor(charge.atMs / partMs)
    const known = parts.get(part)
    const both = known === undefined ? charge : together(known, charge)
    if (both === undefined) alone.push(charge)
    else parts.set(part, both)
  }
  return [...parts.values(), ...alone]
}

/** Counts as made with the last of both, so that it counts for longer and never for less; undefined where the sum is none. */
function together(one: CarriedCharge, other: CarriedCharge): CarriedCharge | undefined {
  const sum = sumOf([new Decimal(one.amount), new Decimal(other.amount)])
  if (!isAddable(sum)) return undefined
  return {
    pot: one.pot,
    amount: sum.canonical,
    atMs: Math.max(one.atMs, other.atMs),
    expiresAtMs: Math.max(one.expiresAtMs, other.expiresAtMs),
  }
}
