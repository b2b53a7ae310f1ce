import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { scan } from '../../src/scan/scan.ts'
import { findingsIn, openIn, withProject } from './a-project.ts'

const gated = { command: 'capfence', args: ['run', '--config', 'c.json', '--server', 'x'] }
const secret = 'q7Hf02kLmZ9pXw31'

/** The rules that are broken by one server of a client. */
async function rulesOf(entry: object): Promise<readonly string[]> {
  const text = JSON.stringify({ mcpServers: { x: entry } })
  const found = await findingsIn({ '.cursor/mcp.json': text })
  return [...new Set(found.map(({ rule }) => rule))].toSorted()
}

describe('a server is gated when the program that is started is CapFence', () => {
  test.each([
    gated,
    { command: '/usr/local/bin/capfence', args: ['run'] },
    { command: 'cmd', args: ['/c', 'capfence.cmd', 'run'] },
    { command: 'npx', args: ['-y', 'capfence@0.1.0', 'run', '--server', 'x'] },
    { command: 'node', args: ['/opt/capfence/dist/cli/main.js', 'run', '--server', 'x'] },
    { ...gated, autoApprove: ['read'], trust: true },
    { command: 'node', args: ['x.js'], disabled: true },
  ])('$command $args', async (entry) => {
    expect(await rulesOf(entry)).toEqual([])
  })

  test.each([
    { command: 'node', args: ['server.js'] },
    { command: 'node', args: ['server.js', 'capfence', 'run'] },
    { command: 'node', args: ['capfence', 'run'] },
    { command: 'capfence-shim', args: ['run'] },
    { command: 'capfence', args: ['demo', 'run'] },
    { command: 'capfence', args: [] },
    { command: 'sh', args: ['-c', 'capfence run'] },
    { command: 'npx', args: ['-p', 'evil@1.0.0', 'capfence', 'run'] },
    { command: 'npx', args: ['capfence-mcp@1.0.0', 'run'] },
    { command: 'node', args: ['x.js'], disabled: 'yes' },
    { type: 'http', url: 'https://example.com/mcp' },
    { serverUrl: 'https://example.com/capfence/run' },
    { transport: { command: 'node', args: ['x.js'] } },
  ])('not: $command $args', async (entry) => {
    expect(await rulesOf(entry)).toEqual(['CF001'])
  })
})

describe('literal secrets', () => {
  test.each([
    { env: { API_TOKEN: secret } },
    { env: { apiKey: secret } },
    { env: { DB_PASSWORD: secret } },
    { env: { HARMLESS: `ghp_${'a1B2'.repeat(9)}` } },
    { env: { DATABASE_URL: 'postgres://me:pa55w0rd@db/x' } },
    { headers: { Authorization: `Bearer ${secret}` } },
    { args: ['run', `--token=${secret}`] },
    { args: ['run', '--api-key', secret] },
    { args: ['run', '--header', `X-Api-Key: ${secret}`] },
    { transport: { env: { TOKEN: secret } } },
  ])('%j holds one', async (rest) => {
    expect(await rulesOf({ ...gated, ...rest })).toEqual(['CF002'])
  })

  test.each([
    { env: { API_TOKEN: '${API_TOKEN}' } },
    { env: { API_TOKEN: '$API_TOKEN' } },
    { headers: { Authorization: 'Bearer ${env:TOKEN}' } },
    { headers: { Authorization: 'Bearer ${input:token}' } },
    { env: { API_KEY: '<your key>' } },
    { env: { API_KEY: 'YOUR_API_KEY_HERE' } },
    { env: { TOKEN_FILE: '/run/secrets/token' } },
    { env: { TOKENIZER: 'cl100k-base-model' } },
    { env: { MONKEY: 'a-long-enough-value' } },
    { env: { MAX_TOKENS: '8000' } },
    { args: ['run', '--token', '--verbose-output'] },
  ])('%j holds none', async (rest) => {
    expect(await rulesOf({ ...gated, ...rest })).toEqual([])
  })

  test('no report holds the secret itself', async () => {
    const entry = { ...gated, env: { TOKEN: secret }, args: ['run', `--token=${secret}`] }
    const text = JSON.stringify({ mcpServers: { x: entry } })
    const found = await findingsIn({ '.mcp.json': text })
    expect(found).toHaveLength(2)
    expect(JSON.stringify(found)).not.toContain(secret)
  })
})

describe('versions', () => {
  test.each([
    ['npx', '-y', '@scope/server'],
    ['npx', 'server@latest'],
    ['npx', 'server@^1.2.0'],
    ['npx', 'server@1'],
    ['npx', '-p', 'server', 'bin'],
    ['npx', '--package=server', 'bin'],
    ['cmd', '/c', 'npx', 'server'],
    ['sh', '-c', 'cd /srv && npx server'],
    ['bunx', 'server'],
    ['pnpm', 'dlx', 'server'],
    ['npm', 'exec', '--', 'server'],
    ['uvx', 'mcp-server-git'],
    ['uvx', '--from', 'git+https://example.com/x', 'x'],
    ['uv', 'tool', 'run', 'x'],
    ['pipx', 'run', 'x'],
    ['docker', 'run', '-i', '--rm', '-e', 'A', 'image'],
    ['docker', 'run', '-i', 'image:latest'],
  ])('%s %s %s %s is newest', async (command, ...args) => {
    expect(await rulesOf({ command, args })).toEqual(['CF001', 'CF003'])
  })

  test.each([
    ['npx', '-y', '@scope/server@1.2.3'],
    ['npx', 'server@1.2.3-beta.1'],
    ['npx', './server'],
    ['uvx', 'mcp-server-git==2025.1.14'],
    ['uvx', '--from', `git+https://example.com/x@${'0a'.repeat(20)}`, 'x'],
    ['docker', 'run', '-i', `image@sha256:${'0a'.repeat(32)}`],
    ['docker', 'run', '--rm', 'image:1.4.2'],
    ['node', 'npx'],
  ])('%s %s %s %s is one', async (command, ...args) => {
    expect(await rulesOf({ command, args })).toEqual(['CF001'])
  })
})

test.each([
  ['http://example.com/mcp', true],
  ['http://10.0.0.4:8080/mcp', true],
  ['HTTP://EXAMPLE.COM', true],
  ['http://localhost.example.com/', true],
  ['http://127.0.0.1.example.com/', true],
  ['http://localhost@example.com/', true],
  ['http://localhost:3000/mcp', false],
  ['http://127.0.0.1/mcp', false],
  ['http://[::1]:3000/mcp', false],
  ['https://example.com/mcp', false],
])('%s goes over a network in plain text: %s', async (url, expected) => {
  expect((await rulesOf({ url })).includes('CF004')).toBe(expected)
})

describe('calls that run without a question', () => {
  test.each([
    { autoApprove: ['delete'] },
    { autoApprove: true },
    { alwaysAllow: ['*'] },
    { trust: true },
    { trust: 'yes' },
    { default_tools_approval_mode: 'approve' },
    { tools: { delete: { approval_mode: 'approve' } } },
  ])('%j', async (rest) => {
    expect(await rulesOf({ command: 'node', args: ['x.js'], ...rest })).toEqual(['CF001', 'CF005'])
  })

  test.each([
    { autoApprove: [] },
    { trust: false },
    { alwaysAllow: [] },
    { default_tools_approval_mode: 'ask' },
  ])('not: %j', async (rest) => {
    expect(await rulesOf({ command: 'node', args: ['x.js'], ...rest })).toEqual(['CF001'])
  })

  test.each([
    ['.claude/settings.json', { permissions: { defaultMode: 'bypassPermissions' } }],
    ['.claude/settings.local.json', { enableAllProjectMcpServers: true }],
    ['.vscode/settings.json', { 'chat.tools.autoApprove': true }],
  ])('a switch in %s', async (name, settings) => {
    expect(await openIn({ [name]: JSON.stringify(settings) })).toEqual([`${name}:1 CF005`])
    expect(await openIn({ [name]: '{}' })).toEqual([])
  })
})

const entry = '"command": "node", "args": ["x.js"]'

test.each([
  ['.mcp.json', `{"mcpServers": {"x": {${entry}}}}`],
  ['packages/a/.mcp.json', `{"mcpServers": {"x": {${entry}}}}`],
  ['.vscode/mcp.json', `{"servers": {"x": {${entry}}}}`],
  ['.vscode/settings.json', `{"mcp": {"servers": {"x": {${entry}}}}}`],
  ['.devcontainer.json', `{"customizations": {"vscode": {"mcp": {"servers": {"x": {${entry}}}}}}}`],
  ['.zed/settings.json', `{"context_servers": {"x": {${entry}}}}`],
  ['.gemini/settings.json', `{"mcpServers": {"x": {${entry}}}}`],
  ['.codex/config.toml', '[mcp_servers.x]\ncommand = "node"\nargs = ["x.js"]'],
  ['.goose/config.yaml', 'extensions:\n  x:\n    type: stdio\n    cmd: node\n    args: [x.js]'],
  ['.continue/config.yaml', 'mcpServers:\n  - name: x\n    command: node\n    args: [x.js]'],
  ['opencode.json', '{"mcp": {"x": {"type": "local", "command": ["node", "x.js"]}}}'],
  ['claude_desktop_config.json', `{"mcpServers": {"x": {${entry}}}}`],
  ['examples/my-mcp-servers.json', `{"mcpServers": {"x": {${entry}}}}`],
  ['a.code-workspace', `{"settings": {"mcp": {"servers": {"x": {${entry}}}}}}`],
])('a server in %s is found', async (name, text) => {
  expect((await findingsIn({ [name]: text })).map(({ file, rule }) => [file, rule])).toEqual([
    [name, 'CF001'],
  ])
})

describe('what cannot be read without doubt', () => {
  test.each([
    ['.mcp.json', '{"mcpServers": {'],
    ['.mcp.json', `{"mcpServers": {"x": {}, "x": {${entry}}}}`],
    ['.codex/config.toml', '[mcp_servers.x\n'],
    ['.goose/config.yaml', 'a: &a {cmd: node}\nextensions:\n  x: *a'],
    ['.goose/config.yaml', 'a: &a {x: {cmd: node}}\nextensions: *a'],
  ])('%s %s is a finding', async (name, text) => {
    const found = await findingsIn({ [name]: text })
    expect(found.map(({ rule }) => rule)).toEqual(['CF006'])
  })

  test('bytes that are not UTF-8 are a finding', async () => {
    const found = await withProject({ '.mcp.json': '' }, async (root) => {
      writeFileSync(join(root, '.mcp.json'), Buffer.from([0x7b, 0xff, 0x7d]))
      return (await scan({ root })).findings
    })
    expect(found.map(({ rule }) => rule)).toEqual(['CF006'])
  })
})

describe("CapFence's own configuration", () => {
  const servers = { x: { command: 'npx', args: ['server'], env: { TOKEN: secret } } }

  test('what it names is started by the gate; its versions and secrets count', async () => {
    const text = JSON.stringify({ policies: ['p.yaml'], environment: 'test', mcpServers: servers })
    const found = await findingsIn({ 'capfence.mcp.json': text })
    expect(found.map(({ rule }) => rule)).toEqual(['CF003', 'CF002'])
  })

  test('a file that a client reads is none, whatever stands in it', async () => {
    const text = JSON.stringify({ policies: ['p.yaml'], mcpServers: { x: { command: 'node' } } })
    expect(await openIn({ '.mcp.json': text })).toEqual(['.mcp.json:1 CF001'])
  })
})

describe('remarks', () => {
  const server = (before: string, after = ''): string =>
    `{ "mcpServers": {\n${before}\n"x": { "command": "node" } ${after}\n} }`

  test.each([
    ['// capfence-ignore CF001: started by hand only', ''],
    ['', '// capfence-ignore CF001: started by hand only'],
  ])('%s%s ignores a finding, with its reason', async (before, after) => {
    const [finding, ...rest] = await findingsIn({ '.mcp.json': server(before, after) })
    expect(finding).toMatchObject({ rule: 'CF001', ignored: 'started by hand only' })
    expect(rest).toEqual([])
  })

  test.each([
    '// capfence-ignore',
    '// capfence-ignore CF001',
    '// capfence-ignore CF001:',
    '// capfence-ignore CF999: no such rule',
    '// capfence-ignore all: everything',
  ])('%s ignores nothing, and is a finding itself', async (remark) => {
    expect(await openIn({ '.mcp.json': server(remark) })).toEqual([
      '.mcp.json:2 CF007',
      '.mcp.json:3 CF001',
    ])
  })

  test('one that ignores nothing that is there is a note', async () => {
    const text = server('// capfence-ignore CF001, CF002: both')
    expect(await openIn({ '.mcp.json': text })).toEqual(['.mcp.json:2 CF008'])
  })

  test('one that stands two lines above ignores nothing', async () => {
    const text = server('// capfence-ignore CF001: too far\n')
    expect(await openIn({ '.mcp.json': text })).toEqual(['.mcp.json:2 CF008', '.mcp.json:4 CF001'])
  })
})

test('a finding keeps its fingerprint when lines are added above it, and has one of its own', async () => {
  const servers = '"a": { "command": "node" },\n"b": { "command": "node" }'
  const first = await findingsIn({ '.mcp.json': `{ "mcpServers": {\n${servers}\n} }` })
  const moved = await findingsIn({ '.mcp.json': `{\n\n\n"mcpServers": {\n${servers}\n} }` })
  const prints = first.map(({ fingerprint }) => fingerprint)
  expect(moved.map(({ fingerprint }) => fingerprint)).toEqual(prints)
  expect(new Set(prints).size).toBe(2)
})
