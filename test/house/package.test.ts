import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cli } from '../support/dist.ts'
import { projectFiles } from '../support/files.ts'
import { root } from '../support/root.ts'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly bin: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest

/** The paths that a published package holds. */
function packedPaths(): readonly string[] {
  // Without scripts: the build has been brought up to date already, and must not run beside the tests.
  const run = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  })
  const [packed] = JSON.parse(run.stdout) as { files: { path: string }[] }[]
  return (packed?.files ?? []).map(({ path }) => path)
}

describe('the published package', () => {
  const paths = packedPaths()

  test.each([
    'LICENSE',
    'README.md',
    'dist/cli/main.js',
    'dist/index.d.ts',
    'dist/index.js',
    'package.json',
    'policies/ops.yaml',
    'schemas/capfence.mcp.json',
  ])('holds %s', (path) => {
    expect(paths).toContain(path)
  })

  test('holds every module of src, built, and nothing else of dist', () => {
    const built = (path: string): readonly string[] => {
      const stem = path.replace(/^src\//, 'dist/').replace(/\.ts$/, '')
      return [`${stem}.d.ts`, `${stem}.js`, `${stem}.js.map`]
    }
    const expected = projectFiles('src').flatMap(({ path }) => built(path))
    expect(paths.filter((path) => path.startsWith('dist/')).toSorted()).toEqual(expected.toSorted())
  })

  test('holds no sources, no tests and no tools', () => {
    const folders = new Set(paths.map((path) => path.split('/')[0] ?? path))
    expect([...folders].toSorted()).toEqual([
      'LICENSE',
      'README.md',
      'dist',
      'fixtures',
      'package.json',
      'policies',
      'schemas',
    ])
  })

  test('has one command, which can be executed as it is', () => {
    expect(manifest.bin).toEqual({ capfence: 'dist/cli/main.js' })
    expect(readFileSync(cli, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
    if (process.platform !== 'win32') expect(statSync(cli).mode & 0o111).toBe(0o111)
  })

  test('says its version', () => {
    const run = spawnSync(process.execPath, [cli, '--version'], { encoding: 'utf8' })
    expect(run).toMatchObject({ status: 0, stdout: `${manifest.version}\n`, stderr: '' })
  })
})

test('the lock file names no host, so that it works behind any registry', () => {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
  expect(lock).toContain('"lockfileVersion": 3')
  expect(lock).not.toContain('"resolved"')
})
