import { beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { parsersReady, postgresParser } from '../../../src/policy/parsers.ts'
import { call, policy } from '../support.ts'

beforeAll(async () => {
  postgresParser()
  await parsersReady()
})

/** What a text costs besides its characters. */
const textCost = 64
const event = (args: object): ReturnType<typeof call> => call({ arguments: JSON.stringify(args) })

function decide(rules: string, args: object): string {
  const { decision, reason } = policy(rules).decide(event(args))
  return `${decision} by ${reason}`
}

/** Texts that cost so many characters together, each of them begun with `start` and filled with `x`. */
function texts(characters: number, start: string, longest: number): readonly string[] {
  const count = Math.ceil(characters / longest)
  const each = Math.floor(characters / count)
  return Array.from({ length: count }, (_, at) => {
    const cost = at === 0 ? characters - each * (count - 1) : each
    return start.padEnd(cost - textCost, 'x')
  })
}

const most = limits.maxParsedCharacters

describe('what one decision has parsed is bounded, however many arguments it stands in', () => {
  test.each([
    ['long commands', 'ls ', 19_000],
    ['short commands', 'ls ', 100],
  ])('a guard on %s', (_, start, longest) => {
    const rules = 'deny: [{capability: x, args: {/c/*: {shell: {runs: rm}}}}]\nallow: [x]'
    expect(decide(rules, { c: texts(most, start, longest) })).toBe('allow by rule')
    expect(decide(rules, { c: texts(most + 1, start, longest) })).toBe('deny by indeterminate')
  })

  test('a grant of commands', () => {
    const rules = 'allow: [{capability: x, args: {/c/*: {shell: {only: [ls]}}}}]'
    expect(decide(rules, { c: texts(most, 'ls ', 1000) })).toBe('allow by rule')
    expect(decide(rules, { c: texts(most + 1, 'ls ', 1000) })).toBe('deny by default')
  })

  test('a guard and a grant on SQL', () => {
    const asked = '{capability: x, args: {/c/*: {sql: '
    const guarded = `deny: [${asked}{tables: users}}}}]\nallow: [x]`
    const granted = `allow: [${asked}{only: [select]}}}}]`
    expect(decide(guarded, { c: texts(most, 'select ', 5000) })).toBe('allow by rule')
    expect(decide(guarded, { c: texts(most + 1, 'select ', 5000) })).toBe('deny by indeterminate')
    expect(decide(granted, { c: texts(most, 'select ', 5000) })).toBe('allow by rule')
    expect(decide(granted, { c: texts(most + 1, 'select ', 5000) })).toBe('deny by default')
  })

  test('words of commands are counted, also where they are few characters', () => {
    const rules = 'deny: [{capability: x, args: {/c/*: {shell: {runs: rm}}}}]\nallow: [x]'
    // A command counts one more than its words.
    const words = (count: number): string => 'a '.repeat(count).trim()
    const half = limits.maxParsedWords / 2 - 1
    expect(decide(rules, { c: [words(half), words(half)] })).toBe('allow by rule')
    expect(decide(rules, { c: [words(half), words(half + 1)] })).toBe('deny by indeterminate')
    // The text itself is one more word, because its signs may begin a command behind another argument.
    const commands = 'a;'.repeat(limits.maxParsedWords / 2 - 1)
    expect(decide(rules, { c: [commands] })).toBe('allow by rule')
    expect(decide(rules, { c: [`${commands}a`] })).toBe('deny by indeterminate')
  })

  test('texts inside of texts count as well', () => {
    const rules = 'deny: [{capability: x, args: {/c/*: {shell: {runs: rm}}}}]\nallow: [x]'
    const inner = (length: number): string => `eval "ls ${'x'.repeat(length)}"`
    const three = (length: number): object => ({
      c: Array.from({ length: 3 }, () => inner(length)),
    })
    expect(decide(rules, three(most / 6 - 200))).toBe('allow by rule')
    expect(decide(rules, three(most / 6))).toBe('deny by indeterminate')
  })

  test('what other arguments make of a command counts as well', () => {
    const rules = 'deny: [{capability: x, args: {/c/*: {shell: {runs: rm}}}}]\nallow: [x]'
    const many = (count: number): object => ({
      c: Array.from({ length: count }, (_, at) => `ls ${at}`),
      args: ['; ls', 'y'.repeat(5000)],
    })
    expect(decide(rules, many(5))).toBe('allow by rule')
    expect(decide(rules, many(12))).toBe('deny by indeterminate')
  })
})

describe('past the bound nothing of that kind is known, whichever rule came first', () => {
  const large = '{capability: x, args: {/large/*: {shell: {only: ["none *"]}}}}'
  const small = '{capability: x, args: {/small: {shell: {only: [ls]}}}}'
  const guard = '{capability: x, args: {/small: {shell: {runs: rm}}}}'
  const args = { small: 'ls', large: texts(most + 1, 'none ', 1000) }

  test('a grant that would be enough by itself', () => {
    expect(decide(`allow: [${small}]`, args)).toBe('allow by rule')
    expect(decide(`allow: [${small}, ${large}]`, args)).toBe('deny by default')
    expect(decide(`allow: [${large}, ${small}]`, args)).toBe('deny by default')
  })

  test('a guard that would be false by itself', () => {
    const rules = (list: string): string => `deny: [${list}]\nallow: [x]`
    expect(decide(rules(guard), args)).toBe('allow by rule')
    const other = guard.replace('/small', '/large/*')
    expect(decide(rules(`${guard}, ${other}`), args)).toBe('deny by indeterminate')
    expect(decide(rules(`${other}, ${guard}`), args)).toBe('deny by indeterminate')
  })

  test('a guard that is true denies all the same', () => {
    const rules = `deny: [${guard}]\nallow: [${large}]`
    expect(decide(rules, { ...args, small: 'rm x' })).toBe('deny by rule')
  })

  test('what is explained is what was decided', () => {
    const of = policy(`deny: [${guard}]\nallow: [${large}, ${small}, x]`)
    const values = of.explain(event(args)).map(({ value }) => value)
    expect(values).toEqual(['indeterminate', 'indeterminate', 'indeterminate', 'true'])
    expect(of.decide(event(args)).decision).toBe('deny')
  })

  test('each decision has its own', () => {
    const of = policy(`allow: [${small}]`)
    for (let round = 0; round < 3000; round += 1) {
      expect(of.decide(event({ small: 'ls' })).decision).toBe('allow')
    }
  })
})
