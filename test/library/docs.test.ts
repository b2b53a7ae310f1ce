import { spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { dist } from '../support/dist.ts'
import { blocksOf, pages } from '../support/markdown.ts'
import { root } from '../support/root.ts'
import { withScratchProject } from '../support/scratch.ts'

const page = pages.filter(({ path }) => path === 'docs/library.md')
const shown = page.flatMap(blocksOf).filter(({ about }) => about === 'library')
const [program, printed] = [shown[0]?.text ?? '', shown[1]?.text ?? '']

const tsconfig = JSON.stringify({
  compilerOptions: {
    target: 'ES2023',
    module: 'NodeNext',
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  },
  files: ['example.ts'],
})

/** A project that has the built package under its own name, and the example. */
function inProject<T>(use: (folder: string) => T): T {
  expect(existsSync(dist)).toBe(true)
  const files = { 'example.ts': program, 'example.mjs': program, 'tsconfig.json': tsconfig }
  return withScratchProject(['package.json', 'dist', 'policies'], files, use)
}

describe('docs/library.md', () => {
  it('shows a program and what it prints', () => {
    expect(program).toContain("from 'capfence'")
    expect(printed).not.toBe('')
  })

  it('the program holds to the types of the built package', () => {
    const said = inProject((folder) => {
      const compiler = join(root, 'node_modules/typescript/bin/tsc')
      const run = spawnSync(process.execPath, [compiler], { cwd: folder, encoding: 'utf8' })
      return `${run.stdout}${run.stderr}`
    })
    expect(said).toBe('')
  })

  it('the program prints exactly that, and leaves exactly these records', async () => {
    const { run, records } = await inProjectWithLog()
    expect(run).toMatchObject({ stderr: '', stdout: printed, status: 0 })
    expect(records).toEqual([
      'log.open',
      'proc.start',
      'policy.load',
      'decision',
      'decision',
      'outcome',
      'decision',
      'approval.request',
      'decision',
      'approval.request',
      'proc.stop',
    ])
  })
})

async function inProjectWithLog(): Promise<{
  run: SpawnSyncReturns<string>
  records: readonly string[]
}> {
  const state = mkdtempSync(join(tmpdir(), 'capfence-library-'))
  try {
    const storage = join(state, 'capfence.db')
    const env = { ...process.env, CAPFENCE_STORAGE: storage }
    const run = inProject((cwd) =>
      spawnSync(process.execPath, ['example.mjs'], { cwd, encoding: 'utf8', env }),
    )
    const log = SQLiteLog.open(storage)
    const records = await log.records(0, 100)
    await log.close()
    return { run, records: records.map(({ type }) => type) }
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
}
