import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { withProject } from '../scan/a-project.ts'
import { root } from '../support/root.ts'
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

/** The parts of a log that tests look at; whether it is one, the schema of the standard says. */
const parts = z.looseObject({
  runs: z.array(
    z.looseObject({
      tool: z.looseObject({
        driver: z.looseObject({ rules: z.array(z.looseObject({ id: z.string() })) }),
      }),
      results: z.array(
        z.looseObject({
          ruleId: z.string(),
          ruleIndex: z.number(),
          locations: z.array(
            z.looseObject({
              physicalLocation: z.looseObject({
                region: z.looseObject({ startLine: z.number(), endLine: z.number() }),
              }),
            }),
          ),
          suppressions: z
            .array(z.looseObject({ kind: z.string(), justification: z.string() }))
            .optional(),
        }),
      ),
    }),
  ),
})

/** The schema of SARIF 2.1.0 as it is published (fixtures/sarif), which is of a draft that says `id` for `$id`. */
const schemaText = readFileSync(join(root, 'fixtures/sarif/sarif-schema-2.1.0.json'), 'utf8')
const { id: _id, $schema: _draft, ...schema } = JSON.parse(schemaText) as Record<string, unknown>
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false })
addFormats.default(ajv)
const isSarif = ajv.compile(schema)

/** A log, when it is one. */
function sarif(written: string): z.infer<typeof parts> {
  const log: unknown = JSON.parse(written)
  expect(isSarif(log), JSON.stringify(isSarif.errors)).toBe(true)
  return parts.parse(log)
}

test('the schema of SARIF refuses what is none', () => {
  const result = { message: { text: 'x' } }
  const log = { version: '2.1.0', runs: [{ tool: { driver: { name: 'x' } }, results: [result] }] }
  expect(isSarif(log)).toBe(true)
  expect(isSarif({ ...log, version: '2.0.0' })).toBe(false)
  expect(isSarif({ ...log, extra: 1 })).toBe(false)
  expect(isSarif({ ...log, runs: [{ results: [result] }] })).toBe(false)
  const wrong = { ...result, level: 'fatal' }
  expect(isSarif({ ...log, runs: [{ tool: { driver: { name: 'x' } }, results: [wrong] }] })).toBe(
    false,
  )
})

test('SARIF is valid, names its rules, and has what is ignored as suppressed', async () => {
  const { out } = await run(files, '--format', 'sarif')
  const [{ tool, results } = { tool: undefined, results: [] }] = sarif(out).runs
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
    expect(sarif(readFileSync(output, 'utf8')).runs).toHaveLength(1)
  })
})

test('--exclude passes a folder over, and only that one', async () => {
  const project = { 'a/.mcp.json': files['.mcp.json'], 'b/.mcp.json': files['.mcp.json'] }
  const { out } = await run(project, '--exclude', './a/')
  expect(out).not.toContain('a/.mcp.json')
  expect(out).toContain('b/.mcp.json')
})

const code = {
  'src/a.ts': `import { tool } from 'ai'\nexport const a = tool({ execute: async () => 1 })\n`,
  'src/b.ts': `import { tool } from 'ai'\nexport const b = tool({ execute: async () => 1 })\n`,
}

describe('a baseline', () => {
  const written = async (folder: string, name = 'baseline.json'): Promise<string> => {
    const baseline = join(folder, name)
    const { code: exit } = await capfence(['scan', folder, '--write-baseline', baseline])
    expect(exit).toBe(0)
    return baseline
  }

  test('lets what was there before pass, and nothing that comes later', async () => {
    await withProject(code, async (folder) => {
      const baseline = await written(folder)
      const before = await capfence(['scan', folder, '--baseline', baseline])
      expect(before).toMatchObject({ code: 0, err: '' })
      expect(before.out).toContain('2 ignored')
      const moved = `// a line more\n${code['src/a.ts']}`
      writeFileSync(join(folder, 'src/a.ts'), `${moved}tool({ execute: async () => 2 })\n`)
      const after = await capfence(['scan', folder, '--baseline', baseline])
      expect(after.code).toBe(1)
      expect(after.out).toContain('src/a.ts:4:1: error')
      expect(after.out).not.toContain('src/a.ts:3:')
    })
  })

  test('says how much of it is gone', async () => {
    await withProject(code, async (folder) => {
      const baseline = await written(folder)
      rmSync(join(folder, 'src/a.ts'))
      const { code: exit, err } = await capfence(['scan', folder, '--baseline', baseline])
      expect({ exit, err }).toEqual({
        exit: 0,
        err: 'capfence: 1 finding of the baseline is gone: write it anew, or they may come back unseen\n',
      })
    })
  })

  test('stands in SARIF as suppressed from outside', async () => {
    await withProject(code, async (folder) => {
      const baseline = await written(folder)
      const args = ['scan', folder, '--baseline', baseline, '--format', 'sarif']
      const [log] = sarif((await capfence(args)).out).runs
      const found = log?.results.flatMap(({ suppressions }) => suppressions ?? [])
      expect(found?.map(({ kind }) => kind)).toEqual(['external', 'external'])
    })
  })

  test('cannot hide a remark that does not count', async () => {
    const remark = { 'a.ts': '// capfence-ignore\nexport {}' }
    await withProject(remark, async (folder) => {
      const { code: exit } = await capfence(['scan', folder, '--baseline', await written(folder)])
      expect(exit).toBe(1)
    })
  })

  test.each([
    '',
    '{}',
    'null',
    '{"schemaVersion":2,"type":"scan-baseline","findings":[]}',
    '\u0000',
  ])('that reads %j is used wrongly, and lets nothing pass', async (content) => {
    await withProject({ ...code, 'base.json': content }, async (folder) => {
      const args = ['scan', folder, '--baseline', join(folder, 'base.json')]
      expect(await capfence(args)).toMatchObject({ code: 2, out: '' })
    })
  })

  test('that is not there is used wrongly', async () => {
    expect(await run(code, '--baseline', '/no/such/baseline.json')).toMatchObject({
      code: 2,
      out: '',
    })
  })
})

describe('--changed-since', () => {
  const git = (folder: string, ...args: readonly string[]): void => {
    const identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.com']
    const { status, stderr } = spawnSync('git', [...identity, ...args], { cwd: folder })
    if (status !== 0) throw new Error(String(stderr))
  }
  const commit = (folder: string): void => {
    git(folder, 'add', '-A')
    git(folder, 'commit', '-q', '-m', 'x')
  }
  const placesIn = async (
    folder: string,
    ...args: readonly string[]
  ): Promise<readonly string[]> => {
    const { out } = await capfence(['scan', folder, '--json', ...args])
    const report = JSON.parse(out) as { findings: { file: string }[] }
    return report.findings.map(({ file }) => file)
  }

  test('says only what a branch changed, new files included, though other files were needed', async () => {
    const server = `import { McpServer } from '@modelcontextprotocol/server'
export const server = new McpServer({})\nserver.registerTool('old', {}, f)\n`
    await withProject({ ...code, 'src/server.ts': server }, async (folder) => {
      git(folder, 'init', '-q', '-b', 'main')
      commit(folder)
      git(folder, 'checkout', '-q', '-b', 'work')
      writeFileSync(join(folder, 'src/a.ts'), `${code['src/a.ts']}// more\n`)
      commit(folder)
      writeFileSync(
        join(folder, 'src/new.ts'),
        `import { server } from './server'\nserver.registerTool('new', {}, f)\n`,
      )
      // What others did to the branch meanwhile is theirs.
      git(folder, 'checkout', '-q', 'main')
      writeFileSync(join(folder, 'src/b.ts'), `${code['src/b.ts']}// theirs\n`)
      git(folder, 'add', 'src/b.ts')
      git(folder, 'commit', '-q', '-m', 'theirs')
      git(folder, 'checkout', '-q', 'work')
      const changed = ['--changed-since', 'main']
      expect(await placesIn(folder, ...changed)).toEqual(['src/a.ts', 'src/new.ts'])
      expect(await placesIn(join(folder, 'src'), ...changed)).toEqual(['a.ts', 'new.ts'])
      expect(await placesIn(folder, '--changed-since', 'HEAD')).toEqual(['src/new.ts'])
    })
  })

  test('runs nothing that the repository names', async () => {
    await withProject(code, async (folder) => {
      git(folder, 'init', '-q')
      commit(folder)
      const trap = join(folder, 'trap')
      const script = join(folder, 'hook.sh')
      writeFileSync(script, `#!/bin/sh\ntouch ${trap}\n`, { mode: 0o755 })
      git(folder, 'config', 'core.fsmonitor', script)
      git(folder, 'config', 'diff.external', script)
      writeFileSync(join(folder, 'src/a.ts'), 'export {}')
      expect((await capfence(['scan', folder, '--changed-since', 'HEAD'])).code).toBe(0)
      expect(existsSync(trap)).toBe(false)
      // The trap is one: git springs it when nobody keeps it from doing so.
      git(folder, 'status')
      expect(existsSync(trap)).toBe(true)
    })
  })

  test.each(['no-such-branch', '--output=x', 'a b', ''])(
    '%j is used wrongly',
    async (reference) => {
      await withProject(code, async (folder) => {
        git(folder, 'init', '-q')
        commit(folder)
        const { code: exit, out } = await capfence(['scan', folder, `--changed-since=${reference}`])
        expect({ exit, out }).toEqual({ exit: 2, out: '' })
      })
    },
  )

  test('where there is no repository is used wrongly', async () => {
    expect((await run(code, '--changed-since', 'main')).code).toBe(2)
  })
})

test('a file on which a parser dies is a finding, and the others are read', async () => {
  const deep = `import { tool } from 'ai'; x = ${'('.repeat(50_000)}1${')'.repeat(50_000)}`
  const many = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [`f${String(at)}.ts`, code['src/a.ts']]),
  )
  const { out } = await run({ ...many, 'f10-dies.ts': deep, 'f3-dies.ts': deep }, '--json')
  const { findings } = JSON.parse(out) as { findings: { file: string; rule: string }[] }
  const broken = findings.filter(({ rule }) => rule === 'CF006').map(({ file }) => file)
  expect(broken).toEqual(['f10-dies.ts', 'f3-dies.ts'])
  expect(findings.filter(({ rule }) => rule === 'CF101')).toHaveLength(20)
})

test('a file that is too large is a finding', async () => {
  const { out } = await run({ 'a.ts': ' '.repeat(4_194_305) })
  expect(out).toContain('a.ts:1:1: error: this file was not read: it has 4194305 bytes [CF006]')
  expect((await run({ 'a.ts': ' '.repeat(4_194_304) })).code).toBe(0)
})

test('SARIF lists every rule that can be found, and only those', async () => {
  const [log] = sarif((await run(code, '--format', 'sarif')).out).runs
  const known = new Set(log?.tool.driver.rules.map(({ id }) => id))
  const args = ['scan', join(root, 'fixtures/scan'), '--json']
  const { findings } = JSON.parse((await capfence(args)).out) as { findings: { rule: string }[] }
  const inCode = [...new Set(findings.map(({ rule }) => rule))].toSorted()
  expect(inCode).toEqual([...known].filter((id) => id.startsWith('CF1')))
})
