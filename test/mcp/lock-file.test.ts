import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionHash, definitionOf } from '../../src/mcp/definition.ts'
import { labelOf, serverChanges } from '../../src/mcp/lock-diff.ts'
import { indented, lockText, parseLock } from '../../src/mcp/lock-file.ts'
import type { Launch, Lock, LockedServer } from '../../src/mcp/lock-file.ts'
import { PinnedDefinitions } from '../../src/mcp/pins.ts'

const launch: Launch = {
  kind: 'stdio',
  command: 'node',
  args: ['server.mjs'],
  cwd: null,
  env: ['TOKEN'],
}

const defined = (name: string, value: unknown) =>
  definitionOf(name, Buffer.from(JSON.stringify(value)))

function locked(over: Partial<LockedServer> = {}): LockedServer {
  return {
    name: 'files',
    launch,
    instructions: defined('', 'Be careful.'),
    tools: [
      defined('read', { name: 'read', description: 'Reads.' }),
      defined('write', { name: 'write', description: 'Writes.' }),
    ],
    prompts: [defined('sum', { name: 'sum' })],
    resourceTemplates: [defined('file:///{p}', { uriTemplate: 'file:///{p}', name: 'f' })],
    ...over,
  }
}

const lock: Lock = { servers: [locked()] }
const written = indented(lockText(lock))
const parsed = (text: string): Lock => parseLock(Buffer.from(text), 'capfence.lock')

test('what is written is read again, whatever a server says', () => {
  const value = fc.jsonValue({ depthSize: 'small', noUnicodeString: false })
  const server = fc.record({ description: fc.string({ unit: 'grapheme' }), inputSchema: value })
  fc.assert(
    fc.property(fc.array(server, { maxLength: 5 }), (tools) => {
      const servers = [
        locked({ tools: tools.map((one, at) => defined(`t${at}`, { name: `t${at}`, ...one })) }),
      ]
      const again = parsed(indented(lockText({ servers })))
      expect(lockText(again)).toBe(lockText({ servers }))
    }),
    { seed: 6, numRuns: 300 },
  )
})

test('B21: a definition keeps every digit of its numbers', () => {
  const bytes = Buffer.from('{"name":"read","maximum":9223372036854775807,"minimum":1.50}')
  const text = indented(lockText({ servers: [locked({ tools: [definitionOf('read', bytes)] })] }))
  expect(text).toContain('9223372036854775807')
  expect(parsed(text).servers[0]?.tools[0]?.sha256).toBe(definitionHash(bytes))
})

test('a definition that can be read in two ways is kept as the text of its server', () => {
  const bytes = Buffer.from('{"name":"read","a":1,"a":2}')
  const text = indented(lockText({ servers: [locked({ tools: [definitionOf('read', bytes)] })] }))
  const [tool] = parsed(text).servers[0]?.tools ?? []
  expect(tool).toMatchObject({ text: bytes.toString(), sha256: definitionHash(bytes) })
  expect(definitionHash(Buffer.from('{"name":"read","a":2}'))).not.toBe(tool?.sha256)
})

test('B11: no character of a lock can be changed so that it says another thing and is still read', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: written.length - 1 }),
      fc.constantFrom('x', '0', '"', '}', ' ', 'е'),
      (at, character) => {
        const changed = written.slice(0, at) + character + written.slice(at + 1)
        expect(saidBy(changed)).toBeOneOf(['refused', definitions(lock)])
      },
    ),
    { seed: 6, numRuns: 2000 },
  )
})

/** What a text pins of definitions, if it is a lock. */
function saidBy(text: string): string {
  try {
    return definitions(parsed(text))
  } catch {
    return 'refused'
  }
}

function definitions({ servers }: Lock): string {
  return JSON.stringify(
    servers.map(({ tools, prompts, resourceTemplates, instructions }) =>
      [instructions, ...tools, ...prompts, ...resourceTemplates].map((one) => one?.sha256),
    ),
  )
}

describe('a lock that is not exactly one is refused, with what is wrong', () => {
  const cases: readonly (readonly [string, (text: string) => string, string])[] = [
    [
      'another version',
      (text) => text.replace('"capfenceLock": 1', '"capfenceLock": 2'),
      'version',
    ],
    ['no version', (text) => text.replace('"capfenceLock": 1,', ''), 'is missing'],
    ['an unknown member', (text) => text.replace('"servers"', '"more": 1, "servers"'), '`more`'],
    ['a member twice', (text) => text.replace('"servers"', '"servers": [], "servers"'), 'servers'],
    ['a missing list', (text) => text.replace('"prompts"', '"promts"'), '`promts`'],
    ['tools out of order', (text) => text.replaceAll('"read"', '"zz"'), 'digest'],
    ['a definition of another', (text) => text.replace('"name": "read"', '"name": "reed"'), 'name'],
    ['a changed description', (text) => text.replace('Reads.', 'Reads'), 'servers[0].tools[0]'],
    ['a changed digest', (text) => text.replace(/[0-9a-f]{8}"/, '00000000"'), 'digest'],
    ['a strange launch', (text) => text.replace('"stdio"', '"shell"'), 'launch.kind'],
    ['a number as a name', (text) => text.replace('"name": "files"', '"name": 1'), 'no text'],
    ['an array', () => '[]', 'no lock'],
  ]
  test.each(cases)('%s', (_, change, says) => {
    const text = change(written)
    expect(text).not.toBe(written)
    expect(() => parsed(text)).toThrow(says)
  })

  test('a server or a tool twice', () => {
    const twice = { servers: [locked(), locked()] }
    expect(() => parsed(lockText(twice))).toThrow('twice, or out of order')
    const [tool] = locked().tools
    const tools = tool === undefined ? [] : [tool, tool]
    expect(() => parsed(lockText({ servers: [locked({ tools })] }))).toThrow('servers[0].tools[1]')
  })
})

describe('what is pinned', () => {
  const pinned = new PinnedDefinitions(lock, new Map([['files', launch]]))
  const [read] = locked().tools
  const seen = { server: 'files', kind: 'tool', name: 'read', sha256: read?.sha256 ?? '' } as const

  test('the accepted definition is not held', () => {
    expect(pinned.heldBecause(seen)).toBeUndefined()
  })

  test.each([
    ['another digest', { sha256: '0'.repeat(64) }, 'it changed since it was accepted'],
    ['another name', { name: 'reed' }, 'nobody has accepted it yet'],
    ['another kind', { kind: 'prompt' }, 'nobody has accepted it yet'],
    ['another server', { server: 'other' }, 'its server is not in the lock'],
  ] as const)('%s is', (_, over, reason) => {
    expect(pinned.heldBecause({ ...seen, ...over })).toBe(reason)
  })

  test.each([
    ['command', { ...launch, command: 'nodejs' }],
    ['arguments', { ...launch, args: ['server.mjs', ''] }],
    ['folder', { ...launch, cwd: '/' }],
    ['variables', { ...launch, env: ['TOKEN', 'NODE_OPTIONS'] }],
    ['address', { kind: 'http', url: 'https://example.com/mcp', headers: [] }],
  ] as const)('B11: everything of a server with another %s is', (_, other) => {
    const moved = new PinnedDefinitions(lock, new Map([['files', other as Launch]]))
    expect(moved.heldBecause(seen)).toContain('another launch command')
  })
})

describe('what changed', () => {
  const changed = (over: Partial<LockedServer>) => serverChanges(locked(), locked(over))

  test('nothing, of the same', () => {
    expect(changed({})).toEqual([])
  })

  test('a field is named by its place', () => {
    const tools = [
      defined('read', {
        name: 'read',
        description: 'Reads.',
        annotations: { readOnlyHint: true },
        inputSchema: { properties: { 'a/b': { type: 'string' } }, required: ['a/b'] },
      }),
      locked().tools[1] ?? defined('write', {}),
    ]
    const [change, ...others] = changed({ tools })
    expect(others).toEqual([])
    expect(change).toMatchObject({ kind: 'tool', name: 'read', change: 'changed' })
    expect(change?.fields).toEqual([
      { path: '/annotations/readOnlyHint', before: undefined, after: 'true' },
      { path: '/inputSchema/properties/a~1b/type', before: undefined, after: '"string"' },
      { path: '/inputSchema/required', before: undefined, after: '["a/b"]' },
    ])
  })

  test('something new, gone, and said differently', () => {
    const [read] = locked().tools
    const found = changed({
      instructions: undefined,
      prompts: [defined('other', { name: 'other' })],
      tools: read === undefined ? [] : [read],
      launch: { ...launch, env: [] },
    })
    expect(found.map((one) => [labelOf(one), one.change])).toEqual([
      ['launch:', 'changed'],
      ['instructions:', 'removed'],
      ['write', 'removed'],
      ['prompt:other', 'added'],
      ['prompt:sum', 'removed'],
    ])
  })
})
