import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Bindings } from '../../../src/event/binding.ts'
import { loadPolicy } from '../../../src/policy/load.ts'
import type { Starter } from '../../../src/policy/starter/starter.ts'
import { rulesWithoutCase } from '../../../src/policy/tests/run-case.ts'
import { call } from '../support.ts'
import { results, starter, tool } from './support.ts'

const effectOf = (item: Readonly<Record<string, unknown>>): string =>
  starter([item]).tools[0]?.effect ?? 'none'

const text = { type: 'string' }

describe('what becomes of a tool', () => {
  test.each([
    ['read_file', 'allow'],
    ['listChannels', 'allow'],
    ['GetUserProfile', 'allow'],
    ['pods_list', 'allow'],
    ['search', 'allow'],
    ['create_issue', 'require_approval'],
    ['issues_update', 'require_approval'],
    ['sendMessage', 'require_approval'],
    ['get_or_create_user', 'require_approval'],
    ['read_and_send', 'require_approval'],
    ['commit', 'require_approval'],
    ['frobnicate', 'require_approval'],
    ['', 'none'],
    ['delete_file', 'deny'],
    ['listThenDeleteAll', 'deny'],
    ['getDROPTable', 'deny'],
    ['run_query', 'deny'],
    ['pods_exec', 'deny'],
    ['read_file_and_execute', 'deny'],
    ['ｄelete_file', 'deny'],
    ['get-file;rm -rf', 'deny'],
  ])('%s: %s', (name, effect) => {
    expect(effectOf(tool(name))).toBe(effect)
  })

  test('the words that all names begin with say nothing, unless they are verbs', () => {
    const effects = (...names: readonly string[]): readonly string[] =>
      starter(names.map((name) => tool(name))).tools.map(({ effect }) => effect)
    expect(effects('slack_click', 'slack_list', 'slack_run')).toEqual([
      'require_approval',
      'allow',
      'deny',
    ])
    expect(effects('slack_click')).toEqual(['require_approval'])
    expect(effects('run_check', 'run_list')).toEqual(['deny', 'deny'])
    expect(effects('delete_list', 'delete_log')).toEqual(['deny', 'deny'])
    expect(effects('get_a', 'get_b')).toEqual(['allow', 'allow'])
  })

  test.each([
    ['an argument that may hold code', tool('search', { sql: text }), 'deny'],
    [
      'a list of commands',
      tool('get_all', { commandLines: { type: 'array', items: text } }),
      'deny',
    ],
    ['a required argument of no known type', tool('get', { what: {} }), 'require_approval'],
    ['an object', tool('get', { filter: { type: 'object' } }), 'require_approval'],
    ['no schema', { name: 'get' }, 'require_approval'],
    ['a schema of several shapes', { name: 'get', inputSchema: { anyOf: [] } }, 'require_approval'],
    [
      'a required argument that the schema does not describe',
      { name: 'get', inputSchema: { type: 'object', properties: {}, required: ['x'] } },
      'require_approval',
    ],
    ['a name that would stand for any', tool('get', { '*': text }), 'require_approval'],
    ['a name too long for a key', tool('get', { ['x'.repeat(600)]: text }), 'require_approval'],
  ])('that reads by its name, with %s', (_, item, effect) => {
    expect(effectOf(item)).toBe(effect)
  })

  test('a path has bounds only where there are folders', () => {
    const item = tool('read_file', { path: text })
    expect(starter([item]).tools[0]?.effect).toBe('allow')
    expect(starter([item], { roots: [] }).tools[0]?.effect).toBe('require_approval')
    expect(starter([item], { roots: ['~/x', '..'] }).tools[0]?.effect).toBe('require_approval')
  })

  test('what a server says can only make it worse', () => {
    const names = fc.constantFrom('read_x', 'list', 'create_x', 'frob', 'delete_x', 'send')
    const said = fc.record(
      {
        description: fc.oneof(fc.string(), fc.constantFrom('safe, only reads', 'it deletes all')),
        annotations: fc.record(
          { readOnlyHint: fc.anything(), destructiveHint: fc.anything() },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    )
    const order = ['allow', 'require_approval', 'deny']
    fc.assert(
      fc.property(names, said, (name, more) => {
        const bare = { name, inputSchema: { type: 'object' } }
        expect(order.indexOf(effectOf({ ...bare, ...more }))).toBeGreaterThanOrEqual(
          order.indexOf(effectOf(bare)),
        )
      }),
    )
    const read = { name: 'read', inputSchema: { type: 'object' } }
    const frob = { name: 'frob', inputSchema: { type: 'object' } }
    expect(effectOf({ ...read, annotations: { destructiveHint: true } })).toBe('require_approval')
    expect(effectOf({ ...read, annotations: { readOnlyHint: false } })).toBe('require_approval')
    expect(effectOf({ ...read, description: 'Reads, then sends it.' })).toBe('require_approval')
    expect(effectOf({ ...frob, annotations: { destructiveHint: true } })).toBe('deny')
    expect(effectOf({ ...frob, annotations: { readOnlyHint: true } })).toBe('require_approval')
  })
})

describe('the bounds of a tool that is allowed', () => {
  const schema = {
    path: text,
    files: { type: 'array', items: text, maxItems: 3 },
    url: { type: 'string', format: 'uri' },
    mode: { enum: ['fast', 'slow'] },
    count: { type: 'integer' },
    depth: { type: ['integer', 'null'], minimum: -2, maximum: 7 },
    title: { type: 'string', maxLength: 12 },
    deep: { type: 'boolean' },
  }
  const good = {
    path: '/workspace/a',
    files: ['/workspace/a', '/workspace/b'],
    url: 'https://example.com/x',
    mode: 'fast',
    count: 10,
    depth: 0,
    title: 'a title',
    deep: true,
  }
  const outside: readonly (readonly [keyof typeof good, unknown])[] = [
    ['path', '/etc/passwd'],
    ['path', '/workspace/../etc/passwd'],
    ['path', 7],
    ['files', ['/workspace/a', '/etc/hosts']],
    ['files', ['/workspace/a', '/workspace/a', '/workspace/a', '/workspace/a']],
    ['url', 'http://example.com/x'],
    ['url', 'file:///etc/passwd'],
    ['url', 'https://127.0.0.1/'],
    ['mode', 'other'],
    ['count', -1],
    ['count', 1001],
    ['count', 'many'],
    ['depth', 8],
    ['depth', -3],
    ['title', 'a title that is too long'],
    ['deep', 'yes'],
  ]
  const decide = (made: Starter, args: unknown): string =>
    loadPolicy([{ path: 'p.yaml', text: made.policy }]).decide(
      call({ capability: 'srv.get_x.live', arguments: JSON.stringify(args) }),
    ).decision

  const required = starter([tool('get_x', schema)])
  const optional = starter([
    { name: 'get_x', inputSchema: { type: 'object', properties: { ...schema, odd: {} } } },
  ])

  test('hold what is meant', () => {
    expect(decide(required, good)).toBe('allow')
    expect(decide(optional, good)).toBe('allow')
    expect(decide(optional, {})).toBe('allow')
    expect(decide(required, { ...good, path: undefined })).toBe('deny')
    // Of this one nobody can say what it may be.
    expect(decide(optional, { odd: 1 })).toBe('deny')
  })

  test.each(outside)('and nothing else: %s %j', (name, value) => {
    expect(decide(required, { ...good, [name]: value })).toBe('deny')
    // Where the argument may be left out there is no guard of the network, which would ask for it.
    if (name === 'url' && String(value).includes('127.0.0.1')) return
    expect(decide(optional, { [name]: value })).toBe('deny')
  })
})

describe('tools that are bound already', () => {
  const bindings = new Bindings([
    [
      'srv',
      {
        tools: [
          ['read_a', { capability: 'filesystem.read.workspace' }],
          ['read_b', { capability: 'filesystem.read.workspace' }],
          ['delete_c', { capability: 'filesystem.read.workspace' }],
          ['read *', { capability: 'filesystem.read.workspace' }],
        ],
      },
    ],
  ])

  test('keep their capabilities; where several share one, the rule names the tool', () => {
    const items = ['read_a', 'read_b', 'delete_c'].map((name) => tool(name, { path: text }))
    const made = starter(items, { bindings })
    const { loaded, cases } = results(made, { bindings })
    expect(cases.every(({ failure }) => failure === undefined)).toBe(true)
    expect(rulesWithoutCase(loaded, cases)).toEqual([])
    expect(loaded.rules.map(({ capability, predicates }) => [capability, predicates[0]])).toEqual([
      ['filesystem.read.workspace', 'tool: delete_c'],
      ['filesystem.read.workspace', 'tool: read_a'],
      ['filesystem.read.workspace', 'tool: read_b'],
    ])
  })

  test('a name that no rule can tell apart gets nothing, and takes nothing along that is safe', () => {
    const made = starter([tool('read_a'), tool('read *')], { bindings })
    expect(made.tools.map(({ name, effect }) => [name, effect])).toContainEqual(['read *', 'deny'])
    expect(results(made, { bindings }).cases.every(({ failure }) => failure === undefined)).toBe(
      true,
    )
  })
})
