import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/crypto/sha256.ts'
import { scanStrict, wanted } from '../../src/json/scan.ts'
import { isJsonObject, type JsonObject } from '../../src/json/value.ts'
import type { Verdict } from '../../src/runtime/verdict.ts'
import type { TestLog } from './a-log.ts'
import { policyBeside, replayed, resealed, withTrace } from './a-trace.ts'

/** As `policyHash` of one file. */
const hashOf = (text: string): string => sha256Hex(`${sha256Hex(text)}\n`)

function when(json: string): JsonObject {
  const { value } = scanStrict(Buffer.from(json), wanted({}))
  if (!isJsonObject(value)) throw new Error('no object')
  return value
}

const policy = `version: 1
require_approval:
  - {id: pay, capability: payment.execute}
  - {id: delete, capability: filesystem.delete, approval: {uses: 3}}
`

const pay = (log: TestLog, amount: number, actor = 'agent'): Promise<Verdict> =>
  log.call({ tool: 'execute_payment', arguments: { amount, token: 't' }, actor, outcome: 'ok' })

/** Grants that are used up, taken back, over, for others, for an emergency, and two that both cover a call. */
async function grantedCalls(log: TestLog): Promise<void> {
  await pay(log, 10)
  await log.grant({ uses: 2, when: when('{"amount_lte": 100}') })
  await pay(log, 20)
  await pay(log, 200)
  await pay(log, 30)
  await pay(log, 40)
  const other = await log.grant({ actor: 'billing-*' })
  await pay(log, 50)
  await pay(log, 50, 'billing-1')
  await log.revoke(other)
  await pay(log, 60, 'billing-1')
  await log.grant({ breakGlass: true, uses: 1, reason: 'the bank is down' })
  await log.grant({ uses: 1, expiresAtMs: Date.parse('2026-11-25T13:00:40Z') })
  for (let at = 0; at < 4; at += 1) await pay(log, 70)
  // A rule that lets an answer cover three calls lets no grant cover more.
  await log.grant({ capability: 'filesystem.delete', uses: 4 })
  await log.call({ tool: 'delete_path', arguments: { path: 'a' } })
  await log.grant({ capability: 'filesystem.delete', uses: 3 })
  await log.call({ tool: 'delete_path', arguments: { path: 'a' }, outcome: 'ok' })
  await log.grant()
  log.now(Date.parse('2026-11-25T14:00:00Z'))
  await pay(log, 80)
}

const reasonsIn = (trace: string): readonly string[] =>
  Array.from(readFileSync(trace, 'utf8').matchAll(/"reason":"([a-z_]+)"/g), ([, one]) => one ?? '')

describe('grants', () => {
  test('cover in a replay what they have covered', () =>
    withTrace(
      grantedCalls,
      async (trace, log) => {
        expect(reasonsIn(trace).filter((one) => one === 'granted')).toHaveLength(5)
        expect(reasonsIn(trace)).toContain('break_glass')
        expect((await replayed(trace)).json).toMatchObject({ outcome: 'same', findings: [] })
        // What covered a call is known of its record; whether something else would have is not: a secret is missing.
        const other = policyBeside(log, `# the same\n${policy}`)
        const { json } = await replayed(trace, '--policy', other)
        expect(json.counts).toMatchObject({ different: 0 })
        expect(json.lacks).toMatchObject({ approval: json.counts['unknown'] })
      },
      { policy },
    ))

  test('that the trace does not have are not known to cover', () =>
    withTrace(
      grantedCalls,
      async (trace, log) => {
        const lines = readFileSync(trace, 'utf8').split('\n')
        const without = lines.filter((line) => !line.includes('"what":"create"'))
        const forged = join(log.folder, 'forged.jsonl')
        writeFileSync(forged, resealed(without.join('\n'), without.length - 2))
        expect((await replayed(forged)).json).toMatchObject({
          outcome: 'incomplete',
          counts: { different: 0, unknown: 6 },
          lacks: { approval: 6 },
        })
      },
      { policy },
    ))

  test('under another policy are used up by what this one holds', () =>
    withTrace(
      async (log) => {
        await log.grant({ uses: 2 })
        for (const amount of [1, 2000, 1]) {
          await log.call({ tool: 'execute_payment', arguments: { amount }, outcome: 'ok' })
        }
      },
      async (trace, log) => {
        const smaller = 'version: 1\nallow:\n  - {id: small, capability: payment, amount_lte: 10}\n'
        const held = '  - {id: big, capability: payment, amount_gt: 10}\n'
        const other = policyBeside(log, `${smaller}require_approval:\n${held}`)
        const { json } = await replayed(trace, '--policy', other)
        // The third call found the grant used up; now it needs none.
        expect(json.findings).toMatchObject([
          { before: { decision: 'require_approval' }, now: { decision: 'allow', reason: 'rule' } },
        ])
        expect(json.counts).toMatchObject({ calls: 3, moved: 2, different: 1 })
      },
      { policy },
    ))

  test('that name their policy cover nothing under another', () =>
    withTrace(
      async (log) => {
        await log.grant({ policyHash: hashOf(policy) })
        await log.call({ tool: 'execute_payment', arguments: { amount: 1 } })
      },
      async (trace, log) => {
        expect((await replayed(trace)).json).toMatchObject({ counts: { same: 1 } })
        const other = policyBeside(log, `# the same\n${policy}`)
        expect((await replayed(trace, '--policy', other)).json.findings).toMatchObject([
          { before: { reason: 'granted' }, now: { decision: 'require_approval' } },
        ])
      },
      { policy },
    ))

  test.each<[string, (text: string) => string, string]>([
    ['no grant', (text) => text.replace(/"envelope":"[^}]+?\\n?"/, '"envelope":""'), 'line'],
    [
      'another grant',
      (text) => text.replace('"what":"create","grant":"grt_01', '"what":"create","grant":"grt_02'),
      'holds another grant',
    ],
    [
      'a kind that is none',
      (text) => text.replace('"what":"create"', '"what":"make"'),
      '`what` says none of',
    ],
  ])('a line that holds %s is refused', (_, change, said) =>
    withTrace(
      grantedCalls,
      async (trace, log) => {
        const forged = join(log.folder, 'forged.jsonl')
        const text = readFileSync(trace, 'utf8')
        expect(change(text)).not.toBe(text)
        writeFileSync(forged, resealed(change(text)))
        const { code, out, err } = await replayed(forged)
        expect({ code, out }).toEqual({ code: 2, out: '' })
        expect(err).toContain(said)
      },
      { policy },
    ),
  )
})
