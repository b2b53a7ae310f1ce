import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { noChecksum } from '../../src/replay/trace-lines.ts'
import type { Verdict } from '../../src/runtime/verdict.ts'
import type { TestLog, TestLogOptions } from './a-log.ts'
import { withLog } from './a-log.ts'
import type { Captured } from './capture.ts'
import { capfence } from './capture.ts'

interface TraceOptions extends TestLogOptions {
  /** More flags of `capfence audit export`. */
  readonly flags?: readonly string[]
}

/** Writes a log, exports it as a trace, and hands both to `use`. */
export function withTrace(
  write: (log: TestLog) => Promise<void>,
  use: (trace: string, log: TestLog) => Promise<void>,
  { flags = [], ...options }: TraceOptions = {},
): Promise<void> {
  return withLog(
    write,
    async (log) => {
      const trace = join(log.folder, 'trace.jsonl')
      const place = ['--storage', log.path, ...flags]
      const exported = await capfence(['audit', 'export', '--trace', trace, ...place])
      expect(exported).toMatchObject({ code: 0, err: '' })
      await use(trace, log)
    },
    options,
  )
}

/** What a replay answered. */
export interface Answer extends Captured {
  readonly json: {
    readonly outcome: string
    readonly counts: Readonly<Record<string, number>>
    readonly lacks: Readonly<Record<string, number>>
    readonly findings: readonly {
      readonly kind: string
      readonly lacks?: string
      readonly before: { readonly decision: string; readonly rules: readonly { id: string }[] }
      readonly now: { readonly decision: string; readonly reason: string }
      readonly call: {
        readonly line: number
        readonly capability: string
        readonly arguments: string
      }
    }[]
  }
}

/** The answer of `capfence replay --json`. */
export async function replayed(...args: readonly string[]): Promise<Answer> {
  const captured = await capfence(['replay', '--json', ...args])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is not there fails the test
  const json = JSON.parse(captured.out === '' ? '{}' : captured.out) as Answer['json']
  return { ...captured, json }
}

/** Writes a policy beside the log. */
export function policyBeside(log: TestLog, text: string): string {
  const path = join(log.folder, 'other.yaml')
  writeFileSync(path, text)
  return path
}

/** Five calls, of which each comes to something else under `policies/ops.yaml`. */
export async function mixedCalls(log: TestLog): Promise<void> {
  await log.call({ tool: 'read_file', arguments: { path: 'notes.txt' }, outcome: 'ok' })
  await log.call({ tool: 'delete_path', arguments: { path: 'a', command: 'rm -rf /' } })
  await log.call({ tool: 'execute_payment', arguments: { amount: 250 }, outcome: 'ok' })
  await log.call({ tool: 'execute_payment', arguments: { amount: 2500 } })
  await log.call({ tool: 'unknown_tool', arguments: {} })
}

/** Limits on calls and sums, labels that calls leave behind, hours, and questions to a person. */
export const stateful = `version: 1
deny:
  - {id: tainted, capability: payment.execute, session: {has: [untrusted]}}
require_approval:
  - {id: big, capability: payment.execute, amount_gt: 1000, approval: {uses: 2}}
  - {id: night, capability: filesystem.delete, time: {between: ['22:00', '06:00'], zone: UTC}}
allow:
  - {id: pay, capability: payment.execute, amount_gte: 0, limit: {max: 20, window: 10m, sum: /amount}}
  - {id: read, capability: filesystem.read, limit: {max: 40, window: 5m}}
  - {id: delete, capability: filesystem.delete, session: {has: [looked], bind: /path}}
  - {id: approved, capability: payment.execute, amount_gt: 1000}
labels:
  - {capability: filesystem.read, args: {/path: {starts_with: web}}, adds: untrusted, ttl: 2m}
  - {capability: filesystem.read, adds: looked, bind: /path, ttl: 3m}
`

/** Calls that meet all of these, on over midnight. */
export async function statefulCalls(log: TestLog): Promise<void> {
  const pay = (amount: number): Promise<Verdict> =>
    log.call({ tool: 'execute_payment', arguments: { amount } })
  for (let round = 0; round < 30; round += 1) {
    const path = round % 7 === 3 ? `web/${round}` : `notes/${round}`
    const outcome = round % 5 === 0 ? 'tool_error' : 'ok'
    await log.call({ tool: 'read_file', arguments: { path }, outcome })
    await log.call({ tool: 'delete_path', arguments: { path } })
    await pay(round * 9)
  }
  // On over midnight.
  log.now(Date.parse('2026-11-25T23:59:57Z'))
  await log.call({ tool: 'read_file', arguments: { path: 'late' }, outcome: 'ok' })
  for (let at = 0; at < 4; at += 1) {
    await log.call({ tool: 'delete_path', arguments: { path: 'late' } })
  }
  const asked = await pay(5000)
  await log.answer(asked)
  await pay(5000)
  await pay(5000)
  const refused = await pay(6000)
  await log.answer(refused, { verdict: 'deny' })
  await pay(6000)
  const taken = await pay(7000)
  await log.answer(taken)
  await log.answer(taken, { verdict: 'revoke' })
  await pay(7000)
}

/** The same text with the checksum that it should have. */
export function resealed(text: string, lines?: number): string {
  const counted = lines === undefined ? text : text.replace(/"lines":\d+/, `"lines":${lines}`)
  const open = counted.replace(/(?<="checksum":")[0-9a-f]{64}/, noChecksum)
  return open.replace(noChecksum, createHash('sha256').update(open).digest('hex'))
}
