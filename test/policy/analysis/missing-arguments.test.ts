import { describe, expect, test } from 'vitest'
import { lintPolicy } from '../../../src/policy/analysis/lint.ts'
import type { ListedTool } from '../../../src/policy/analysis/listed-tool.ts'
import { policy } from '../support.ts'

const text = { type: 'string' }
const tool = (name: string, capability: string, properties: object): ListedTool => {
  const [resource = '', action = '', scope] = capability.split('.')
  return {
    ...{ name, server: 'files', capability: { resource, action, scope }, environment: 'live' },
    inputSchema: { type: 'object', properties },
  }
}
const edits = { type: 'array', items: { type: 'object', properties: { oldText: text } } }
const tools = [
  tool('read', 'fs.read.ws', { path: text, head: { type: 'number' } }),
  tool('read_many', 'fs.read.ws', { paths: { type: 'array', items: text } }),
  tool('edit', 'fs.edit.ws', { path: text, edits }),
  tool('any', 'fs.any.ws', true as unknown as object),
]

const said = (source: string, listed: readonly ListedTool[] = tools): readonly string[] =>
  lintPolicy(policy(source), { tools: listed, environments: ['live'] })
    .filter(({ message }) => message.includes('input') || message.includes('no rule'))
    .map(({ message, hint }) => `${message} | ${hint}`)
const rule = (list: string, asked: string): readonly string[] =>
  said(`${list}: [{id: x, ${asked}}]`)

const generic = 'where an argument is missing a guard applies, and a grant does not'

describe('an argument that is in no input', () => {
  test.each([
    [
      'misspelt',
      'allow',
      'capability: fs.edit, args: {/pth: a}',
      '/pth',
      '`edit`',
      'did you mean `/path`?',
    ],
    [
      'of a guard',
      'deny',
      'capability: FS.EDIT, args: {/pth: a}',
      '/pth',
      '`edit`',
      'did you mean `/path`?',
    ],
    [
      'inside of a list',
      'deny',
      'capability: fs.edit, args: {/edits/oldText: a}',
      '/edits/oldText',
      '`edit`',
      'did you mean `/edits/*/oldText`?',
    ],
    [
      'of a list that is none',
      'deny',
      'capability: fs.edit, args: {/path/*: a}',
      '/path/*',
      '`edit`',
      'did you mean `/path`?',
    ],
    [
      'inside of elements',
      'deny',
      'capability: fs.edit, args: {/edits/*/newTxt: a}',
      '/edits/*/newTxt',
      '`edit`',
      `the input has \`/edits/*/oldText\`; ${generic}`,
    ],
    [
      'inside of a text',
      'deny',
      'capability: fs.edit, args: {/path/x: a}',
      '/path/x',
      '`edit`',
      generic,
    ],
    [
      'of several tools',
      'allow',
      'capability: fs.read, args: {/file: a}',
      '/file',
      '`read`, `read_many`',
      `the input has \`/path\`, \`/head\`; ${generic}`,
    ],
    [
      'of an exception',
      'allow',
      'capability: fs.edit, not: {args: {/pth: a}}',
      '/pth',
      '`edit`',
      'did you mean `/path`?',
    ],
    [
      'of an alternative',
      'allow',
      'capability: fs.edit, any: [{args: {/pth: a}}, {actor: b}]',
      '/pth',
      '`edit`',
      'did you mean `/path`?',
    ],
    [
      'that is added up',
      'allow',
      'capability: fs.edit, limit: {max: 1, window: 1h, sum: /sze}',
      '/sze',
      '`edit`',
      `the input has \`/path\`, \`/edits\`; ${generic}`,
    ],
    [
      'that must be there',
      'deny',
      'capability: fs.edit, args: {/pth: {exists: true}}',
      '/pth',
      '`edit`',
      'did you mean `/path`?',
    ],
    [
      'that must not, of a guard',
      'deny',
      'capability: fs.edit, args: {/pth: {exists: false}}',
      '/pth',
      '`edit`',
      'did you mean `/path`?',
    ],
  ])('%s', (_, list, asked, pointer, names, hint) => {
    expect(rule(list, asked)).toEqual([
      `rule \`x\` asks for \`${pointer}\`, which is not in the input of ${names} | ${hint}`,
    ])
  })

  test('of what is no rule', () => {
    const near = 'which is not in the input of `edit` | did you mean `/path`?'
    expect(said('labels: [{capability: fs.edit, adds: seen, bind: /pth}]\nallow: [fs]')).toEqual([
      `label \`seen\` asks for \`/pth\`, ${near}`,
    ])
    expect(
      said('invariants: [{id: i, never: allow, capability: fs.edit, args: {/pth: a}}]\ndeny: [fs]'),
    ).toEqual([`invariant \`i\` asks for \`/pth\`, ${near}`])
    expect(
      said('budgets: [{id: b, limit: 1, window: 1h, from: [{capability: fs.edit, sum: /pth}]}]'),
    ).toEqual([`rule \`b[0]\` asks for \`/pth\`, ${near}`])
    const bound = 'session: {has: [seen], bind: /pth}'
    expect(
      said(
        `labels: [{capability: x, adds: seen, bind: /path}]\nallow: [{id: x, capability: fs.edit, ${bound}}]`,
      ),
    ).toEqual([`rule \`x\` asks for \`/pth\`, ${near}`])
  })

  test('is said once, however often it is asked for', () => {
    const asked = 'args: {/pth: a}, not: {args: {/pth: b}}, any: [{args: {/pth: c}}]'
    expect(rule('deny', `capability: fs.edit, ${asked}`)).toHaveLength(1)
  })

  test('many tools are counted', () => {
    const many = Array.from({ length: 9 }, (_, n) => tool(`t${n}\u001B[31m`, 'fs.read.ws', {}))
    const [message = ''] = said('allow: [{id: x, capability: fs, args: {/a: b}}]', many)
    expect(message).toContain('`t5\\u{1b}[31m` and 3 more')
  })
})

describe('an argument that some inputs have', () => {
  test('is missing to a guard, and each tool without it is named', () => {
    for (const list of ['deny', 'require_approval']) {
      expect(rule(list, 'capability: fs.read, args: {/path: {under: /etc}}')).toEqual([
        'rule `x` asks for `/path`, which is not in the input of `read_many` | did you mean `/paths`?',
      ])
    }
  })

  test.each([
    ['to a grant', 'allow', 'capability: fs.read, args: {/path: {under: /srv}}'],
    [
      'where the guard says so itself',
      'deny',
      'capability: fs.read, args: {/path: {exists: true, eq: a}}',
    ],
    [
      'where it is all there is to ask',
      'deny',
      'capability: fs.read, args: {/head: {exists: false}}',
    ],
    ['where the guard names its tool', 'deny', 'capability: fs.read, tool: READ, args: {/path: a}'],
    [
      'where the grant names its tool',
      'allow',
      'capability: fs, tool: edit, args: {/edits/*/oldText: a}',
    ],
    [
      'where a branch names its tool',
      'deny',
      'capability: fs.read, any: [{tool: read, args: {/path: a}}, {tool: read_many, args: {/paths/*: a}}]',
    ],
    ['where an exception does', 'deny', 'capability: fs.read, not: {tool: read, args: {/path: a}}'],
    ['of another environment', 'deny', 'capability: fs.edit, environment: test, args: {/pth: a}'],
    ['of another server', 'deny', 'capability: fs.edit, server: other, args: {/pth: a}'],
    ['of another capability', 'deny', 'capability: fs.write, args: {/pth: a}'],
    ['of a grant of another case', 'allow', 'capability: FS.edit, args: {/pth: a}'],
    ['of a schema that says nothing', 'deny', 'capability: fs.any, args: {/pth: a}'],
    [
      'of a grant that wants nothing there',
      'allow',
      'capability: fs.edit, args: {/pth: {exists: false}}',
    ],
    [
      'of a grant unless something is there',
      'allow',
      'capability: fs.edit, not: {args: {/pth: {exists: true}}}',
    ],
  ])('is no matter %s', (_, list, asked) => {
    expect(rule(list, asked).filter((one) => one.includes('input'))).toEqual([])
  })

  test('an invariant may be about more than a policy allows', () => {
    const calls = 'capability: fs.read, args: {/path: a}'
    expect(said(`invariants: [{never: allow, ${calls}}]\ndeny: [fs]`)).toEqual([])
  })
})

test('of a tool whose scope nobody knows, rules of every scope are', () => {
  const bare = { ...tool('edit', 'fs.edit', { path: text }), environment: undefined }
  const asked = 'capability: fs.edit.live, environment: live, args: {/pth: a}'
  expect(said(`deny: [{id: x, ${asked}}]`, [bare])).toHaveLength(1)
})

test('a list of which no rule is about any tool is hardly the right one', () => {
  expect(said('deny: [{id: x, capability: other}]')).toEqual([
    'no rule is about any of the listed tools: 4 | `--server` says whose they are, and the configuration what they mean',
  ])
  expect(said('deny: [{id: x, capability: fs.e*}]')).toEqual([])
})
