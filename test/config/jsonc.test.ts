import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Node } from '../../src/config/jsonc.ts'
import { parseJsonc } from '../../src/config/jsonc.ts'
import { limits } from '../../src/limits.ts'

interface Complaint {
  readonly at: number
  readonly message: string
  readonly hint: string | undefined
}

function read(text: string): { node: Node | undefined; complaints: Complaint[] } {
  const complaints: Complaint[] = []
  const node = parseJsonc(text, (at, message, hint) => complaints.push({ at, message, hint }))
  return { node, complaints }
}

/** What `JSON.parse` would have made of it. */
function plain(node: Node): unknown {
  switch (node.kind) {
    case 'object': {
      const object: Record<string, unknown> = {}
      for (const { name, value } of node.members) {
        Object.defineProperty(object, name, {
          value: plain(value),
          enumerable: true,
          configurable: true,
          writable: true,
        })
      }
      return object
    }
    case 'list':
      return node.items.map(plain)
    case 'number':
      return Number(node.text)
    case 'text':
    case 'literal':
      return node.value
    default:
      return node satisfies never
  }
}

describe('comments and trailing commas are read, everything else is JSON', () => {
  const cases: readonly (readonly [name: string, text: string, value: unknown])[] = [
    ['a line comment', '// note\n{"a": 1} // end', { a: 1 }],
    ['a block comment anywhere', '/*x*/{/**/"a"/*y*/:/*z*/1/***/}/* */', { a: 1 }],
    ['a comment that holds a quote', '{"a": 1 /* " */}', { a: 1 }],
    ['a text that holds a comment', '{"a": "// /* x */"}', { a: '// /* x */' }],
    ['a trailing comma in an object', '{"a": 1,}', { a: 1 }],
    ['a trailing comma in a list', '[1, 2 , ]', [1, 2]],
    ['a byte order mark', '\uFEFF{"a": 1}', { a: 1 }],
    ['line ends of Windows', '{\r\n"a": 1\r\n}\r\n', { a: 1 }],
    ['escapes', String.raw`"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`, '"\\/\b\f\n\r\té😀'],
    [
      'a prototype name is a name',
      '{"__proto__": {"x": 1}}',
      JSON.parse('{"__proto__": {"x": 1}}'),
    ],
  ]
  test.each(cases)('%s', (_, text, value) => {
    const { node, complaints } = read(text)
    expect(complaints).toEqual([])
    expect(node && plain(node)).toEqual(value)
  })
})

describe('what is not, is refused where it stands', () => {
  const cases: readonly (readonly [
    name: string,
    text: string,
    at: number,
    message: string,
    hint?: string | undefined,
  ])[] = [
    ['nothing', '', 0, 'expected a value, found the end of the file'],
    ['only a comment', '// a', 4, 'expected a value, found the end of the file'],
    ['two values', '{} {}', 3, 'expected the end of the file, found `{`'],
    ['an object that is never closed', '{"a": 1', 0, '`{` is never closed'],
    ['an inner list that is never closed', '{"a": [1', 6, '`[` is never closed'],
    ['a comment that is never closed', '{} /* x', 3, 'a comment is never closed'],
    ['a text that is never closed', '"ab', 0, 'a text is never closed'],
    [
      'a text over two lines',
      '"a\nb"',
      0,
      'a text is not closed on its line',
      'write a line break as `\\n`',
    ],
    ['a tab in a text', '"a\tb"', 2, 'a control character inside a text', 'write it as `\\u0009`'],
    ['a missing comma', '{"a": 1 "b": 2}', 8, 'expected `,` or `}`, found `"`'],
    ['two commas', '[1,,2]', 3, 'expected a value, found `,`', 'remove the extra comma'],
    ['a comma first', '{,"a":1}', 1, 'expected a name in double quotes, found `,`'],
    ['a name without quotes', '{a: 1}', 1, 'expected a name in double quotes, found `a`'],
    ['a missing colon', '{"a" 1}', 5, 'expected `:` after `a`, found `1`'],
    ['single quotes', "['a']", 1, "expected a value, found `'`", 'texts stand in double quotes'],
    ['a hash comment', '# a', 0, 'expected a value, found `#`', 'comments start with `//`'],
    ['True', '[True]', 1, 'expected a value, found `True`'],
    ['NaN', '[NaN]', 1, 'expected a value, found `NaN`'],
    ['a leading zero', '[01]', 1, 'expected a value, found `01`'],
    ['a plus sign', '[+1]', 1, 'expected a value, found `+1`'],
    ['a bare point', '[1.]', 1, 'expected a value, found `1.`'],
    ['hex', '[0x10]', 1, 'expected a value, found `0x10`'],
    ['a lone slash', '[1 / 2]', 3, 'expected a value or a comment, found `/`'],
    [
      'a Windows path',
      String.raw`"C:\Users"`,
      3,
      'unknown escape in a text',
      'write a backslash as `\\\\`, also in Windows paths',
    ],
    ['half a surrogate pair', String.raw`"\ud800"`, 0, 'a text with half a surrogate pair'],
    ['a no-break space outside texts', '[\u00a01]', 1, 'expected a value, found `\\u{a0}`'],
  ]
  for (const [name, text, at, message, hint] of cases) {
    test(name, () => {
      const { node, complaints } = read(text)
      expect(node).toBeUndefined()
      expect(complaints).toEqual([{ at, message, hint }])
    })
  }

  test('B25: a name written twice is a complaint for each repetition, escaped or not', () => {
    const { complaints } = read(String.raw`{"a": 1, "\u0061": 2, "b": {"c": 1, "c": 2}}`)
    expect(complaints.map(({ at, message }) => [at, message])).toEqual([
      [9, '`a` is written twice'],
      [36, '`c` is written twice'],
    ])
  })

  test('nesting is bounded on both sides of the limit', () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
    expect(read(nested(limits.maxConfigDepth)).complaints).toEqual([])
    expect(read(nested(limits.maxConfigDepth + 1)).complaints[0]?.message).toContain(
      'nested deeper',
    )
    expect(read('['.repeat(1_000_000)).complaints).toHaveLength(1)
  })
})

describe('law: JSON is read as JSON.parse reads it', () => {
  const depth = { maxDepth: 8 }

  test('every JSON text', () => {
    fc.assert(
      fc.property(fc.jsonValue(depth), (value) => {
        const { node, complaints } = read(JSON.stringify(value, null, 2))
        expect(complaints).toEqual([])
        expect(node && plain(node)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('texts that are nearly JSON are accepted by both or by none', () => {
    // Without `/` there are no comments, and a comma before a bracket is told apart below.
    const letters = fc.constantFrom(...'{}[]:,"\\u0019e.-+truefalsn \n\t'.split(''))
    const nearly = fc
      .tuple(
        fc.jsonValue(depth),
        fc.array(fc.tuple(fc.nat(), letters, fc.boolean()), { maxLength: 3 }),
      )
      .map(([value, edits]) => {
        let text = JSON.stringify(value).replaceAll('/', '')
        for (const [at, letter, removes] of edits) {
          const index = at % (text.length + 1)
          text = text.slice(0, index) + letter + text.slice(index + (removes ? 1 : 0))
        }
        return text
      })
    fc.assert(
      fc.property(nearly, (text) => {
        const { node, complaints } = read(text)
        const expected = tryParse(text)
        if (expected === undefined) {
          if (!/,\s*[}\]]/.test(text)) expect(complaints).not.toEqual([])
        } else if (!complaints.some(({ message }) => /twice|surrogate/.test(message))) {
          expect(complaints).toEqual([])
          expect(node && plain(node)).toEqual(expected.value)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

function tryParse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
