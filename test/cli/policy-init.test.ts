import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { root } from '../support/root.ts'
import { capfence } from './capture.ts'
import type { Captured } from './capture.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-init-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const init = (...args: readonly string[]): Promise<Captured> =>
  capfence(['policy', 'init', ...args])

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** A server that answers every line of its input by a script. */
const scripted = (name: string, answer: string): string =>
  file(
    name,
    `import readline from 'node:readline'
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n')
let pages = 0
const hello = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } }
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  if (method === 'initialize') { send({ id, result: hello }); continue }
  if (id === undefined || method === undefined) continue
  ${answer}
}
`,
  )

mkdirSync(join(folder, 'work'))
const servers = {
  files: {
    command: process.execPath,
    args: [
      join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js'),
      'work',
    ],
    cwd: '.',
  },
  raw: { command: process.execPath, args: [join(root, 'fixtures/servers/raw.mjs')] },
  deaf: { command: process.execPath, args: [join(root, 'fixtures/servers/deaf.mjs')] },
  none: { command: join(folder, 'not-there') },
  pages: {
    command: process.execPath,
    args: [
      scripted(
        'pages.mjs',
        `send({ id: 'theirs', method: 'sampling/createMessage', params: {} })
  pages += 1
  if (params?.cursor !== (pages === 1 ? undefined : 'at ' + pages)) process.exit(1)
  send({ id, result: { tools: [{ name: 'read_' + pages, inputSchema: { type: 'object' } }], nextCursor: pages < 3 ? 'at ' + (pages + 1) : undefined } })`,
      ),
    ],
  },
  circle: {
    command: process.execPath,
    args: [scripted('circle.mjs', `send({ id, result: { tools: [], nextCursor: 'again' } })`)],
  },
  endless: {
    command: process.execPath,
    args: [
      scripted(
        'endless.mjs',
        `send({ id, result: { tools: [], nextCursor: String(pages += 1) } })`,
      ),
    ],
  },
  many: {
    command: process.execPath,
    args: [
      scripted(
        'many.mjs',
        `send({ id, result: { tools: Array.from({ length: ${limits.maxListedTools + 1} }, (_, n) => ({ name: 'read_' + n })) } })`,
      ),
    ],
  },
  refuses: {
    command: process.execPath,
    args: [
      scripted(
        'refuses.mjs',
        `send({ id, error: { code: -32601, message: 'no \\u001b[31mtools' } })`,
      ),
    ],
  },
  empty: {
    command: process.execPath,
    args: [scripted('empty.mjs', 'send({ id, result: { items: [] } })')],
  },
  dies: { command: process.execPath, args: [scripted('dies.mjs', 'process.exit(3)')] },
}
const config = file(
  'capfence.mcp.json',
  JSON.stringify({
    environment: 'live',
    actor: 'ops',
    policies: ['policies/files.yaml'],
    mcpServers: servers,
  }),
)
const out = (name: string): string => join(folder, 'out', `${name}.yaml`)

describe('from a server that runs', () => {
  test('a policy and tests are written, which hold', async () => {
    const { code, out: said, err } = await init('--server', 'files', '--config', config)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const [policy, tests] = [
      join(folder, 'policies/files.yaml'),
      join(folder, 'policies/files.test.yaml'),
    ]
    expect(said).toContain(`${policy}: 14 tools (0 deny, 4 require_approval, 10 allow)\n`)
    expect(said).toContain(
      `    "move_file": {"risk":"high","arguments":{"path":["/source","/destination"]}},\n`,
    )
    const text = readFileSync(policy, 'utf8')
    expect(text).toContain(`/path: {under: [work, ${folder}/work], max_length: 1024}`)
    expect(readFileSync(tests, 'utf8')).toContain('config: "../capfence.mcp.json"\n')
    const checked = await capfence(['policy', 'check', '--json', policy, tests])
    expect(checked.code).toBe(0)
    for (const line of checked.out.trim().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({ problems: [], warnings: [] })
    }
    const run = await capfence(['policy', 'test', '--json', '--config', config])
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(run.out.trim().split('\n').at(-1) ?? '')).toMatchObject({
      untested: [],
      failed: 0,
    })
  })

  test('all pages are read, and what a server asks for is not given', async () => {
    const made = await init(
      '--server',
      'pages',
      '--config',
      config,
      '--out',
      out('pages'),
      '--json',
    )
    expect(JSON.parse(made.out)).toMatchObject({
      type: 'starter',
      server: 'pages',
      policy: out('pages'),
      tests: join(folder, 'out/pages.test.yaml'),
      tools: [{ name: 'read_1', effect: 'allow' }, { name: 'read_2' }, { name: 'read_3' }],
      skipped: [],
      bindings: { read_1: { risk: 'low' }, read_2: {}, read_3: {} },
    })
  })

  test('the same server gives the same files', async () => {
    await init('--server', 'raw', '--config', config, '--out', out('one'))
    await init('--server', 'raw', '--config', config, '--out', out('other'))
    expect(readFileSync(out('one'), 'utf8')).toBe(readFileSync(out('other'), 'utf8'))
    expect(readFileSync(out('one'), 'utf8')).toContain('shape.with/odd*name')
  })

  test.each([
    ['none', 'could not be started: cannot start `'],
    ['dies', 'the server `dies` '],
    ['deaf', 'did not list its tools within 1000 ms'],
    ['circle', 'lists its tools without an end'],
    ['endless', 'lists its tools without an end'],
    ['many', `lists more than ${limits.maxListedTools} tools`],
    ['refuses', 'answered `tools/list` with {"code":-32601,"message":"no \\u001b[31mtools"}'],
    ['empty', 'answered `tools/list` without tools'],
  ])('that does not list its tools (%s), nothing is written', async (server, message) => {
    const path = out(server)
    const args = ['--server', server, '--config', config, '--out', path, '--timeout', '1']
    const { code, out: said, err } = await init(...args)
    expect({ code, said }).toEqual({ code: 3, said: '' })
    expect(err).toContain(message)
    expect(err).not.toContain('\u001b')
    expect(existsSync(path)).toBe(false)
  })
})

describe('from a list that was saved', () => {
  const tools = [
    { name: 'read\nallow: ["*"]', inputSchema: { type: 'object' }, description: '\u001b[31m' },
    { name: 'drop_table' },
  ]
  const shapes: readonly (readonly [string, unknown])[] = [
    ['an array', tools],
    ['an object', { tools }],
    ['a whole answer', { jsonrpc: '2.0', id: 1, result: { tools } }],
  ]

  test.each(shapes)('%s', async (name, value) => {
    const list = file('list.json', JSON.stringify(value))
    const path = out(name.replaceAll(' ', '-'))
    const made = await init(
      '--server',
      'db',
      '--tools',
      list,
      '--out',
      path,
      '--environment',
      'lab',
    )
    expect(made).toMatchObject({ code: 0, err: '' })
    expect(made.out).not.toContain('\u001b')
    expect(readFileSync(path, 'utf8')).not.toMatch(/^allow: \["\*"\]/m)
    expect(readFileSync(path, 'utf8')).toContain('capability: db.drop_table.lab\n')
    expect((await capfence(['policy', 'test', path])).code).toBe(0)
  })

  test('paths are allowed below the folders that are named', async () => {
    const list = file(
      'paths.json',
      '[{"name":"read","inputSchema":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}]',
    )
    await init(
      '--server',
      's',
      '--tools',
      list,
      '--out',
      out('roots'),
      '--root',
      '/srv/a',
      '/srv/b c',
    )
    expect(readFileSync(out('roots'), 'utf8')).toContain(
      '{under: [/srv/a, "/srv/b c"], max_length: 1024}',
    )
    await init('--server', 's', '--tools', list, '--out', out('no-roots'))
    expect(readFileSync(out('no-roots'), 'utf8')).toContain('but nobody can say what `path` may be')
  })

  test.each([
    ['no JSON', '{'],
    ['no list', '{"tools": 7}'],
    ['a text', '"tools"'],
    ['too many', JSON.stringify(Array.from({ length: limits.maxListedTools + 1 }, () => ({})))],
  ])('%s is wrong use', async (_, text) => {
    const list = file('wrong.json', text)
    const { code, out: said } = await init('--server', 's', '--tools', list, '--out', out('wrong'))
    expect({ code, said }).toEqual({ code: 2, said: '' })
    expect(existsSync(out('wrong'))).toBe(false)
  })
})

describe('what is there stays', () => {
  const list = file('one.json', '[{"name":"read_x","inputSchema":{"type":"object"}}]')
  const run = (name: string, ...args: readonly string[]): Promise<Captured> =>
    init('--server', 's', '--tools', list, '--out', out(name), ...args)

  test.each(['kept', 'kept.test'])('%s.yaml', async (name) => {
    mkdirSync(join(folder, 'out'), { recursive: true })
    rmSync(out('kept'), { force: true })
    rmSync(out('kept.test'), { force: true })
    writeFileSync(out(name), 'mine')
    const { code, err } = await run('kept')
    expect(code).toBe(2)
    expect(err).toBe(
      `capfence: ${out(name)} exists\ncapfence: hint: write elsewhere with \`--out FILE\`, or over it with \`--force\`\n`,
    )
    expect(readFileSync(out(name), 'utf8')).toBe('mine')
    expect(existsSync(out(name === 'kept' ? 'kept.test' : 'kept'))).toBe(false)
  })

  test('also in the configuration: that the policy does not govern yet is said', async () => {
    const governing = file(
      'governing.mcp.json',
      JSON.stringify({
        environment: 'x',
        policies: ['out/named.yaml'],
        mcpServers: { s: { command: 'x' } },
      }),
    )
    const yet =
      'it governs once it has been read, and named under `policies` in the configuration\n'
    expect((await run('unnamed', '--config', governing)).out).toContain(yet)
    expect((await run('named', '--config', governing)).out).not.toContain(yet)
    expect((await run('alone')).out).toContain(yet)
  })

  test('unless it is meant', async () => {
    writeFileSync(out('forced'), 'mine')
    expect((await run('forced', '--force')).code).toBe(0)
    expect(readFileSync(out('forced'), 'utf8')).toContain('id: read_x')
  })
})

test.each([
  [['--tools', 'x.json'], 'which server is the policy for'],
  [['--server', 'filse', '--config', config], 'there is no server `filse`'],
  [
    ['--server', 'files', '--config', config, '--out', 'x.json'],
    '`--out` is `x.json`; expected a name',
  ],
  [['--server', 'files', '--config', config, '--out', 'x.test.yaml'], '`--out` is `x.test.yaml`'],
  [
    ['--server', 'files', '--config', config, '--out', out('t'), '--timeout', '0'],
    '`--timeout` is `0`',
  ],
  [['--server', 'files', '--config', config, '--environment', 'lab'], 'the environment of'],
])('%j is wrong use', async (args, message) => {
  const { code, out: said, err } = await init(...args)
  expect({ code, said }).toEqual({ code: 2, said: '' })
  expect(err).toContain(message)
})
