import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CapFenceError } from '../../src/errors.ts'
import type { ServerBinding, ToolAnnotations, ToolBinding } from '../../src/event/binding.ts'
import { Bindings } from '../../src/event/binding.ts'
import type { RiskLevel } from '../../src/event/capability.ts'
import { capabilityName, riskLevels } from '../../src/event/capability.ts'
import type { EventContext } from '../../src/event/event.ts'
import type { JsonObject } from '../../src/json/value.ts'
import { limits } from '../../src/limits.ts'

const noArguments: JsonObject = Object.freeze({ __proto__: null })
const call = {
  server: 'files',
  tool: 'delete_file',
  arguments: noArguments,
  actor: 'ops-agent',
  environment: 'production',
}

function bound(binding: ServerBinding, changes: Partial<typeof call> = {}): string {
  const bindings = new Bindings([['files', binding]])
  return capabilityName(bindings.bind({ ...call, ...changes }).capability)
}

function tool(binding: ToolBinding): ServerBinding {
  return { tools: [['delete_file', binding]] }
}

function problem(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    if (error instanceof CapFenceError) return `${error.code} ${error.message}`
    throw error
  }
  throw new Error('nothing was refused')
}

describe('the capability of a call', () => {
  it.each<[string, ServerBinding, string]>([
    ['nothing is configured', {}, 'files.delete_file.production'],
    ['the server has a resource', { resource: 'fs' }, 'fs.delete_file.production'],
    ['its resource has a scope', { resource: 'fs.ws' }, 'fs.delete_file.ws'],
    ['the server has a scope', { scope: 'ws' }, 'files.delete_file.ws'],
    ['one name is bound', tool({ capability: 'filesystem' }), 'filesystem.delete_file.production'],
    ['two names', tool({ capability: 'filesystem.delete' }), 'filesystem.delete.production'],
    ['three', tool({ capability: 'filesystem.delete.workspace' }), 'filesystem.delete.workspace'],
    ['four', tool({ capability: 'db.drop.main.public' }), 'db.drop.main.public'],
    [
      'an exact triple',
      tool({ capability: { resource: 'a', action: 'b', scope: 'c.d' } }),
      'a.b.c.d',
    ],
  ])('when %s', (_, binding, name) => {
    expect(bound(binding)).toBe(name)
  })

  it('keeps the original names of server and tool in the context, and the rest of the context', () => {
    const context = { session: 's1', client: 'claude-code', role: 'dev', tenant: 't' }
    const event = new Bindings().bind({ ...call, tool: 'fs/delete', context })
    expect(event.context).toEqual({ ...context, server: 'files', tool: 'fs/delete' })
  })

  it('does not let a context name another server or tool', () => {
    const context: EventContext = { server: 'other', tool: 'read_file' }
    expect(new Bindings().bind({ ...call, context }).context).toEqual({
      server: 'files',
      tool: 'delete_file',
    })
  })

  it('binds by (server, tool): the same tool name elsewhere inherits nothing (B10)', () => {
    const bindings = new Bindings([['files', tool({ capability: 'filesystem.delete.ws' })]])
    const other = bindings.bind({ ...call, server: 'other' })
    expect(capabilityName(other.capability)).toBe('other.delete_file.production')
  })

  it.each([
    'Delete_file',
    'delete_file ',
    'delete_file\n',
    'delete＿file',
    'delete_file\u200d',
    './delete_file',
  ])('binds exact names only: %j is another tool (B10)', (name) => {
    const binding = tool({ capability: 'filesystem.delete.ws', risk: 'critical' })
    expect(bound(binding, { tool: name })).not.toBe('filesystem.delete.ws')
  })

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'finds no binding for the inherited name `%s` (B31)',
    (name) => {
      expect(bound({}, { tool: name })).toBe(`files.${name}.production`)
      expect(capabilityName(new Bindings().bind({ ...call, server: name }).capability)).toBe(
        `${name}.delete_file.production`,
      )
    },
  )

  it.each(['*', 'fs/delete', 'a.b', '**', 'delete_*', '?', '[a-z]', 'a.*.b'])(
    'never makes a pattern or a second segment of the tool name `%s` (B10)',
    (name) => {
      const event = new Bindings().bind({ ...call, tool: name })
      expect(event.capability.action).toMatch(/^[A-Za-z0-9_-]+$/)
      expect(event.capability.resource).toBe('files')
      expect(event.capability.scope).toBe('production')
    },
  )

  it('refuses a call that cannot be named', () => {
    expect(problem(() => new Bindings().bind({ ...call, tool: '' }))).toContain('`action`')
    expect(problem(() => new Bindings().bind({ ...call, tool: 'a\ud800' }))).toMatch(/half a char/)
    expect(problem(() => new Bindings().bind({ ...call, environment: 'a b' }))).toMatch(/`scope`/)
    const long = 'é'.repeat(limits.maxSegmentCharacters / 8 + 1)
    expect(problem(() => new Bindings().bind({ ...call, tool: long }))).toContain('at most')
  })

  it('still takes a long name that is bound', () => {
    const long = 'é'.repeat(200)
    const binding = { tools: new Map([[long, { capability: 'a.b.c' }]]) }
    expect(bound(binding, { tool: long })).toBe('a.b.c')
  })

  it('is different for different tools, whatever they are called', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(name, name, name, name, (server, tool1, otherServer, tool2) => {
        fc.pre(server.toLowerCase() !== 'mcp' && otherServer.toLowerCase() !== 'mcp')
        const bindings = new Bindings()
        const one = bindings.bind({ ...call, server, tool: tool1 }).capability
        const other = bindings.bind({ ...call, server: otherServer, tool: tool2 }).capability
        const same = server === otherServer && tool1 === tool2
        expect(capabilityName(one) === capabilityName(other)).toBe(same)
      }),
    )
  })
})

describe('a binding that cannot be meant', () => {
  it.each<[string, ServerBinding]>([
    ['a wildcard', tool({ capability: 'filesystem.*' })],
    ['a lone wildcard', tool({ capability: '*' })],
    ['an empty capability', tool({ capability: '' })],
    ['an empty name', tool({ capability: 'a..b' })],
    ['a dot at the end', tool({ capability: 'a.b.' })],
    ['a newline', tool({ capability: 'a.b\n' })],
    [
      'a triple whose resource has a dot',
      tool({ capability: { resource: 'a.b', action: 'c', scope: 'd' } }),
    ],
    ['a resource with a space', { resource: 'file system' }],
    ['a resource that ends in a dot', { resource: 'fs.' }],
    ['two scopes', { resource: 'fs.ws', scope: 'ws' }],
    ['a scope that is a pattern', { scope: '*' }],
    ['a pointer that is none', tool({ argumentRoles: { path: ['path'] } })],
    ['half a character in a pointer', tool({ argumentRoles: { path: ['/\ud800'] } })],
    [
      'pointers past their bound',
      tool({
        argumentRoles: { amount: ['/a'], path: [`/${'b'.repeat(limits.maxRoleCharacters - 2)}`] },
      }),
    ],
    ['the reserved resource', { resource: 'mcp' }],
    ['the reserved resource with a scope', { resource: 'mcp.resource' }],
    ['the reserved resource in capitals', tool({ capability: 'MCP.resource.read' })],
  ])('is refused: %s', (_, binding) => {
    expect(problem(() => new Bindings([['files', binding]]))).toMatch(/^CONFIG_INVALID .*`files/)
  })

  it('is refused: a risk that is none', () => {
    const broken = tool({ risk: 'tiny' as RiskLevel })
    expect(problem(() => new Bindings([['files', broken]]))).toMatch(/`tiny` is no risk level/)
  })

  it('is refused: a server whose key is that of the protocol, unless it has a resource', () => {
    expect(problem(() => new Bindings([['mcp', {}]]))).toMatch(/^CONFIG_INVALID/)
    expect(problem(() => new Bindings().bind({ ...call, server: 'mcp' }))).toMatch(
      /^CONFIG_INVALID/,
    )
    expect(() => new Bindings([['mcp', { resource: 'tools' }]])).not.toThrow()
  })
})

describe('the risk of a call', () => {
  const hints: readonly ToolAnnotations[] = [
    {},
    { destructiveHint: true },
    { destructiveHint: false },
    { readOnlyHint: true },
    { readOnlyHint: true, destructiveHint: true },
    { readOnlyHint: true, destructiveHint: false },
    { readOnlyHint: false },
    { destructiveHint: 'no' },
    { readOnlyHint: 'true' },
    { readOnlyHint: 1, destructiveHint: 0 },
    { destructiveHint: null },
  ]
  function riskOf(server: ServerBinding, annotations?: ToolAnnotations): RiskLevel | undefined {
    return new Bindings([['files', server]]).bind({ ...call, annotations }).risk
  }

  it.each<[string, ServerBinding, ToolAnnotations, RiskLevel]>([
    ['nothing is known', {}, {}, 'medium'],
    ['the server warns', {}, { destructiveHint: true }, 'high'],
    ['the server promises', {}, { readOnlyHint: true }, 'medium'],
    ['a trusted server promises', { trustAnnotations: true }, { readOnlyHint: true }, 'low'],
    [
      'a trusted server contradicts itself',
      { trustAnnotations: true },
      { readOnlyHint: true, destructiveHint: true },
      'high',
    ],
    [
      'a trusted server sends no boolean',
      { trustAnnotations: true },
      { readOnlyHint: 'yes' },
      'medium',
    ],
    ['a warning is no boolean', { trustAnnotations: true }, { destructiveHint: 'no' }, 'high'],
    ['a low tool warns', tool({ risk: 'low' }), { destructiveHint: true }, 'high'],
    ['a critical tool warns', tool({ risk: 'critical' }), { destructiveHint: true }, 'critical'],
    ['a critical tool promises', tool({ risk: 'critical' }), { readOnlyHint: true }, 'critical'],
    [
      'a configured risk meets a trusted promise',
      { ...tool({ risk: 'high' }), trustAnnotations: true },
      { readOnlyHint: true },
      'high',
    ],
  ])('when %s', (_, binding, annotations, risk) => {
    expect(riskOf(binding, annotations)).toBe(risk)
  })

  it('is never below what is configured, whatever the server says and whoever trusts it', () => {
    for (const risk of riskLevels) {
      for (const trustAnnotations of [true, false]) {
        for (const annotations of hints) {
          const result = riskOf({ ...tool({ risk }), trustAnnotations }, annotations)
          expect(riskLevels.indexOf(result ?? 'low')).toBeGreaterThanOrEqual(
            riskLevels.indexOf(risk),
          )
        }
      }
    }
  })

  it('is never below `medium` without a configured risk and without trust', () => {
    for (const annotations of hints) {
      expect(['medium', 'high', 'critical']).toContain(riskOf({}, annotations))
    }
  })

  it('takes argument roles up to their bound', () => {
    const path = [`/${'b'.repeat(limits.maxRoleCharacters - 1)}`]
    expect(() => new Bindings([['files', tool({ argumentRoles: { path } })]])).not.toThrow()
  })

  it('comes with the argument roles of the binding, which nobody can change', () => {
    const amount = ['/total']
    const bindings = new Bindings([['files', tool({ argumentRoles: { amount } })]])
    amount[0] = '/other'
    const event = bindings.bind(call)
    expect(event.argumentRoles).toEqual({ amount: ['/total'] })
    expect(Object.isFrozen(event.argumentRoles)).toBe(true)
  })
})
