import { beforeAll, describe, expect, test } from 'vitest'
import { lintPolicy } from '../../src/policy/analysis/lint.ts'
import {
  approvalKeys,
  conditionKeys,
  refusedRuleKeys,
  ruleKeys,
  topKeys,
} from '../../src/policy/language.ts'
import { matcherNames } from '../../src/policy/matchers/table.ts'
import { parsersReady, postgresParser } from '../../src/policy/parsers.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { budgetKeys } from '../../src/policy/read-budgets.ts'
import { labelKeys } from '../../src/policy/read-labels.ts'
import { limitKeys } from '../../src/policy/read-limit.ts'
import { sessionKeys } from '../../src/policy/read-session.ts'
import { caseKeys } from '../../src/policy/tests/read-cases.ts'
import { readTestFile, testFileKeys } from '../../src/policy/tests/test-file.ts'
import { blocksOf, pages } from '../support/markdown.ts'
import type { Block } from '../support/markdown.ts'
import { now, stateWith } from './state-of-tests.ts'
import { call, policy, problems } from './support.ts'

const blocks = pages.filter(({ path }) => path.startsWith('docs/')).flatMap(blocksOf)
const at = ({ page, line }: Block): string => `${page}:${String(line)}`

const reference = pages.find(({ path }) => path === 'docs/policy-reference.md')?.text ?? ''

describe('the reference has a row for every key of the language, and no other', () => {
  /** The first cells of the table below a heading. */
  const rows = (heading: string): readonly string[] => {
    const [, section = ''] = reference.split(`# ${heading}\n`)
    const [own = ''] = section.split('\n#')
    return Array.from(own.matchAll(/^\| `(?<key>\w+)` +\|/gm), (row) => row.groups?.['key'] ?? '')
  }

  test.each<[heading: string, keys: readonly string[]]>([
    ['At the top', topKeys],
    ['In a rule', ruleKeys],
    ['In `approval`', approvalKeys],
    ['In `limit`', limitKeys],
    ['In `budgets`', budgetKeys],
    ['In `labels`', labelKeys.filter((key) => !conditionKeys.some((one) => one === key))],
    ['In `session`', sessionKeys],
    ['Matchers', matcherNames],
    ['In a file of tests', testFileKeys],
    ['In a test', caseKeys],
    ['Known, and refused', [...refusedRuleKeys.keys()]],
  ])('%s', (heading, keys) => {
    expect(rows(heading).toSorted()).toEqual(keys.toSorted())
  })
})

test('the reference has a row for every warning, and no other', () => {
  const capability = { resource: 'b', action: 'c', scope: 'd' }
  const inputSchema = { properties: { x: {} } }
  const tool = { name: 'c', server: 'b', capability, environment: 'd', inputSchema }
  const setting = { unstated: ['role'] as const, environments: ['production'] }
  const withTools = { ...setting, tools: [tool] }
  const said = [
    'allow: [{capability: a, args: {/n: {gt: 5, lt: 3}}}]',
    'allow: [{capability: a.b}]\ndeny: [a]',
    'deny: [{capability: a, args: {/n: {gt: 5, lt: 3}}}]',
    'deny: [{capability: a, role: guest}]',
    'deny: [{capability: a, environment: dev}]',
    'allow: ["*"]',
    'allow: [{capability: a, contains: x}]',
    'allow: [{capability: b, args: {/y: 1}}]',
    'allow: [e]',
  ].map((text, row) =>
    lintPolicy(policy(text), row < 7 ? setting : withTools).map(({ message }) => message),
  )
  const [, section = ''] = reference.split('# Warnings\n')
  const [own = ''] = section.split('\n#')
  const rows = Array.from(own.matchAll(/^\| `(?<says>[^`]+)` +\|/gm), (row) => row.groups?.['says'])
  // Each text has one warning, and each row is about the text in its place.
  expect(said.map(({ length }) => length)).toEqual(rows.map(() => 1))
  for (const [row, says = '?'] of rows.entries()) expect(said[row]?.[0]).toContain(says)
})

describe('the calls of a page are answered as it says', () => {
  const examples = pairs('policy', 'calls')

  beforeAll(async () => {
    postgresParser()
    await parsersReady()
  })

  test('every policy has its calls', () => {
    expect(examples.length).toBeGreaterThan(12)
    expect(blocks.filter(({ about }) => about === 'policy' || about === 'calls')).toHaveLength(
      2 * examples.length,
    )
  })

  test.each(examples)('$where', ({ source, shown }) => {
    const loaded = policy(source.text)
    const session = new Session(loaded)
    const lines = shown.text.trimEnd().split('\n')
    expect(lines.map((line) => session.answered(line))).toEqual(lines)
  })

  test('the recipes are ten', () => {
    expect(examples.filter(({ where }) => where.startsWith('docs/recipes.md'))).toHaveLength(10)
  })
})

test('the tests that a page shows are read', () => {
  const shown = blocks.filter(({ about }) => about === 'tests')
  expect(shown.length).toBeGreaterThan(0)
  for (const { text } of shown) {
    const { cases, problems: found } = readTestFile({ path: 't.yaml', text })
    expect(found).toEqual([])
    expect(cases.length).toBeGreaterThan(1)
  }
})

describe('what a page says is refused is refused, in these words', () => {
  const examples = pairs('refused', 'problems')

  test('there is one', () => {
    expect(examples.length).toBeGreaterThan(0)
  })

  test.each(examples)('$where', ({ source, shown }) => {
    expect(problems(source.text)).toEqual(shown.text.trimEnd().split('\n'))
  })
})

interface Example {
  readonly where: string
  readonly source: Block
  readonly shown: Block
}

/** Blocks of a kind, each with the block of another kind that follows it. */
function pairs(about: string, next: string): readonly Example[] {
  return blocks.flatMap((source, index) => {
    const shown = blocks[index + 1]
    const isPair = source.about === about && shown?.about === next && shown.page === source.page
    return isPair ? [{ where: at(source), source, shown }] : []
  })
}

/** Calls one after the other, each of which is charged for and leaves its labels as soon as it is allowed. */
class Session {
  readonly #policy: Policy
  readonly #charges: Record<string, (readonly [number, string])[]> = {}
  readonly #labels: Record<string, 'proven'> = {}

  constructor(loaded: Policy) {
    this.#policy = loaded
  }

  /** The line with the answer that the call really gets. */
  answered(line: string): string {
    const parts = /^(?<capability>\S+) (?<args>\{.*\})(?<context>(?: \w+=\S+)*) -> \w+$/.exec(line)
    if (parts?.groups === undefined) throw new Error(`no call: ${line}`)
    const { capability, args, context = '' } = parts.groups
    const known = new Map(context.split(' ').map((word) => [word.split('=')[0], word]))
    const value = (name: string): string | undefined => known.get(name)?.slice(name.length + 1)
    const [actor, environment, time] = ['actor', 'environment', 'at'].map(value)
    const event = call({
      ...(capability === undefined ? {} : { capability }),
      ...(args === undefined ? {} : { arguments: args }),
      ...(actor === undefined ? {} : { actor }),
      ...(environment === undefined ? {} : { environment }),
    })
    const state = {
      ...stateWith(this.#charges, this.#labels),
      nowMs: time === undefined ? now : Date.parse(time),
    }
    const { decision, consequences } = this.#policy.decide(event, state)
    if (decision === 'allow') {
      for (const { pot, amount } of consequences?.charges ?? []) {
        ;(this.#charges[pot] ??= []).push([0, amount.canonical])
      }
      for (const { label } of consequences?.labels ?? []) this.#labels[label] = 'proven'
    }
    return line.replace(/-> \w+$/, `-> ${decision}`)
  }
}
