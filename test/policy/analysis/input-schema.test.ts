import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { findInSchema } from '../../../src/policy/analysis/input-schema.ts'
import { parsePointer } from '../../../src/policy/pointer.ts'
import { fuzz } from './generate.ts'

function tokensOf(text: string): readonly (string | undefined)[] {
  const pointer = parsePointer(text)
  if (pointer === undefined) throw new Error(`no pointer: ${text}`)
  return pointer.tokens
}

const answer = (schema: unknown, text: string): string => findInSchema(schema, tokensOf(text)).kind

const text = { type: 'string' }
const object = (properties: object, more: object = {}): object => ({
  type: 'object',
  properties,
  ...more,
})
const closed = { additionalProperties: false }

describe('what a schema lists is there', () => {
  test.each<[name: string, schema: unknown, pointer: string]>([
    ['a property', object({ path: text }), '/path'],
    ['one below another', object({ a: object({ b: text }) }), '/a/b'],
    ['a name with a slash', object({ 'a/b': text }), '/a~1b'],
    ['an element', object({ paths: { type: 'array', items: text } }), '/paths/*'],
    ['the third element', object({ paths: { type: 'array', items: text } }), '/paths/2'],
    [
      'the second of a tuple',
      object({ t: { prefixItems: [text, object({ x: text })] } }),
      '/t/1/x',
    ],
    ['one of an old tuple', object({ t: { items: [text, object({ x: text })] } }), '/t/*/x'],
    ['a property of elements', object({ e: { items: object({ old: text }) } }), '/e/*/old'],
    ['any member', object({ env: object({ A: text }) }), '/env/*'],
    ['one of a schema elsewhere', { $ref: '#/$defs/in', $defs: { in: object({ a: text }) } }, '/a'],
    ['a name with an escape', { $ref: '#/d/a~1b%20c', d: { 'a/b c': object({ a: text }) } }, '/a'],
    [
      'one beside a reference',
      { $ref: '#/d', d: object({ b: text }), ...object({ a: text }) },
      '/b',
    ],
    ['one of all', { allOf: [object({ a: text }), object({ b: text })] }, '/b'],
    ['one of any', { anyOf: [object({ a: text }, closed), object({ b: text }, closed)] }, '/b'],
    ['one of one', object({ a: { oneOf: [text, object({ b: text })] } }), '/a/b'],
    ['one on a condition', { ...object({ a: text }), if: {}, then: object({ b: text }) }, '/b'],
    ['one otherwise', { ...object({ a: text }), if: {}, else: object({ b: text }) }, '/b'],
    [
      'one with another',
      object({ a: text }, { dependentSchemas: { a: object({ b: text }) } }),
      '/b',
    ],
    [
      'one that may be null',
      object({ a: { type: ['object', 'null'], ...object({ b: text }) } }),
      '/a/b',
    ],
    ['a tree', object({ sub: { $ref: '#' }, leaf: text }), '/sub/sub/sub/leaf'],
    ['one below any name', object({}, { additionalProperties: object({ x: text }) }), '/any/x'],
  ])('%s', (_, schema, pointer) => {
    expect(answer(schema, pointer)).toBe('there')
  })
})

describe('what it does not list is not', () => {
  test.each<[name: string, schema: unknown, pointer: string, at: number, names: readonly string[]]>(
    [
      ['a property', object({ path: text, mode: text }, closed), '/pth', 0, ['path', 'mode']],
      ['one that nobody closed', object({ path: text }), '/pth', 0, ['path']],
      ['one below another', object({ a: object({ b: text }) }), '/a/c', 1, ['b']],
      ['one of another case', object({ path: text }), '/Path', 0, ['path']],
      ['one below a text', object({ a: text }), '/a/b', 1, []],
      ['an element of a text', object({ a: text }), '/a/*', 1, []],
      ['one of a prototype', object({ a: text }), '/toString', 0, ['a']],
      ['a member where there is none', object({ a: object({}, closed) }), '/a/*', 1, []],
      ['one of a schema elsewhere', { $ref: '#/d', d: object({ a: text }) }, '/b', 0, ['a']],
      [
        'one of none of all',
        { allOf: [object({ a: text }), object({ b: text })] },
        '/c',
        0,
        ['a', 'b'],
      ],
      [
        'one of no kind',
        { oneOf: [object({ a: text }), object({ b: text })] },
        '/c',
        0,
        ['a', 'b'],
      ],
      [
        'one that only a condition asks for',
        { ...object({ a: text }), anyOf: [{ required: ['a'] }] },
        '/b',
        0,
        ['a'],
      ],
      ['one that must not be', object({ a: text, b: false }), '/b', -1, []],
      [
        'a third of two',
        object({ t: { type: 'array', prefixItems: [text], items: false } }),
        '/t/1',
        -1,
        [],
      ],
      [
        'one of elements',
        object({ e: { items: object({ old: text }) } }),
        '/e/*/oldText',
        2,
        ['old'],
      ],
    ],
  )('%s', (_, schema, pointer, at, names) => {
    expect(findInSchema(schema, tokensOf(pointer))).toEqual({
      ...{ kind: 'absent', at, names, isList: false },
    })
  })

  test('a name where a list stands', () => {
    const schema = object({ edits: { type: 'array', items: object({ old: text }) } })
    expect(findInSchema(schema, tokensOf('/edits/old'))).toEqual({
      ...{ kind: 'absent', at: 1, names: [], isList: true },
    })
  })
})

describe('nothing is known', () => {
  test.each<[name: string, schema: unknown, pointer: string]>([
    ['of what is no schema', undefined, '/a'],
    ['of what is none either', [object({ a: text })], '/b'],
    ['of the empty one', {}, '/a'],
    ['of one that says only what type it is', { type: 'object' }, '/a'],
    ['where more is allowed', object({ a: text }, { additionalProperties: true }), '/b'],
    ['where more texts are', object({ a: text }, { additionalProperties: text }), '/b'],
    ['where more is left over', object({ a: text }, { unevaluatedProperties: {} }), '/b'],
    ['where names have a pattern', object({ a: text }, { patternProperties: { '^x': {} } }), '/b'],
    ['of a name that is only required', object({ a: text }, { required: ['b'] }), '/b'],
    ['of one elsewhere that is not here', { $ref: 'https://example.com/s.json' }, '/a'],
    ['of one elsewhere that is nowhere', { $ref: '#/$defs/none' }, '/a'],
    ['of an anchor', { $ref: '#in', $defs: { in: { $anchor: 'in' } } }, '/a'],
    ['of a reference that is no text', { $ref: 5 }, '/a'],
    ['of one whose references go in a circle', { $ref: '#' }, '/a'],
    ['of one whose references multiply', { allOf: [{ $ref: '#' }, { $ref: '#' }] }, '/a'],
    ['of references that are bound later', object({ a: text }, { $dynamicRef: '#x' }), '/b'],
    ['of one with an address of its own', object({ a: object({}, { $id: 'x' }) }), '/a/b'],
    ['of elements that are any', object({ a: { type: 'array' } }), '/a/*/b'],
    ['below anything', object({ a: true }), '/a/b'],
    ['where one kind is open', { anyOf: [object({ a: text }), { type: 'object' }] }, '/b'],
    ['behind a tuple', object({ t: { type: 'array', prefixItems: [text] } }), '/t/1/x'],
  ])('%s', (_, schema, pointer) => {
    expect(answer(schema, pointer)).toBe('unknown')
  })

  test('beyond the bounds', () => {
    const nested = (levels: number): object => {
      let schema: object = object({ a: text })
      for (let level = 0; level < levels; level += 1) schema = { allOf: [schema] }
      return schema
    }
    expect(answer(nested(limits.maxSchemaDepth - 1), '/b')).toBe('absent')
    expect(answer(nested(limits.maxSchemaDepth + 1), '/b')).toBe('unknown')
    const wide = (count: number): object => ({
      allOf: Array.from({ length: count }, () => object({ a: text })),
    })
    expect(answer(wide(limits.maxSchemaSteps - 1), '/b')).toBe('absent')
    expect(answer(wide(limits.maxSchemaSteps), '/b')).toBe('unknown')
  })
})

/** A schema with a value of it. */
interface Pair {
  readonly schema: Readonly<Record<string, unknown>>
  readonly value: unknown
}

const name = fc.constantFrom('a', 'b', 'c d', 'e/f', '0')

/** Schemas of every kind, each in a document of its own whose definitions are put beside it. */
const pairs: fc.Arbitrary<Pair> = fc.letrec<{ pair: Pair; object: Pair }>((tie) => ({
  pair: fc.oneof(
    { maxDepth: 4 },
    fc.constant<Pair>({ schema: text, value: 'x' }),
    fc.constant<Pair>({ schema: {}, value: { b: ['x'] } }),
    tie('object'),
    fc.array(tie('pair'), { minLength: 1, maxLength: 2 }).map((items): Pair => ({
      schema: { type: 'array', prefixItems: items.map(({ schema }) => schema), items: false },
      value: items.map(({ value }) => value),
    })),
    tie('pair').map(({ schema, value }): Pair => ({
      schema: { type: ['array', 'null'], items: schema },
      value: [value, value],
    })),
    fc
      .tuple(tie('pair'), tie('pair'), fc.constantFrom('anyOf', 'oneOf', 'else'))
      .map(([one, other, keyword]): Pair => ({
        schema:
          keyword === 'else'
            ? { if: false, then: other.schema, else: one.schema }
            : { [keyword]: [other.schema, one.schema] },
        value: one.value,
      })),
    tie('pair').map(({ schema, value }): Pair => ({
      schema: { allOf: [{ description: 'more' }, schema], not: { const: 1 } },
      value,
    })),
  ),
  object: fc
    .tuple(
      fc.dictionary(name, tie('pair'), { minKeys: 1, maxKeys: 3 }),
      fc.constantFrom('plain', 'closed', 'open', 'listed', 'patterned', 'split', 'typeless'),
    )
    .map(([members, how]): Pair => objectPair(members, how)),
})).pair

function objectPair(members: Readonly<Record<string, Pair>>, how: string): Pair {
  const schemas = Object.fromEntries(Object.entries(members).map(([key, one]) => [key, one.schema]))
  const value = Object.fromEntries(Object.entries(members).map(([key, one]) => [key, one.value]))
  const [first = 'a', ...others] = Object.keys(schemas)
  const rest = Object.fromEntries(others.map((key) => [key, schemas[key]]))
  switch (how) {
    case 'closed':
      return { schema: { ...object(schemas), ...closed }, value }
    case 'open':
      return { schema: { ...object(rest), additionalProperties: {} }, value }
    case 'listed':
      return { schema: { ...object(rest), additionalProperties: schemas[first] }, value }
    case 'patterned':
      return { schema: { ...object(rest), patternProperties: { '': schemas[first] } }, value }
    case 'split':
      return { schema: { ...object(rest), allOf: [object({ [first]: schemas[first] })] }, value }
    case 'typeless':
      return { schema: { properties: schemas }, value }
    default:
      return { schema: { ...object(schemas) }, value }
  }
}

/** Every place in a value. */
function placesIn(value: unknown): readonly (readonly (string | undefined)[])[] {
  if (typeof value !== 'object' || value === null) return [[]]
  return [
    [],
    ...Object.entries(value).flatMap(([key, member]) =>
      placesIn(member).flatMap((tokens) => [
        [key, ...tokens],
        [undefined, ...tokens],
      ]),
    ),
  ]
}

test('where a value of a schema has something, the schema never says that there is nothing', () => {
  let absent = 0
  fc.assert(
    fc.property(pairs, ({ schema, value }) => {
      for (const tokens of placesIn(value)) {
        expect(findInSchema(schema, tokens).kind, JSON.stringify(tokens)).not.toBe('absent')
        const document = { $ref: '#/$defs/it', $defs: { it: schema } }
        expect(findInSchema(document, tokens).kind).not.toBe('absent')
        if (findInSchema(schema, [...tokens, 'none']).kind === 'absent') absent += 1
      }
    }),
    fuzz(500),
  )
  expect(absent).toBeGreaterThan(500)
})

test('no document makes it throw, or go on for long', () => {
  const keyword = fc.constantFrom(
    ...['properties', 'items', 'allOf', 'anyOf', '$ref', 'type', 'if', 'then', 'prefixItems'],
    ...['additionalProperties', 'dependencies', 'required', 'patternProperties', 'a'],
  )
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>(
        '#',
        '#/a',
        '#/properties/a',
        'object',
        'array',
        true,
        false,
        null,
        5,
      ),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(keyword, tie('any'), { maxKeys: 4 }),
    ),
  })).any
  fc.assert(
    fc.property(value, (schema) => {
      for (const pointer of ['/a', '/a/*', '/*/0/a']) answer(schema, pointer)
    }),
    fuzz(500),
  )
})
