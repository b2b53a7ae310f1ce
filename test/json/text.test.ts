import { isUtf8 } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { foldKey } from '../../src/json/fold.ts'
import { JsonError } from '../../src/json/json-error.ts'
import { scanLax } from '../../src/json/scan-lax.ts'
import { scanStrict } from '../../src/json/scan-strict.ts'
import { wanted } from '../../src/json/span.ts'
import { wideRunEnd } from '../../src/json/utf8.ts'

const nothing = wanted({})

test('UTF-8 is accepted exactly where the platform accepts it', () => {
  // The bytes next to every border of Unicode, table 3-7, in all sequences of four.
  const borders = [
    0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
    0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
  ]
  const wrong: string[] = []
  const bytes = new Uint8Array(4)
  for (const a of borders)
    for (const b of borders)
      for (const c of borders)
        for (const d of borders) {
          bytes.set([a, b, c, d])
          let at = 0
          while (at >= 0 && at < 4) at = (bytes[at] ?? 0) < 0x80 ? at + 1 : wideRunEnd(bytes, at)
          if ((at === 4) !== isUtf8(bytes)) wrong.push(Buffer.from(bytes).toString('hex'))
        }
  expect(wrong).toEqual([])
})

describe('a string is read alike wherever it stands', () => {
  /** The text between two quotes, `skew` bytes after a word's border, with bytes around it that must not count. */
  function quoted(text: Buffer, skew: number): Buffer {
    const around = Buffer.alloc(text.length + 16, 0x5c)
    const start = (-around.byteOffset & 3) + skew
    around[start] = 0x22
    text.copy(around, start + 1)
    around[start + text.length + 1] = 0x22
    return around.subarray(start, start + text.length + 2)
  }

  const outcome = (scan: (bytes: Buffer) => unknown, bytes: Buffer): unknown => {
    try {
      return scan(bytes)
    } catch (error) {
      if (error instanceof JsonError) return `${error.reason} at ${error.offset}`
      throw error
    }
  }

  const strict = (bytes: Buffer): unknown => scanStrict(bytes, nothing).value
  const lax = (bytes: Buffer): unknown => scanLax(bytes, nothing).end

  test('one special byte at every place, every length and every alignment', () => {
    const wrong: string[] = []
    for (let length = 1; length <= 28; length++) {
      for (let place = 0; place < length; place++) {
        for (const special of [
          0x00, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff,
        ]) {
          const text = Buffer.alloc(length, 'x')
          text[place] = special
          for (let skew = 0; skew < 4; skew++) {
            const bytes = quoted(text, skew)
            const expected = { strict: expectedStrict(text, place), lax: expectedLax(text, place) }
            const found = { strict: outcome(strict, bytes), lax: outcome(lax, bytes) }
            if (JSON.stringify(found) !== JSON.stringify(expected)) {
              wrong.push(
                `${special} at ${place} of ${length}, skew ${skew}: ${JSON.stringify(found)}`,
              )
            }
          }
        }
      }
    }
    expect(wrong).toEqual([])
  })

  /** What an `x` text with one other byte is, by looking at it; the quote is at 0. */
  function expectedLax(text: Buffer, place: number): unknown {
    const special = text[place] ?? 0
    if (special < 0x20) return `control_character at ${place + 1}`
    if (special === 0x22) return `trailing_bytes at ${place + 2}`
    if (special !== 0x5c) return text.length + 2
    // A backslash before an x is no escape; before the closing quote it takes it away.
    return place + 1 < text.length
      ? `bad_escape at ${place + 2}`
      : `truncated at ${text.length + 2}`
  }

  function expectedStrict(text: Buffer, place: number): unknown {
    const special = text[place] ?? 0
    if (special >= 0x80) return `invalid_utf8 at ${place + 1}`
    const asLax = expectedLax(text, place)
    return typeof asLax === 'number' ? text.toString('latin1') : asLax
  }

  test('escapes next to each other, to word borders and to the end', () => {
    for (const escape of ['\\n', '\\"', '\\\\', '\\u0041', '\\ud83d\\ude00']) {
      for (let before = 0; before < 14; before++) {
        for (let times = 1; times < 6; times++) {
          const text = 'x'.repeat(before) + escape.repeat(times) + 'y'.repeat(before % 5)
          const bytes = quoted(Buffer.from(text), before % 4)
          expect(strict(bytes)).toBe(JSON.parse(`"${text}"`))
          expect(lax(bytes)).toBe(bytes.length)
        }
      }
    }
  })

  test('short texts far apart and longer ones between them', () => {
    const texts = Array.from({ length: 400 }, (_, k) =>
      String.fromCharCode(97 + (k % 26)).repeat(k % 97),
    )
    const object = Object.fromEntries(
      texts.map((text, k) => [`${k % 40 === 0 ? 'long'.repeat(20) : 'k'}${k}`, text]),
    )
    const json = JSON.stringify([texts, object, texts.join('')])
    expect(JSON.stringify(strict(Buffer.from(json)))).toBe(json)
  })
})

describe('B2: the folded name of a key', () => {
  /** Most characters have no other form; the Hangul syllables have, but all by one rule. */
  const hasForms =
    /(?!\p{Script=Hangul})[\p{Changes_When_NFKC_Casefolded}\p{Changes_When_Casemapped}\p{L}\p{M}]/u

  test('is shared by all forms of every character that any reader folds to each other', () => {
    const apart: string[] = []
    for (let code = 0; code <= 0x10ffff; code++) {
      const character = String.fromCodePoint(code)
      if (!hasForms.test(character)) continue
      const folded = foldKey(`a${character}z`)
      const forms = new Set(
        (['NFC', 'NFD', 'NFKC', 'NFKD'] as const).map((form) => character.normalize(form)),
      )
      for (const form of [...forms, character]) {
        forms.add(form.toLowerCase()).add(form.toUpperCase())
        forms.add(form.toLocaleLowerCase('tr')).add(form.toLocaleUpperCase('tr'))
      }
      for (const form of forms) {
        if (foldKey(`a${form}z`) !== folded)
          apart.push(`U+${code.toString(16)} and ${escape(form)}`)
      }
    }
    expect(apart).toEqual([])
  })

  test('is the name itself for the names of the protocol that have no capitals', () => {
    for (const name of ['jsonrpc', 'id', 'method', 'params', '_meta', 'a-b.c/d', '', '0'])
      expect(foldKey(name)).toBe(name)
    expect(foldKey('progressToken')).toBe('progresstoken')
  })

  test.each([
    ['amount', 'am\u043eunt'],
    ['a', 'b'],
    ['path', 'path '],
    ['id', 'id\u200b'],
    ['a\u0301', 'a'],
  ])('keeps %s and %s apart', (a, b) => {
    expect(foldKey(a)).not.toBe(foldKey(b))
  })
})
