import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { parse } from 'yaml'
import { policyJsonSchema, policySchema, testFileJsonSchema } from '../../src/cli/policy-schema.ts'
import { testFileSchema } from '../../src/cli/policy-schema-tests.ts'
import { conditionKeys, ruleKeys, topKeys } from '../../src/policy/language.ts'
import { matcherNames } from '../../src/policy/matchers/table.ts'
import { callKeys, defaultKeys, eventKeys } from '../../src/policy/tests/read-asked.ts'
import { caseKeys } from '../../src/policy/tests/read-cases.ts'
import { stateKeys, stateLabelKeys } from '../../src/policy/tests/read-state.ts'
import { testFileKeys } from '../../src/policy/tests/test-file.ts'
import { requireSharedOrSkip, sharedPath } from '../support/needs.ts'
import { root } from '../support/root.ts'
import { policyValue, yamlOf } from '../policy/generate.ts'
import { problems } from '../policy/support.ts'

/** What a schema sees of a file; undefined when it is no YAML. */
function valueOf(text: string): unknown {
  try {
    return parse(text, { version: '1.2', logLevel: 'silent' })
  } catch {
    return undefined
  }
}

function accepts(text: string): boolean {
  const value = valueOf(text)
  return value !== undefined && policySchema.safeParse(value).success
}

test('schemas/policy.json is what `capfence policy schema` prints', () => {
  const file = readFileSync(`${root}/schemas/policy.json`, 'utf8')
  expect(JSON.parse(file)).toEqual(JSON.parse(policyJsonSchema()))
})

test('schemas/policy-test.json is what `capfence policy schema --tests` prints', () => {
  const file = readFileSync(`${root}/schemas/policy-test.json`, 'utf8')
  expect(JSON.parse(file)).toEqual(JSON.parse(testFileJsonSchema()))
})

interface Node {
  readonly $schema?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly description?: string
  readonly anyOf?: readonly Node[]
  readonly items?: Node
  readonly $defs?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
}

const schema = JSON.parse(policyJsonSchema()) as Node

/** The properties of every object of the schema that has them. */
function objects(node: unknown, path: string): readonly (readonly [string, readonly string[]])[] {
  if (typeof node !== 'object' || node === null) return []
  const { properties } = node as Node
  const own = properties === undefined ? [] : [[path, Object.keys(properties)] as const]
  return [...own, ...Object.entries(node).flatMap(([key, one]) => objects(one, `${path}/${key}`))]
}

describe('the schema knows the language', () => {
  test('it is draft 2020-12', () => {
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
  })

  test('every key of a policy, of a rule and of a condition, and every matcher, and no other', () => {
    const all = objects(schema, '').map(([, keys]) => keys.toSorted().join())
    expect(Object.keys(schema.properties ?? {}).toSorted()).toEqual([...topKeys].toSorted())
    const rule = ruleKeys.filter((key) => key !== 'approval')
    for (const keys of [ruleKeys, rule, conditionKeys, matcherNames]) {
      expect(all).toContain([...keys].toSorted().join())
    }
  })

  test('every key says what it is for', () => {
    const undescribed: string[] = []
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return
      const { properties = {} } = node as Node
      for (const [key, { description }] of Object.entries(properties)) {
        if (description === undefined && key !== 'not') undescribed.push(`${path}/${key}`)
      }
      for (const [key, one] of Object.entries(node)) visit(one, `${path}/${key}`)
    }
    visit(schema, '')
    visit(JSON.parse(testFileJsonSchema()), '')
    expect(undescribed).toEqual([])
  })
})

describe('what the loader takes, the schema takes', () => {
  const shipped = readdirSync(`${root}/policies`, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'),
  )

  test.each(shipped)('policies/%s, which names the schema in its first line', (name) => {
    const text = readFileSync(`${root}/policies/${name}`, 'utf8')
    expect(accepts(text)).toBe(true)
    const up = '../'.repeat(name.split('/').length)
    expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=${up}schemas/policy.json`)
  })

  test('every generated policy', () => {
    fc.assert(
      fc.property(policyValue, (policy) => {
        expect(accepts(yamlOf(policy))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test.skipIf(requireSharedOrSkip('corpora/policy_cases.json'))('every foreign policy', () => {
    const { cases } = JSON.parse(readFileSync(sharedPath('corpora/policy_cases.json'), 'utf8')) as {
      readonly cases: readonly { readonly id: string; readonly policy: string }[]
    }
    const wrong = cases.filter(({ policy }) => problems(policy).length === 0 && !accepts(policy))
    expect(wrong.map(({ id }) => id)).toEqual([])
  })
})

/** Refusals that no schema can express: two places that must agree, or what is lost when YAML becomes JSON. */
const notExpressible: readonly string[] = [
  'a version 1.0',
  'a key twice',
  'a list twice',
  'a hexadecimal threshold',
  'an octal threshold',
  'a prefix of a drive',
  'a bracket that is never closed',
  'a tab as indentation',
  'an alias',
  'an anchor that nobody uses',
  'a tag',
  'a tag on a threshold',
  'a duplicate key deep inside',
  'a file that nobody reads',
  'hours that are always or never',
  'a budget with the name of a rule, and one twice',
  'labels that nothing adds, or about no value',
]

/** The blocks of a file of refusals: a name, and the text that is refused. */
const refusedIn = (path: string): readonly (readonly [string, string])[] =>
  readFileSync(`${root}/${path}`, 'utf8')
    .split(/^=== /m)
    .slice(1)
    .map((block) => {
      const [name = '', ...lines] = block.split('\n')
      return [name, lines.slice(0, lines.indexOf('---')).join('\n')] as const
    })

const refused = refusedIn('test/policy/refused.txt')

test('what the loader refuses, the schema refuses, but for what no schema can express', () => {
  const taken = refused.filter(([, text]) => accepts(`${text}\n`)).map(([name]) => name)
  expect(taken).toEqual(notExpressible)
})

describe('files of tests', () => {
  const takes = (text: string): boolean => {
    const value = valueOf(text)
    return value !== undefined && testFileSchema.safeParse(value).success
  }
  const shipped = readdirSync(`${root}/policies`, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.test.yaml'),
  )

  test.each(shipped)('policies/%s, which names the schema in its first line', (name) => {
    const text = readFileSync(`${root}/policies/${name}`, 'utf8')
    expect(takes(text)).toBe(true)
    const up = '../'.repeat(name.split('/').length)
    expect(text.split('\n')[0]).toBe(
      `# yaml-language-server: $schema=${up}schemas/policy-test.json`,
    )
  })

  test('the schema knows their keys, and no other', () => {
    const all = objects(JSON.parse(testFileJsonSchema()), '').map(([, keys]) =>
      keys.toSorted().join(),
    )
    for (const keys of [
      testFileKeys,
      caseKeys,
      stateKeys,
      stateLabelKeys,
      eventKeys,
      callKeys,
      defaultKeys,
    ]) {
      expect(all).toContain([...keys].toSorted().join())
    }
  })

  test('what the reader refuses, the schema refuses, but for what no schema can express', () => {
    const taken = refusedIn('test/policy/tests/refused.txt')
      .filter(([, text]) => takes(`${text}\n`))
      .map(([name]) => name)
    expect(taken).toEqual([
      'a key twice',
      'an alias',
      'numbers that JSON does not have',
      'half a character',
      'arguments that no message could hold',
      'a day that does not exist',
    ])
  })
})
