import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pieces, splice } from '../../src/mcp/splice.ts'
import type { Edit } from '../../src/mcp/splice.ts'

const bytes = Buffer.from('0123456789')
const edit = (start: number, end: number, text: string): Edit => ({ span: { start, end }, text })
const spliced = (...edits: readonly Edit[]): string => Buffer.from(splice(bytes, edits)).toString()

describe('splicing', () => {
  test.each<[string, readonly Edit[], string]>([
    ['nothing', [], '0123456789'],
    ['the start', [edit(0, 1, 'ab')], 'ab123456789'],
    ['the end', [edit(9, 10, '')], '012345678'],
    ['everything', [edit(0, 10, 'x')], 'x'],
    ['an insertion', [edit(5, 5, '|')], '01234|56789'],
    ['an insertion behind', [edit(10, 10, '|')], '0123456789|'],
    ['neighbours', [edit(2, 4, 'a'), edit(4, 6, 'b')], '01ab6789'],
    ['any order', [edit(8, 9, 'c'), edit(0, 1, 'a'), edit(4, 5, 'b')], 'a123b567c9'],
    ['wider characters', [edit(1, 2, '\u20ac')], '0\u20ac23456789'],
  ])('%s', (_, edits, expected) => {
    expect(spliced(...edits)).toBe(expected)
  })

  test('edits that overlap, or lie outside, are a bug', () => {
    expect(() => spliced(edit(0, 3, ''), edit(2, 4, ''))).toThrow(/^bug:/)
    expect(() => spliced(edit(2, 4, ''), edit(2, 4, ''))).toThrow(/^bug:/)
    expect(() => spliced(edit(4, 3, ''))).toThrow(/^bug:/)
    expect(() => spliced(edit(9, 11, ''))).toThrow(/^bug:/)
    expect(() => spliced(edit(-1, 1, ''))).toThrow(/^bug:/)
  })

  test('the pieces that stay are views, not copies', () => {
    const parts = pieces(bytes, [edit(4, 6, 'x')])
    expect(parts.map(String)).toEqual(['0123', 'x', '6789'])
    expect(parts[0]?.buffer).toBe(bytes.buffer)
    expect(parts[2]?.buffer).toBe(bytes.buffer)
  })

  test('is what cutting the text by hand gives, and never changes the message', () => {
    const cuts = fc.uniqueArray(fc.nat(10), { minLength: 2, maxLength: 8 })
    fc.assert(
      fc.property(cuts, fc.array(fc.string(), { minLength: 4, maxLength: 4 }), (places, texts) => {
        const sorted = places.toSorted((a, b) => a - b)
        const edits = texts.flatMap((text, k) => {
          const [start, end] = [sorted[2 * k], sorted[2 * k + 1]]
          return start === undefined || end === undefined ? [] : [edit(start, end, text)]
        })
        let expected = ''
        let at = 0
        for (const { span, text } of edits) {
          expected += '0123456789'.slice(at, span.start) + Buffer.from(text).toString()
          at = span.end
        }
        expect(spliced(...edits.toReversed())).toBe(expected + '0123456789'.slice(at))
        expect(bytes.toString()).toBe('0123456789')
      }),
    )
  })
})
