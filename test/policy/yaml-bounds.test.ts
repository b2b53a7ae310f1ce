import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import { PolicyError } from '../../src/policy/problem.ts'

function problemsOf(text: string): readonly string[] {
  try {
    loadPolicy([{ path: 'p.yaml', text }])
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return error.problems.map(({ position, code }) => `${position.line} ${code}`)
  }
  return []
}

describe('B32: a file that nests too deeply is refused before its nodes are made', () => {
  // Without the bound on tokens some of these end the process, at a depth that depends on the stack.
  const kinds = {
    lists: '[',
    'lists with a text': '["x",',
    mappings: '{a: ',
    'lists in a list': '- ',
    'complex keys': '? ',
    anchors: '&a [',
    tags: '!t [',
  }
  for (const [name, piece] of Object.entries(kinds)) {
    test.each([100, 1500, 3000, 6000])(`${name}, %i times`, (times) => {
      expect(problemsOf(`allow:\n  - ok\n  - ${piece.repeat(times)}`)).toEqual(['3 policy-limit'])
    })
  }

  test('by indentation', () => {
    const levels = Array.from({ length: 2000 }, (_, level) => `${' '.repeat(level)}a:\n`)
    // How far the tokens are ahead of the levels depends on the kind of level.
    expect(problemsOf(levels.join(''))).toEqual([expect.stringMatching(/^1\d policy-limit$/)])
  })

  test('as deep as the bound is refused for what it says only', () => {
    // The mapping of the file is one level.
    const lists = limits.maxPolicyDepth - 1
    const nested = (count: number): string => `allow: ${'['.repeat(count)}x${']'.repeat(count)}\n`
    expect(problemsOf(nested(lists))).not.toContain('1 policy-limit')
    expect(problemsOf(nested(lists + 1))).toContain('1 policy-limit')
  })
})

describe('B25: a file is one document, and none of it is passed over', () => {
  test.each([
    ['another document', 'allow: ["*"]\n---\ndeny: [shell]\n'],
    ['another document after an end', 'allow: ["*"]\n...\ndeny: [shell]\n'],
    ['another document with a mark', 'allow: ["*"]\n...\n---\ndeny: [shell]\n'],
    ['a mark with nothing behind it', '---\nallow: ["*"]\n---\n'],
  ])('%s is refused', (_, text) => {
    expect(problemsOf(text)).toContainEqual(expect.stringContaining('policy-yaml'))
  })

  test.each([
    ['a mark at the start', '---\nallow: ["*"]\n'],
    ['a mark at the end', 'allow: ["*"]\n...\n'],
    ['comments around it', '# one\n---\n# two\nallow: ["*"]\n# three\n...\n# four\n'],
  ])('%s is not', (_, text) => {
    expect(problemsOf(text)).toEqual([])
  })

  test.each([
    ['of another version', '%YAML 1.1\n---\nallow: ["*"]\n', ['1 policy-yaml']],
    ['for tags', '%TAG ! tag:example.com,2000:\n---\nallow: ["*"]\n', ['1 policy-yaml']],
    ['of a later YAML', '# a policy\n%RULES off\n---\nallow: ["*"]\n', ['2 policy-yaml']],
  ])('a directive %s is refused where it stands', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected)
  })
})
