import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  mixedCalls,
  policyBeside,
  replayed,
  resealed,
  stateful,
  statefulCalls,
  withTrace,
} from './a-trace.ts'
import { TestLog, withLog } from './a-log.ts'
import { capfence } from './capture.ts'

describe('under the policies that decided', () => {
  test('every verdict is the same, with its reason and rules', () =>
    withTrace(mixedCalls, async (trace) => {
      const { code, json } = await replayed(trace)
      expect(json).toMatchObject({ outcome: 'same', counts: { calls: 5, same: 5, moved: 0 } })
      expect(code).toBe(0)
    }))

  test('limits, labels, the time and approvals too', () =>
    withTrace(
      statefulCalls,
      async (trace) => {
        const { code, json } = await replayed(trace)
        expect(json.findings).toEqual([])
        expect(json.counts).toMatchObject({ calls: 102, same: 102 })
        const text = readFileSync(trace, 'utf8')
        const reasons = ['rule', 'limit', 'approved', 'approval_denied', 'default']
        expect(reasons.filter((one) => !text.includes(`"reason":"${one}"`))).toEqual([])
        expect(code).toBe(0)
      },
      { policy: stateful },
    ))

  test('each call is decided by the policy of its time', () =>
    withTrace(
      async (log) => {
        await mixedCalls(log)
        await log.reload('version: 1\nallow:\n  - {id: all, capability: filesystem.delete}\n')
        await mixedCalls(log)
      },
      async (trace) => {
        const { json } = await replayed(trace)
        expect(json).toMatchObject({ outcome: 'same', counts: { calls: 10, same: 10 } })
      },
    ))

  test('what was only observed is compared with what the policy said', () =>
    withTrace(
      mixedCalls,
      async (trace) => {
        expect(readFileSync(trace, 'utf8')).toContain('"forwarded":true,"mode":"observe"')
        expect((await replayed(trace)).json).toMatchObject({ outcome: 'same', counts: { same: 5 } })
      },
      { mode: 'observe' },
    ))

  test('a verdict that the policy does not give is a difference', () =>
    withTrace(mixedCalls, async (trace, log) => {
      const text = readFileSync(trace, 'utf8').replace('"decision":"deny"', '"decision":"allow"')
      const forged = join(log.folder, 'forged.jsonl')
      writeFileSync(forged, resealed(text))
      const { code, json } = await replayed(forged)
      expect(code).toBe(1)
      expect(json.findings).toMatchObject([
        { kind: 'different', before: { decision: 'allow' }, now: { decision: 'deny' } },
      ])
    }))

  test('the same decision by another rule is a difference too', () =>
    withTrace(mixedCalls, async (trace, log) => {
      const text = readFileSync(trace, 'utf8').replace('"id":"no-rm-rf"', '"id":"another"')
      const forged = join(log.folder, 'forged.jsonl')
      writeFileSync(forged, resealed(text))
      expect(await replayed(forged)).toMatchObject({ code: 1, json: { outcome: 'different' } })
    }))

  test('an approval that the trace does not have allows nothing', () =>
    withTrace(
      statefulCalls,
      async (trace, log) => {
        const lines = readFileSync(trace, 'utf8').split('\n')
        const without = lines.filter((line) => !line.includes('"what":"grant"'))
        const forged = join(log.folder, 'forged.jsonl')
        writeFileSync(forged, resealed(without.join('\n'), without.length - 2))
        const { code, json } = await replayed(forged)
        expect(code).toBe(1)
        expect(json.findings.map(({ before, now }) => [before.decision, now.decision])).toEqual([
          ['allow', 'require_approval'],
        ])
      },
      { policy: stateful },
    ))
})

describe('under another policy', () => {
  test('differences are named: the call, what was recorded, what would be now', () =>
    withTrace(mixedCalls, async (trace, log) => {
      const other = policyBeside(
        log,
        'version: 1\nallow:\n  - {id: pay, capability: payment.execute, amount_lte: 300}\n',
      )
      const { code, out, err } = await capfence(['replay', trace, '--policy', other])
      expect({ code, err }).toEqual({ code: 1, err: '' })
      expect(out.replaceAll(log.folder, '.').replace(/local\/\w+/, 'local/ID')).toBe(
        `./trace.jsonl: 5 calls of capfence.local/ID, 2026-11-25T13:00:01.000Z to 2026-11-25T13:00:05.024Z
  recorded verdicts against those of ./other.yaml

  same                               1
  same, by another rule              2
  different                          2
  could not be evaluated             0

  line 3  filesystem.read.workspace {"path":"notes.txt"} by agent
    recorded  allow by read-workspace (policies/ops.yaml:27)
    now       deny: no rule allows it
  line 8  payment.execute.high_value {"amount":2500} by agent
    recorded  require_approval by large-payment (policies/ops.yaml:13)
    now       deny: no rule allows it

different: 2 decisions of 5
`,
      )
    }))

  test('the same rules in other bytes say the same: limits, labels and approvals follow from the trace', () =>
    withTrace(
      statefulCalls,
      async (trace, log) => {
        const other = policyBeside(log, `# the same\n${stateful}`)
        const { code, json } = await replayed(trace, '--policy', other)
        expect(json.findings).toEqual([])
        expect(json.counts).toMatchObject({ calls: 102, different: 0, unknown: 0 })
        expect(code).toBe(0)
      },
      { policy: stateful },
    ))

  test('a limit that counts more calls than are kept one by one is counted as a gate counts it', () => {
    const policy = `version: 1
allow:
  - {id: read, capability: filesystem.read, limit: {max: 450, window: 10m}}
`
    return withTrace(
      async (log) => {
        for (let at = 0; at < 1300; at += 1) {
          await log.call({ tool: 'read_file', ...(at % 3 === 0 ? { outcome: 'ok' } : {}) })
        }
      },
      async (trace, log) => {
        const { json } = await replayed(trace, '--policy', policyBeside(log, `# same\n${policy}`))
        expect(json).toMatchObject({ outcome: 'same', counts: { calls: 1300, unknown: 0 } })
        expect(readFileSync(trace, 'utf8')).toContain('"reason":"limit"')
      },
      { policy },
    )
  })

  test('a limit that is new counts the calls of the trace', () =>
    withTrace(
      async (log) => {
        for (let at = 0; at < 5; at += 1) await log.call({ tool: 'read_file', outcome: 'ok' })
      },
      async (trace, log) => {
        const limit = '{id: read, capability: filesystem.read, limit: {max: 3, window: 1h}}'
        const other = policyBeside(log, `version: 1\nallow:\n  - ${limit}\n`)
        const { code, json } = await replayed(trace, '--policy', other)
        expect(code).toBe(1)
        expect(json.findings.map(({ now }) => now)).toMatchObject([
          { decision: 'deny', reason: 'limit' },
          { decision: 'deny', reason: 'limit' },
        ])
      },
    ))
})

test('a log that succeeds another one brings along what limits and labels stood at', () =>
  withLog(
    statefulCalls,
    async (log) => {
      const archived = join(log.folder, 'older.db')
      const said = ['--by', 'ann', '--reason', 'end of the day', '--storage', log.path]
      expect(await capfence(['audit', 'archive', archived, ...said])).toMatchObject({ code: 0 })
      const policy = readFileSync(join(log.folder, 'policy.yaml'), 'utf8')
      const next = new TestLog({ policy, goesOn: log })
      for (let at = 0; at < 5; at += 1) {
        await next.call({ tool: 'delete_path', arguments: { path: 'late' } })
        await next.call({ tool: 'execute_payment', arguments: { amount: 15 } })
        await next.call({ tool: 'read_file', arguments: { path: `after/${at}` }, outcome: 'ok' })
      }
      await next.end()
      const trace = join(log.folder, 'next.jsonl')
      const exported = await capfence(['audit', 'export', '--trace', trace, '--storage', log.path])
      expect(exported).toMatchObject({ code: 0, err: '' })
      const text = readFileSync(trace, 'utf8')
      expect(text).toContain('"complete":true')
      expect(text).toContain('{"t":"carry","charges":[{"pot":')
      expect((await replayed(trace)).json).toMatchObject({ outcome: 'same', counts: { same: 15 } })
      const other = policyBeside(log, `# the same\n${stateful}`)
      const { json } = await replayed(trace, '--policy', other)
      expect(json.counts).toMatchObject({ calls: 15, different: 0 })
      // Of labels about a value only a digest was taken over.
      expect(json.lacks).toMatchObject({ state: json.counts['unknown'] })
    },
    { policy: stateful },
  ))
