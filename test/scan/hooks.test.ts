import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { root } from '../support/root.ts'
import { withProject } from './a-project.ts'

const action = z
  .strictObject({
    name: z.string(),
    description: z.string().max(125),
    author: z.string(),
    branding: z.strictObject({ icon: z.string(), color: z.string() }),
    inputs: z.record(z.string(), z.strictObject({ description: z.string(), default: z.string() })),
    runs: z.strictObject({
      using: z.literal('composite'),
      steps: z.tuple([
        z.strictObject({
          shell: z.literal('bash'),
          env: z.record(z.string(), z.string()),
          run: z.string(),
        }),
      ]),
    }),
  })
  .parse(parse(readFileSync(join(root, 'action.yml'), 'utf8')))
const [{ env, run }] = action.runs.steps

/** What the script of the action would start, with `npx` replaced by what prints its arguments. */
async function started(
  inputs: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly words: readonly string[] }> {
  return withProject({}, async (folder) => {
    writeFileSync(join(folder, 'npx'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 })
    const variables = Object.fromEntries(
      Object.entries(env).map(([name, text]) => {
        const input = /inputs\.(?<input>[\w-]+)/.exec(text)?.groups?.['input'] ?? ''
        return [name, inputs[input] ?? action.inputs[input]?.default ?? '']
      }),
    )
    const path = `${folder}:${process.env['PATH'] ?? ''}`
    const { status, stdout } = spawnSync('bash', ['-e', '-c', run], {
      env: { ...variables, PATH: path },
      encoding: 'utf8',
    })
    return { code: status, words: stdout.split('\n').slice(0, -1) }
  })
}

describe('the GitHub Action', () => {
  test('starts a scan of the whole project, of an exact version', async () => {
    expect(await started({})).toEqual({
      code: 0,
      words: ['--yes', 'capfence@0.1.0', 'scan', '--format=github', '--fail-on=error', '--', '.'],
    })
  })

  test('hands on what it is given, each as one word', async () => {
    const { words } = await started({
      path: 'a b; echo x',
      'changed-since': '$(id)',
      baseline: '--x',
      output: 'o',
    })
    expect(words.slice(3)).toEqual([
      '--format=github',
      '--fail-on=error',
      '--output=o',
      '--baseline=--x',
      '--changed-since=$(id)',
      '--',
      'a b; echo x',
    ])
  })

  test.each(['latest', '', '0.1', '0.1.0 evil', '^0.1.0'])(
    'refuses version %j',
    async (version) => {
      const { code, words } = await started({ version })
      expect(code).toBe(2)
      expect(words).toEqual(['::error::version must be exact, such as 0.1.0'])
    },
  )

  test('no input is read as a part of the script', () => {
    expect(run).not.toContain('${{')
    expect(Object.values(env).every((text) => /^\$\{\{ inputs\.[\w-]+ \}\}$/.test(text))).toBe(true)
  })

  test('its version is the one of the package', () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
    expect(action.inputs['version']?.default).toBe(version)
  })
})

test('the hook of pre-commit starts a command that there is, for every file that is looked at', () => {
  const [hook] = z
    .tuple([
      z.strictObject({
        id: z.literal('capfence-scan'),
        name: z.string(),
        description: z.string(),
        entry: z.literal('capfence scan'),
        language: z.literal('node'),
        pass_filenames: z.literal(false),
        files: z.string(),
      }),
    ])
    .parse(parse(readFileSync(join(root, '.pre-commit-hooks.yaml'), 'utf8')))
  const files = new RegExp(hook.files)
  for (const name of [
    'a.ts',
    'a.mts',
    'a.tsx',
    'a.cjs',
    'a.py',
    '.mcp.json',
    'a.jsonc',
    'config.toml',
    'a.yaml',
    'a.yml',
    'x.code-workspace',
  ])
    expect(files.test(name)).toBe(true)
  expect(files.test('README.md')).toBe(false)
})
