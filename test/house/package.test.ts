import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
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

/** What the compiler makes of a module. */
const built = (stem: string): readonly string[] => [`${stem}.d.ts`, `${stem}.js`, `${stem}.js.map`]

/** A built file and everything of dist that it loads, sooner or later. */
function loadedFrom(entry: string): readonly string[] {
  const files = new Set([entry])
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const { groups } of text.matchAll(
      /(?:\bfrom |\bimport\(|^import )["'](?<path>\.[^"']+\.js)["']/gm,
    )) {
      files.add(posix.join(posix.dirname(file), groups?.['path'] ?? ''))
    }
  }
  return [...files]
}

/** The modules that a file of the command is made of, as the comments over each of them say. */
const modulesIn = (text: string): readonly string[] =>
  Array.from(text.matchAll(/^\/\/ (?<path>src\/.+\.ts)$/gm), ({ groups }) => groups?.['path'] ?? '')

describe('the published package', () => {
  const paths = packedPaths()

  test.each([
    'LICENSE',
    'README.md',
    'dist/cli/main.js',
    'dist/index.d.ts',
    'dist/index.js',
    // What README.md leads to.
    'docs/policy.md',
    'docs/recipes.md',
    'package.json',
    'policies/ops.yaml',
    'schemas/capfence.mcp.json',
  ])('holds %s', (path) => {
    expect(paths).toContain(path)
  })

  const dist = paths.filter((path) => path.startsWith('dist/'))
  /** The room itself is part of the command. */
  const enrol = ['enrol.html', 'enrol.js']
  const page = [
    'LICENSES.txt',
    ...enrol,
    'icon.svg',
    'index.html',
    'page.css',
    'page.js',
    'verify.html',
  ].map((name) => `dist/dashboard/web/${name}`)

  test('holds every module of the rooms, built, and nothing else of them', () => {
    const expected = projectFiles('src')
      .filter(({ path }) => !/^src\/(?:cli|dashboard)\//.test(path))
      .flatMap(({ path }) => built(path.replace(/^src\//, 'dist/').replace(/\.ts$/, '')))
    // What the scanner reads Python by.
    const grammar = ['dist/scan/python.wasm', 'dist/scan/python.wasm.LICENSE']
    expect(dist.filter((path) => !path.startsWith('dist/cli/')).toSorted()).toEqual(
      [...expected, ...page, ...grammar].toSorted(),
    )
  })

  test('holds of the command what it or the library loads, and the licences of what is in it', () => {
    const command = loadedFrom('dist/cli/main.js')
    const library = [
      ...new Set(['dist/index.js', 'dist/cli/postgres-library.js'].flatMap(loadedFrom)),
    ].filter((path) => path.startsWith('dist/cli/'))
    const loaded = dist.filter((path) => path.startsWith('dist/cli/') && path.endsWith('.js'))
    expect(loaded.toSorted()).toEqual([...command, ...library].toSorted())
    const rest = dist.filter((path) => path.startsWith('dist/cli/') && !path.endsWith('.js'))
    const types = library.flatMap((path) => built(path.replace(/\.js$/, '')))
    const maps = command.map((path) => `${path}.map`)
    const expected = ['dist/cli/chunks/LICENSES.txt', ...types, ...maps]
    expect(rest.filter((path) => !expected.includes(path))).toEqual([])
    expect(rest).toContain('dist/cli/main.js.map')
    expect(readFileSync(join(root, 'dist/cli/chunks/LICENSES.txt'), 'utf8')).toMatch(
      /^yaml \d+\.\d+\.\d+\n[^]*Permission to use/,
    )
  })

  test('loads the server before the rest: three stages, each in one file', () => {
    const stage = (name: string): string =>
      readFileSync(join(root, `dist/cli/chunks/${name}.js`), 'utf8')
    expect(modulesIn(stage('run'))).toContain('src/transport/spawn.ts')
    expect(modulesIn(stage('run'))).not.toContain('src/proxy/session.ts')
    expect(modulesIn(stage('gate'))).toContain('src/proxy/session.ts')
    expect(modulesIn(stage('gate'))).not.toContain('src/storage/sqlite-engine.ts')
    expect(modulesIn(stage('open-gate'))).toContain('src/storage/sqlite-engine.ts')
    expect(modulesIn(stage('open-gate'))).toContain('src/policy/load.ts')
  })

  test('holds no sources, no tests and no tools', () => {
    const folders = new Set(paths.map((path) => path.split('/')[0] ?? path))
    expect([...folders].toSorted()).toEqual([
      'LICENSE',
      'README.md',
      'dist',
      'docs',
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
