// The meaning of a policy as a slow evaluator (POLICY.md 1-9). It shares no code with the compiled one, takes the policy
// as a value and not as YAML, and knows nothing of indexes, bounds or positions.

import { argumentValue } from './reference-args.ts'
import type { Matchers, Oracle } from './reference-args.ts'
import { and, isList, isNum, isObject, opposite, or } from './reference-json.ts'
import type { Json, Truth } from './reference-json.ts'
import { below, everyReading, guardBelow, readable, withoutScheme } from './reference-path.ts'
import { limitValue, sessionValue } from './reference-state.ts'
import type { Limit, Memory, PerField, Session, Span } from './reference-state.ts'
import { containsValue, everything, quantify, regexValue, tableValue } from './reference-unaimed.ts'
import { amountReadings, passes, star, starFolded } from './reference-value.ts'
import type { Comparison } from './reference-value.ts'

export type Effect = 'deny' | 'require_approval' | 'allow'

/** What a rule asks, or an alternative of `any`, or what stands under `not`; all of it is meant. */
export interface Conditions {
  readonly contains?: readonly string[]
  readonly match_regex?: readonly string[]
  readonly session?: Session
  readonly amount_gt?: string
  readonly amount_gte?: string
  readonly amount_lt?: string
  readonly amount_lte?: string
  readonly path_prefix?: readonly string[]
  readonly environment?: readonly string[]
  readonly tool?: readonly string[]
  readonly table?: readonly string[]
  readonly time?: Window
  readonly args?: Readonly<Record<string, Matchers>>
  readonly not?: Conditions
  readonly any?: readonly Conditions[]
}

/** Hours of some days; the generator writes whole hours. */
export interface Window {
  readonly zone: 'UTC' | 'America/New_York'
  readonly days: readonly string[]
  readonly between?: readonly [string, string]
}

export interface Rule extends Conditions {
  readonly capability: string
  /** Given to every rule with a limit, because it is what its charges are kept under. */
  readonly id?: string
  readonly limit?: readonly Limit[]
}

/** A pot that several capabilities pay from: a guard for each of them, which share the pot. */
export interface Budget {
  readonly id: string
  readonly limit: string
  readonly window: Span
  readonly per?: readonly PerField[]
  readonly on_exceed?: 'deny' | 'require_approval'
  readonly from: readonly (Conditions & { readonly capability: string; readonly sum?: string })[]
}

/** What a call does to its session. */
export interface LabelItem extends Conditions {
  readonly capability: string
  readonly adds: readonly string[]
  readonly bind?: string
  readonly ttl?: Span
}

export interface PolicyValue {
  readonly deny: readonly Rule[]
  readonly require_approval: readonly Rule[]
  readonly allow: readonly Rule[]
  readonly risk_levels?: Readonly<Record<string, Effect>>
  readonly budgets?: readonly Budget[]
  readonly labels?: readonly LabelItem[]
}

export interface EventValue {
  readonly resource: string
  readonly action: string
  readonly scope: string
  readonly environment?: string
  readonly tool?: string
  readonly risk?: string
  readonly arguments: { readonly [name: string]: Json }
  /** Milliseconds since the epoch; not known when absent. */
  readonly nowMs?: number
  readonly actor?: string
  /** What earlier calls have left; not known when absent. */
  readonly memory?: Memory
  /** Who knows what is in commands and queries; rules that ask need one. */
  readonly oracle?: Oracle
}

type NameRole = 'amount' | 'cents' | 'vague' | 'path' | 'none'

/** What the names that the generator uses say; a table, so that no rule for names is repeated here. */
export const nameRoles: Readonly<Record<string, NameRole>> = {
  amount: 'amount',
  Amount: 'amount',
  aMOUNT: 'amount',
  totalPrice: 'amount',
  unit_cost: 'amount',
  amount_cents: 'cents',
  value: 'vague',
  total_pages: 'vague',
  cost_center: 'none',
  path: 'path',
  PATH: 'path',
  filePath: 'path',
  destination: 'path',
}

/** Names of the generator whose texts name no file. */
const proseNames: ReadonlySet<string> = new Set(['command'])

export function decide(policy: PolicyValue, event: EventValue): Effect {
  const guards = guardsOf(policy)
  const applies = (rule: Rule): boolean => ruleValue(rule, event, true) !== 'false'
  if (guards.deny.some(applies)) return 'deny'
  const risk = riskOf(policy, event)
  if (risk === 'deny') return 'deny'
  if (guards.require_approval.some(applies)) return 'require_approval'
  const allowed = policy.allow.some((rule) => ruleValue(rule, event, false) === 'true')
  if (!allowed) return 'deny'
  return risk
}

/** A risk that nobody stated may be any; a level that the policy does not name changes nothing. */
function riskOf({ risk_levels: levels = {} }: PolicyValue, { risk }: EventValue): Effect {
  const possible = risk === undefined ? Object.values(levels) : [levels[risk] ?? 'allow']
  if (possible.includes('deny')) return 'deny'
  return possible.includes('require_approval') ? 'require_approval' : 'allow'
}

/** The rules that deny or hold, with those that budgets are. */
export function guardsOf({
  deny,
  require_approval,
  budgets = [],
}: PolicyValue): Readonly<Record<'deny' | 'require_approval', readonly Rule[]>> {
  const payers = (action: Effect): readonly Rule[] =>
    budgets
      .filter(({ on_exceed: does = 'deny' }) => does === action)
      .flatMap(({ id, limit: max, window, per = [], from }) =>
        from.map(({ sum, ...spender }) => ({
          ...spender,
          id: `${id}: budget`,
          limit: [{ max, window, per, pot: id, ...(sum === undefined ? {} : { sum }) }],
        })),
      )
  return {
    deny: [...deny, ...payers('deny')],
    require_approval: [...require_approval, ...payers('require_approval')],
  }
}

export function ruleValue(rule: Rule, event: EventValue, guard: boolean): Truth {
  const { id = '', limit = [] } = rule
  return and([
    besideValue(rule, event, guard),
    ...limit.map((one) => limitValue(one, id, event, guard)),
  ])
}

/** Everything that a rule asks besides its limits. */
export function besideValue(rule: Rule, event: EventValue, guard: boolean): Truth {
  return capabilityFits(rule.capability, event, guard)
    ? conditionsValue(rule, event, guard)
    : 'false'
}

function conditionsValue(asked: Conditions, event: EventValue, guard: boolean): Truth {
  const amounts = (['amount_gt', 'amount_gte', 'amount_lt', 'amount_lte'] as const).map((key) =>
    asked[key] === undefined ? 'true' : amountValue(key, asked[key], event, guard),
  )
  const args = Object.entries(asked.args ?? {}).map(([pointer, matchers]) =>
    argumentValue(event.arguments, pointer, matchers, { guard, oracle: event.oracle }),
  )
  return and([
    ...amounts,
    ...args,
    asked.contains === undefined ? 'true' : containsValue(asked.contains, event.arguments, guard),
    asked.match_regex === undefined
      ? 'true'
      : regexValue(asked.match_regex, event.arguments, guard),
    asked.session === undefined ? 'true' : sessionValue(asked.session, event, guard),
    asked.path_prefix === undefined ? 'true' : pathValue(asked.path_prefix, event, guard),
    asked.table === undefined ? 'true' : tableValue(asked.table, event.arguments, guard),
    asked.time === undefined ? 'true' : timeValue(asked.time, event.nowMs),
    asked.environment === undefined
      ? 'true'
      : contextValue(asked.environment, event.environment, guard),
    asked.tool === undefined ? 'true' : contextValue(asked.tool, event.tool, guard),
    // What a guard may take generously, it must be sure of when it stands under `not`.
    asked.not === undefined ? 'true' : opposite(conditionsValue(asked.not, event, !guard)),
    asked.any === undefined
      ? 'true'
      : or(asked.any.map((one) => conditionsValue(one, event, guard))),
  ])
}

function capabilityFits(pattern: string, event: EventValue, guard: boolean): boolean {
  const [resource = '', action = '*', ...scope] = pattern.split('.')
  const wanted = [resource, action, scope.length === 0 ? '*' : scope.join('.')]
  const given = [event.resource, event.action, event.scope]
  return wanted.every((name, at) => {
    const text = given[at] ?? ''
    return guard ? star(name.toLowerCase(), text.toLowerCase()) : star(name, text)
  })
}

function contextValue(
  patterns: readonly string[],
  text: string | undefined,
  guard: boolean,
): Truth {
  if (text === undefined) return 'indeterminate'
  const fits = patterns.some(
    (pattern) => star(pattern, text) || (guard && starFolded(pattern, text)),
  )
  return fits ? 'true' : 'false'
}

/** Walks through the hours of a window, one by one, and looks whether the clock shows one of them. */
function timeValue({ zone, days, between }: Window, nowMs: number | undefined): Truth {
  if (nowMs === undefined) return 'indeterminate'
  const local = new Date(nowMs).toLocaleString('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    hourCycle: 'h23',
  })
  const now = local.toLowerCase().replace(/, /, ' ').slice(0, 6)
  const names = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
  const [from, to] = (between ?? ['00:00', '24:00']).map((text) => Number(text.slice(0, 2)))
  const hours = days.flatMap((day) => {
    const open: string[] = []
    let [at, hour] = [names.indexOf(day), from ?? 0]
    do {
      open.push(`${names[at % 7]} ${String(hour).padStart(2, '0')}`)
      hour += 1
      if (hour === 24 && to !== 24) [at, hour] = [at + 1, 0]
    } while (hour !== to)
    return open
  })
  return hours.includes(now) ? 'true' : 'false'
}

function roleOf(name: string): NameRole | undefined {
  return Object.hasOwn(nameRoles, name) ? nameRoles[name] : undefined
}

function amountValue(key: Comparison, threshold: string, event: EventValue, guard: boolean): Truth {
  const values = everything(event.arguments, '').flatMap(({ name, value }): readonly Truth[] => {
    const role = roleOf(name)
    if (role === 'vague' && !holdsNumber(value)) return []
    if (role !== 'amount' && role !== 'cents' && role !== 'vague') return []
    const written = isNum(value) ? value.number : typeof value === 'string' ? value : undefined
    const readings = amountReadings(written, { asText: !isNum(value), cents: role === 'cents' })
    if (readings.length === 0) return ['indeterminate']
    return readings.map((reading) => (passes(reading, key, threshold) ? 'true' : 'false'))
  })
  return quantify(values, guard)
}

/** Whether it is something that a reader could make a number of, or has something of that kind in it. */
function holdsNumber(value: Json): boolean {
  if (isList(value)) return value.some(holdsNumber)
  if (isNum(value)) return true
  if (isObject(value)) {
    return Object.entries(value).some(([name, one]) => holdsNumber(name) || holdsNumber(one))
  }
  // The generator writes no number in words.
  return typeof value === 'string' && /[0-9]/.test(value)
}

function pathValue(prefixes: readonly string[], event: EventValue, guard: boolean): Truth {
  const paths = everything(event.arguments, '').filter(({ name, value }) => {
    // A list is its elements, and an object that names paths itself only holds them.
    if (isList(value)) return false
    if (proseNames.has(name)) return false
    // Under any other name a text counts when it says where a file is.
    if (roleOf(name) !== 'path') return typeof value === 'string' && saysWhere(value)
    return !isObject(value) || !Object.keys(value).some((key) => roleOf(key) === 'path')
  })
  return quantify(
    paths.map(({ value }) => {
      return typeof value === 'string' ? onePath(value, prefixes, guard) : 'indeterminate'
    }),
    guard,
  )
}

/** One rule for each way of saying where a file is, in place of one expression for all of them. */
function saysWhere(text: string): boolean {
  const parts = text.trim().split(/[/\\]/)
  const first = parts[0] ?? ''
  const isOnly = parts.length === 1
  if (parts.includes('..') || first.toLowerCase().startsWith('file:')) return true
  if (first === '.' || (first.startsWith('~') && /^\w*$/.test(first.slice(1)))) return true
  return !isOnly && (first === '' || /^[A-Za-z]:$/.test(first))
}

function onePath(written: string, prefixes: readonly string[], guard: boolean): Truth {
  const path = withoutScheme(written)
  if (path === undefined || !readable(path)) return 'indeterminate'
  const { texts, complete } = everyReading(path)
  const values = texts.map((reading): Truth => {
    if (!readable(reading)) return 'indeterminate'
    return or(
      prefixes.flatMap((prefix) => {
        const bases = !guard && reading === path ? [prefix] : everyReading(prefix).texts
        return bases.map((base) => (guard ? guardBelow(reading, base) : below(reading, base)))
      }),
    )
  })
  const all: readonly Truth[] = complete ? values : [...values, 'indeterminate']
  if (guard) return or(all)
  // Readings that disagree leave open what the server will do.
  return all.every((value) => value === all[0]) ? (all[0] ?? 'indeterminate') : 'indeterminate'
}
