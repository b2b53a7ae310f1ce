import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../support/root.ts'
import { withScratchProject } from '../support/scratch.ts'

/** What the finder of unused code says about a small project with this project's configuration. */
function unused(files: Readonly<Record<string, string>>, ...options: readonly string[]): string {
  const copies = ['knip.json', 'package.json', 'tsconfig.json', 'tsconfig.build.json']
  const finder = join(root, 'node_modules/knip/bin/knip.js')
  return withScratchProject(copies, files, (folder) => {
    const run = spawnSync(process.execPath, [finder, ...options], { cwd: folder, encoding: 'utf8' })
    return `${run.stdout}${run.stderr}`
  })
}

const planted = {
  'src/index.ts': `export { used } from './json/a.ts'\n`,
  'src/cli/main.ts': `import 'commander'\n`,
  'src/json/a.ts': `export const used = 1\nexport const idle = 2\nexport const tested = 3\n`,
  'src/json/b.ts': `export const lonely = 1\n`,
  'test/json/a.test.ts': `import { tested } from '../../src/json/a.ts'\ntested\n`,
}

test('a file, an export and a dependency that nothing uses are found', () => {
  const found = unused(planted)
  expect(found).toMatch(/Unused files[^]*src\/json\/b\.ts/)
  expect(found).toMatch(/Unused exports[^]*idle .*src\/json\/a\.ts/)
  expect(found).toMatch(/Unused dependencies[^]*better-sqlite3/)
  expect(found).not.toMatch(/\bused\b|tested|commander/)
})

test('an export that only tests use is found', () => {
  expect(unused(planted, '--production')).toMatch(/Unused exports[^]*tested .*src\/json\/a\.ts/)
})
