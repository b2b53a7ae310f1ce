import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { scan } from '../../src/scan/scan.ts'
import { root } from '../support/root.ts'

const projects = join(root, 'fixtures/scan')
const names = readdirSync(projects).filter((name) => !name.startsWith('nothing'))

/** What a project says is to be found in it: a remark `found: CF101` at each line. */
function planted(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  return files
    .filter((file) => file.isFile())
    .flatMap((file) => {
      const path = join(file.parentPath, file.name)
      const lines = readFileSync(path, 'utf8').split('\n')
      return lines.flatMap((line, index) => {
        const rules = /(?:\/\/|#) found: (?<rules>[CF\d ]+)$/.exec(line)?.groups?.['rules'] ?? ''
        const place = `${path.slice(folder.length + 1)}:${String(index + 1)}`
        return rules.split(' ').flatMap((rule) => (rule === '' ? [] : [`${place} ${rule}`]))
      })
    })
    .toSorted()
}

async function found(folder: string): Promise<readonly string[]> {
  const { findings } = await scan({ root: folder })
  return findings.map(({ file, line, rule }) => `${file}:${String(line)} ${rule}`).toSorted()
}

describe.each(names)('%s', (name) => {
  test('every planted registration is found, and nothing else', async () => {
    const expected = planted(join(projects, name, 'open'))
    expect(expected.length).toBeGreaterThan(1)
    expect(await found(join(projects, name, 'open'))).toEqual(expected)
  })

  test('nothing is found in the gated twin', async () => {
    expect(await found(join(projects, name, 'gated'))).toEqual([])
  })
})

test.each(readdirSync(projects).filter((name) => name.startsWith('nothing')))(
  '%s: what only looks like a registration is none',
  async (name) => {
    expect(await found(join(projects, name))).toEqual([])
  },
)
