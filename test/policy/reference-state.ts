// Limits, budgets, labels and sessions in the reference evaluator, on a memory of two plain lists; see reference.ts.

import { seenAt } from './reference-args.ts'
import { and, isList, isNum, isObject, opposite } from './reference-json.ts'
import type { Json, Truth } from './reference-json.ts'
import { amountReadings, compare, exactOf, plus } from './reference-value.ts'
import type { Exact } from './reference-value.ts'

export interface Limit {
  readonly max: string
  readonly window: Span
  readonly sum?: string
  readonly per?: readonly PerField[]
  /** The name of the pot where several rules share it; else it is the rule's own. */
  readonly pot?: string
}

export type Span = keyof typeof spansMs
export type PerField = 'actor' | 'environment' | 'tool'

export const spansMs = { '30s': 30_000, '2m': 120_000, '1h': 3_600_000, '1d': 86_400_000 } as const

export interface Session {
  readonly has?: readonly string[]
  readonly not?: readonly string[]
  readonly bind?: string
}

/** Everything that earlier calls have left, in the order in which they were made. */
export interface Memory {
  readonly charges: readonly Charge[]
  readonly labels: readonly Label[]
}

export interface Charge {
  readonly pot: string
  readonly amount: Exact
  readonly atMs: number
}

export interface Label {
  readonly label: string
  /** The value that it is about, in a form in which equal values are equal texts; any when undefined. */
  readonly about: string | undefined
  /** The first moment at which the session no longer has it; never when undefined. */
  readonly untilMs: number | undefined
  readonly proven: boolean
}

/** What a limit looks at of a call. */
export interface Asking {
  readonly actor?: string
  readonly environment?: string
  readonly tool?: string
  readonly arguments: { readonly [name: string]: Json }
  readonly nowMs?: number
  /** Not known when absent: somebody decides without a store. */
  readonly memory?: Memory
}

/** What a call takes out of a pot; nothing when the call cannot be read. */
export function chargeOf(
  limit: Limit,
  owner: string,
  call: Asking,
): Omit<Charge, 'atMs'> | undefined {
  const values = (limit.per ?? []).map((field) => call[field])
  const amount = limit.sum === undefined ? exactOf('1') : amountAt(limit.sum, call)
  if (amount === undefined || values.some((value) => value === undefined)) return undefined
  const name = limit.pot === undefined ? ['rule', owner, limit.sum] : ['budget', limit.pot]
  return { pot: JSON.stringify([name, limit.per ?? [], values]), amount }
}

function amountAt(pointer: string, call: Asking): Exact | undefined {
  let sum = exactOf('0')
  const all = seenAt(call.arguments, pointer.split('/').slice(1), true)
  if (all.length === 0) return undefined
  for (const seen of all) {
    if (typeof seen === 'string' || !seen.sure) return undefined
    const { value } = seen
    const written = isNum(value) ? value.number : typeof value === 'string' ? value : undefined
    const readings = amountReadings(written, { asText: !isNum(value), cents: false })
    const [first, second] = readings
    if (first === undefined) return undefined
    const greatest = second !== undefined && compare(second, first) > 0n ? second : first
    if (compare(greatest, exactOf('0')) < 0n) return undefined
    sum = plus(sum, greatest)
  }
  return sum
}

/** Whether there is room for a call, or for guards whether there is none: everything that counts is added up anew. */
export function limitValue(limit: Limit, owner: string, call: Asking, guard: boolean): Truth {
  const { memory, nowMs } = call
  const charge = chargeOf(limit, owner, call)
  if (charge === undefined || memory === undefined || nowMs === undefined) return 'indeterminate'
  let total = charge.amount
  for (const one of memory.charges) {
    const counts = one.pot === charge.pot && one.atMs > nowMs - spansMs[limit.window]
    if (counts) total = plus(total, one.amount)
  }
  const isFull = compare(total, exactOf(limit.max)) > 0n
  return isFull === guard ? 'true' : 'false'
}

export function sessionValue(
  { has = [], not = [], bind }: Session,
  call: Asking,
  guard: boolean,
): Truth {
  const about = bind === undefined ? undefined : valueAt(bind, call)
  const isUnread = bind !== undefined && about === undefined
  if (isUnread && !guard) return 'indeterminate'
  return and([
    ...has.map((name) => labelValue(name, about, call, !guard)),
    // A label is missing for certain only if no call adds it; to a guard it is missing until it is proven.
    ...not.map((name) => (isUnread ? 'true' : opposite(labelValue(name, about, call, guard)))),
  ])
}

function labelValue(name: string, about: string | undefined, call: Asking, proven: boolean): Truth {
  const { memory, nowMs } = call
  if (memory === undefined || nowMs === undefined) return 'indeterminate'
  const found = memory.labels.some(
    (one) =>
      one.label === name &&
      (one.untilMs === undefined || nowMs < one.untilMs) &&
      (about === undefined || one.about === undefined || one.about === about) &&
      (one.proven || !proven),
  )
  return found ? 'true' : 'false'
}

/** The one value at a pointer; undefined when it cannot be told which it is. */
export function valueAt(pointer: string, call: Asking): string | undefined {
  const [seen, ...others] = seenAt(call.arguments, pointer.split('/').slice(1), true)
  if (seen === undefined || typeof seen === 'string' || !seen.sure || others.length > 0)
    return undefined
  return sameText(seen.value)
}

/** Equal values have equal texts: numbers without needless zeros, members in one order. */
function sameText(value: Json): string {
  if (isNum(value)) {
    const { digits, scale } = exactOf(value.number)
    let [number, places] = [digits, scale]
    while (number % 10n === 0n && number !== 0n) [number, places] = [number / 10n, places - 1]
    return `${String(number)}e${number === 0n ? 0 : -places}`
  }
  if (isList(value)) return `[${value.map(sameText).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const names = Object.keys(value).toSorted()
  return `{${names.map((name) => `${JSON.stringify(name)}:${sameText(value[name] ?? null)}`).join(',')}}`
}
