import fc from 'fast-check'
import { expect, test } from 'vitest'
import { capabilityName } from '../../../src/event/capability.ts'
import { comparePolicies } from '../../../src/policy/analysis/compare.ts'
import type { Comparison, Region } from '../../../src/policy/analysis/compare.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { policy } from '../support.ts'
import { fuzz, lists, pairOfLists, plainPair, ruleText, textOf, world } from './generate.ts'

const kinds = { allow: 'allowed', require_approval: 'approvable', deny: 'denied' } as const

function every({ allowed, approvable, denied }: Comparison): readonly Region[] {
  return [...allowed, ...approvable, ...denied]
}

/** The decisions that some call of the small world gets from the second policy, and not from the first one. */
function changesInWorld(before: Policy, now: Policy): ReadonlySet<keyof typeof kinds> {
  const changes = new Set<keyof typeof kinds>()
  for (const event of world) {
    const { decision } = now.decide(event)
    // One call for each decision is enough.
    if (!changes.has(decision) && before.decide(event).decision !== decision) changes.add(decision)
  }
  return changes
}

/** Compares, and checks that nothing of the small world is missed and that every example is one; what is not proven. */
function checkedUnproven(before: Policy, now: Policy): number {
  const comparison = comparePolicies(before, now)
  for (const decision of changesInWorld(before, now)) {
    expect(comparison[kinds[decision]], decision).not.toEqual([])
  }
  let unproven = 0
  for (const { example, decision } of every(comparison)) {
    if (example === undefined) {
      unproven += 1
      continue
    }
    expect(now.decide(example.event).decision).toBe(decision)
    expect(before.decide(example.event).decision).not.toBe(decision)
  }
  return unproven
}

test('what differs in a small world is found, what is found is so, and everything is proven', () => {
  fc.assert(
    fc.property(plainPair, ([one, other]) => {
      expect(checkedUnproven(policy(textOf(one)), policy(textOf(other)))).toBe(0)
    }),
    fuzz(2000),
  )
}, 600_000)

test('where conditions look at the same argument in several ways nothing is missed, and nearly all is proven', () => {
  const looked = fuzz(1000)
  let unproven = 0
  fc.assert(
    fc.property(pairOfLists, ([one, other]) => {
      if (checkedUnproven(policy(textOf(one)), policy(textOf(other))) > 0) unproven += 1
    }),
    looked,
  )
  expect(unproven / looked.numRuns).toBeLessThan(0.05)
}, 600_000)

test('a policy does not differ from itself', () => {
  fc.assert(
    fc.property(lists, (one) => {
      expect(every(comparePolicies(policy(textOf(one)), policy(textOf(one))))).toEqual([])
    }),
    fuzz(100),
  )
})

test('one more rule that denies never allows anything, and one more that allows never denies', () => {
  fc.assert(
    fc.property(lists, ruleText, (one, rule) => {
      const before = policy(textOf(one))
      const denying = policy(textOf({ ...one, deny: [...one.deny, rule] }))
      expect(comparePolicies(before, denying).allowed).toEqual([])
      const allowing = policy(textOf({ ...one, allow: [...one.allow, rule] }))
      expect(comparePolicies(before, allowing).denied).toEqual([])
    }),
    fuzz(150),
  )
}, 600_000)

interface Case {
  readonly name: string
  readonly before: string
  readonly now: string
  /** What is newly allowed; empty when nothing is. */
  readonly allowed: readonly string[]
}

const cases: readonly Case[] = [
  {
    name: 'a higher threshold',
    before: 'allow: [{capability: pay.execute.live, amount_lte: 1000}]',
    now: 'allow: [{capability: pay.execute.live, amount_lte: 5000}]',
    allowed: ['pay.execute.live {"amount":5000}'],
  },
  {
    name: 'a lower threshold',
    before: 'allow: [{capability: pay.execute.live, amount_lte: 5000}]',
    now: 'allow: [{capability: pay.execute.live, amount_lte: 1000}]',
    allowed: [],
  },
  {
    name: 'a threshold that is written otherwise',
    before: 'allow: [{capability: pay.execute.live, amount_lte: 1000}]',
    now: 'allow: [{capability: pay.execute.live, amount_lte: 1e3}]',
    allowed: [],
  },
  {
    name: 'a folder inside of the one before',
    before: 'allow: [{capability: fs.read.ws, args: {/path: {under: /srv}}}]',
    now: 'allow: [{capability: fs.read.ws, args: {/path: {under: [/srv/a, /srv/b/c]}}}]',
    allowed: [],
  },
  {
    name: 'the folder around it',
    before: 'allow: [{capability: fs.read.ws, args: {/path: {under: /srv/a}}}]',
    now: 'allow: [{capability: fs.read.ws, args: {/path: {under: /srv}}}]',
    allowed: ['fs.read.ws {"path":"/srv"}'],
  },
  {
    name: 'a folder whose name only begins so',
    before: 'allow: [{capability: fs.read.ws, args: {/path: {under: /srv}}}]',
    now: 'allow: [{capability: fs.read.ws, args: {/path: {under: /srv-evil}}}]',
    allowed: ['fs.read.ws {"path":"/srv-evil"}'],
  },
  {
    name: 'one rule for two folders instead of two: a path may be read as each of them',
    before:
      'allow: [{capability: fs.read.ws, args: {/path: {under: /a}}}, {capability: fs.read.ws, args: {/path: {under: /b}}}]',
    now: 'allow: [{capability: fs.read.ws, args: {/path: {under: [/a, /b]}}}]',
    allowed: ['fs.read.ws {"path":"/a/%2e%2e/b"}'],
  },
  {
    name: 'a text that is looked for in a wider form',
    before: 'deny: [{capability: sh, contains: "rm -rf /"}]\nallow: [sh]',
    now: 'deny: [{capability: sh, contains: "rm -rf"}]\nallow: [sh]',
    allowed: [],
  },
  {
    name: 'a text that is looked for in a narrower form',
    before: 'deny: [{capability: sh.run.x, contains: "rm -rf"}]\nallow: [sh.run.x]',
    now: 'deny: [{capability: sh.run.x, contains: "rm -rf /"}]\nallow: [sh.run.x]',
    allowed: ['sh.run.x {"text":"rm -rf"}'],
  },
  {
    name: 'a short text instead of a longer one, which may stand in several arguments',
    before: 'deny: [{capability: sh.run.x, contains: "rm -rf"}]\nallow: [sh.run.x]',
    now: 'deny: [{capability: sh.run.x, contains: rm}]\nallow: [sh.run.x]',
    allowed: ['sh.run.x {"text":"m -rf","note":"r"}'],
  },
  {
    name: 'a text that is longer than a bound, of which most lengthen it with what is denied',
    before:
      'deny: [{capability: t.u.v, args: {/x: {contains: [a, z]}}}]\nrequire_approval: [{capability: t.u.v, args: {/x: {type: string, max_length: 0}}}]\nallow: [{capability: t.u.v, environment: production}]',
    now: 'deny: [{capability: t.u.v, args: {/x: {contains: [a, z]}}}]\nrequire_approval: [{capability: t.u.v, args: {/x: {type: string, max_length: 0}}}]\nallow: [t.u.v]',
    allowed: ['t.u.v {"x":"0"}'],
  },
  {
    name: 'a number that is a text in which a digit stands that no whole one below has',
    before: 'deny: [{capability: t, args: {/x: {contains: "5"}}}]\nallow: [t.u.v]',
    now: 'deny: [{capability: t, args: {/x: {ends_with: a}}}]\nallow: [{capability: t.u.v, args: {/x: {gte: 0, lt: 5}}}]',
    allowed: ['t.u.v {"x":"0.5"}'],
  },
  {
    name: 'fewer hosts',
    before: 'allow: [{capability: http.get, args: {/url: {host: ["*.example.com"]}}}]',
    now: 'allow: [{capability: http.get, args: {/url: {host: [api.example.com], scheme: https}}}]',
    allowed: [],
  },
  {
    name: 'another port',
    before: 'allow: [{capability: http.get.x, args: {/url: {host: [a.example]}}}]',
    now: 'allow: [{capability: http.get.x, args: {/url: {host: ["a.example:*"]}}}]',
    allowed: ['http.get.x {"url":"https://a.example:8443/"}'],
  },
  {
    name: 'a regular expression of fewer texts',
    before:
      'allow: [{capability: sh, args: {/command: {regex: "git (status|log|diff)( -[a-z]+)*"}}}]',
    now: 'allow: [{capability: sh, args: {/command: {regex: "git (log|status) -[a-c]"}}}]',
    allowed: [],
  },
  {
    name: 'a regular expression instead of a beginning',
    before: 'allow: [{capability: sh.run.x, args: {/command: {regex: "git log( .*)?"}}}]',
    now: 'allow: [{capability: sh.run.x, args: {/command: {starts_with: "git log"}}}]',
    allowed: ['sh.run.x {"command":"git loga"}'],
  },
  {
    name: 'a glob of single segments instead of all below',
    before: 'allow: [{capability: fs, args: {/file: {glob: "src/**/*.ts"}}}]',
    now: 'allow: [{capability: fs, args: {/file: {glob: ["src/*.ts", "src/a/*.ts"]}}}]',
    allowed: [],
  },
  {
    name: 'a risk that is only held instead of denied, where nothing is allowed that was not',
    before: 'allow: [x]\nrisk_levels: {high: {action: deny}}',
    now: 'allow: [x]\nrisk_levels: {high: {action: require_approval}}',
    allowed: [],
  },
  {
    name: 'a guard that asks for what may be absent',
    before: 'allow: [x.y.z]\ndeny: [{capability: x, environment: production}]',
    now: 'allow: [x.y.z]\ndeny: [{capability: x, environment: "prod*", risk_level: high}]',
    allowed: ['x.y.z {} production low'],
  },
  {
    name: 'a rule that another one of the list covers',
    before: 'allow: [fs]',
    now: 'allow: [fs, {capability: fs.read, args: {/x: {eq: 1}}}]',
    allowed: [],
  },
  {
    name: 'an exception that was taken out of a grant',
    before: 'allow: [{capability: fs.read.ws, not: {args: {/path: {under: /etc}}}}]',
    now: 'allow: [{capability: fs.read.ws, args: {/path: {type: string}}}]',
    allowed: ['fs.read.ws {"path":"a"}'],
  },
]

test.each(cases)('newly allowed: $name', ({ before, now, allowed }) => {
  const regions = comparePolicies(policy(before), policy(now)).allowed
  expect(regions.map(({ example }) => exampleText(example?.event))).toEqual(allowed)
})

function exampleText(event: NonNullable<Region['example']>['event'] | undefined): string {
  if (event === undefined) return 'not proven'
  const { capability, arguments: args, environment, risk } = event
  const written = JSON.stringify(args).replace(/\{"text":"(-?[0-9.]+)"\}/g, '$1')
  const context = [environment, risk].filter((one) => one !== undefined)
  return [capabilityName(capability), written, ...context].join(' ')
}

test.each(['kg', 'kgm', 'mol', 'am'])(
  'of short texts nothing is missed, one character of which folds to several: %s',
  (start) => {
    const asked = 'args: {/x: {type: string, max_length: 2, ends_with: q}}'
    const allow = `allow: [{capability: a.b.c, ${asked}}]`
    const deny = `deny: [{capability: a, args: {/x: {starts_with: ${start}}}}]`
    const { allowed } = comparePolicies(policy(`${deny}\n${allow}`), policy(allow))
    expect(allowed).toHaveLength(1)
  },
)

test('what is not proven of one alternative is not disproven by the others', () => {
  const unproven = '{args: {/c: {shell: {only: [ls]}, regex: "x+"}}}'
  const impossible = '{args: {/n: {gt: 5, lt: 3}}}'
  for (const branches of [`${unproven}, ${impossible}`, `${impossible}, ${unproven}`]) {
    const now = policy(`allow: [{capability: a.b.c, any: [${branches}]}]`)
    expect(comparePolicies(policy('allow: []'), now).allowed).toMatchObject([{ decision: 'allow' }])
  }
})

/** A hundred rules about twenty servers, of every kind. */
function hundredRules(shift: number): string {
  const of: Record<string, string[]> = { deny: [], require_approval: [], allow: [] }
  for (let at = 0; at < 100; at += 1) {
    const index = at % 10 === 0 ? at + shift : at
    const list = ['deny', 'require_approval', 'allow'][(at * 7) % 3] ?? 'deny'
    of[list]?.push(ruleNumber(index, at % 4 === 0 ? shift : 0))
  }
  return Object.entries(of)
    .map(([list, rules]) => `${list}:\n${rules.map((one) => `  - ${one}\n`).join('')}`)
    .join('')
}

function ruleNumber(index: number, shift: number): string {
  const server = index % 20
  const forms = [
    `{capability: fs${server}.read.ws, args: {/path: {under: /srv/${index}}}}`,
    `{capability: pay${server}.execute, amount_gt: ${100 * index + shift}}`,
    `{capability: sh${server}.exec, contains: "rm -rf ${index}"}`,
    `{capability: http${server}.get, args: {/url: {host: ["*.h${index}.com"], scheme: https}}}`,
    `{capability: "db${server}.*", args: {/sql: {starts_with: "select ${index}", max_length: 500}}, environment: "prod*"}`,
    `{capability: "fs${server}.*", args: {/path: {regex: "^/srv/[a-z]+/${index}/.*[.]txt$"}}}`,
  ]
  return forms[index % forms.length] ?? ''
}

test('of two policies of a hundred rules everything is proven', () => {
  const comparison = comparePolicies(policy(hundredRules(0)), policy(hundredRules(1)))
  expect(every(comparison).length).toBeGreaterThan(5)
  expect(every(comparison).filter(({ example }) => example === undefined)).toEqual([])
})
