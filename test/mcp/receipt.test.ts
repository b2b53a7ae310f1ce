import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { receiptEdits, receiptKey } from '../../src/mcp/receipt.ts'
import { splice } from '../../src/mcp/splice.ts'

const receipt = '{"seq":7}'
const before = '{"jsonrpc":"2.0","result":'
const after = ',"id":1}'

function withReceipt(result: string): string | undefined {
  const bytes = Buffer.from(`${before}${result}${after}`)
  const start = Buffer.byteLength(before)
  const span = { start, end: start + Buffer.byteLength(result) }
  const edits = receiptEdits(bytes, span, receipt)
  return edits && Buffer.from(splice(bytes, edits)).toString().slice(before.length, -after.length)
}

const member = `"${receiptKey}":${receipt}`

describe('a receipt stands in the `_meta` of', () => {
  test.each([
    ['an empty result', '{}', `{"_meta":{${member}}}`],
    ['an empty result with room', '{ \n}', `{"_meta":{${member}} \n}`],
    ['a result', '{"content":[]}', `{"_meta":{${member}},"content":[]}`],
    ['one with an empty `_meta`', '{"_meta":{},"a":1}', `{"_meta":{${member}},"a":1}`],
    ['one with a `_meta`', '{"a":1,"_meta": { "b":2}}', `{"a":1,"_meta": {${member}, "b":2}}`],
    [
      'one with numbers that no parser keeps',
      '{"n":1.00000000000000000001e400}',
      `{"_meta":{${member}},"n":1.00000000000000000001e400}`,
    ],
    [
      'one with a `_meta` further down only',
      '{"a":{"_meta":{}}}',
      `{"_meta":{${member}},"a":{"_meta":{}}}`,
    ],
    ['one with a name that only looks like it', '{"_Meta":{}}', `{"_meta":{${member}},"_Meta":{}}`],
    [
      'one with an escaped name',
      String.raw`{"\u005fmeta":{}}`,
      String.raw`{"\u005fmeta":{${member}}}`.replace('${member}', member),
    ],
    ['one with wider characters', '{"ü€😀":"\u2028"}', `{"_meta":{${member}},"ü€😀":"\u2028"}`],
  ])('%s', (_, result, expected) => {
    expect(withReceipt(result)).toBe(expected)
  })

  test('one in which a server has put one itself: it is replaced', () => {
    const forged = `{"_meta":{"a":1,"${receiptKey}":{"seq":1},"b":2}}`
    expect(withReceipt(forged)).toBe(`{"_meta":{"a":1,${member},"b":2}}`)
  })

  test('one in which a server has put several, so that every reader finds the same', () => {
    const forged = `{"_meta":{"${receiptKey}":1,"${receiptKey}":2},"_meta":{"x":3}}`
    expect(withReceipt(forged)).toBe(`{"_meta":{${member},${member}},"_meta":{${member},"x":3}}`)
  })

  test.each([
    '[]',
    '"text"',
    '1',
    'null',
    'true',
    '{"_meta":null}',
    '{"_meta":[]}',
    '{"_meta":{},"_meta":1}',
  ])('nothing where there is no place for it: %s', (result) => {
    expect(withReceipt(result)).toBeUndefined()
  })

  test('nothing where it stands too often to be known', () => {
    const many = Array.from({ length: 40 }, () => '"_meta":{}').join(',')
    expect(withReceipt(`{${many}}`)).toBeUndefined()
    const forged = Array.from({ length: 40 }, () => `"${receiptKey}":1`).join(',')
    expect(withReceipt(`{"_meta":{${forged}}}`)).toBeUndefined()
  })
})

test('law: without the receipt every byte is as it was, and with it the value is the same but for the receipt', () => {
  const meta = fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 }))
  const result = fc.record(
    { content: fc.jsonValue({ maxDepth: 2 }), _meta: meta, other: fc.jsonValue({ maxDepth: 1 }) },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(result, fc.constantFrom(0, 1, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const spliced = withReceipt(text) ?? ''
      const parsed = JSON.parse(spliced) as Record<string, Record<string, unknown> | undefined>
      expect(parsed['_meta']?.[receiptKey]).toEqual({ seq: 7 })
      const added = [`"_meta":{${member}},`, `"_meta":{${member}}`, `${member},`, member]
      expect(added.map((one) => spliced.replace(one, ''))).toContain(text)
    }),
    { seed: 4, numRuns: 300 },
  )
})
