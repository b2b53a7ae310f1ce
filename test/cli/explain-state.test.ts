import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { withLog } from './a-log.ts'
import type { TestLog } from './a-log.ts'
import { capfence } from './capture.ts'
import type { Captured } from './capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-explain-state-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const ofRecord = (log: TestLog, seq: number, ...args: readonly string[]): Promise<Captured> =>
  capfence(['policy', 'explain', '--storage', log.path, '--seq', String(seq), ...args])

/** The first call of a log is decided at 3. */
const first = 3

interface Data {
  readonly decision: string | null
  readonly rules: readonly { readonly id: string; readonly value: string }[]
  readonly today: Readonly<Record<string, unknown>> | null
}

const limited = file(
  'limited.yaml',
  'allow: [{id: two, capability: payment, limit: {max: 2, window: 1h}}]\n',
)
const tainted = file(
  'tainted.yaml',
  `labels: [{capability: filesystem.read, adds: untrusted}]
deny: [{id: leak, capability: payment, session: {has: [untrusted]}}]
allow: [payment, filesystem]
`,
)
const pay = { tool: 'execute_payment', arguments: { amount: 5 } }
const seqs = async (log: TestLog, policy: string): Promise<readonly Data[]> => {
  const decisions = [first, first + 1, first + 2]
  return Promise.all(
    decisions.map(async (seq) => {
      return JSON.parse((await ofRecord(log, seq, '--json', policy)).out) as Data
    }),
  )
}
const threeCalls = async (log: TestLog): Promise<void> => {
  await log.call(pay)
  await log.call(pay)
  await log.call(pay)
}

test('of a limit is known as it was then', async () => {
  await withLog(
    threeCalls,
    async (log) => {
      const all = await seqs(log, limited)
      expect(all.map(({ decision }) => decision)).toEqual(['allow', 'allow', 'deny'])
      expect(all.map(({ rules }) => rules[0]?.value)).toEqual(['true', 'true', 'false'])
      const { out } = await ofRecord(log, first + 2)
      expect(out).toContain(
        '\ndeny  payment.execute.high_value\n  the limit `two` has no room: 2 of 2 calls used in 1h\n  actor agent',
      )
    },
    { policies: [limited], folder },
  )
})

test('on a session is known as well, and is not what it has now', async () => {
  const write = async (log: TestLog): Promise<void> => {
    await log.call(pay)
    await log.call({ tool: 'read_file', arguments: { path: 'a' } })
    await log.call(pay)
  }
  await withLog(
    write,
    async (log) => {
      const all = await seqs(log, tainted)
      expect(all.map(({ decision }) => decision)).toEqual(['allow', 'allow', 'deny'])
      expect(all[0]?.rules[0]).toMatchObject({ id: 'leak', value: 'false' })
      expect(all[2]?.rules[0]).toMatchObject({ id: 'leak', value: 'true' })
    },
    { policies: [tainted], folder },
  )
})

test('of what was not asked then is unknown', async () => {
  const other = file(
    'other.yaml',
    `labels: [{capability: filesystem.read, adds: seen}]
require_approval: [{id: held, capability: payment, session: {has: [seen]}}]
allow:
- {id: two, capability: payment, limit: {max: 2, window: 2h}}
- {id: odd, capability: payment, limit: {max: 9, window: 2h, sum: /none}, actor: nobody}
`,
  )
  await withLog(
    threeCalls,
    async (log) => {
      for (const { decision, today } of await seqs(log, other)) {
        expect(decision).not.toBe(null)
        expect(today).toMatchObject({ decision: null, saysTheSame: null })
        expect(today?.['rules']).toMatchObject([
          { id: 'held', value: 'unknown', applies: null },
          { id: 'two', value: 'unknown' },
          { id: 'odd', value: 'false' },
        ])
      }
    },
    { policies: [limited], folder },
  )
})

test('of what was asked then is known, whatever else was not', async () => {
  const more = file(
    'more.yaml',
    `allow:
- {id: two, capability: payment, limit: {max: 2, window: 1h}}
- {id: other, capability: payment, limit: {max: 2, window: 1h}}
`,
  )
  await withLog(
    threeCalls,
    async (log) => {
      const [one, , last] = await seqs(log, more)
      expect(one?.today?.['rules']).toMatchObject([{ value: 'true' }, { value: 'unknown' }])
      expect(last?.today?.['rules']).toMatchObject([{ value: 'false' }, { value: 'unknown' }])
    },
    { policies: [limited], folder },
  )
})

test('about a value that is not kept is unknown', async () => {
  const bound = file(
    'bound.yaml',
    `labels: [{capability: filesystem.read, adds: seen, bind: /order}]
allow: [{id: order, capability: payment, session: {has: [seen], bind: /order}}, filesystem]
`,
  )
  const write = async (log: TestLog): Promise<void> => {
    await log.call({ tool: 'read_file', arguments: { order: 7 }, outcome: 'ok' })
    await log.call({ tool: 'execute_payment', arguments: { order: 7 } })
  }
  for (const [disclosure, value] of [
    ['full', 'true'],
    ['digest-only', 'unknown'],
  ] as const) {
    await withLog(
      write,
      async (log) => {
        const { out } = await ofRecord(log, first + 2, '--json')
        expect(JSON.parse(out)).toMatchObject({
          recorded: { decision: 'allow' },
          rules: [{ id: 'order', value }],
        })
      },
      { policies: [bound], folder, disclosure },
    )
  }
})

test('is indeterminate where it was, because the call could not be read', async () => {
  const sums = file(
    'sums.yaml',
    'allow: [{id: sum, capability: payment, limit: {sum: /total, max: 9, window: 1h}}]\n',
  )
  // A sum of what is not kept is unknown, whatever was left of the limit.
  for (const [disclosure, decision, value] of [
    ['full', 'deny', 'indeterminate'],
    ['digest-only', null, 'unknown'],
  ] as const) {
    await withLog(
      async (log) => void (await log.call({ ...pay, arguments: { total: 'many' } })),
      async (log) => {
        const { out } = await ofRecord(log, first, '--json')
        expect(JSON.parse(out)).toMatchObject({ decision, rules: [{ value }] })
      },
      { policies: [sums], folder, disclosure },
    )
  }
})
