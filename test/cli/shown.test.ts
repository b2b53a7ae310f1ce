import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cut, jsonLine, shown, shownJson, widthOf } from '../../src/cli/shown.ts'

const unshown = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u

describe('B30: what does not show is shown as what it is', () => {
  const cases: readonly (readonly [name: string, text: string, shown: string])[] = [
    ['plain text', 'rm -rf / ~`"\'', 'rm -rf / ~`"\''],
    ['letters of every script', 'Grüße 你好 שלום नमस्ते 😀 é', 'Grüße 你好 שלום नमस्ते 😀 é'],
    ['a backslash', String.raw`C:\u{41}`, String.raw`C:\u{41}`],
    ['a terminal escape', '\u001B[31m', String.raw`\u{1b}[31m`],
    ['its one-byte form', '\u009B31m', String.raw`\u{9b}31m`],
    ['a title change', '\u001B]0;x\u0007', String.raw`\u{1b}]0;x\u{7}`],
    ['a line break', 'a\nb\rc', String.raw`a\u{a}b\u{d}c`],
    ['a tab and a backspace', 'a\tb\b', String.raw`a\u{9}b\u{8}`],
    ['delete', '\u007F', String.raw`\u{7f}`],
    ['a line separator', '\u2028\u2029', String.raw`\u{2028}\u{2029}`],
    ['right-to-left override', '\u202Egpj.exe', String.raw`\u{202e}gpj.exe`],
    ['an isolate', '\u2066x\u2069', String.raw`\u{2066}x\u{2069}`],
    [
      'zero width',
      'a\u200B\u200C\u200D\uFEFF\u2060',
      String.raw`a\u{200b}\u{200c}\u{200d}\u{feff}\u{2060}`,
    ],
    ['a soft hyphen', 'pass\u00ADword', String.raw`pass\u{ad}word`],
    ['tag characters', '\u{E0041}\u{E007F}', String.raw`\u{e0041}\u{e007f}`],
    ['variation selectors', 'a\uFE0F\u{E0100}', String.raw`a\u{fe0f}\u{e0100}`],
    [
      'fillers that look like nothing',
      '\u3164\u115F\uFFA0\u2800',
      String.raw`\u{3164}\u{115f}\u{ffa0}\u{2800}`,
    ],
    ['spaces that are none', 'a\u00A0b\u3000c', String.raw`a\u{a0}b\u{3000}c`],
    ['half a pair', 'a\uD800b', String.raw`a\u{d800}b`],
    ['private use', '\uE000', String.raw`\u{e000}`],
    ['an interlinear annotation', '\uFFF9', String.raw`\u{fff9}`],
  ]
  test.each(cases)('%s', (_, text, expected) => {
    expect(shown(text)).toBe(expected)
  })

  test('law: nothing unseen is left, and what was seen stays', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        expect(shown(text)).not.toMatch(unshown)
        if (!unshown.test(text) && !/[^\S ]/u.test(text)) expect(shown(text)).toBe(text)
      }),
    )
  })

  test('law: JSON stays the same JSON', () => {
    const value = fc.jsonValue({ stringUnit: 'binary' })
    fc.assert(
      fc.property(value, (json) => {
        const line = jsonLine(json)
        expect(line.endsWith('\n')).toBe(true)
        expect(line.slice(0, -1)).not.toMatch(unshown)
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(json)))
      }),
    )
  })

  test('in JSON a character above the first plane is two escapes', () => {
    expect(shownJson('"\u{E0041}\u0085"')).toBe(String.raw`"\udb40\udc41\u0085"`)
  })
})

describe('widths', () => {
  const cases: readonly (readonly [text: string, width: number])[] = [
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['你好', 4],
    ['ｆｕｌｌ', 8],
    ['한국', 4],
    ['😀', 2],
    ['“”', 2],
  ]
  test.each(cases)('%s has %i columns', (text, width) => {
    expect(widthOf(text)).toBe(width)
  })

  test('a cut text fits, and says that it is cut', () => {
    expect(cut('abcdef', 6)).toBe('abcdef')
    expect(cut('abcdef', 5)).toBe('abcd…')
    expect(cut('你好吗', 5)).toBe('你好…')
    expect(cut('你好吗', 4)).toBe('你…')
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 20 }),
        (text, columns) => {
          expect(widthOf(cut(shown(text), columns))).toBeLessThanOrEqual(columns)
        },
      ),
    )
  })
})
