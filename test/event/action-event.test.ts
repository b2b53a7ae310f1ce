import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CapFenceError } from '../../src/errors.ts'
import { ActionEvent } from '../../src/event/action-event.ts'
import { capabilityName } from '../../src/event/capability.ts'
import type { EventFields } from '../../src/event/create.ts'
import { Decimal } from '../../src/json/decimal.ts'
import type { EventParts } from '../../src/event/event.ts'
import type { JsonObject } from '../../src/json/value.ts'
import { limits } from '../../src/limits.ts'

const whole: EventFields = {
  actor: 'ops-agent',
  action: 'delete',
  resource: 'filesystem.workspace',
  environment: 'production',
  risk: 'high',
  arguments: { command: 'rm -rf /var/lib/postgresql' },
}

/** What `make` throws, as one line. */
function refusal(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    if (error instanceof CapFenceError && error.code === 'EVENT_INVALID') {
      return error.hint === undefined ? error.message : `${error.message} (${error.hint})`
    }
    throw error
  }
  throw new Error('nothing was refused')
}

function createFrom(changes: { [name: string]: unknown }): ActionEvent {
  const fields: object = { ...whole, ...changes }
  return ActionEvent.create(fields as EventFields)
}

describe('an event made from plain values', () => {
  it('holds what it was given', () => {
    const event = ActionEvent.create({ ...whole, server: 'fs', tool: 'fs/delete', session: 's1' })
    expect(event.actor).toBe('ops-agent')
    expect(event.capability).toEqual({
      resource: 'filesystem',
      action: 'delete',
      scope: 'workspace',
    })
    expect(event.environment).toBe('production')
    expect(event.risk).toBe('high')
    expect(event.arguments['command']).toBe('rm -rf /var/lib/postgresql')
    expect(event.context).toEqual({ server: 'fs', tool: 'fs/delete', session: 's1' })
  })

  it.each([
    ['a resource with a dot', { resource: 'filesystem.workspace' }, 'filesystem.delete.workspace'],
    ['a scope of its own', { resource: 'filesystem', scope: 'tmp' }, 'filesystem.delete.tmp'],
    ['a scope with dots', { resource: 'db.main.public' }, 'db.delete.main.public'],
    ['no scope: the environment stands in', { resource: 'shell' }, 'shell.delete.production'],
    [
      'no scope and an environment with dots',
      { resource: 'shell', environment: 'eu.prod' },
      'shell.delete.eu.prod',
    ],
  ])('names its capability from %s', (_, changes, name) => {
    expect(capabilityName(createFrom(changes).capability)).toBe(name)
  })

  it('takes a field that is undefined as a field that is not there', () => {
    const event = createFrom({ risk: undefined, server: undefined, arguments: undefined })
    expect(event.risk).toBeUndefined()
    expect(event.context).toEqual({})
    expect(Object.keys(event.arguments)).toEqual([])
  })

  it.each([
    ['an empty actor', { actor: '' }, /`actor` is ``; it must not be empty/],
    ['an actor that is no text', { actor: 7 }, /`actor` is a number; expected a text/],
    ['no actor', { actor: undefined }, /`actor` is `undefined`; expected a text/],
    ['a control character in the actor', { actor: 'a\u001b[2J' }, /`actor` is `a\\u\{1b\}\[2J`/],
    ['half a character', { actor: 'a\ud800' }, /`actor` is `a\\u\{d800\}`; half a character/],
    ['a trailing newline in the action', { action: 'delete\n' }, /`action` is `delete\\u\{a\}`/],
    ['a wildcard as the action', { action: '*' }, /`action` is `\*`/],
    ['a dot in the action', { action: 'delete.all' }, /`action` is `delete\.all`/],
    ['an empty action', { action: '' }, /`action` is ``/],
    ['a letter that only looks like one', { action: 'dеlete' }, /`action` is `dеlete`/],
    ['a resource that ends in a dot', { resource: 'filesystem.' }, /`resource` is `filesystem\.`/],
    ['a resource that begins with one', { resource: '.workspace' }, /`resource` is `\.workspace`/],
    ['two dots in a row', { resource: 'a..b' }, /`resource` is `a\.\.b`/],
    ['a newline behind the scope', { resource: 'a.b\n' }, /`resource` is `a\.b\\u\{a\}`/],
    ['a wildcard as the scope', { resource: 'a', scope: '*' }, /`scope` is `\*`/],
    ['a null scope', { resource: 'a', scope: null }, /`scope` is `null`; expected a text/],
    ['a space in the environment', { environment: 'prod eu' }, /`environment` is `prod eu`/],
    ['a risk that is none', { risk: 'hihg' }, /`risk` is `hihg`.*did you mean `high`\?/],
    ['a risk that is an object', { risk: {} }, /`risk` is an object/],
    ['a risk in capitals', { risk: 'HIGH' }, /`risk` is `HIGH`.*did you mean `high`\?/],
    ['two scopes', { scope: 'workspace' }, /`resource` already names the scope `workspace`/],
    ['neither scope nor environment', { resource: 'a', environment: undefined }, /needs a `scope`/],
    ['arguments that are a list', { arguments: [] }, /`arguments`/],
    ['arguments that are text', { arguments: 'rm' }, /`arguments`/],
    ['a number that is none', { arguments: { amount: Number.NaN } }, /`arguments`/],
    ['a function among the arguments', { arguments: { f: () => 1 } }, /`arguments`/],
    ['the payload of old', { payload: {} }, /unknown field `payload` \(.*into `arguments`\)/],
    ['a misspelt field', { enviroment: 'x' }, /`enviroment` \(did you mean `environment`\?\)/],
    ['a field nobody knows', { zzzzzz: 1 }, /unknown field `zzzzzz` \(the fields of an event are/],
    ['an unknown field with an escape', { 'a\u202e': 1 }, /unknown field `a\\u\{202e\}`/],
  ])('is refused with %s', (_, changes, message) => {
    expect(refusal(() => createFrom(changes))).toMatch(message)
  })

  it.each(['x', null, undefined, 3])('is refused when the fields are %s', (fields) => {
    expect(refusal(() => ActionEvent.create(fields as never))).toMatch(/an object of fields/)
  })

  it.each(['actor', 'server', 'tool', 'role', 'tenant', 'session', 'client'])(
    'bounds `%s`, on both sides',
    (field) => {
      const most = 'a'.repeat(limits.maxNameCharacters)
      expect(() => createFrom({ [field]: most })).not.toThrow()
      const message = refusal(() => createFrom({ [field]: `${most}a` }))
      expect(message).toContain(`at most ${limits.maxNameCharacters}`)
      expect(message.length).toBeLessThan(200)
    },
  )

  it.each(['action', 'resource', 'environment'])(
    'bounds the segment `%s`, on both sides',
    (field) => {
      const most = 'a'.repeat(limits.maxSegmentCharacters)
      expect(() => createFrom({ [field]: most })).not.toThrow()
      expect(refusal(() => createFrom({ [field]: `${most}a` }))).toContain('at most')
    },
  )

  it('reads own fields only: a polluted prototype lends nobody a risk (B31)', () => {
    const { risk: _, ...rest } = whole
    Object.setPrototypeOf(rest, { risk: 'low', scope: 'tmp' })
    const event = ActionEvent.create(rest)
    expect(event.risk).toBeUndefined()
    expect(event.capability.scope).toBe('workspace')
  })

  it('keeps reserved names in the arguments as arguments (B31)', () => {
    const sent: unknown = JSON.parse('{"actor":"root","risk":"low","constructor":1}')
    const event = createFrom({ arguments: sent })
    expect(event.actor).toBe('ops-agent')
    expect(event.risk).toBe('high')
    expect(Object.getPrototypeOf(event.arguments)).toBeNull()
    expect(Object.keys(event.arguments)).toEqual(['actor', 'risk', 'constructor'])
  })
})

describe('what cannot change after the decision', () => {
  it('is the event: the arguments were copied, at every depth', () => {
    const paths = ['/srv/a']
    const sent = { paths, nested: { amount: 1 } }
    const event = createFrom({ arguments: sent })
    paths.push('/etc')
    sent.nested.amount = 1_000_000
    expect(JSON.stringify(event.arguments['paths'])).toBe('["/srv/a"]')
    expect(event.arguments['nested']).toEqual({ amount: new Decimal('1') })
  })

  it('is every field, name and argument that the event hands out', () => {
    const event = createFrom({ server: 's', arguments: { a: [{ b: 1 }] } })
    const list = event.arguments['a']
    const inner: unknown = Array.isArray(list) ? list.at(0) : undefined
    for (const part of [event, event.capability, event.context, event.arguments, list, inner]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
    expect(() => Object.assign(event.capability, { action: 'read' })).toThrow(TypeError)
  })

  it('is read once: a getter that lies on its second reading is not asked twice', () => {
    let readings = 0
    const fields = {
      ...whole,
      get action(): string {
        readings += 1
        return readings === 1 ? 'delete' : 'read'
      },
    }
    expect(ActionEvent.create(fields).capability.action).toBe('delete')
    expect(readings).toBe(1)
  })
})

describe('an event made of exact parts', () => {
  const noArguments: JsonObject = Object.freeze({ __proto__: null })
  const parts = {
    actor: 'a',
    capability: { resource: 'r', action: 'x', scope: 's' },
    arguments: noArguments,
  }

  it.each([
    ['action', { capability: { resource: 'r', action: 'x\n', scope: 's' } }],
    ['resource', { capability: { resource: 'r.t', action: 'x', scope: 's' } }],
    ['scope', { capability: { resource: 'r', action: 'x', scope: 's.' } }],
    ['environment', { environment: '' }],
    ['risk', { risk: 'extreme' }],
    ['actor', { actor: 'a\n' }],
    ['client', { context: { client: 'c\u0000' } }],
    ['tool', { context: { tool: '' } }],
    ['argumentRoles', { argumentRoles: { amount: ['amount'] } }],
  ])('is refused all the same when its %s is not exact', (field, changes) => {
    const changed: object = { ...parts, ...changes }
    expect(refusal(() => ActionEvent.of(changed as EventParts))).toContain(`\`${field}\``)
  })

  it('keeps a server name and a tool name as they are', () => {
    const context = { server: 'a/b', tool: 'delete\n' }
    expect(ActionEvent.of({ ...parts, context }).context).toEqual(context)
  })

  it('is told apart from what only looks like one', () => {
    const event = ActionEvent.of(parts)
    expect(ActionEvent.isEvent(event)).toBe(true)
    expect(ActionEvent.isEvent(Object.assign({}, event))).toBe(false)
    expect(ActionEvent.isEvent(Object.create(ActionEvent.prototype))).toBe(false)
    expect(ActionEvent.isEvent(Object.create(event))).toBe(false)
    expect(ActionEvent.isEvent(null)).toBe(false)
    expect(ActionEvent.isEvent('event')).toBe(false)
  })
})

describe('laws', () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/)

  it('a text is a segment exactly if every character is in the set', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }), (action) => {
        const plain = action.replace(/[A-Za-z0-9_-]/g, '') === ''
        if (plain) expect(createFrom({ action }).capability.action).toBe(action)
        else refusal(() => createFrom({ action }))
      }),
    )
  })

  it('splitting at the first dot loses nothing', () => {
    fc.assert(
      fc.property(segment, fc.array(segment, { minLength: 1, maxLength: 3 }), (resource, rest) => {
        const { capability } = createFrom({ resource: [resource, ...rest].join('.') })
        expect(capability).toEqual({ resource, action: 'delete', scope: rest.join('.') })
      }),
    )
  })

  it('a refusal never repeats more than 64 characters of what was sent, and no control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 3000 }), (action) => {
        if (/^[A-Za-z0-9_-]{1,512}$/.test(action)) return
        const message = refusal(() => createFrom({ action }))
        expect(message).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
        const shown = /^`action` is `(.*)`; /.exec(message)?.[1] ?? ''
        expect(shown.length).toBeLessThanOrEqual(64)
      }),
    )
  })
})
