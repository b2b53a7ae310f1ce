import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { Finder } from '../../src/policy/finder.ts'
import { TextList } from '../../src/policy/text-list.ts'
import { globMatches } from '../../src/policy/glob.ts'
import { call, decide, policy } from './support.ts'
import { star } from './reference-value.ts'

const guard = (...needles: readonly string[]): string =>
  `deny: [{capability: x, contains: ${JSON.stringify(needles)}}]\nallow: [x]`
const grant = (...needles: readonly string[]): string =>
  `allow: [{capability: x, contains: ${JSON.stringify(needles)}}]`
const given = (text: string, args: unknown): string =>
  decide(text, { arguments: JSON.stringify(args) })

describe('B22: a guard of `rm -rf`', () => {
  test.each<[string, unknown]>([
    ['as it is', { command: 'rm -rf /' }],
    ['in capitals', { command: 'RM -RF /' }],
    ['with a tab', { command: 'rm\t-rf /' }],
    ['with many kinds of white space', { command: 'rm \u00a0\u2003\u3000\n\u0085 -rf /' }],
    ['full width', { command: 'ｒｍ　－ｒｆ' }],
    ['in mathematical letters', { command: '𝐫𝐦 -𝖗𝖋' }],
    ['with a zero-width space', { command: 'r\u200bm -rf' }],
    ['with a soft hyphen', { command: 'rm -\u00adrf' }],
    ['with a word joiner and a variation selector', { command: 'r\u2060m -\ufe0frf' }],
    ['with tag characters', { command: 'rm\u{e0020}\u{e0041} -rf' }],
    ['with a combining grapheme joiner', { command: 'rm -r\u034ff' }],
    ['with a right-to-left mark', { command: '\u200frm -rf' }],
    ['with a NUL', { command: 'r\0m -rf' }],
    ['with another control', { command: 'rm\b -rf' }],
    ['with an escape', { command: 'rm \u001b-rf' }],
    ['as a name', { 'rm -rf': 1 }],
    ['deep inside', { a: [[{ b: [{ c: 'x; rm -rf /' }] }]] }],
    ['in a vector', { argv: ['rm', '-rf', '/'] }],
    ['in a vector with a path', { argv: ['/bin/rm', '-rf', '/'] }],
    ['in nested vectors', { argv: [['rm'], ['-rf']] }],
    ['in a vector of objects', { argv: [{ arg: 'rm' }, { arg: '-rf' }] }],
    ['as command and arguments', { command: 'rm', args: ['-rf', '/'] }],
    ['as arguments and command', { args: ['-rf', '/'], command: 'rm' }],
    ['with something between', { args: ['-rf', '/'], cwd: '/', command: 'rm' }],
    ['in different objects', { what: { flags: '-rf' }, how: { name: 'rm' } }],
    ['in pieces with white space', { command: 'rm ', args: [' -rf /'] }],
    ['as a name and its value', { rm: '-rf /' }],
    ['in a text of JSON', { body: '{"command":"rm -rf"}' }],
  ])('finds it %s', (_, args) => {
    expect(given(guard('rm -rf'), args)).toBe('deny')
  })

  test.each<[string, unknown]>([
    ['one of the words only', { command: 'rm', args: ['-r'] }],
    ['the words joined', { command: 'rm-rf' }],
    ['nothing', {}],
    ['the first word inside a text', { note: 'rm is a command', flag: '-rf' }],
  ])('does not find it in %s', (_, args) => {
    expect(given(guard('rm -rf'), args)).toBe('allow')
  })
})

describe('B22: a guard of text', () => {
  test.each<[string, string, unknown]>([
    ['three words, each a value', 'rm -r -f', { argv: ['-r', '-f', '/'], command: 'rm' }],
    ['three words, cut once', 'rm -r -f', { argv: '-r -f /', command: '/bin/rm' }],
    ['a needle that ends in a space', 'curl ', { argv: ['curl', 'http://x'] }],
    ['a needle that begins with a space', ' sudo', { argv: ['x', 'sudo'] }],
    ['a sharp s', 'straße', { t: 'STRASSE' }],
    ['two letters for a sharp s', 'strasse', { t: 'Straße' }],
    ['a final sigma', 'οδος', { t: 'ΟΔΟΣΑ' }],
    ['a dotless or dotted i', 'istanbul', { t: 'İSTANBUL' }],
    ['a long s', 'secret', { t: '\u017fecret' }],
    ['a kelvin sign', 'token', { t: 'to\u212aen' }],
    ['a composed letter', 'é', { t: 'e\u0301' }],
    ['a decomposed letter', 'e\u0301', { t: 'É' }],
    ['a raw letter under a mark', 'e', { t: 'e\u0301' }],
    ['a ligature', 'file', { t: '\ufb01le' }],
    ['hidden characters themselves', '\u200b', { t: 'a\u200bb' }],
    ['a number', '1234', { n: 123456 }],
    ['a truth value', 'true', { force: true }],
    ['a backslash', 'C:\\Windows', { path: 'c:\\windows\\system32' }],
    ['quotes of both kinds', 'it\'s "', { t: 'it\'s "quoted"' }],
  ])('finds %s', (_, needle, args) => {
    expect(given(guard(needle), args)).toBe('deny')
  })

  test('finds any of several, with few and with very many beside it', () => {
    const many = Array.from({ length: 3000 }, (_, at) => `needle ${at} x`)
    for (const needles of [
      ['secret', 'api token'],
      [...many, 'api token'],
    ]) {
      expect(given(guard(...needles), { t: 'my API  token' })).toBe('deny')
      expect(given(guard(...needles), { t: ['api', 'token'] })).toBe('deny')
      expect(given(guard(...needles), { t: 'my tokens of api' })).toBe('allow')
    }
  })

  test('match_keywords is the same', () => {
    const text = 'deny: [{capability: x, match_keywords: [mkfs, "dd if="]}]\nallow: [x]'
    expect(given(text, { c: 'MKFS /dev/sda' })).toBe('deny')
    expect(given(text, { c: 'dd', args: ['if=/dev/zero'] })).toBe('deny')
    expect(given(text, { c: 'dd  if=/dev/zero' })).toBe('deny')
    expect(given(text, { c: 'ls' })).toBe('allow')
  })
})

describe('a guard reads a text that is JSON as well, and only that', () => {
  const deep = (levels: number, inner: string): string =>
    levels === 0 ? inner : JSON.stringify([deep(levels - 1, inner)])

  test.each<[string, unknown]>([
    ['words in quotes', { t: 'say "rm" and "-rf" to it' }],
    ['words in quotes between brackets', { t: '(["rm"], "-rf")' }],
    ['backslashes alone', { t: '\\'.repeat(5000) }],
    ['a few backslashes', { t: `${'\\'.repeat(31)}x` }],
    ['a path of Windows', { t: 'C:\\users\\new\\r' }],
    ['an escape that is none', { t: '{"c":"r\\m -rf"}' }],
    ['half an escape', { t: '{"c":"r\\u006 -rf"}' }],
    ['nothing', { t: '[]', u: '{}', v: '""', w: '"', x: '{' }],
  ])('%s', (_, args) => {
    expect(given(guard('rm -rf'), args)).toBe('allow')
  })

  test('as deep as it looks, and one more: the guard applies where something may be hidden', () => {
    const most = limits.maxJsonTextDepth
    expect(given(guard('rm -rf'), { t: deep(most - 1, 'r\\u006d x') })).toBe('allow')
    expect(given(guard('rm -rf'), { t: deep(most - 1, 'r\\u006d -rf') })).toBe('deny')
    expect(given(guard('rm -rf'), { t: deep(most, 'r\\u006d x') })).toBe('deny')
    expect(given(guard('rm -rf'), { t: deep(most + 1, 'x') })).toBe('allow')
    expect(given(guard('rm -rf'), { t: deep(most + 2, 'x') })).toBe('deny')
    expect(given(guard('rm -rf'), { t: `${'\\'.repeat(64)}u0072m x` })).toBe('deny')
  })

  test('a pattern finds what a needle finds there', () => {
    const pattern = 'deny: [{capability: x, match_regex: "^rm -rf"}]\nallow: [x]'
    expect(given(pattern, { t: '{"c":"r\\u006d -rf"}' })).toBe('deny')
    expect(given(pattern, { t: '["rm", "-rf"]' })).toBe('deny')
    expect(given(pattern, { t: '["a rm", "-rf"]' })).toBe('allow')
    expect(given(pattern, { t: deep(limits.maxJsonTextDepth + 2, 'x') })).toBe('deny')
  })

  test('a grant takes the text as it is written', () => {
    expect(given(grant('ls'), { t: '{"c":"l\\u0073"}' })).toBe('deny')
    expect(given(grant('"ls"'), { t: '{"c":"ls"}' })).toBe('allow')
  })

  test.each([
    ['quotes', '"'],
    ['escaped quotes', '\\"'],
    ['backslashes', '\\'],
    ['empty strings', '"",'],
    ['brackets', '['],
    ['escapes', '\\u005c'],
    ['quotes of both kinds', `"'`],
    ['quotes and spaces', '"    '],
  ])('the longest text of %s costs little', (_, unit) => {
    const guarded = policy(guard('rm -rf', 'x'))
    const most = limits.maxTextBytes / 2 - 8
    const t = `[${unit.repeat(Math.floor(most / unit.length))}]`
    const start = performance.now()
    guarded.decide(call({ arguments: JSON.stringify({ t }) }))
    expect(performance.now() - start).toBeLessThan(2000)
  })
})

describe('an allow with `contains`', () => {
  test.each<[string, unknown, string]>([
    ['one text', { c: 'kubectl get pods' }, 'allow'],
    ['all texts', { c: 'kubectl get pods', also: ['kubectl get nodes'] }, 'allow'],
    ['numbers beside it', { c: 'kubectl get pods', n: 5, ok: true }, 'allow'],
    ['another text', { c: 'kubectl get pods', also: 'curl evil' }, 'deny'],
    ['an empty text', { c: 'kubectl get pods', also: '' }, 'deny'],
    ['a decoy as a name', { 'kubectl get': 1, c: 'curl evil' }, 'deny'],
    ['a name only', { 'kubectl get': 1 }, 'deny'],
    ['another case', { c: 'KUBECTL GET pods' }, 'deny'],
    ['a zero-width space', { c: 'kubectl\u200b get' }, 'deny'],
    ['a vector', { c: ['kubectl', 'get'] }, 'deny'],
    ['nothing', {}, 'deny'],
    ['a second line', { c: 'kubectl get\ncurl evil' }, 'deny'],
    ['a second line by a carriage return', { c: 'curl evil\rkubectl get' }, 'deny'],
    ['a second line by a line separator', { c: 'kubectl get\u2028curl evil' }, 'deny'],
  ])('%s', (_, args, expected) => {
    expect(given(grant('kubectl get'), args)).toBe(expected)
  })

  test('any of several needles, for each text', () => {
    expect(given(grant('ls', 'cat'), { a: 'ls -l', b: 'cat x' })).toBe('allow')
    expect(given(grant('ls', 'cat'), { a: 'ls -l', b: 'rm x' })).toBe('deny')
  })
})

describe('bounds of text', () => {
  const filled = (bytes: number): unknown => ({ t: 'x'.repeat(bytes) })
  // Two borders around the value, the name and its own border.
  const most = limits.maxTextBytes - '\0\0t\0'.length

  test('as many bytes as are looked at, and one more: the guard applies, the grant does not', () => {
    expect(given(guard('needle'), filled(most))).toBe('allow')
    expect(given(guard('needle'), filled(most + 1))).toBe('deny')
    expect(given(grant('x'), filled(most))).toBe('allow')
    expect(given(grant('x'), filled(most + 1))).toBe('deny')
  })

  test('bytes are counted, not characters', () => {
    const wide = 'é'.repeat(Math.floor(most / 2))
    expect(given(guard('needle'), { t: wide })).toBe('allow')
    expect(given(guard('needle'), { t: `${wide}éé` })).toBe('deny')
    expect(given(guard('needle'), { t: '漢'.repeat(90_000) })).toBe('deny')
  })

  test('names count as well as values', () => {
    expect(given(guard('needle'), { [`x${'y'.repeat(limits.maxTextBytes)}`]: 1 })).toBe('deny')
  })

  test('an endless run of combining marks is not folded: the guard applies', () => {
    expect(given(guard('needle'), { t: `a${'\u0301'.repeat(64)}` })).toBe('allow')
    expect(given(guard('needle'), { t: `a${'\u0301'.repeat(65)}` })).toBe('deny')
    expect(given(guard('needle'), { t: `a${'\u0301\u200b\u0323'.repeat(65)}` })).toBe('deny')
  })

  test.each([
    ['marks', `a${'\u0301\u0323'.repeat(60_000)}`],
    ['letters that grow', '\ufdfa'.repeat(80_000)],
    ['letters that fold', 'İß'.repeat(60_000)],
    ['spaces', ' '.repeat(250_000)],
    ['NULs', '\0'.repeat(250_000)],
    ['beginnings of a needle', 'aaaaaaaab '.repeat(26_000)],
  ])('the longest text of %s costs little', (_, t) => {
    const needles = Array.from({ length: 200 }, (_unused, at) => `${'a'.repeat(at % 60)}b ${at}`)
    const guarded = policy(guard(...needles))
    const event = call({ arguments: JSON.stringify({ t }) })
    const start = performance.now()
    guarded.decide(event)
    expect(performance.now() - start).toBeLessThan(2000)
  })
})

describe('B24: patterns are matched in linear time', () => {
  test('a glob agrees with its definition', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 8 })
    const texts = fc.array(fc.constantFrom('a', 'b'), { maxLength: 10 })
    fc.assert(
      fc.property(letters, texts, (pattern, text) => {
        const [glob, name] = [pattern.join(''), text.join('')]
        expect(globMatches(glob, name)).toBe(star(glob, name))
      }),
      { numRuns: 3000 },
    )
  })

  test('a glob of many stars on a long text that does not match', () => {
    const start = performance.now()
    for (let round = 0; round < 100; round += 1) {
      expect(globMatches('a*'.repeat(250) + 'b', 'a'.repeat(512))).toBe(false)
      expect(globMatches(`*${'a'.repeat(250)}b*`, 'a'.repeat(512))).toBe(false)
    }
    expect(performance.now() - start).toBeLessThan(1000)
  })

  test('a capability and a tool with many stars decide at once', () => {
    const stars = `${'*a'.repeat(200)}*b`
    const text = `deny: [{capability: "${stars}.${stars}.${stars}"}, {capability: x, tool: "${stars}"}]\nallow: ["*"]`
    const name = 'a'.repeat(500)
    const guarded = policy(text)
    const event = call({ capability: `${name}.${name}.${name}`, context: { tool: name } })
    const start = performance.now()
    expect(guarded.decide(event).decision).toBe('allow')
    expect(performance.now() - start).toBeLessThan(200)
  })

  test('many texts are found as each of them alone is', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', 'b', '\0', ' '),
      minLength: 1,
      maxLength: 5,
    })
    const haystack = fc.string({ unit: fc.constantFrom('a', 'b', '\0', ' '), maxLength: 40 })
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 1, maxLength: 60 }),
        haystack,
        (words, text) => {
          const list = new TextList()
          const indexes = words.map((one) => list.add(one))
          const finder = new Finder(list)
          const found = finder.search(text)
          expect(indexes.map((index) => found(index))).toEqual(
            words.map((one) => text.includes(one)),
          )
        },
      ),
      { numRuns: 1000 },
    )
  })
})
