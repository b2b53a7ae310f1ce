import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { jsFrameworks } from '../../src/scan/code/js-frameworks.ts'
import { pyFrameworks } from '../../src/scan/code/py-frameworks.ts'
import { packagesOf } from '../../src/scan/code/framework.ts'
import { rules } from '../../src/scan/rules.ts'
import { root } from '../support/root.ts'

const page = readFileSync(join(root, 'docs/scan.md'), 'utf8')

/** The cells of the rows of the table that begins with a head. */
function table(head: string): readonly (readonly string[])[] {
  const lines = page.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${head} `))
  const rest = lines.slice(start + 2)
  const end = rest.findIndex((line) => !line.startsWith('|'))
  return rest.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

describe('docs/scan.md', () => {
  test('lists every rule as it is', () => {
    expect(table('rule')).toEqual(
      rules.map(({ id, level, summary }) => [`\`${id}\``, level, summary]),
    )
  })

  test.each([
    ['JavaScript', jsFrameworks],
    ['Python', pyFrameworks],
  ])('lists every framework for %s of which something is known, and no other', (head, language) => {
    const { tools, toolLists, toolClasses, connections, switches } = language
    const all = [...tools, ...toolLists, ...toolClasses, ...connections, ...switches]
    const known = new Set(all.map(({ framework }) => framework))
    expect(new Set(table(head).map(([name]) => name))).toEqual(known)
    expect(packagesOf(language).length).toBeGreaterThan(10)
  })
})
