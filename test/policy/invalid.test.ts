import { expect, test } from 'vitest'
import { loadPolicy } from '../../src/policy/load.ts'
import { PolicyError } from '../../src/policy/problem.ts'

function problemsOf(text: string): readonly string[] {
  try {
    loadPolicy([{ path: 'p.yaml', text }])
  } catch (error) {
    if (error instanceof PolicyError)
      return error.problems.map(({ position, code }) => `${position.line} ${code}`)
    throw error
  }
  return []
}

test.each([
  ['an empty file', '', ['1 policy-empty']],
  ['only a comment', '# nothing\n', ['1 policy-empty']],
  ['a misspelt key', 'alow: []\n', ['1 policy-key']],
  ['a duplicate key', 'allow: []\nallow: []\n', ['2 policy-duplicate-key']],
  ['a misspelt predicate', 'allow:\n  - {capability: a, amount_gr: 1}\n', ['2 policy-key']],
  ['a rule without a capability', 'allow:\n  - {contains: x}\n', ['2 policy-capability']],
  ['a threshold as text', 'deny:\n  - {capability: a, amount_gt: "1"}\n', ['2 policy-type']],
  ['an infinite threshold', 'deny:\n  - {capability: a, amount_gt: .inf}\n', ['2 policy-value']],
  ['an empty needle', 'deny:\n  - {capability: a, contains: ""}\n', ['2 policy-empty']],
  ['a list that is none', 'deny: a.b.c\n', ['1 policy-type']],
  ['an alias', 'deny:\n  - &x a.b\nallow:\n  - *x\n', ['2 policy-yaml', '4 policy-yaml']],
  ['a capability with a Cyrillic letter', 'allow: [filesystem.reаd]\n', ['1 policy-capability']],
  ['an empty name', 'allow: [filesystem..read]\n', ['1 policy-capability']],
  [
    'the same id twice',
    'allow:\n  - {id: x, capability: a}\n  - {id: x, capability: b}\n',
    ['3 policy-id'],
  ],
  ['the original’s rules', 'rules:\n  - {action: deny}\n', ['1 policy-unsupported']],
  [
    'a part of the language that is not evaluated yet',
    'allow:\n  - {capability: a, args: {/x: 1}}\n',
    ['2 policy-unsupported'],
  ],
])('B25: %s is refused', (_, text, expected) => {
  expect(problemsOf(text)).toEqual(expected)
})

test('B25: every problem is named, not only the first', () => {
  expect(problemsOf('deny: x\nalow: []\nallow:\n  - {}\n')).toHaveLength(3)
})

test('a misspelt key gets the nearest known one as a hint', () => {
  expect(() => loadPolicy([{ path: 'p.yaml', text: 'alow: []\n' }])).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('`allow`') as string }),
  )
})
