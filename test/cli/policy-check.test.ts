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
