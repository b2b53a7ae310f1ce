import fc from 'fast-check'
import type { ActionEvent } from '../../../src/event/action-event.ts'
import type { RiskLevel } from '../../../src/event/capability.ts'
import { call } from '../support.ts'

// Few words, so that rules meet each other and the calls below meet rules on both sides of every border.

const capability = fc.constantFrom(
  'fs',
  'fs.read',
  'fs.read.ws',
  'FS.read',
  '*.write',
  'f*.read.w*',
  '*',
)
const texts = fc.constantFrom('a', 'ab', 'B', 'b a', '5', '/srv', '')
const parts = fc.array(fc.constantFrom('a', 'ab', 'B', ' a', '5'), { minLength: 1, maxLength: 2 })
const number = fc.constantFrom(0, 3, 5, 7.5)
const folders = fc.array(fc.constantFrom('/srv', '/srv/a', '/'), { minLength: 1, maxLength: 2 })

const matchers = fc.oneof(
  fc.record({ eq: fc.oneof(texts, number, fc.boolean()) }),
  fc.record({ in: fc.array(fc.oneof(texts, number), { minLength: 1, maxLength: 2 }) }),
  fc.record({ not_in: fc.array(fc.oneof(texts, number), { minLength: 1, maxLength: 2 }) }),
  fc.record({ gt: number }),
  fc.record({ lte: number }),
  fc.record({ gte: number, lt: number }),
  fc.record({ contains: parts }),
  fc.record({ starts_with: parts }),
  fc.record({ ends_with: parts }),
  fc.record({ glob: fc.constantFrom('a*', '*b', '**', 'a/**') }),
  fc.record({ under: folders }),
  fc.record({ not_under: folders }),
  fc.record({ type: fc.constantFrom('string', 'number', 'integer', 'boolean', 'array') }),
  fc.record({ exists: fc.boolean() }),
  fc.record({ starts_with: parts, ends_with: parts }),
  fc.record({ type: fc.constant('string'), max_length: fc.constantFrom(0, 1, 2) }),
)
const argumentsAsked = fc
  .array(fc.tuple(fc.constantFrom('/x', '/path', '/amount', '/list/*'), matchers), {
    minLength: 1,
    maxLength: 2,
  })
  .map((pairs) => ({ args: Object.fromEntries(pairs) }))

const simple = fc.oneof(
  argumentsAsked,
  fc.record({ environment: fc.constantFrom('prod', 'p*', 'Dev') }),
  fc.record({ risk_level: fc.constantFrom('low', 'high') }),
  fc.record({ amount_gt: number }),
  fc.record({ amount_lte: number }),
  fc.record({ path_prefix: folders }),
  fc.record({ contains: fc.constantFrom('a', 'kkkk', 'rm -rf') }),
)
const nested = fc.oneof(
  { weight: 4, arbitrary: simple },
  { weight: 1, arbitrary: simple.map((not): object => ({ not })) },
  {
    weight: 1,
    arbitrary: fc.array(simple, { minLength: 1, maxLength: 2 }).map((any): object => ({ any })),
  },
)

/**
 * How many policies are looked at, and which: a few that are the same each time, or, with `CAPFENCE_FUZZ_RUNS=20000`,
 * that many others.
 */
export function fuzz(numRuns: number): { readonly numRuns: number; readonly seed?: number } {
  const runs = process.env['CAPFENCE_FUZZ_RUNS']
  return runs === undefined ? { numRuns, seed: 20 } : { numRuns: Number(runs) }
}

/** A rule as the file has it. */
export const ruleText: fc.Arbitrary<string> = ruleOf(nested, 2)

function ruleOf(asked: fc.Arbitrary<object>, most: number): fc.Arbitrary<string> {
  return fc
    .tuple(capability, fc.array(asked, { maxLength: most }))
    .map(([pattern, conditions]) =>
      JSON.stringify(Object.assign({ capability: pattern }, ...conditions)),
    )
}

/**
 * Conditions that each look at something else, and nothing of which only reading a path can tell, or what one character
 * may fold to.
 */
const apart = fc.oneof(
  matchers
    .filter((x) => !('glob' in x && x.glob === 'a/**') && !('max_length' in x))
    .map((x): object => ({ args: { '/x': x } })),
  fc.record({ environment: fc.constantFrom('prod', 'p*', 'Dev') }),
  fc.record({ risk_level: fc.constantFrom('low', 'high') }),
  fc.record({ amount_gt: number }),
  fc.record({ amount_lte: number }),
)

const action = fc.constantFrom('deny', 'require_approval')
const risks = fc.option(
  fc
    .tuple(fc.constantFrom('low', 'high'), action)
    .map(([level, does]) => `risk_levels: {${level}: {action: ${does}}}\n`),
  { nil: '' },
)
/** The lists of a policy. */
export interface Lists {
  readonly deny: readonly string[]
  readonly require_approval: readonly string[]
  readonly allow: readonly string[]
  readonly risks: string
}

function listsOf(rule: fc.Arbitrary<string>): fc.Arbitrary<Lists> {
  const rules = fc.array(rule, { maxLength: 3 })
  return fc.record({
    deny: rules,
    require_approval: rules,
    allow: fc.array(rule, { minLength: 1, maxLength: 3 }),
    risks,
  })
}

export const lists: fc.Arbitrary<Lists> = listsOf(ruleText)

/** Two policies of which the second has some of the rules of the first one, and some others. */
function pairOf(one: fc.Arbitrary<Lists>): fc.Arbitrary<readonly [Lists, Lists]> {
  return fc.tuple(one, one, fc.nat(7)).map(([before, other, kept]) => [
    before,
    {
      deny: (kept & 1) === 0 ? other.deny : [...before.deny, ...other.deny.slice(1)],
      require_approval: (kept & 2) === 0 ? other.require_approval : before.require_approval,
      allow: (kept & 4) === 0 ? other.allow : [...before.allow, ...other.allow.slice(1)],
      risks: kept < 4 ? before.risks : other.risks,
    },
  ])
}

export const pairOfLists: fc.Arbitrary<readonly [Lists, Lists]> = pairOf(lists)
export const plainPair: fc.Arbitrary<readonly [Lists, Lists]> = pairOf(listsOf(ruleOf(apart, 2)))

/** A policy as a file. */
export function textOf({ risks: levels, ...of }: Lists): string {
  const written = Object.entries(of).map(([name, items]) => `${name}: [${items.join(', ')}]\n`)
  return written.join('') + levels
}

const values = ['"a"', '"ab"', '"B"', '" a"', '"5"', '""', '3', '5', '5.5', '8', 'true', '[]']
const members = [
  ...values.map((value) => `"x": ${value}`),
  ...['"/srv"', '"/srv/a/b"', '"/etc"', '"/srv/../etc"', '7', '"srv"'].map(
    (one) => `"path": ${one}`,
  ),
  ...['0', '3', '5', '6', '"5"', '"many"', '[3]'].map((value) => `"amount": ${value}`),
  ...['[]', '["a"]', '["a", "B"]', '["/srv/a", "/etc"]', '[3, 8]'].map((one) => `"list": ${one}`),
  ...['"kkkk"', '"RM  -rf"', '"-rf rm"'].map((value) => `"note": ${value}`),
]
const bodies = [
  '{}',
  ...members.map((one) => `{${one}}`),
  ...members.flatMap((one, at) =>
    members
      .slice(at + 1)
      .filter((_, index) => (at + index) % 7 === 0)
      .filter((other) => other.slice(0, 4) !== one.slice(0, 4))
      .map((other) => `{${one}, ${other}}`),
  ),
]
const places = [
  { capability: 'fs.read.ws' },
  { capability: 'FS.read.ws', environment: 'prod' },
  { capability: 'fs.write.x', environment: undefined, risk: undefined },
  { capability: 'fs.read.WS', environment: 'dev', risk: 'high' as RiskLevel },
  { capability: 'z.read.ws', environment: 'prod', risk: 'high' as RiskLevel },
]

/** Every call of a small world. */
export const world: readonly ActionEvent[] = places.flatMap((place) =>
  bodies.map((body) => call({ ...place, arguments: body })),
)
