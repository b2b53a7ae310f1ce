import { readFileSync, readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { linesOf } from '../../src/policy/yaml-lines.ts'
import { readPlainYaml } from '../../src/policy/yaml-plain.ts'
import { readWholeYaml, readYaml } from '../../src/policy/yaml.ts'
import type { YamlNode } from '../../src/policy/yaml.ts'
import { nearlyPolicies, usual } from './yaml-mutations.ts'

/** `CAPFENCE_FUZZ_RUNS=200000` looks longer. */
const numRuns = Number(process.env['CAPFENCE_FUZZ_RUNS'] ?? 250)

/** A node without the ends of mappings and lists, which nobody asks for. */
function comparable(node: YamlNode): unknown {
  if (node.kind === 'map') {
    const entries = node.entries.map((entry) => ({ ...entry, value: comparable(entry.value) }))
    return { kind: node.kind, start: node.start, entries }
  }
  if (node.kind !== 'list') return node
  return { kind: node.kind, start: node.start, items: node.items.map(comparable) }
}

/** What is read the short way is read the long way, and has no fault there; says whether it was read at all. */
function agrees(text: string): boolean {
  const plain = readPlainYaml(text)
  if (plain === undefined) return false
  const whole = readWholeYaml(text)
  expect({ text, faults: whole.faults, broken: whole.broken }).toEqual({
    text,
    faults: [],
    broken: false,
  })
  expect(whole.root && comparable(whole.root)).toEqual(comparable(plain))
  const { lineAndColumn } = readYaml(text)
  for (let at = 0; at < text.length; at += 1) {
    expect(lineAndColumn(at)).toEqual(whole.lineAndColumn(at))
  }
  return true
}

describe('B25: the short way to read a plain file', () => {
  test('is taken for every policy of the project', () => {
    const names = readdirSync('policies').filter((name) => name.endsWith('.yaml'))
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) expect(agrees(readFileSync(`policies/${name}`, 'utf8'))).toBe(true)
    expect(agrees(usual)).toBe(true)
  })

  test('a place is in the same line, whatever was asked for before', () => {
    const text = fc.string({ unit: fc.constantFrom('\n', 'a', 'b'), maxLength: 40 })
    fc.assert(
      fc.property(text, fc.array(fc.nat(45), { maxLength: 30 }), (given, offsets) => {
        const lineAndColumn = linesOf(given)
        for (const offset of offsets) {
          expect(lineAndColumn(offset)).toEqual(linesOf(given)(offset))
          const before = given.slice(0, offset).split('\n')
          if (offset <= given.length) expect(lineAndColumn(offset).line).toBe(before.length)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test.each([1, 7, 8, 9, 10, 30])(
    'of %i keys none may come twice, in lines or in a flow',
    (count) => {
      const keys = Array.from({ length: count }, (_, at) => `k${at}`)
      const block = (all: readonly string[]): string => all.map((key) => `${key}: x\n`).join('')
      const flow = (all: readonly string[]): string =>
        `a: {${all.map((key) => `${key}: x`).join(', ')}}`
      for (const write of [block, flow]) {
        expect(agrees(write(keys))).toBe(true)
        for (const key of keys) expect(readPlainYaml(write([...keys, key, 'z']))).toBeUndefined()
      }
    },
  )

  test.each([
    [
      'a null, truth values and numbers',
      'a: ~\nb: null\nc: true\nd: False\ne: -1.5e3\nf: 0x10\ng: .5',
    ],
    ['numbers in a flow', 'a: [1, 1.0, +3, 0o7, .inf, 1_000, 1e400, 12e]'],
    ['words that look like numbers', 'a: 1.2.3\nb: 12-3\nc: -x\nd: .x\ne: 1:30'],
    ['colons inside of words', 'a: x:y\nb: [x:y, http://e.com:80/p]\nc: C:\\x'],
    ['a sharp inside of a word', 'a: "x # y"\nb: \'#\' # z\nc: 1 # y'],
    ['spaces at the end', 'a: b   \nc:   d\n  \n   # x\ne: [ f , g ]  '],
    ['a list in the column of its key', 'a:\n- b\n- c: d\n  e:\n  - f\ng: h'],
    ['no line feed at the end', 'a:\n  - b: c'],
    ['empty collections', 'a: []\nb: {}\nc: [[], {}]'],
    ['letters of other scripts', 'a: grüße – привет, 你好'],
    ['quotes inside of a word', 'a: it\'s "so"\nb: [it\'s]'],
    ['an empty text', 'a: ""\nb: \'\''],
  ])('reads %s as the long way does', (_, text) => {
    expect(agrees(text)).toBe(true)
  })

  test.each([
    ['nothing', ''],
    ['a comment', '# x'],
    ['a key without a value', 'a:\nb: c'],
    ['a key without a value in a flow', 'a: {b: }'],
    ['a key twice', 'a: b\na: c'],
    ['a key twice in a flow', 'x: {a: b, a: c}'],
    ['an anchor', 'a: &b c'],
    ['an alias', 'a: *b'],
    ['a tag', 'a: !!str b'],
    ['a merge key', '<<: {a: b}'],
    ['a directive', '%YAML 1.2\n---\na: b'],
    ['a document marker', '---\na: b'],
    ['a second document', 'a: b\n---\nc: d'],
    ['a document end', 'a: b\n...\nc: d'],
    ['a block scalar', 'a: |\n  b'],
    ['a folded scalar', 'a: >\n  b'],
    ['a word on two lines', 'a: b\n  c'],
    ['a text on two lines', 'a: "b\n  c"'],
    ['a flow on two lines', 'a: [b,\n  c]'],
    ['an escape', 'a: "b\\n"'],
    ['a doubled quote', "a: 'b''c'"],
    ['a tab', 'a:\tb'],
    ['a carriage return', 'a: b\r\nc: d'],
    ['a next line', 'a: b\u0085c: d'],
    ['a line separator', 'a: b\u2028c: d'],
    ['a byte order mark', '\ufeffa: b'],
    ['a zero-width space', 'a: b\u200b'],
    ['a mapping in a word', 'a: b: c'],
    ['a mapping in a list', 'a: [b: c]'],
    ['a comma too many', 'a: [b, ]'],
    ['two commas', 'a: [b,, c]'],
    ['an open flow', 'a: [b'],
    ['text behind a quote', 'a: "b" c'],
    ['text behind a flow', 'a: [b] c'],
    ['a comment without a space', 'a: "b"#c'],
    ['a line too deep', 'a: b\n  c: d'],
    ['a line not deep enough', '  a: b\n c: d'],
    ['a root that is indented', ' a: b'],
    ['a list without a space', 'a:\n  -b: c\n  - d'],
    ['a list in a list', 'a:\n  - - b'],
    ['a key in quotes', '"a": b'],
    ['a complex key', '? a\n: b'],
    ['very deep nesting', `a: ${'['.repeat(40)}${']'.repeat(40)}`],
  ])('leaves %s to the long way', (_, text) => {
    expect(readPlainYaml(text)).toBeUndefined()
  })

  test('a file of one very long line is read, or left, but does no harm', () => {
    const long = `a: ${'x y, '.repeat(300_000)}z`
    expect(['text', undefined]).toContain(readYaml(long).root?.kind === 'map' ? 'text' : undefined)
  })

  test('never reads what the long way reads differently, or refuses', () => {
    let read = 0
    fc.assert(
      fc.property(nearlyPolicies, (text) => {
        if (agrees(text)) read += 1
      }),
      { numRuns: numRuns * 8 },
    )
    expect(read).toBeGreaterThan(numRuns / 4)
  })
})
