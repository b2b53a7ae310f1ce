import { describe, expect, test } from 'vitest'
import { JsonError } from '../../src/json/json-error.ts'
import type { JsonReason } from '../../src/json/json-error.ts'
import { scanStrict } from '../../src/json/scan-strict.ts'
import { wanted } from '../../src/json/span.ts'
import { limits } from '../../src/limits.ts'

const nothing = wanted({})

/** Bytes of a text in which `<ff>` stands for a byte that need not be UTF-8. */
function bytesOf(text: string): Buffer {
  const parts = text.split(/(<[0-9a-f]{2}>)/)
  return Buffer.concat(
    parts.map((part) =>
      part.startsWith('<') ? Buffer.of(Number.parseInt(part.slice(1), 16)) : Buffer.from(part),
    ),
  )
}

function refusal(bytes: Uint8Array): JsonError {
  try {
    scanStrict(bytes, nothing)
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
  throw new Error('accepted')
}

interface Refused {
  readonly name: string
  readonly text: string
  readonly reason: JsonReason
  readonly offset: number
}

/** Each with the place where it has to be noticed. */
const refused: readonly Refused[] = [
  { name: 'nothing', text: '', reason: 'truncated', offset: 0 },
  { name: 'only white space', text: ' \t\r\n', reason: 'truncated', offset: 4 },
  { name: 'a bare word', text: 'hello', reason: 'syntax', offset: 0 },
  { name: 'a word that starts like a literal', text: 'nul', reason: 'truncated', offset: 3 },
  { name: 'a literal in capitals', text: '[True]', reason: 'syntax', offset: 1 },
  { name: 'a literal with one more letter', text: 'nulll', reason: 'trailing_bytes', offset: 4 },
  { name: 'NaN', text: '{"a":NaN}', reason: 'syntax', offset: 5 },
  { name: 'Infinity', text: '[Infinity]', reason: 'syntax', offset: 1 },
  { name: 'minus Infinity', text: '[-Infinity]', reason: 'bad_number', offset: 2 },
  { name: 'a text in single quotes', text: "{'a':1}", reason: 'syntax', offset: 1 },
  { name: 'a key without quotes', text: '{a:1}', reason: 'syntax', offset: 1 },
  { name: 'a number as key', text: '{1:1}', reason: 'syntax', offset: 1 },
  { name: 'a trailing comma in an object', text: '{"a":1,}', reason: 'syntax', offset: 7 },
  { name: 'a trailing comma in an array', text: '[1,]', reason: 'syntax', offset: 3 },
  { name: 'a leading comma', text: '[,1]', reason: 'syntax', offset: 1 },
  { name: 'a missing comma', text: '[1 2]', reason: 'syntax', offset: 3 },
  { name: 'a missing colon', text: '{"a" 1}', reason: 'syntax', offset: 5 },
  { name: 'a colon in an array', text: '[1:2]', reason: 'syntax', offset: 2 },
  { name: 'an object closed as an array', text: '{"a":1]', reason: 'syntax', offset: 6 },
  { name: 'an array closed as an object', text: '[1}', reason: 'syntax', offset: 2 },
  { name: 'an object that is cut off', text: '{"a":1', reason: 'truncated', offset: 6 },
  { name: 'a key that is cut off', text: '{"a', reason: 'truncated', offset: 3 },
  { name: 'an escape that is cut off', text: '"\\', reason: 'truncated', offset: 2 },
  { name: 'a code unit that is cut off', text: '"\\u00', reason: 'truncated', offset: 5 },
  { name: 'a line comment', text: '{"a":1}//', reason: 'trailing_bytes', offset: 7 },
  { name: 'a block comment', text: '{"a":/**/1}', reason: 'syntax', offset: 5 },
  { name: 'a second value', text: '{}{}', reason: 'trailing_bytes', offset: 2 },
  { name: 'a NUL after the value', text: '{}<00>', reason: 'trailing_bytes', offset: 2 },
  { name: 'a NUL between tokens', text: '[<00>]', reason: 'syntax', offset: 1 },
  { name: 'a form feed between tokens', text: '[\f1]', reason: 'syntax', offset: 1 },
  { name: 'a no-break space between tokens', text: '[\u00a01]', reason: 'syntax', offset: 1 },
  { name: 'a byte order mark', text: '\ufeff{}', reason: 'byte_order_mark', offset: 0 },
  { name: 'a byte order mark inside', text: '[\ufeff1]', reason: 'syntax', offset: 1 },

  { name: 'a leading zero', text: '[01]', reason: 'syntax', offset: 2 },
  { name: 'a plus sign', text: '[+1]', reason: 'syntax', offset: 1 },
  { name: 'a number that is only a sign', text: '[-]', reason: 'bad_number', offset: 2 },
  { name: 'a point without digits before', text: '[.5]', reason: 'syntax', offset: 1 },
  { name: 'a point without digits behind', text: '[5.]', reason: 'bad_number', offset: 3 },
  { name: 'an exponent without digits', text: '[5e]', reason: 'bad_number', offset: 3 },
  { name: 'an exponent with only a sign', text: '[5e+]', reason: 'bad_number', offset: 4 },
  { name: 'a hexadecimal number', text: '[0x10]', reason: 'syntax', offset: 2 },
  { name: 'a number with separators', text: '[1_000]', reason: 'syntax', offset: 2 },
  { name: 'a number that is cut off', text: '[-', reason: 'truncated', offset: 2 },

  { name: 'a raw line feed in a text', text: '"a\nb"', reason: 'control_character', offset: 2 },
  { name: 'a raw NUL in a text', text: '"a<00>b"', reason: 'control_character', offset: 2 },
  { name: 'a raw tab in a key', text: '{"a\t":1}', reason: 'control_character', offset: 3 },
  { name: 'the last control character', text: '"<1f>"', reason: 'control_character', offset: 1 },
  { name: 'an unknown escape', text: '"\\a"', reason: 'bad_escape', offset: 2 },
  { name: 'a hexadecimal escape', text: '"\\x41"', reason: 'bad_escape', offset: 2 },
  { name: 'an escaped quote in single', text: '"\\\'"', reason: 'bad_escape', offset: 2 },
  { name: 'a code unit in capital U', text: '"\\U0041"', reason: 'bad_escape', offset: 2 },
  { name: 'a code unit with a bad digit', text: '"\\u00g0"', reason: 'bad_escape', offset: 5 },

  { name: 'a continuation byte alone', text: '"<80>"', reason: 'invalid_utf8', offset: 1 },
  { name: 'a sequence that is cut off', text: '"<e2><82>"', reason: 'invalid_utf8', offset: 1 },
  { name: 'an overlong slash', text: '"<c0><af>"', reason: 'invalid_utf8', offset: 1 },
  { name: 'an overlong form of two', text: '"<c1><bf>"', reason: 'invalid_utf8', offset: 1 },
  {
    name: 'an overlong form of three',
    text: '"<e0><9f><bf>"',
    reason: 'invalid_utf8',
    offset: 1,
  },
  {
    name: 'an overlong form of four',
    text: '"<f0><8f><bf><bf>"',
    reason: 'invalid_utf8',
    offset: 1,
  },
  { name: 'a surrogate in bytes', text: '"<ed><a0><80>"', reason: 'invalid_utf8', offset: 1 },
  {
    name: 'beyond the last character',
    text: '"<f4><90><80><80>"',
    reason: 'invalid_utf8',
    offset: 1,
  },
  {
    name: 'a lead byte that never is',
    text: '"<f5><80><80><80>"',
    reason: 'invalid_utf8',
    offset: 1,
  },
  {
    name: 'a bad byte after good ones',
    text: '"é\u20ac😀<c3>"',
    reason: 'invalid_utf8',
    offset: 10,
  },
  { name: 'ISO 8859-1', text: '"caf<e9>"', reason: 'invalid_utf8', offset: 4 },
  { name: 'UTF-16', text: '<ff><fe>{<00>}<00>', reason: 'syntax', offset: 0 },

  { name: 'a high surrogate alone', text: '"\\ud800"', reason: 'lone_surrogate', offset: 1 },
  { name: 'a low surrogate alone', text: '"\\udfff"', reason: 'lone_surrogate', offset: 1 },
  {
    name: 'surrogates in the wrong order',
    text: '"\\udc00\\ud800"',
    reason: 'lone_surrogate',
    offset: 1,
  },
  { name: 'two high surrogates', text: '"\\ud800\\ud800"', reason: 'lone_surrogate', offset: 1 },
  { name: 'two low surrogates', text: '"\\udc00\\udc00"', reason: 'lone_surrogate', offset: 1 },
  { name: 'a high one, then none', text: '"\\ud800\\ue000"', reason: 'lone_surrogate', offset: 1 },
  {
    name: 'a high surrogate before a letter',
    text: '"\\ud800a"',
    reason: 'lone_surrogate',
    offset: 1,
  },
  {
    name: 'a high surrogate before \\n',
    text: '"\\ud83d\\n"',
    reason: 'lone_surrogate',
    offset: 1,
  },
  { name: 'a lone surrogate in a key', text: '{"\\ud800":1}', reason: 'lone_surrogate', offset: 2 },
]

describe('B4: the strict reader refuses', () => {
  test.each(refused)('$name: $text', ({ text, reason, offset }) => {
    expect(refusal(bytesOf(text))).toMatchObject({ code: 'JSON_INVALID', reason, offset })
  })
})

const ambiguous: readonly { name: string; keys: readonly [string, string]; reason: JsonReason }[] =
  [
    { name: 'the same key', keys: ['a', 'a'], reason: 'duplicate_key' },
    { name: 'the same empty key', keys: ['', ''], reason: 'duplicate_key' },
    { name: 'the same key, once escaped', keys: ['path', '\\u0070ath'], reason: 'duplicate_key' },
    { name: 'the same number', keys: ['1', '1'], reason: 'duplicate_key' },
    { name: 'another case', keys: ['path', 'Path'], reason: 'ambiguous_key' },
    { name: 'two other cases', keys: ['PATH', 'Path'], reason: 'ambiguous_key' },
    { name: 'an escaped other case', keys: ['path', '\\u0050ath'], reason: 'ambiguous_key' },
    { name: 'the long s', keys: ['params', 'param\u017f'], reason: 'ambiguous_key' },
    { name: 'the Kelvin sign', keys: ['k', '\u212a'], reason: 'ambiguous_key' },
    { name: 'the capital dotted i', keys: ['id', '\u0130d'], reason: 'ambiguous_key' },
    { name: 'the dotless i', keys: ['id', '\u0131d'], reason: 'ambiguous_key' },
    { name: 'the sharp s and its capital', keys: ['\u00df', '\u1e9e'], reason: 'ambiguous_key' },
    { name: 'the sharp s and ss', keys: ['stra\u00dfe', 'strasse'], reason: 'ambiguous_key' },
    { name: 'the two small sigmas', keys: ['\u03c3', '\u03c2'], reason: 'ambiguous_key' },
    {
      name: 'full width letters',
      keys: ['path', '\uff50\uff41\uff54\uff48'],
      reason: 'ambiguous_key',
    },
    { name: 'a ligature', keys: ['file', '\ufb01le'], reason: 'ambiguous_key' },
    { name: 'composed and decomposed', keys: ['\u00e9', 'e\u0301'], reason: 'ambiguous_key' },
    { name: 'a tab for a t', keys: ['amount', 'amoun\\t'], reason: 'ambiguous_key' },
    { name: 'a line feed for an n', keys: ['name', '\\u000aame'], reason: 'ambiguous_key' },
    { name: 'a NUL and more', keys: ['path', 'path\\u0000x'], reason: 'ambiguous_key' },
    { name: 'a NUL and nothing', keys: ['path', 'path\\u0000'], reason: 'ambiguous_key' },
    { name: 'two tails after a NUL', keys: ['p\\u0000a', 'p\\u0000b'], reason: 'ambiguous_key' },
    {
      name: 'a NUL in front and the empty key',
      keys: ['', '\\u0000path'],
      reason: 'ambiguous_key',
    },
  ]

describe('B2: two keys of one object that a reader could take for one are refused', () => {
  test.each(ambiguous)('$name', ({ keys: [first, second], reason }) => {
    for (const [a, b] of [
      [first, second],
      [second, first],
    ]) {
      const text = Buffer.from(`{"${a}":1,"between":{},"${b}":2}`)
      expect(refusal(text)).toMatchObject({
        reason,
        offset: Buffer.byteLength(`{"${a}":1,"between":{},`),
      })
      expect(refusal(Buffer.from(`[{"x":${text.toString()}}]`)).reason).toBe(reason)
    }
  })

  test('the same keys in two objects are no conflict', () => {
    const text = '[{"a":{"a":{"A":1}}},{"a":2},{"A":3}]'
    expect(() => scanStrict(Buffer.from(text), nothing)).not.toThrow()
  })

  test('keys that only look alike are no conflict', () => {
    // A Cyrillic and a Latin a; a zero width space; names that no known reader takes for one another.
    const text =
      '{"a":1,"\u0430":2,"a\u200b":3,"constructor":4,"toString":5,"hasOwnProperty":6,"prototype":7}'
    const { value } = scanStrict(Buffer.from(text), nothing)
    expect(Object.keys(Object(value))).toHaveLength(7)
  })
})

test('B31: `__proto__` is refused as a key, however it is written', () => {
  for (const key of ['__proto__', '\\u005f_proto__', '__prot\\u006f__']) {
    expect(refusal(Buffer.from(`{"a":[{"${key}":{"admin":true}}]}`)).reason).toBe('proto_key')
  }
})

test('B31: as a value `__proto__` is a text, and other names of the prototype are ordinary keys', () => {
  const text = '{"constructor":{"prototype":1},"toString":"__proto__","valueOf":null}'
  const { value } = scanStrict(Buffer.from(text), nothing)
  expect(Object.getPrototypeOf(value)).toBe(null)
  expect(Object.entries(Object(value)).map(([name]) => name)).toEqual([
    'constructor',
    'toString',
    'valueOf',
  ])
})

const nested = (levels: number, open: string, close: string): Buffer =>
  Buffer.from(`${open.repeat(levels)}1${close.repeat(levels)}`)

describe('B32: bounds, on both sides', () => {
  test.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('the depth of %s', (_, open, close) => {
    expect(() => scanStrict(nested(limits.maxJsonDepth, open, close), nothing)).not.toThrow()
    expect(refusal(nested(limits.maxJsonDepth + 1, open, close)).reason).toBe('too_deep')
    expect(refusal(nested(1_000_000, open, close)).reason).toBe('too_deep')
    expect(refusal(Buffer.from(open.repeat(1_000_000))).reason).toBe('too_deep')
  })

  test('the depth counts where an empty object or array stands, too', () => {
    const around = (inner: string): Buffer =>
      Buffer.from('['.repeat(limits.maxJsonDepth) + inner + ']'.repeat(limits.maxJsonDepth))
    expect(() => scanStrict(around('1'), nothing)).not.toThrow()
    expect(refusal(around('{}')).reason).toBe('too_deep')
    expect(refusal(around('[]')).reason).toBe('too_deep')
  })

  test('the members of arrays and objects together', () => {
    const half = limits.maxJsonMembers / 2
    // The two outer members count as well.
    const withElements = (count: number): Buffer => {
      const members = Array.from({ length: half - 2 }, (_, k) => `"k${k}":0`).join(',')
      return Buffer.from(`{"a":{${members}},"b":[${Array(count).fill('0').join(',')}]}`)
    }
    expect(() => scanStrict(withElements(half), nothing)).not.toThrow()
    expect(refusal(withElements(half + 1)).reason).toBe('too_many_members')
  })
})

describe('B32: keys outside ASCII, whose comparison is dear', () => {
  const withKeys = (keys: readonly string[]): Buffer =>
    Buffer.from(`{${keys.map((key) => `"${key}":0`).join(',')}}`)

  test('one key', () => {
    const atBound = '\u00e9'.repeat(limits.maxWideKeyCharacters)
    expect(() => scanStrict(withKeys([atBound]), nothing)).not.toThrow()
    expect(refusal(withKeys([`${atBound}e`])).reason).toBe('key_too_long')
    // Of ASCII any length is cheap.
    const long = 'K'.repeat(1_000_000)
    expect(() => scanStrict(withKeys([long]), nothing)).not.toThrow()
    expect(refusal(withKeys([long, long.toLowerCase()])).reason).toBe('ambiguous_key')
  })

  test('all different keys of a message together', () => {
    const length = limits.maxWideKeyCharacters
    const fitting = Math.floor(limits.maxWideKeysCharacters / length)
    const keys = Array.from({ length: fitting + 1 }, (_, k) => String(k).padEnd(length, '\u4e00'))
    expect(() => scanStrict(withKeys(keys.slice(0, fitting)), nothing)).not.toThrow()
    expect(refusal(withKeys(keys)).reason).toBe('key_too_long')
    // The same keys in many objects count once.
    const rows = Array.from({ length: 200 }, () => withKeys(keys.slice(0, 20)).toString())
    expect(() => scanStrict(Buffer.from(`[${rows.join(',')}]`), nothing)).not.toThrow()
  })

  test('a key of marks that have to be put in order, which takes quadratic time, is refused at once', () => {
    const marks = Buffer.from(`{"a${'\u0301\u0316'.repeat(5_000_000)}":1}`)
    expect(refusal(marks)).toMatchObject({ reason: 'key_too_long', offset: 1 })
  })
})

describe('a complaint shows little, and nothing that could act', () => {
  test.each([
    [
      'a terminal escape',
      '\u001b]0;owned\u0007'.replaceAll('\u001b', '\\u001b').replaceAll('\u0007', '\\u0007'),
    ],
    ['a right-to-left override', '\u202egpj.exe'],
    ['a zero width space and tags', 'a\u200b\u{e0041}'],
    ['a long name', 'n'.repeat(100_000)],
    ['a long name of wide characters', '\u{1f600}'.repeat(200)],
    ['line breaks and quotes', 'a\\n\\"b\\\\'],
  ])('%s', (_, key) => {
    const { message } = refusal(Buffer.from(`{"${key}":1,"${key}":2}`))
    expect(message).toMatch(/^key "[ -~]*" at byte [0-9]+ \[duplicate_key\]$/)
    expect(message.length).toBeLessThanOrEqual(64 + 50)
  })
})
