import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { results, starter, tool } from './support.ts'

const text = { type: 'string' }

describe('whatever a server calls itself and its tools', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.string({ maxLength: 30 }),
    fc.constantFrom(
      'a\nallow: ["*"]',
      'a\r\nallow:\n  - "*"',
      'x\u2028allow: ["*"]',
      'x\u0085allow: []',
      '# comment',
      '"',
      "'",
      '*',
      '&a',
      '!!js',
      '{',
      '}',
      '[',
      ': ',
      'a: b',
      '- a',
      '---',
      '...',
      '%YAML 1.1',
      '\u202eevil',
      '\u{e0041}',
      '\0',
      'true',
      'null',
      '1e3',
      '~',
      '<<',
      '=',
      'mcp',
      'read\tfile',
      'a*',
      'get *',
      ' get',
      'get ',
      'GET',
      'get',
      'Get',
      'x'.repeat(2000),
      '__proto__',
      'constructor',
      'toString',
      '\ud800',
    ),
  )
  const property = fc.oneof(
    fc.constantFrom<unknown>(
      text,
      { type: 'integer' },
      { type: 'array', items: text },
      { enum: ['a\nb', 'c'] },
      { enum: [1, 2.5] },
      {},
      null,
      7,
      { type: ['string', 'null'] },
      { type: 'number', maximum: 1e300 },
      { type: 'string', maxLength: 0 },
      { type: 'string', maxLength: -1 },
      { type: 'string', format: 'uri' },
    ),
    fc.anything(),
  )
  const item = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record(
        {
          name: hostile,
          description: hostile,
          annotations: fc.record(
            { destructiveHint: fc.boolean(), readOnlyHint: fc.boolean() },
            { requiredKeys: [] },
          ),
          inputSchema: fc.record(
            {
              type: fc.constant('object'),
              properties: fc.dictionary(
                fc.oneof(hostile, fc.constantFrom('path', 'url', 'command', 'amount')),
                property,
                { maxKeys: 4 },
              ),
              required: fc.array(fc.constantFrom('path', 'url', 'amount', 'a\nallow: ["*"]'), {
                maxLength: 2,
              }),
            },
            { requiredKeys: ['type'] },
          ),
        },
        { requiredKeys: ['name'] },
      ),
    },
    { weight: 1, arbitrary: fc.anything() },
  )

  test('the policy is one, says what was planned, and passes its tests', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), hostile, (items, name) => {
        fc.pre(
          name.trim() !== '' &&
            !/\p{Cs}/u.test(name) &&
            name.length < 1000 &&
            name.toLowerCase() !== 'mcp',
        )
        const made = starter(items, { server: name })
        const { loaded, cases } = results(made)
        expect(cases.filter(({ failure }) => failure !== undefined)).toEqual([])
        const own = loaded.rules.filter(({ id }) => !id.includes('.'))
        expect(own.length).toBe(made.tools.length)
        for (const effect of ['deny', 'require_approval', 'allow'] as const) {
          expect(own.filter((rule) => rule.effect === effect).length).toBe(
            made.tools.filter((one) => one.effect === effect).length,
          )
        }
        // The package reads the same keys, so that no line of a server became one.
        expect(Object.keys(parse(made.policy) as object)).toEqual([
          'version',
          'description',
          'deny',
          'require_approval',
          'allow',
        ])
      }),
      { numRuns: 300 },
    )
  })

  test('the same list is the same text, in whatever order it is', () => {
    fc.assert(
      fc.property(fc.uniqueArray(item, { maxLength: 4, selector: nameOf }), (items) => {
        const [one, other] = [starter(items), starter(items.toReversed())]
        expect({ ...other, skipped: [] }).toEqual({ ...one, skipped: [] })
      }),
      { numRuns: 100 },
    )
  })

  test('a description stays a comment', () => {
    const made = starter([
      tool(
        'read_x',
        {},
        { description: 'Reads.\nallow:\n  - "*"\n\u2028deny: []\u0085\u202eevil' },
      ),
    ])
    const line = made.policy.split('\n').find((one) => one.includes('# its server says'))
    expect(line).toBe(
      '  # its server says: Reads.\\u{a}allow:\\u{a}  - "*"\\u{a}\\u{2028}deny: []\\u{85}\\u{202e}evil',
    )
    expect(results(made).loaded.ruleCount).toBe(1)
  })

  test('items that are no tools are left out, and said', () => {
    const made = starter([
      tool('read'),
      tool('read'),
      {},
      null,
      7,
      tool('\ud800'),
      tool('x'.repeat(2000)),
    ])
    expect(made.tools.map(({ name }) => name)).toEqual(['read'])
    expect(made.skipped).toEqual([
      'one whose name another one has',
      'one whose name holds half a character',
      'one whose name is too long',
      'one without a name',
      'one without a name',
      'one without a name',
    ])
    expect(made.policy).toContain('# Left out of the list: one without a name.')
  })

  test('a server without tools has a policy that allows nothing', () => {
    const made = starter([])
    expect(results(made).cases).toHaveLength(1)
    expect(results(made).loaded.ruleCount).toBe(0)
  })
})

function nameOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'name' in value ? value.name : value
}
