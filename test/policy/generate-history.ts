import fc from 'fast-check'
import { isJsonObject } from '../../src/json/value.ts'
import { Argument } from '../../src/policy/argument.ts'
import { shell } from '../../src/policy/matchers/shell.ts'
import { sql } from '../../src/policy/matchers/sql.ts'
import { anythingParsed } from '../../src/policy/parsing.ts'
import { eventOf, eventValue, ruleValue } from './generate.ts'
import type { Oracle } from './reference-args.ts'
import type { Limit, Session } from './reference-state.ts'
import type { Budget, Conditions, EventValue, LabelItem, PolicyValue, Rule } from './reference.ts'

// Policies that ask for what earlier calls have done, and calls that come one after the other.

const capability = fc.constantFrom('*', 'fs', 'fs.read', 'FS.read.ws', '*.read', 'pay', 'pay.*.ws')
const window = fc.constantFrom('30s' as const, '2m' as const, '1h' as const)
const per = fc.subarray(['actor', 'environment', 'tool'] as const, { minLength: 1 })
const pointer = fc.constantFrom('/amount', '/x', '/x/*', '/args/*', '/note')
const labelName = fc.constantFrom('untrusted', 'private', 'seen')

const counted: fc.Arbitrary<Limit> = fc.record(
  { max: fc.constantFrom('1', '2', '3'), window, per },
  { requiredKeys: ['max', 'window'] },
)
const summed: fc.Arbitrary<Limit> = fc.record(
  { max: fc.constantFrom('10', '1000.5', '0.3'), window, per, sum: pointer },
  { requiredKeys: ['max', 'window', 'sum'] },
)
const limit = fc.array(fc.oneof(counted, summed), { minLength: 1, maxLength: 2 })

const session: fc.Arbitrary<Session> = fc
  .record(
    {
      has: fc.uniqueArray(labelName, { minLength: 1, maxLength: 2 }),
      not: fc.uniqueArray(labelName, { minLength: 1, maxLength: 1 }),
      bind: fc.constantFrom('/x', '/note'),
    },
    { requiredKeys: [] },
  )
  .map((one) => (one.has === undefined && one.not === undefined ? { ...one, has: ['seen'] } : one))

const parsed: fc.Arbitrary<Conditions> = fc
  .tuple(
    fc.constantFrom('/command', '/note', '/x'),
    fc.constantFrom(
      { shell: { runs: ['rm'], flags: ['r', 'f'] } },
      { shell: { only: ['ls', 'git status'] } },
      { sql: { tables: ['users'] } },
      { sql: { only: ['select'] } },
    ),
  )
  .map(([at, matcher]) => ({ args: { [at]: matcher } }))

/** One thing that a rule may ask; of those of `generate.ts` the first that comes. */
const simple: fc.Arbitrary<Conditions> = fc.tuple(ruleValue, fc.nat(20)).map(([rule, at]) => {
  const entries = Object.entries(rule).filter(([key]) => key !== 'capability')
  const kept = entries[at % Math.max(1, entries.length)]
  return kept === undefined ? {} : Object.fromEntries([kept])
})
const conditions: fc.Arbitrary<Conditions> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: session.map((one) => ({ session: one })) },
  { weight: 1, arbitrary: session.map((one) => ({ not: { session: one } })) },
  { weight: 1, arbitrary: session.map((one) => ({ any: [{ session: one }, { tool: ['read'] }] })) },
  { weight: 1, arbitrary: parsed },
  { weight: 2, arbitrary: simple },
)
const rule: fc.Arbitrary<Rule> = fc
  .tuple(capability, conditions, fc.option(limit, { nil: undefined }))
  .map(([of, asked, bound]) => ({
    capability: of,
    ...asked,
    ...(bound === undefined ? {} : { limit: bound }),
  }))

/** Many of one budget are about the same calls, so that it matters which of them counts. */
const spender = fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, capability)
const budget: fc.Arbitrary<Omit<Budget, 'id'>> = fc
  .tuple(
    fc.record(
      {
        limit: fc.constantFrom('2', '1000', '0.5'),
        window,
        per,
        on_exceed: fc.constantFrom('deny' as const, 'require_approval' as const),
      },
      { requiredKeys: ['limit', 'window'] },
    ),
    fc.array(fc.tuple(spender, conditions, pointer), { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([one, spenders, adds]) => ({
    ...one,
    from: spenders.map(([of, asked, sum]) => {
      return { capability: of, ...asked, ...(adds ? { sum } : {}) }
    }),
  }))

const label: fc.Arbitrary<LabelItem> = fc
  .tuple(
    capability,
    conditions,
    fc.record(
      {
        adds: fc.uniqueArray(labelName, { minLength: 1, maxLength: 2 }),
        bind: fc.constantFrom('/x', '/note'),
        ttl: window,
      },
      { requiredKeys: ['adds'] },
    ),
  )
  .map(([of, asked, one]) => ({ capability: of, ...asked, ...one }))
/** Every label is one that some call adds, about a value or not. */
const everyLabel: readonly LabelItem[] = [
  { capability: 'pay.read', adds: ['untrusted', 'private', 'seen'], bind: '/x' },
]

const few = <T>(one: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<readonly T[]> =>
  fc.array(one, { maxLength })

/** Policies whose rules have names, so that what is counted for one is never counted for another. */
export const policyWithMemory: fc.Arbitrary<PolicyValue> = fc
  .record({
    deny: few(rule, 2),
    require_approval: few(rule, 2),
    allow: fc.array(rule, { minLength: 1, maxLength: 3 }),
    budgets: few(budget, 2),
    labels: few(label, 3),
  })
  .map(({ budgets, labels, ...lists }) => ({
    deny: named('deny', lists.deny),
    require_approval: named('held', lists.require_approval),
    allow: [...named('allow', lists.allow), { capability: '*.read', id: 'reading' }],
    budgets: budgets.map((one, at) => ({ ...one, id: `budget${at}` })),
    labels: [...labels, ...everyLabel],
  }))

function named(prefix: string, rules: readonly Rule[]): readonly Rule[] {
  return rules.map((one, at) => ({ ...one, id: `${prefix}${at}` }))
}

/** A call of a history, how long after the one before it, and what becomes of it. */
export interface Step {
  readonly event: EventValue
  readonly afterMs: number
  /** Whether somebody approves it where it is held. */
  readonly approved: boolean
  /** `unsent` gives back what it was charged with, `open` has no answer before the history ends. */
  readonly outcome: 'succeeds' | 'fails' | 'unsent' | 'open'
  /** How many calls later that is known. */
  readonly later: number
}

const frequentArguments = fc.constantFrom<EventValue['arguments']>(
  {},
  { amount: { number: '5' }, x: { number: '1' }, note: 'rm' },
  { amount: { number: '999.99' }, x: { number: '1.0' }, command: 'rm -r', args: ['-f'] },
  { amount: { number: '0.1' }, x: 'ls', note: 'select 1 from users', command: 'ls' },
  {
    amount: '0.2',
    x: [{ number: '3' }, { number: '0.25' }],
    note: 'select 1',
    command: 'rm -rf /',
  },
  { amount: { number: '-5' }, args: [{ number: '1' }, 'x'], x: { b: 'y', a: null } },
  { Amount: { number: '5' }, x: { a: null, b: 'y' }, note: 'git status' },
)
const call: fc.Arbitrary<EventValue> = fc
  .tuple(
    eventValue,
    fc.option(frequentArguments, { nil: undefined, freq: 4 }),
    fc.constantFrom('fs', 'Fs', 'pay'),
    fc.constantFrom('read', 'write'),
    fc.constantFrom('ann', 'bob'),
  )
  .map(([event, args, resource, action, actor]) => ({
    ...event,
    ...{ resource, action, scope: 'ws', actor },
    arguments: args ?? event.arguments,
  }))

export const history: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    event: call,
    afterMs: fc.constantFrom(0, 1, 1000, 29_999, 30_000, 30_001, 90_000, 120_000, 3_600_000),
    approved: fc.boolean(),
    outcome: fc.constantFrom('succeeds', 'succeeds', 'fails', 'unsent', 'open'),
    later: fc.nat(2),
  }),
  { minLength: 1, maxLength: 12 },
)

/** Asks the parsers themselves what is in a command or a query of a call. */
export const oracle: Oracle = ({ name, data, value, root, guard }) => {
  const given = { resource: 'x', action: 'y', scope: 'z' }
  const { arguments: all } = eventOf({ ...given, arguments: { root, value } })
  const { root: inner = null, value: asked = null } = all
  if (!isJsonObject(inner)) throw new Error('the arguments of a call are an object')
  const argument = new Argument(asked, true, {
    arguments: inner,
    parsing: anythingParsed(),
    realPath: undefined,
  })
  const none = { runs: [], flags: [], only: [], statements: [], tables: [], functions: [] }
  const full = { ...none, dialect: 'any' as const, ...data }
  const test = name === 'shell' ? shell.compile(full) : sql.compile(full)
  return guard ? test.may(argument) : test.must(argument)
}
