import { describe, expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { JsonObject } from '../../src/json/value.ts'
import { limits } from '../../src/limits.ts'
import { guardAndGrant, policy, problems } from './support.ts'

const values = (args: string, given: string): string =>
  guardAndGrant(`args: ${args}`, { arguments: given })

const unknown = 'indeterminate indeterminate'
const yes = 'true true'
const no = 'false false'

describe('a pointer finds own members only, and elements by their index (RFC 6901)', () => {
  test.each([
    ['{/a: 1}', '{"a":1}', yes],
    ['{/a: 1}', '{"a":2}', no],
    ['{/a/b: 1}', '{"a":{"b":1}}', yes],
    ['{"/": 1}', '{"":1}', yes],
    ['{/a~1b: 1}', '{"a/b":1}', yes],
    ['{/a~0b: 1}', '{"a~b":1}', yes],
    ['{/a~01: 1}', '{"a~1":1}', yes],
    ['{/a/0: 1}', '{"a":[1,2]}', yes],
    ['{/a/1: 1}', '{"a":[1,2]}', no],
    ['{/a/2: 1}', '{"a":[1,2]}', unknown],
    ['{/a/00: 1}', '{"a":[1]}', unknown],
    ['{/a/-: 1}', '{"a":[1]}', unknown],
    ['{/a/-1: 1}', '{"a":[1]}', unknown],
    ['{/a/length: 1}', '{"a":[1]}', unknown],
    ['{/a/1e0: 1}', '{"a":[2,1]}', unknown],
    ['{/a/0: 1}', '{"a":{"0":1}}', yes],
    ['{/a: 1}', '{}', unknown],
    ['{/a/b: 1}', '{"a":null}', unknown],
    ['{/a/b: 1}', '{"a":"{\\"b\\":1}"}', unknown],
    ['{/a/b: 1}', '{"a":5}', unknown],
    ['{/__proto__/x: 1}', '{}', unknown],
    ['{/constructor/name: Object}', '{}', unknown],
    ['{/a/toString/name: toString}', '{"a":[]}', unknown],
  ])('B31: %s in %s', (args, given, expected) => {
    expect(values(args, given)).toEqual(expected)
  })

  test.each(['a', 'a/b', '/a~', '/a~2', '#/a', '$.a', ' /a'])('%j is no pointer', (pointer) => {
    expect(problems(`allow: [{capability: x, args: {${JSON.stringify(pointer)}: 1}}]`)).toEqual([
      expect.stringContaining('in `args` is no JSON Pointer [policy-value]'),
    ])
  })

  test.each([
    ['command', 'write `/command`'],
    ['$.items[0].id', 'write `/items/0/id`'],
    ['a.b', 'write `/a/b`'],
    ['/a~', 'write `/` before each name: `/command`, `/items/0/id`, `/paths/*` for each element'],
  ])('the hint for %s', (pointer, hint) => {
    expect(() => policy(`allow: [{capability: x, args: {"${pointer}": 1}}]`)).toThrow(
      expect.objectContaining({ hint }),
    )
  })

  test.each([limits.maxPointerCharacters, limits.maxPointerCharacters + 1])(
    'a pointer of %i characters',
    (length) => {
      const text = `allow: [{capability: x, args: {/${'a'.repeat(length - 1)}: 1}}]`
      expect(problems(text)).toHaveLength(length > limits.maxPointerCharacters ? 1 : 0)
    },
  )
})

describe('a star is every element or member: guards need one, grants all and one at least', () => {
  test.each([
    ['{/a/*: {gt: 1}}', '{"a":[2,3]}', yes],
    ['{/a/*: {gt: 1}}', '{"a":[0,3]}', 'true false'],
    ['{/a/*: {gt: 1}}', '{"a":[0,1]}', no],
    ['{/a/*: {gt: 1}}', '{"a":[]}', unknown],
    ['{/a/*: {gt: 1}}', '{"a":{}}', unknown],
    ['{/a/*: {gt: 1}}', '{}', unknown],
    ['{/a/*: {gt: 1}}', '{"a":5}', unknown],
    ['{/a/*: {gt: 1}}', '{"a":null}', unknown],
    ['{/a/*: {gt: 1}}', '{"a":["x",3]}', 'true indeterminate'],
    ['{/a/*: {gt: 1}}', '{"a":["x",0]}', 'indeterminate false'],
    ['{/a/*: {gt: 1}}', '{"a":{"p":2,"q":3}}', yes],
    ['{/a/*/b: {gt: 1}}', '{"a":[{"b":2},{"b":3}]}', yes],
    ['{/a/*/b: {gt: 1}}', '{"a":[{"b":2},{}]}', 'true indeterminate'],
    ['{/a/*/b: {gt: 1}}', '{"a":[{"b":0},{}]}', 'indeterminate false'],
    ['{/a/*/*: {gt: 1}}', '{"a":[[2],[3]]}', yes],
    ['{/*: {gt: 1}}', '{"a":2,"b":"x"}', 'true indeterminate'],
    // Both matchers have to be met by one and the same element.
    ['{/a/*: {gt: 1, lt: 3}}', '{"a":[0,4]}', no],
    ['{/a/*: {gt: 1, lt: 3}}', '{"a":[0,2]}', 'true false'],
    ['{/a: {gt: 1, lt: 3}, /b: x}', '{"a":2,"b":"x"}', yes],
    ['{/a: {gt: 1, lt: 3}, /b: x}', '{"a":2,"b":"y"}', no],
    ['{/a: {gt: 1, lt: 3}, /b: x}', '{"b":"y"}', no],
    ['{/a: {gt: 1, lt: 3}, /b: x}', '{"b":"x"}', unknown],
  ])('%s of %s', (args, given, expected) => {
    expect(values(args, given)).toEqual(expected)
  })

  test.each([
    [limits.maxPointerCandidates, yes],
    [limits.maxPointerCandidates + 1, unknown],
  ])('%i elements', (count, expected) => {
    expect(values('{/a/*: 1}', `{"a":[${Array(count).fill('1').join(',')}]}`)).toEqual(expected)
  })

  test('all texts at one pointer together are bounded', () => {
    const half = 'x'.repeat(limits.maxTextBytes / 2)
    const contains = '{/a/*: {contains: x}}'
    expect(values(contains, JSON.stringify({ a: [half, half] }))).toEqual(yes)
    expect(values(contains, JSON.stringify({ a: [half, half, 'x'] }))).toBe('true indeterminate')
    expect(values('{/a/*: {starts_with: y}}', JSON.stringify({ a: [half, half, 'y'] }))).toBe(
      'indeterminate false',
    )
  })
})

describe('B2: a member that a lenient server takes for another one', () => {
  test.each([
    ['{/path: x}', '{"Path":"x"}', 'true indeterminate'],
    ['{/path: x}', '{"Path":"y"}', unknown],
    ['{/Task/id: x}', '{"task":{"ID":"x"}}', 'true indeterminate'],
    // U+017F and U+212A are letters to a reader that folds case.
    ['{/ask: x}', '{"a\u017f\u212a":"x"}', 'true indeterminate'],
    ['{/*/id: x}', '{"a":{"id":"x"},"b":{"Id":"x"}}', 'true indeterminate'],
  ])('%s in %s', (args, given, expected) => {
    expect(values(args, given)).toEqual(expected)
  })

  // The scanner and the library refuse such arguments; whoever builds an event of parts may hand them over.
  const ambiguous: readonly (readonly [JsonObject, string])[] = [
    [{ path: 'y', PATH: 'x' }, 'true false'],
    [{ path: 'x', Path: 'y' }, 'true indeterminate'],
    [{ path: 'y', Path: 'z' }, no],
  ]
  test.each(ambiguous)('both in %j', (given, expected) => {
    const event = ActionEvent.of({
      actor: 'a',
      capability: { resource: 'x', action: 'y', scope: 'z' },
      arguments: given,
    })
    const args = 'capability: x, args: {/path: x}'
    const accounts = policy(`deny: [{${args}}]\nallow: [{${args}}]`).explain(event)
    expect(accounts.map(({ value }) => value).join(' ')).toBe(expected)
  })
})
