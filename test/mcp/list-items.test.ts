import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arrayItems, objectMembers } from '../../src/mcp/list-items.ts'
import { textAt } from '../../src/mcp/rpc-id.ts'

const whole = (bytes: Uint8Array): { start: number; end: number } => ({
  start: 0,
  end: bytes.length,
})

test('the items of an array are what JSON.parse sees, as they were written', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.nat(3), (values, indent) => {
      const bytes = Buffer.from(JSON.stringify(values, undefined, indent))
      const items = arrayItems(bytes, whole(bytes)).map((span) => textAt(bytes, span))
      expect(items.map((item): unknown => JSON.parse(item))).toEqual(
        JSON.parse(JSON.stringify(values)),
      )
    }),
  )
})

test('the members of an object are what JSON.parse sees', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(3), (object, indent) => {
      const text = JSON.stringify(object, undefined, indent)
      const bytes = Buffer.from(text)
      const members = objectMembers(bytes, whole(bytes)).map(({ name, value }) => [
        name,
        JSON.parse(textAt(bytes, value)) as unknown,
      ])
      expect(Object.fromEntries(members)).toEqual(JSON.parse(text))
    }),
  )
})

test('numbers, escapes and duplicate names are left as they are', () => {
  const bytes = Buffer.from('[9223372036854775807, "a\\"],b" ,{"n":1e400,"n":2}]')
  const items = arrayItems(bytes, whole(bytes))
  expect(items.map((span) => textAt(bytes, span))).toEqual([
    '9223372036854775807',
    '"a\\"],b"',
    '{"n":1e400,"n":2}',
  ])
  const [, , object = whole(bytes)] = items
  expect(objectMembers(bytes, object).map(({ name }) => name)).toEqual(['n', 'n'])
})

test.each(['[]', '[ ]', '[\n]'])('%j has no items', (text) => {
  expect(arrayItems(Buffer.from(text), { start: 0, end: text.length })).toEqual([])
})
