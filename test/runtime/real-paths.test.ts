import { describe, expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import { limits } from '../../src/limits.ts'
import type { AskDisk } from '../../src/runtime/real-paths.ts'
import { gate, written } from './fixtures.ts'

const read = (args: Readonly<Record<string, unknown>>): ActionEvent =>
  ActionEvent.create({
    ...{ actor: 'a', action: 'read', resource: 'fs.ws', environment: 'live' },
    arguments: args,
  })

/** A disk on which `/ws/leak` leads out, and what was asked of it. */
function disk(): { readonly askDisk: AskDisk; readonly asked: string[][] } {
  const asked: string[][] = []
  return {
    asked,
    askDisk: async (paths) => {
      asked.push([...paths])
      return new Map(paths.map((path) => [path, path.replace('/ws/leak', '/etc')]))
    },
  }
}

const inside = written('allow: [{id: in, capability: fs, args: {/path: {under: /ws}}}]')

/** What the record of the last decision discloses of the state. */
function kept(
  store: ReturnType<typeof gate>['store'],
): Readonly<Record<string, unknown>> | undefined {
  const texts = store.disclosed.map(({ encoded }) => Buffer.from(encoded, 'base64url').toString())
  const found = texts
    .map((text) => JSON.parse(text) as readonly [string, string, string])
    .filter(([, name]) => name === 'state')
    .at(-1)
  if (found === undefined) return undefined
  const [, , value] = found
  return (typeof value === 'string' ? JSON.parse(value) : value) as Readonly<
    Record<string, unknown>
  >
}

describe('where paths lead is asked before a call is decided', () => {
  test('each once, with the folders of the rules, and it stands in the record', async () => {
    const { runtime, store } = gate({ policy: inside })
    const { askDisk, asked } = disk()
    const refused = await runtime.execute(read({ path: '/ws/leak/x' }), { askDisk })
    expect(refused.decision).toBe('deny')
    expect(asked).toEqual([['/ws/leak/x', '/ws']])
    expect(kept(store)?.['paths']).toEqual([
      { path: '/ws/leak/x', real: '/etc/x' },
      { path: '/ws', real: '/ws' },
    ])
    expect((await runtime.execute(read({ path: '/ws/x' }), { askDisk })).decision).toBe('allow')
  })

  test('of what only a later rule, an alternative or a label looks at as well', async () => {
    const policy =
      written(`deny: [{id: d, capability: fs, any: [{args: {/a: {under: /x}}}, {args: {/b: {under: /y}}}]}]
labels: [{capability: fs, adds: seen, args: {/c: {under: /z}}}]
allow: [{id: in, capability: fs, args: {/path: {under: /ws}}}]
`)
    const { runtime } = gate({ policy })
    const { askDisk, asked } = disk()
    await runtime.execute(read({ a: '/1', b: '/2', c: '/3', path: '/4' }), { askDisk })
    expect(asked.flat().toSorted((one, other) => (one < other ? -1 : 1))).toEqual([
      '/1',
      '/2',
      '/3',
      '/4',
      '/ws',
      '/x',
      '/y',
      '/z',
    ])
  })

  test('not where no rule looks at a path, nor where there is no disk', async () => {
    const { askDisk, asked } = disk()
    const plain = gate({ policy: written('allow: [fs]') })
    expect((await plain.runtime.execute(read({ path: '/ws/x' }), { askDisk })).decision).toBe(
      'allow',
    )
    expect(asked).toEqual([])
    expect(kept(plain.store)).toBeUndefined()
    const lexical = gate({ policy: inside })
    expect((await lexical.runtime.execute(read({ path: '/ws/leak' }))).decision).toBe('allow')
    expect(kept(lexical.store)).toBeUndefined()
  })

  test('of a bounded number of paths; of more nothing is known', async () => {
    const policy = written('allow: [{id: in, capability: fs, args: {"/paths/*": {under: /ws}}}]')
    const paths = (count: number): object => ({
      paths: Array.from({ length: count }, (_, at) => `/ws/${at}`),
    })
    const { askDisk, asked } = disk()
    const { runtime } = gate({ policy })
    const most = limits.maxRealPaths - 1
    expect((await runtime.execute(read({ ...paths(most) }), { askDisk })).decision).toBe('allow')
    expect((await runtime.execute(read({ ...paths(most + 1) }), { askDisk })).decision).toBe('deny')
    expect(Math.max(...asked.map(({ length }) => length))).toBe(limits.maxRealPaths)
    const long = `/ws/${'x'.repeat(limits.maxPathCharacters - 4)}`
    expect((await runtime.execute(read({ paths: [long, '/ws/a'] }), { askDisk })).decision).toBe(
      'deny',
    )
  })
})

describe('a disk that does not help allows nothing', () => {
  test.each<[name: string, askDisk: AskDisk]>([
    ['one that fails', async () => Promise.reject(new Error('gone'))],
    ['one that says nothing', async () => new Map<string, string>()],
    ['one that does not know', async (paths) => new Map(paths.map((path) => [path, undefined]))],
    ['one that answers something else', async () => new Map([['/other', '/ws']])],
  ])('%s', async (_, askDisk) => {
    const { runtime } = gate({ policy: inside })
    expect((await runtime.execute(read({ path: '/ws/x' }), { askDisk })).decision).toBe('deny')
    const guard = gate({
      policy: written('deny: [{capability: fs, path_prefix: /etc}]\nallow: [fs]'),
    })
    expect((await guard.runtime.execute(read({ path: '/ws/x' }), { askDisk })).decision).toBe(
      'deny',
    )
  })

  test('a policy that comes while a call waits, and looks at other paths, is not told of them', async () => {
    const { runtime, store } = gate({ policy: written('allow: [fs]') })
    await runtime.start()
    const { askDisk } = disk()
    store.queue = async () => {
      store.queue = () => Promise.resolve()
      await runtime.reload(inside)
    }
    expect((await runtime.execute(read({ path: '/ws/x' }), { askDisk })).decision).toBe('deny')
    expect((await runtime.execute(read({ path: '/ws/x' }), { askDisk })).decision).toBe('allow')
  })
})

describe('what is kept of paths', () => {
  const secret = { path: '/ws/x', password: '/ws/secret' }
  const guard = written('deny: [{capability: fs, path_prefix: /etc}]\nallow: [fs]')

  test('is nothing that an argument has that looks like a secret', async () => {
    const { runtime, store } = gate({ policy: guard })
    expect((await runtime.execute(read(secret), { askDisk: disk().askDisk })).decision).toBe(
      'allow',
    )
    const text = JSON.stringify(kept(store))
    expect(text).toContain('/ws/x')
    expect(text).not.toContain('secret')
  })

  test.each(['digest-only', 'none'] as const)(
    'is nothing where arguments are not kept: %s',
    async (disclosure) => {
      const { runtime, store } = gate({ policy: guard, disclosure })
      expect((await runtime.execute(read(secret), { askDisk: disk().askDisk })).decision).toBe(
        'allow',
      )
      expect(JSON.stringify(kept(store) ?? {})).not.toContain('/ws')
    },
  )
})
