import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { withProject } from '../scan/a-project.ts'
import { capfence } from './capture.ts'

const files = {
  '.mcp.json': `{ "mcpServers": {
    "raw": { "command": "npx", "args": ["-y", "server"] },
    // capfence-ignore CF001: nobody starts it
    "old": { "command": "node" },
  } }`,
}
const gatedFiles = {
  '.mcp.json': '{ "mcpServers": { "x": { "command": "capfence", "args": ["run"] } } }',
}

const run = async (
  project: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Awaited<ReturnType<typeof capfence>>> =>
  withProject(project, async (folder) => capfence(['scan', folder, ...args]))

describe('exit codes', () => {
  test.each([
    { args: [], code: 1 },
    { args: ['--fail-on', 'warning'], code: 1 },
    { args: ['--fail-on', 'none'], code: 0 },
    { args: ['--fail-on', 'sometimes'], code: 2 },
    { args: ['--format', 'pdf'], code: 2 },
  ])('$args: $code', async ({ args, code }) => {
    expect((await run(files, ...args)).code).toBe(code)
  })

  test('a warning counts only when that is asked for', async () => {
    const text = '{ "mcpServers": { "x": { "command": "npx", "args": ["capfence", "run"] } } }'
    expect((await run({ '.mcp.json': text })).code).toBe(0)
    expect((await run({ '.mcp.json': text }, '--fail-on', 'warning')).code).toBe(1)
    expect((await run(gatedFiles, '--fail-on', 'note')).code).toBe(0)
  })

  test('a path that is not there is used wrongly, not clean', async () => {
    const { code, out } = await capfence(['scan', 'no-such-folder'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })
})

test('text says where, what, which rule, and once what to do', async () => {
  expect((await run(files)).out).toBe(
    [
      '.mcp.json:2:25: error: server `raw` is started without a gate [CF001]',
      '.mcp.json:2:25: warning: server `raw` runs `server`, which is no exact version [CF003]',
      '',
      'CF001 put CapFence before it: `capfence wrap`, or `capfence run --server NAME` as its command',
      'CF003 name an exact version, such as `name@1.2.3`, or a digest',
      '',
      '1 error, 1 warning, 0 notes, 1 ignored, 1 file read',
      '',
    ].join('\n'),
  )
})

test('names from a file cannot write to the terminal, or to the runner of GitHub', async () => {
  const name = 'a\\u001b[2J\\n::error::%0A'
  const text = `{ "mcpServers": { "${name}": { "command": "node" } } }`
  for (const format of ['text', 'github', 'junit', 'sarif', 'json']) {
    const { out } = await run({ '.mcp.json': text }, '--format', format)
    expect(out).not.toContain('\u001B')
    expect(out.split('\n').filter((line) => line.startsWith('::error::'))).toEqual([])
  }
})

test('json has every finding, those that are ignored too', async () => {
  const { out } = await run(files, '--json')
  const report = JSON.parse(out) as { findings: { rule: string; ignored: string | null }[] }
  expect(report.findings.map(({ rule, ignored }) => [rule, ignored])).toEqual([
    ['CF001', null],
    ['CF003', null],
    ['CF001', 'nobody starts it'],
  ])
})

test('github gets a command for each finding that counts', async () => {
  const { out } = await run(files, '--format', 'github')
  expect(out.split('\n').map((line) => line.slice(0, 36))).toEqual([
    '::error file=.mcp.json,line=2,endLin',
    '::warning file=.mcp.json,line=2,endL',
    '',
  ])
})

test('junit has a failure for each finding, and a test that passed when there is none', async () => {
  const failed = (await run(files, '--format', 'junit')).out
  expect(failed).toContain('tests="2" failures="2"')
  expect(failed.split('<failure')).toHaveLength(3)
  const passed = (await run(gatedFiles, '--format', 'junit')).out
  expect(passed).toContain('tests="1" failures="0"')
  expect(passed).not.toContain('<failure')
})

const text = z.strictObject({ text: z.string().min(1) })
const level = z.enum(['none', 'note', 'warning', 'error'])
const count = z.int().min(1)
/** The part of the SARIF 2.1.0 schema that our log is made of, with what it requires and that it closes objects. */
const sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z.array(
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.string(),
          semanticVersion: z.string().regex(/^\d+\.\d+\.\d+/),
          informationUri: z.url().optional(),
          rules: z.array(
            z.strictObject({
              id: z.string(),
              name: z.string().regex(/^[A-Z][A-Za-z]+$/),
              shortDescription: text,
              help: text,
              defaultConfiguration: z.strictObject({ level }),
              properties: z.strictObject({
                'security-severity': z.string().regex(/^\d+\.\d$/),
                tags: z.array(z.string()),
              }),
            }),
          ),
        }),
      }),
      columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
      originalUriBaseIds: z.record(z.string(), z.strictObject({ description: text })),
      results: z.array(
        z.strictObject({
          ruleId: z.string(),
          ruleIndex: z.int().min(0),
          level,
          message: text,
          locations: z.array(
            z.strictObject({
              physicalLocation: z.strictObject({
                artifactLocation: z.strictObject({ uri: z.string(), uriBaseId: z.string() }),
                region: z.strictObject({
                  startLine: count,
                  startColumn: count,
                  endLine: count,
                  endColumn: count,
                }),
              }),
            }),
          ),
          partialFingerprints: z.record(z.string(), z.string()),
          suppressions: z
            .array(
              z.strictObject({
                kind: z.enum(['inSource', 'external']),
                justification: z.string(),
              }),
            )
            .optional(),
        }),
      ),
    }),
  ),
})

test('SARIF is valid, names its rules, and has what is ignored as suppressed', async () => {
  const { out } = await run(files, '--format', 'sarif')
  const [{ tool, results } = { tool: undefined, results: [] }] = sarif.parse(JSON.parse(out)).runs
  expect(results.map(({ suppressions }) => suppressions?.[0]?.justification)).toEqual([
    undefined,
    undefined,
    'nobody starts it',
  ])
  for (const { ruleId, ruleIndex, locations } of results) {
    expect(tool?.driver.rules[ruleIndex]?.id).toBe(ruleId)
    const { startLine, endLine } = locations[0]?.physicalLocation.region ?? {}
    expect(endLine).toBeGreaterThanOrEqual(startLine ?? Infinity)
  }
})

test('--output writes the report, and standard output stays empty', async () => {
  await withProject(files, async (folder) => {
    const output = join(folder, 'out.sarif')
    const { out } = await capfence(['scan', folder, '--format', 'sarif', '--output', output])
    expect(out).toBe('')
    expect(existsSync(output)).toBe(true)
    expect(sarif.safeParse(JSON.parse(readFileSync(output, 'utf8'))).success).toBe(true)
  })
})

test('--exclude passes a folder over, and only that one', async () => {
  const project = { 'a/.mcp.json': files['.mcp.json'], 'b/.mcp.json': files['.mcp.json'] }
  const { out } = await run(project, '--exclude', './a/')
  expect(out).not.toContain('a/.mcp.json')
  expect(out).toContain('b/.mcp.json')
})
