import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { capfence } from './capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-diff-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const small = file(
  'small.yaml',
  'allow: [{id: small, capability: pay.execute.x, amount_lte: 10}]\n',
)
const large = file(
  'large.yaml',
  'allow: [{id: large, capability: pay.execute.x, amount_lte: 50}]\n',
)
const late = file(
  'late.yaml',
  'allow: [{id: late, capability: pay.execute.x, amount_lte: 10, time: {zone: UTC, days: mon}}]\n',
)

test('what is newly allowed is shown with a call, and the answer is no', async () => {
  const run = await capfence(['policy', 'diff', small, large])
  expect(run.code).toBe(1)
  expect(run.err).toBe('')
  expect(run.out.replaceAll(`${folder}/`, '')).toBe(`newly allowed
  pay.execute.x {"amount":50}
    now     allow by large (large.yaml:1:9)
    before  deny: no rule allows it

1 newly allowed, 0 newly held for approval, 0 newly denied
`)
})

test('where nothing is newly allowed the answer is yes', async () => {
  const run = await capfence(['policy', 'diff', large, small])
  expect(run.code).toBe(0)
  expect(run.out).toContain('newly denied\n')
  expect(run.out).toContain('before  allow by large')
  const same = await capfence(['policy', 'diff', large, large])
  expect(same).toMatchObject({ code: 0, err: '' })
  expect(same.out).toBe('0 newly allowed, 0 newly held for approval, 0 newly denied\n')
})

test('what could not be found out is said, and counts as newly allowed', async () => {
  const nothing = file('nothing.yaml', 'allow: []\n')
  const run = await capfence(['policy', 'diff', nothing, late])
  expect(run.code).toBe(1)
  expect(run.out.replaceAll(`${folder}/`, '')).toContain(
    'not proven: it could not be found out whether calls of late (late.yaml:1:9) that were allowed by no rule are newly allowed',
  )
})

const limit = (max: number): string =>
  `allow: [{id: s, capability: pay, limit: {max: ${max}, window: 1h}}]\n`

test('what could not be found out is a sentence, whatever decided before and does now', async () => {
  const two = file('two.yaml', limit(2))
  const lost = await capfence(['policy', 'diff', two, file('three.yaml', limit(3))])
  expect(lost.out.replaceAll(`${folder}/`, '')).toContain(
    'not proven: it could not be found out whether calls that were allowed by s (two.yaml:1:9) are newly denied',
  )
  for (const [list, word] of [
    ['deny', 'denied'],
    ['require_approval', 'held'],
  ] as const) {
    const guarded = file(
      `${list}.yaml`,
      `${list}: [{id: g, capability: pay, limit: {max: 9, window: 1h}}]\nallow: [pay]\n`,
    )
    const { out } = await capfence(['policy', 'diff', guarded, two])
    expect(out.replaceAll(`${folder}/`, '')).toContain(`that were ${word} by g (${list}.yaml:1:`)
  }
})

test('for programs it is one JSON object, in which numbers keep their digits', async () => {
  const run = await capfence(['policy', 'diff', '--json', small, large])
  expect(run.code).toBe(1)
  const answer: unknown = JSON.parse(run.out)
  expect(answer).toMatchObject({
    schemaVersion: 1,
    type: 'policy-diff',
    isWider: true,
    allowed: [
      {
        proven: true,
        now: { decision: 'allow', rule: { id: 'large', line: 1 } },
        before: { decision: 'deny', rule: null },
        call: { capability: 'pay.execute.x', arguments: '{"amount":50}', situation: null },
      },
    ],
    approvable: [],
    denied: [],
  })
})

test.each([
  ['a file that is not there', join(folder, 'gone.yaml'), 'cannot read the policy'],
  ['a policy with mistakes', file('bad.yaml', 'alow: []\n'), 'unknown key `alow`'],
])('%s is wrong input', async (_, path, message) => {
  const run = await capfence(['policy', 'diff', small, path])
  expect(run).toMatchObject({ code: 2, out: '' })
  expect(run.err).toContain(message)
})
