import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { requireOrSkip, requireSharedOrSkip, sharedPath } from '../support/needs.ts'
import { root } from '../support/root.ts'

const unbuilt = requireOrSkip('dist', existsSync(`${root}/dist/index.js`))

function judge(folder: string): { readonly status: number | null; readonly out: string } {
  const { status, stdout } = spawnSync('node', [`${root}/bench/corpora.mjs`, folder], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status, out: stdout }
}

function judgeFile(name: string, rows: readonly unknown[]): ReturnType<typeof judge> {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-corpora-'))
  try {
    mkdirSync(join(folder, 'payloads'))
    writeFileSync(join(folder, name), rows.map((row) => JSON.stringify(row)).join('\n'))
    return judge(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const shell = (id: string, label: string, command: string): unknown => ({
  id,
  label,
  arguments: { command },
  policy: { allow_command_prefixes: ['ls', 'git status'] },
})

test.skipIf(unbuilt)('an attack that gets through is named, and the answer is no', () => {
  const { status, out } = judgeFile('payloads/shell.jsonl', [
    shell('s-1', 'attack', 'ls; id'),
    shell('s-2', 'attack', 'ls -l'),
    shell('s-3', 'benign', 'rm x'),
  ])
  expect(out).toMatch(/^shell, `only` +1 of 2 +1 of 1 +missed: s-2$/m)
  expect(status).toBe(1)
})

test.skipIf(unbuilt)('a benign path that is refused is a target missed', () => {
  const row = (path: string): unknown => ({
    id: path,
    label: 'benign',
    arguments: { path },
    policy: { allow_root: '/srv' },
  })
  expect(judgeFile('payloads/paths.jsonl', [row('/srv/a')]).status).toBe(0)
  expect(judgeFile('payloads/paths.jsonl', [row('/srv/a'), row('/etc')]).status).toBe(1)
})

test.skipIf(unbuilt)('files that are absent are named and not counted', () => {
  const { status, out } = judgeFile('payloads/shell.jsonl', [shell('s-1', 'attack', 'rm x')])
  expect(out).toContain('no policy_cases.json')
  expect(out.match(/not counted/g)).toHaveLength(6)
  expect(status).toBe(0)
})

test.skipIf(unbuilt)('a folder in which there is nothing to judge passes nothing', () => {
  expect(judge(join(root, 'nowhere')).status).toBe(2)
  expect(judgeFile('payloads/urls.jsonl', []).status).toBe(2)
})

test.skipIf(unbuilt || requireSharedOrSkip('corpora'))(
  'every target of the shared corpora is met',
  { timeout: 120_000 },
  () => {
    const { status, out } = judge(sharedPath('corpora'))
    expect(out).not.toContain('missed')
    expect(status).toBe(0)
  },
)
