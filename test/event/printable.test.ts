import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearestName } from '../../src/event/nearest.ts'
import { printable } from '../../src/event/printable.ts'

describe('text shown to a person (B30)', () => {
  it.each([
    ['plain text', 'rm -rf /', 'rm -rf /'],
    ['letters of any script', 'Zürich 東京', 'Zürich 東京'],
    ['a terminal escape', '\u001b[31mred', '\\u{1b}[31mred'],
    ['a line break', 'a\nb', 'a\\u{a}b'],
    ['a bidi override', '\u202eevil', '\\u{202e}evil'],
    ['a zero-width space', 'a\u200bb', 'a\\u{200b}b'],
    ['a tag character', '\u{e0041}', '\\u{e0041}'],
    ['a no-break space', 'a\u00a0b', 'a\\u{a0}b'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['half a character', '\ud800', '\\u{d800}'],
    ['nothing', '', ''],
  ])('%s', (_, text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('is cut with an ellipsis, never inside an escape', () => {
    expect(printable('abcdef', 6)).toBe('abcdef')
    expect(printable('abcdefg', 6)).toBe('abcde…')
    expect(printable('abc\n\n', 6)).toBe('abc…')
  })

  it('is never longer than asked, and holds nothing unprintable', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 80 }), (text, most) => {
        const shown = printable(text, most)
        expect(shown.length).toBeLessThanOrEqual(most)
        expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})

describe('the nearest known name', () => {
  const known = ['arguments', 'actor', 'action', 'environment', 'risk']
  it.each([
    ['argument', 'arguments'],
    ['Actor', 'actor'],
    ['atcor', 'actor'],
    ['enviroment', 'environment'],
    ['rsik', 'risk'],
    ['payload', undefined],
    ['x', undefined],
    ['', undefined],
    ['a'.repeat(100_000), undefined],
  ])('of %.12s is %s', (name, nearest) => {
    expect(nearestName(name, known)).toBe(nearest)
  })
})
