import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSegment } from '../../src/event/capability.ts'
import { escapeName, unescapeName } from '../../src/event/name.ts'

/** Names that live near the escape: pieces of escapes, hyphens, and what has to be escaped. */
const nearEscapes = fc
  .array(
    fc.constantFrom(
      '-',
      'x',
      '-x',
      '-x2',
      '-x2D',
      'x2D',
      '2D',
      '2F',
      '-x2f',
      '/',
      '*',
      '.',
      'é',
      'a',
    ),
    { maxLength: 8 },
  )
  .map((pieces) => pieces.join(''))
const anyText = fc.string({ unit: 'binary', maxLength: 20 })
const name = fc.oneof(nearEscapes, anyText)

describe('a name as a segment', () => {
  it.each([
    ['read_file', 'read_file'],
    ['update-status', 'update-status'],
    ['-x', '-x'],
    ['max-x2', 'max-x2'],
    ['fs/delete', 'fs-x2Fdelete'],
    ['*', '-x2A'],
    ['delete.production', 'delete-x2Eproduction'],
    ['delete\n', 'delete-x0A'],
    ['delete ', 'delete-x20'],
    ['dеlete', 'd-xD0-xB5lete'],
    ['\u202eeteled', '-xE2-x80-xAEeteled'],
    ['fs-x2Fdelete', 'fs-x2Dx2Fdelete'],
    ['fs-x2fdelete', 'fs-x2fdelete'],
    ['\ufeffa', '-xEF-xBB-xBFa'],
    ['', ''],
  ])('%j is %j, and back', (from, to) => {
    expect(escapeName(from)).toBe(to)
    expect(unescapeName(to)).toBe(from)
  })

  it.each(['\ud800', 'a\udc00b', '\udc00\ud800'])('half a character is refused: %j', (half) => {
    expect(() => escapeName(half)).toThrow(/half a character/)
  })

  it.each([
    ['an escape of what needs none', '-x41'],
    ['a byte that is no UTF-8', '-xFF'],
    ['an overlong form', '-xC0-xAF'],
    ['half a character', '-xED-xA0-x80'],
    ['an unescaped hyphen that must be', '-x2Fa-x2D'],
    ['what is no segment', 'a/b'],
    ['a newline behind', 'a\n'],
  ])('has no name behind it: %s', (_, segment) => {
    expect(unescapeName(segment)).toBeUndefined()
  })

  it('gives back every name: so no two names share a segment (B10)', () => {
    fc.assert(
      fc.property(name, (text) => {
        const segment = escapeName(text)
        expect(segment === '' || isSegment(segment)).toBe(true)
        expect(unescapeName(segment)).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  it('never joins two different names', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(escapeName(one) === escapeName(other)).toBe(one === other)
      }),
      { numRuns: 2000 },
    )
  })

  it('has exactly one name or none behind any segment', () => {
    const segments = fc
      .array(fc.constantFrom('-x', '-', 'x', '2', 'F', 'D', 'E2', '80', 'a'), { maxLength: 9 })
      .map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(segments, (segment) => {
        const back = unescapeName(segment)
        if (back !== undefined) expect(escapeName(back)).toBe(segment)
      }),
      { numRuns: 2000 },
    )
  })
})
