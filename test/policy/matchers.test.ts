import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { guardAndGrant, policy, problems } from './support.ts'

const values = (matcher: string, argument: string): string =>
  guardAndGrant(`args: {/a: ${matcher}}`, {
    arguments: argument === 'absent' ? '{}' : `{"a":${argument}}`,
  })

const yes = 'true true'
const no = 'false false'
const unknown = 'indeterminate indeterminate'
/** Compared generously it matches, exactly it does not. */
const generous = 'true false'

const everyMatcher = [
  ...['{eq: x}', '{in: [x, 1]}', '{not_in: [x]}', '{gt: 1}', '{gte: 1}', '{lt: 1}', '{lte: 1}'],
  ...['{contains: x}', '{starts_with: x}', '{ends_with: x}', '{type: string}', '{max_length: 3}'],
]

describe('values: eq, in, not_in', () => {
  test.each([
    ['x', '"x"', yes],
    ['x', '"X"', generous],
    ['x', '" x\\n"', generous],
    ['x', '"\\u200bx"', generous],
    ['x', '"ｘ"', generous],
    ['x', '"xx"', no],
    ['x', '""', no],
    ['""', '""', yes],
    ['""', '" "', generous],
    ['x', '5', unknown],
    ['x', 'true', unknown],
    ['x', 'null', unknown],
    ['x', '["x"]', unknown],
    ['x', '{"x":1}', unknown],
    ['x', 'absent', unknown],
    ['straße', '"STRASSE"', generous],
    ['5', '5', yes],
    ['5', '5.0', yes],
    ['5', '50e-1', yes],
    ['5', '"5"', yes],
    ['5', '"5.00"', yes],
    ['5', '"5,0"', unknown],
    ['5', '" 5"', unknown],
    ['5', '"0x5"', unknown],
    ['5', '5.0000000000000000001', generous],
    ['5', '6', no],
    ['5', 'true', unknown],
    ['5', '[5]', unknown],
    ['0.1', '0.1', yes],
    ['-0', '0', yes],
    ['9007199254740993', '9007199254740993', 'true false'],
    ['true', 'true', yes],
    ['true', 'false', no],
    ['true', '1', unknown],
    ['true', '"true"', unknown],
    ['false', 'null', unknown],
  ])('%s is %s', (wanted, given, expected) => {
    expect(values(`{eq: ${wanted}}`, given)).toBe(expected)
    expect(values(wanted, given)).toBe(expected)
    expect(values(`[${wanted}]`, given)).toBe(expected)
    expect(values(`{in: ${wanted}}`, given)).toBe(expected)
  })

  test.each([
    ['[x, 5]', '"x"', yes],
    ['[x, 5]', '5', yes],
    ['[x, 5]', '"5"', yes],
    ['[x, 5]', '6', 'indeterminate indeterminate'],
    ['[x, y]', '"Y"', generous],
    ['[x, y]', '"z"', no],
    ['[true, x]', 'true', yes],
    ['[1, 2, 3]', '4', no],
  ])('one of %s is %s', (wanted, given, expected) => {
    expect(values(`{in: ${wanted}}`, given)).toBe(expected)
    expect(values(wanted, given)).toBe(expected)
  })

  test.each([
    ['[x, y]', '"z"', yes],
    ['[x, y]', '"x"', no],
    // It may be `x` to a server that folds, so a grant does not hold; it may be none, so a guard does.
    ['[x, y]', '"X"', generous],
    ['[x, y]', '5', unknown],
    ['[5]', '6', yes],
    ['[5]', '5', no],
    ['[5]', '"5.0"', no],
    ['x', '"y"', yes],
    ['x', 'absent', unknown],
    ['x', 'null', unknown],
  ])('none of %s is %s', (wanted, given, expected) => {
    expect(values(`{not_in: ${wanted}}`, given)).toBe(expected)
  })
})

describe('numbers: gt, gte, lt, lte, as exact decimals', () => {
  test.each([
    ['gt', '1000', '1000', no],
    ['gte', '1000', '1000', yes],
    ['lt', '1000', '1000', no],
    ['lte', '1000', '1e3', yes],
    ['gt', '1000', '1000.01', yes],
    ['lt', '1000', '"999.99"', yes],
    ['gt', '1000', '-5', no],
    ['gt', '-5', '-4.999', yes],
    // To a server with doubles this is 1000.
    ['gt', '1000', '1000.00000000000000001', generous],
    ['lt', '1000', '999.99999999999999999999', generous],
    ['gt', '1000', '"1,000,000"', unknown],
    ['gt', '1000', '"1_0000"', unknown],
    ['gt', '1000', '"1e9"', unknown],
    ['gt', '1000', '"$5000"', unknown],
    ['gt', '1000', '"0x2710"', unknown],
    ['gt', '1000', '"５０００"', unknown],
    ['gt', '1000', '"NaN"', unknown],
    ['lt', '1000', '"-Infinity"', unknown],
    ['gt', '1000', '1e400', unknown],
    ['lt', '1000', 'true', unknown],
    ['lt', '1000', 'null', unknown],
    ['lt', '1000', '[1]', unknown],
    ['lt', '1000', '{"value":1}', unknown],
    ['lt', '1000', '""', unknown],
    ['lt', '1000', 'absent', unknown],
  ])('B21: %s %s of %s', (name, threshold, given, expected) => {
    expect(values(`{${name}: ${threshold}}`, given)).toBe(expected)
  })
})

describe('texts: contains, starts_with, ends_with', () => {
  test.each([
    ['contains', '"rm -rf"', '"sudo rm -rf /"', yes],
    ['contains', '"rm -rf"', '"sudo RM  -rf /"', generous],
    ['contains', '"rm -rf"', '"r\\u200bm\\t-ｒｆ"', generous],
    ['contains', '"rm -rf"', '"ls\\nrm -rf /"', generous],
    ['contains', '"rm -rf"', '"rm -r"', no],
    ['contains', '"rm -rf"', '["rm","-rf"]', unknown],
    ['contains', '[a, b]', '"xb"', yes],
    ['contains', '[a, b]', '"xc"', no],
    ['contains', '"1"', '1', unknown],
    ['contains', '"\\u200b"', '"a\\u200bb"', yes],
    ['contains', '"\\u200b"', '"ab"', no],
    ['starts_with', '/srv/', '"/srv/a"', yes],
    ['starts_with', '/srv/', '"/SRV/a"', generous],
    ['starts_with', '/srv/', '"  /srv/a"', generous],
    ['starts_with', '/srv/', '"a/srv/"', no],
    ['starts_with', '/srv/', '"/srv"', no],
    ['starts_with', '/srv/', '"/srv/a\\n/etc"', generous],
    ['starts_with', '[a, b]', '"ba"', yes],
    ['ends_with', '.txt', '"a.txt"', yes],
    ['ends_with', '.txt', '"a.TXT "', generous],
    ['ends_with', '.txt', '"a.txt\\n"', generous],
    ['ends_with', '.txt', '"a.txt.exe"', no],
    ['ends_with', '.txt', 'null', unknown],
    ['ends_with', '.txt', 'absent', unknown],
  ])('%s %s: %s', (name, part, given, expected) => {
    expect(values(`{${name}: ${part}}`, given)).toBe(expected)
  })

  test('a text past the bound is not looked at', () => {
    const text = (length: number): string => JSON.stringify('x'.repeat(length))
    expect(values('{contains: x}', text(limits.maxTextBytes))).toBe(yes)
    expect(values('{contains: x}', text(limits.maxTextBytes + 1))).toBe(unknown)
    expect(values('x', text(limits.maxTextBytes + 1))).toBe(unknown)
  })

  test('a text that cannot be folded is not compared by a guard', () => {
    const marks = JSON.stringify(`a${'\u0301'.repeat(70)}`)
    expect(values('{contains: b}', marks)).toBe('indeterminate false')
    expect(values('b', marks)).toBe('indeterminate false')
  })
})

describe('shapes: type, exists, max_length', () => {
  test.each([
    ['string', '"x"', yes],
    ['string', '5', no],
    ['number', '5.5', yes],
    ['number', '"5"', no],
    ['integer', '5', yes],
    ['integer', '5.0', yes],
    ['integer', '5.5', no],
    ['boolean', 'false', yes],
    ['array', '[]', yes],
    ['object', '[]', no],
    ['object', '{}', yes],
    ['"null"', 'null', yes],
    ['object', 'null', no],
    ['[string, array]', '[]', yes],
    ['[string, array]', '{}', no],
    ['string', 'absent', unknown],
  ])('type %s of %s', (name, given, expected) => {
    expect(values(`{type: ${name}}`, given)).toBe(expected)
  })

  test.each([
    ['true', '0', yes],
    ['true', '""', yes],
    ['true', 'absent', no],
    // To some servers null is nothing, to others it is a value.
    ['true', 'null', unknown],
    ['false', 'null', unknown],
    ['false', 'absent', yes],
    ['false', '0', no],
  ])('exists %s: %s', (wanted, given, expected) => {
    expect(values(`{exists: ${wanted}}`, given)).toBe(expected)
  })

  test('what must exist is only then compared', () => {
    expect(values('{exists: true, gt: 5}', 'absent')).toBe(no)
    expect(values('{exists: true, gt: 5}', '6')).toBe(yes)
    expect(values('{gt: 5}', 'absent')).toBe(unknown)
  })

  test.each([
    ['3', '"abc"', yes],
    ['3', '"abcd"', no],
    ['0', '""', yes],
    ['1', '"😀"', generous],
    ['2', '"😀"', yes],
    ['2', '[1,2]', yes],
    ['2', '[1,2,3]', no],
    ['2', '{"a":1}', unknown],
    ['2', '5', unknown],
    ['2', 'null', unknown],
    ['2', 'absent', unknown],
  ])('max_length %s of %s', (most, given, expected) => {
    expect(values(`{max_length: ${most}}`, given)).toBe(expected)
  })
})

describe('what cannot be read never allows, and never escapes a guard', () => {
  const strange = ['null', '[]', '{}', '[[]]', '{"a":{}}', 'absent']

  test.each(
    everyMatcher
      .filter((matcher) => !/type|max_length/.test(matcher))
      .flatMap((matcher) => strange.map((given) => [matcher, given] as const)),
  )('%s of %s', (matcher, given) => {
    expect(values(matcher, given)).toBe(unknown)
  })

  test.each(everyMatcher)('%s is explained as it is written', (matcher) => {
    const loaded = policy(`deny: [{capability: x, args: {/a: ${matcher}}}]`)
    expect(loaded.rules[0]?.predicates).toEqual([`args: {/a: ${matcher}}`])
  })

  test('matchers in block style are explained on one line', () => {
    const text =
      'deny:\n  - capability: x\n    args:\n      /a:\n        gt: 5\n        in: [1, "b c"]\n'
    expect(policy(text).rules[0]?.predicates).toEqual(['args: {/a: {gt: 5, in: [1, "b c"]}}'])
  })

  test.each(['gt: "5"', 'lte: 0x10', 'gte: .nan', 'lt: [5]', 'gt: true'])(
    'B25: a threshold that is no number is refused: %s',
    (matcher) => {
      expect(problems(`allow: [{capability: x, args: {/a: {${matcher}}}}]`)).toHaveLength(1)
    },
  )
})
