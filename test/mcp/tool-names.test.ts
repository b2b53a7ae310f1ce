import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasInvisible, skeleton } from '../../src/mcp/confusables.ts'
import { ToolCatalogue } from '../../src/mcp/tool-catalogue.ts'
import type { ListedTool } from '../../src/mcp/tool-catalogue.ts'
import { exposedName, nameBudget } from '../../src/mcp/tool-names.ts'

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const tool = (name: string): ListedTool => ({ name, annotations: {}, bytes: Buffer.from('{}') })

function catalogue(servers: readonly { name: string; prefix: string }[]): ToolCatalogue {
  return new ToolCatalogue({
    servers,
    nameBudget: nameBudget('capfence'),
    hash,
    hashDefinition: (bytes) => hash(Buffer.from(bytes).toString()),
  })
}

const two = [
  { name: 'files', prefix: 'files__' },
  { name: 'ops', prefix: 'ops__' },
]

test('a name fits Cursor (60 with the server key) and Claude and OpenAI (64 with mcp__ and the server key)', () => {
  for (const key of ['capfence', 'a', 'a-rather-long-endpoint-key']) {
    const budget = nameBudget(key)
    expect(budget + key.length).toBeLessThanOrEqual(60)
    expect(budget + `mcp__${key}__`.length).toBeLessThanOrEqual(64)
  }
})

test('B10: no two tools share an exposed name, and none is over the budget', () => {
  const name = fc.string({ minLength: 1, maxLength: 120 })
  fc.assert(
    fc.property(name, name, (one, other) => {
      fc.pre(one !== other)
      const expose = (toolName: string): string =>
        exposedName({ server: 'files', tool: toolName, prefix: 'files__' }, 49, hash)
      expect(expose(one).length).toBeLessThanOrEqual(49)
      expect(expose(one)).toBe(expose(one))
      expect(expose(one)).not.toBe(expose(other))
    }),
  )
})

test('a shortened name never cuts a character in half', () => {
  const named = { server: 's', tool: '😀'.repeat(60), prefix: 's__' }
  expect(exposedName(named, 49, hash)).not.toMatch(/\p{Surrogate}/u)
})

test.each([
  ['rеad_file', 'read_file', 'a Cyrillic letter'],
  ['read_file\u200b', 'read_file', 'a zero-width space'],
  ['ｒｅａｄ_file', 'read_file', 'full-width letters'],
  ['Read_File', 'read_file', 'case'],
  ['ｒеad_fіle', 'read_file', 'several at once'],
])('B10: %s looks like %s (%s)', (one, other) => {
  expect(skeleton(one)).toBe(skeleton(other))
})

test.each(['delete_file', 'read_files', 'read-file', 'read_f1le'])(
  'B10: `%s` does not look like read_file',
  (name) => expect(skeleton(name)).not.toBe(skeleton('read_file')),
)

test.each(['a\u0000b', 'a\u200bb', 'a\u202eb', 'a\u{e0041}b', 'a\u001bb', 'a\u2028b'])(
  'B10: a name with %j holds something nobody can see',
  (name) => expect(hasInvisible(name)).toBe(true),
)

test.each([
  ['before', ['rеad_file', 'read_file']],
  ['after', ['read_file', 'rеad_file']],
])('B10: an imitation listed %s the real tool is withheld, the real one is not', (_, names) => {
  const shelf = catalogue([{ name: 'files', prefix: '' }])
  const admissions = shelf.learn('files', names.map(tool), true)
  expect(admissions.map(({ kind }) => kind)).toEqual(
    names.map((name) => (name === 'read_file' ? 'admitted' : 'withheld')),
  )
  expect(shelf.resolve('read_file')).toEqual({ kind: 'tool', server: 'files', tool: 'read_file' })
  expect(shelf.resolve('rеad_file')).toMatchObject({ kind: 'withheld' })
})

test('B10: an imitation on a later page is withheld too', () => {
  const shelf = catalogue([{ name: 'files', prefix: '' }])
  shelf.learn('files', [tool('read_file')], true)
  expect(shelf.learn('files', [tool('READ_FILE')], false)).toMatchObject([{ kind: 'withheld' }])
  expect(shelf.learn('files', [tool('read_file')], false)).toMatchObject([{ kind: 'withheld' }])
  expect(shelf.resolve('read_file')).toMatchObject({ kind: 'tool' })
})

test.each(['dele\u200bte', 'delete\u202e', 'delete\u{e0041}', 'de\u001blete'])(
  'B10: a tool called %j is withheld although nothing else looks like it',
  (name) => {
    const shelf = catalogue([{ name: 'files', prefix: '' }])
    expect(shelf.learn('files', [tool(name), tool('other')], true)).toMatchObject([
      { kind: 'withheld' },
      { kind: 'admitted' },
    ])
    expect(shelf.resolve(name)).toMatchObject({ kind: 'withheld' })
    expect(shelf.definition('files', name)).toBeUndefined()
  },
)

test('B10: the same tool name at two servers is two tools', () => {
  const shelf = catalogue(two)
  shelf.learn('files', [tool('delete')], true)
  shelf.learn('ops', [tool('delete')], true)
  expect(shelf.resolve('files__delete')).toEqual({ kind: 'tool', server: 'files', tool: 'delete' })
  expect(shelf.resolve('ops__delete')).toEqual({ kind: 'tool', server: 'ops', tool: 'delete' })
  expect(shelf.resolve('delete')).toEqual({ kind: 'unknown' })
})

test('a tool that was not listed yet is found by its own name only', () => {
  const shelf = catalogue(two)
  const long = 'x'.repeat(80)
  expect(shelf.resolve('ops__pay')).toEqual({ kind: 'tool', server: 'ops', tool: 'pay' })
  expect(shelf.resolve(`ops__${long}`)).toEqual({ kind: 'unknown' })
  const [admission] = shelf.learn('ops', [tool(long)], true)
  const exposed = admission?.kind === 'admitted' ? admission.exposed : ''
  expect(exposed).toHaveLength(49)
  expect(shelf.resolve(exposed)).toEqual({ kind: 'tool', server: 'ops', tool: long })
})

test('a first page forgets the tools that are no longer listed', () => {
  const shelf = catalogue(two)
  shelf.learn('ops', [tool('pay')], true)
  expect(shelf.definition('ops', 'pay')?.hash).toMatch(/^[0-9a-f]{64}$/)
  shelf.learn('ops', [tool('other')], true)
  expect(shelf.definition('ops', 'pay')).toBeUndefined()
})
