import fc from 'fast-check'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { RiskLevel } from '../../src/event/capability.ts'
import { clockAlone } from '../../src/policy/state.ts'
import type { PolicyState } from '../../src/policy/state.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { nameRoles } from './reference.ts'
import type { Matchers, Scalar } from './reference-args.ts'
import type { Json } from './reference-json.ts'
import type { Conditions, EventValue, PolicyValue, Rule, Window } from './reference.ts'
import { json } from './support.ts'

// Small alphabets, so that rules and calls meet often.

const segment = fc.constantFrom('fs', 'pay', 'Fs', 'read', 'rm', 'a-b')
const scope = fc.constantFrom('ws', 'WS', 'prod.eu', 'prod')
const pattern = fc.oneof(
  fc.constantFrom('*', 'fs', 'fs.read', 'fs.read.ws', 'FS.Read.ws', '*.read', '*.*.prod', 'pay'),
  fc.constantFrom('f*.r*.w*', '*s.*ea*', 'fs.read.prod.*', '*.rm.*.eu', 'a-b', '*.*.*', 'pay.*.WS'),
)

const needle = fc.constantFrom(
  ...['rm', 'rm -rf', 'rm -r -f', 'straße', 'drop table', '-rf ', 'é', '\u200b', ' rm'],
  ...['rm -rf /', 'sudo rm -rf /', 'ls=rm', 'rm://', 'command=', 'args=', 'x: sudo'],
)
const text = fc.oneof(
  fc.constantFrom('rm', '-rf', '-rf /', '-r', '-f', 'rm  -rf /', 'RM\t-RF', 'ｒｍ -rf', 'farm'),
  fc.constantFrom(
    'r',
    'm -r',
    'f /',
    'f',
    '/',
    'sudo',
    'sudo rm',
    'ls',
    'a sudo ',
    'dr',
    'op table',
  ),
  fc.constantFrom('rm -r', 'e', '\u0301', 'xsu', 'do r', 'm:', 'x'),
  fc.constantFrom('users', 'public.users', '"Users"', 'users; drop', 'x.public.users'),
  fc.constantFrom(
    ...[
      '["rm", "-rf"]',
      '{"c":"r\\u006d -rf"}',
      '"rm" and "-rf"',
      '{"rm":"-rf /"',
      'x={"d":"r\\u006d"}',
    ],
    ...[
      '{"a":"[\\"r\\\\u006d -rf\\"]"}',
      '{"a":"{\\"b\\":\\"[\\\\\\"rm\\\\\\"]\\"}"}',
      "{c:'rm -rf /',}",
    ],
  ),
  fc.constantFrom('r\u200bm -rf', 'drop', 'table users', ' table', 'STRASSE', 'e\u0301', 'x\0rm'),
  fc.constantFrom(
    'ls\nrm -rf',
    '1000',
    '999.99',
    '1000.01',
    '1e9',
    '1,000',
    '0x10',
    ' 5',
    '',
    'NaN',
  ),
  fc.constantFrom('/srv/ws/a', '/srv/ws', '/srv/ws-evil', '/SRV/ws/a', '/srv/ws/../etc', 'ws/a'),
  fc.constantFrom('../ws', '/srv/ws/%2e%2e/etc', '/srv/ws/a%20b', '/srv/ws\\..\\..\\etc', '~/x'),
  fc.constantFrom(
    '/srv/ws/ｅ',
    '/srv/ws/．．/etc',
    'file:///srv/ws/a',
    'file://host/srv',
    '/srv/ws/.. /x',
  ),
  fc.constantFrom(
    'http://x/srv/ws',
    '/srv/%77s/a',
    '/%252e%252e/etc',
    '/srv/ws/%c0%ae',
    '/srv/ws/$HOME',
  ),
  fc.constantFrom(
    '/etc/../srv/ws/b',
    '/srv/ws/0x2e&#46;/etc',
    '/srv/ws/\\x2e./0x2fa',
    '999.99999999999999999',
    '1000.00000000000000001',
    '-3',
  ),
)
const number = fc
  .constantFrom(
    ...[
      '0',
      '1',
      '999.99',
      '1000',
      '1000.0',
      '1000.01',
      '1e3',
      '1.0001E3',
      '-5',
      '100000',
      '99999',
    ],
    ...['999.99999999999999999', '1000.00000000000000001', '9007199254740993'],
  )
  .map((written) => ({ number: written }))
const name = fc.oneof(
  fc.constantFrom('table', 'Tables', 'tableName'),
  fc.constantFrom(...Object.keys(nameRoles)),
  fc.constantFrom('note', 'command', 'args', 'constructor', 'rm -rf', 'x'),
)

const { value } = fc.letrec<{ value: Json; leaf: Json; list: Json; object: Json }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('leaf'), tie('list'), tie('object')),
  leaf: fc.oneof(text, number, fc.constantFrom(null, true, false)),
  list: fc.array(tie('value'), { maxLength: 3 }),
  object: members(tie('value')),
}))

/** Objects whose names no lenient reader would mix up, as the scanner lets pass. */
function members(of: fc.Arbitrary<Json>): fc.Arbitrary<{ readonly [key: string]: Json }> {
  return fc
    .uniqueArray(fc.tuple(name, of), { maxLength: 4, selector: ([key]) => key.toLowerCase() })
    .map((pairs) => Object.fromEntries(pairs))
}

const threshold = fc.constantFrom('1000', '1000.00', '0', '999.995', '1e3', '-4')
const some = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> =>
  fc.array(one, { minLength: 1, maxLength: 2 })

const upToTwo = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...items], { maxLength: Math.min(2, items.length) })

const numeral = threshold.map((written) => ({ number: written }))
const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  fc.constantFrom('rm', 'RM ', 'straße', '1000', '', '/srv/ws'),
  numeral,
  fc.boolean(),
)
const parts = some(fc.constantFrom('rm', '-rf ', 'STRASSE', '\u200b', ' /', '10', 'é'))
const matchers: fc.Arbitrary<Matchers> = fc
  .record(
    {
      eq: scalar,
      in: some(scalar),
      not_in: some(scalar),
      gt: numeral,
      gte: numeral,
      lt: numeral,
      lte: numeral,
      contains: parts,
      starts_with: parts,
      ends_with: parts,
      type: some(
        fc.constantFrom('string', 'number', 'integer', 'boolean', 'array', 'object', 'null'),
      ),
      exists: fc.boolean(),
      max_length: fc.nat(3),
    },
    { requiredKeys: [] },
  )
  .chain((all) => {
    const few = upToTwo(Object.entries(all))
    return few.map((kept) => (kept.length === 0 ? { exists: true } : Object.fromEntries(kept)))
  })
const pointer = fc.oneof(
  fc.constantFrom('/note', '/x', '/command', '/args', '/path', '/Path', '/amount', '/table', '/*'),
  fc.constantFrom(
    '/args/0',
    '/args/*',
    '/x/*',
    '/x/note',
    '/*/x',
    '/rm -rf',
    '/x/1',
    '/x/constructor',
  ),
)
const args = fc
  .array(fc.tuple(pointer, matchers), { minLength: 1, maxLength: 2 })
  .map((pairs): Readonly<Record<string, Matchers>> => Object.fromEntries(pairs))

const window: fc.Arbitrary<Window> = fc.record(
  {
    zone: fc.constantFrom('UTC' as const, 'America/New_York' as const),
    days: fc.subarray(['mon', 'wed', 'thu', 'sun'], { minLength: 1 }),
    between: fc.constantFrom(
      ...([
        ['09:00', '17:00'],
        ['22:00', '06:00'],
        ['00:00', '12:00'],
        ['18:00', '24:00'],
      ] as const),
    ),
  },
  { requiredKeys: ['zone', 'days'] },
)

const simpleConditions = {
  contains: some(needle),
  match_regex: some(
    fc.constantFrom(
      'rm[ \\t]+-rf',
      '^rm$',
      'drop|users',
      '[0-9]{4}',
      '-r',
      'STRASSE',
      '^[a-z ]*$',
      '"',
    ),
  ),
  amount_gt: threshold,
  amount_gte: threshold,
  amount_lt: threshold,
  amount_lte: threshold,
  path_prefix: some(
    fc.constantFrom('/srv/ws', '/srv/ws/', '/', './ws', '/etc', '/srv/ws/a b', 'ws', '.'),
  ),
  environment: some(fc.constantFrom('prod', 'Prod', 'p*', '*')),
  tool: some(fc.constantFrom('delete_*', 'Delete_File', 'straße')),
  time: window,
  table: some(fc.constantFrom('users', 'public.*', 'public.users', 'Users', '*')),
  args,
}

/** One condition, or two, or what holds of others. */
const { conditions } = fc.letrec<{ conditions: Conditions; one: Conditions; either: Conditions }>(
  (tie) => ({
    conditions: fc.oneof({ maxDepth: 3 }, tie('one'), tie('one'), tie('either')),
    one: fc.record(simpleConditions, { requiredKeys: [] }).chain((all) => {
      const few = upToTwo(Object.entries(all))
      return few.map((kept): Conditions => {
        return kept.length === 0 ? { environment: ['prod'] } : Object.fromEntries(kept)
      })
    }),
    either: fc.oneof(
      tie('conditions').map((not): Conditions => ({ not })),
      some(tie('conditions')).map((any): Conditions => ({ any })),
    ),
  }),
)

/** A rule with any of its conditions. */
export const ruleValue: fc.Arbitrary<Rule> = fc.record(
  { capability: pattern, ...simpleConditions, not: conditions, any: some(conditions) },
  { requiredKeys: ['capability'] },
)

/** Most rules ask for one thing; those that ask for nine are nearly never true. */
const simpleRule = fc.tuple(ruleValue, fc.nat(20)).map(([rule, at]): Rule => {
  const { capability, ...asked } = rule
  const entries = Object.entries(asked)
  const kept = entries[at % Math.max(1, entries.length)]
  return { capability, ...(kept === undefined ? {} : Object.fromEntries([kept])) }
})

const bareRule = pattern.map((capability): Rule => ({ capability }))
const rules = fc.array(
  fc.oneof({ weight: 6, arbitrary: simpleRule }, { weight: 2, arbitrary: ruleValue }, bareRule),
  { maxLength: 5 },
)
const action = fc.constantFrom('deny' as const, 'require_approval' as const, 'allow' as const)

export const policyValue: fc.Arbitrary<PolicyValue> = fc.record(
  {
    deny: rules,
    require_approval: rules,
    allow: rules,
    risk_levels: fc.record({ low: action, high: action }, { requiredKeys: ['low'] }),
  },
  { requiredKeys: ['deny', 'require_approval', 'allow'] },
)

export const eventValue: fc.Arbitrary<EventValue> = fc.record(
  {
    resource: segment,
    action: segment,
    scope,
    environment: fc.constantFrom('prod', 'PROD', 'dev'),
    tool: fc.constantFrom('delete_file', 'Delete_File', 'DELETE_X', 'STRASSE', 'read'),
    risk: fc.constantFrom('low', 'medium', 'high', 'critical'),
    arguments: members(value),
    nowMs: fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2026, 11) }),
  },
  { requiredKeys: ['resource', 'action', 'scope', 'arguments'] },
)

/** A policy as a file, in flow style throughout. */
export function yamlOf(policy: Partial<PolicyValue>): string {
  const { risk_levels: levels, ...lists } = policy
  const lines = Object.entries(lists).map(([list, items]: readonly [string, readonly object[]]) => {
    return `${list}: [${items.map(itemText).join(', ')}]`
  })
  if (levels !== undefined) {
    const actions = Object.entries(levels).map(([level, does]) => `${level}: {action: ${does}}`)
    lines.push(`risk_levels: {${actions.join(', ')}}`)
  }
  return `${lines.join('\n')}\n`
}

function itemText(item: object): string {
  return `{${Object.entries(item).map(entryText).join(', ')}}`
}

/** Keys are quoted, because pointers hold what is special to YAML; thresholds are numbers, which are kept as texts. */
function entryText([key, written]: readonly [string, unknown]): string {
  const isNumber = key.startsWith('amount_') || key === 'max' || key === 'limit'
  return `${JSON.stringify(key)}: ${isNumber && typeof written === 'string' ? written : flow(written)}`
}

/** A part of a rule in flow style. */
function flow(written: unknown): string {
  if (Array.isArray(written)) return `[${written.map(flow).join(', ')}]`
  if (typeof written !== 'object' || written === null) return JSON.stringify(written)
  return 'number' in written ? String(written.number) : itemText(written)
}

/** Each policy is a file of its own. */
export function loaded(...policies: readonly Partial<PolicyValue>[]): Policy {
  return loadPolicy(policies.map((one, at) => ({ path: `${at}.yaml`, text: yamlOf(one) })))
}

export function eventOf(given: EventValue): ActionEvent {
  const { resource, action: verb, scope: part, environment, tool, risk, actor = 'agent' } = given
  return ActionEvent.of({
    actor,
    capability: { resource, action: verb, scope: part },
    arguments: json(jsonText(given.arguments)),
    ...(environment === undefined ? {} : { environment }),
    ...(tool === undefined ? {} : { context: { tool } }),
    ...(risk === undefined ? {} : { risk: risk as RiskLevel }),
  })
}

/** What the gate would show to the policy; nothing when the event does not say when it is. */
export function stateOf({ nowMs }: EventValue): PolicyState | undefined {
  return nowMs === undefined ? undefined : clockAlone(nowMs)
}

function jsonText(given: Json): string {
  if (Array.isArray(given)) return `[${given.map(jsonText).join(',')}]`
  if (typeof given !== 'object' || given === null) return JSON.stringify(given)
  if ('number' in given) return String(given.number)
  const inner = Object.entries(given).map(([key, one]) => `${JSON.stringify(key)}:${jsonText(one)}`)
  return `{${inner.join(',')}}`
}
