import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { capfence } from './capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-check-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('warns of an environment in which no call acts', () => {
  const misspelt = file(
    'environments.yaml',
    'deny:\n  - {id: dev, capability: a, environment: stagin}\nallow:\n  - {id: live, capability: b, environment: production}\n',
  )
  const configFor = (environment: string): string =>
    file(
      `${environment}.mcp.json`,
      JSON.stringify({
        environment,
        policies: ['environments.yaml'],
        mcpServers: { a: { command: 'x' } },
      }),
    )
  const production = configFor('production')
  const warned = (name: string, line: number, asked: string, acts: string): string =>
    `${name}:${line}:5: warning: rule \`${line === 2 ? 'dev' : 'live'}\` asks for the environment \`${asked}\`, but calls act in ${acts} [policy-lint]`

  test('of the configuration that governs, or of each that is named', async () => {
    const one = await capfence(['policy', 'check', '--config', production])
    expect(one.out).toContain(warned(misspelt, 2, 'stagin', '`production`'))
    expect(one.code).toBe(0)
    const args = ['policy', 'check', '--strict', '--config', production]
    const both = await capfence([...args, '--config', configFor('staging')])
    expect(both.code).toBe(1)
    const lines = both.out.split('\n').filter((text) => text.includes('warning'))
    const line = warned(misspelt, 2, 'stagin', '`production` or `staging`')
    // Once for the policies of each.
    expect(lines).toEqual([line, line])
    expect(both.out).toContain('capfence: hint: did you mean `staging`?')
  })

  test('also for a file that is named, and as JSON', async () => {
    const args = ['policy', 'check', '--json', '--config', configFor('staging'), misspelt]
    const { out, code } = await capfence(args)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      warnings: [
        { line: 2, code: 'policy-lint', hint: 'did you mean `staging`?' },
        { line: 4, code: 'policy-lint' },
      ],
    })
  })

  test('where the configuration of this folder names the file, and not where it does not', async () => {
    const folderHere = mkdtempSync(join(folder, 'here-'))
    const here = process.cwd()
    copyFileSync(misspelt, join(folderHere, 'environments.yaml'))
    copyFileSync(production, join(folderHere, 'capfence.mcp.json'))
    process.chdir(folderHere)
    try {
      const { out } = await capfence(['policy', 'check', 'environments.yaml'])
      expect(out).toContain(warned('environments.yaml', 2, 'stagin', '`production`'))
      const args = ['policy', 'check', '--strict']
      expect((await capfence([...args, misspelt])).code).toBe(0)
      // One that nobody named, and that cannot be read, is no mistake of the policy.
      writeFileSync('capfence.mcp.json', '{')
      expect((await capfence([...args, 'environments.yaml'])).code).toBe(0)
    } finally {
      process.chdir(here)
    }
  })
})

describe('looks whether the tools of a list have the arguments', () => {
  const asks = file(
    'asks.yaml',
    `version: 1
deny:
  - {id: secrets, capability: docs.read, args: {/pth: {under: /etc}}}
allow:
  - {id: read, capability: docs.read.production, args: {/path: {under: /srv}}}
`,
  )
  const server = { command: 'x', capfence: { tools: { get: { capability: 'docs.read' } } } }
  const gate = (name: string, servers: object): string =>
    file(
      name,
      JSON.stringify({ environment: 'production', policies: ['asks.yaml'], mcpServers: servers }),
    )
  const one = gate('one.mcp.json', { docs: server })
  const two = gate('two.mcp.json', { docs: server, other: { command: 'y' } })
  const inputSchema = { type: 'object', properties: { path: { type: 'string' } } }
  const list = file(
    'tools.json',
    JSON.stringify({ result: { tools: [{ name: 'get', inputSchema }, 5] } }),
  )
  const check = ['policy', 'check', '--config', one, '--tools', list]

  test('of the only server, or of the one that is named', async () => {
    const warned = `${asks}:3:5: warning: rule \`secrets\` asks for \`/pth\`, which is not in the input of \`get\` [policy-lint]
capfence: hint: did you mean \`/path\`?
${asks}: 2 rules (1 deny, 0 require_approval, 1 allow)
`
    expect(await capfence(check)).toEqual({ code: 0, out: warned, err: '' })
    const named = ['--config', two, '--server', 'docs', '--tools', list]
    expect(await capfence(['policy', 'check', ...named])).toEqual({ code: 0, out: warned, err: '' })
  })

  test('as a fault with --strict, and as JSON', async () => {
    expect((await capfence([...check, '--strict'])).code).toBe(1)
    const { out } = await capfence([...check, '--json'])
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      warnings: [{ line: 3, column: 5, code: 'policy-lint', hint: 'did you mean `/path`?' }],
    })
  })

  test('without a configuration, as those of a server by that name', async () => {
    const bare = file('bare.yaml', 'deny: [{capability: docs.get.live, args: {/pth: x}}]\n')
    const args = ['policy', 'check', bare, '--tools', list]
    expect((await capfence([...args, '--server', 'docs'])).out).toContain('in the input of `get`')
    const { code, err } = await capfence(args)
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringContaining('whose tools does `--tools` list') as unknown,
    })
  })

  test('the list of another server is no list of this one', async () => {
    const { out } = await capfence([
      'policy',
      'check',
      '--config',
      two,
      '--server',
      'other',
      '--tools',
      list,
    ])
    expect(out).toContain('no rule is about any of the listed tools: 1')
  })

  test.each([
    ['whose they are', ['--config', two, '--tools', list], 'the configuration has docs, other'],
    ['which server', ['--config', two, '--server', 'dcs', '--tools', list], 'did you mean `docs`?'],
    ['of which list', ['--config', two, '--server', 'docs'], '`--server` goes with `--tools`'],
    [
      'where the list is',
      ['--config', one, '--tools', join(folder, 'none')],
      'cannot read the tools',
    ],
    ['where tools are in it', ['--config', one, '--tools', one], 'holds no list of tools'],
  ])('it has to be said %s', async (_, args, says) => {
    const { code, out, err } = await capfence(['policy', 'check', ...args])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(says)
  })
})
