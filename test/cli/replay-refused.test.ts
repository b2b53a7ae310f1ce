import { readFileSync, statSync, writeFileSync } from 'node:fs'
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
import { capfence } from './capture.ts'

describe('what could not be evaluated is no pass', () => {
  const secretRule = `version: 1
allow:
  - {id: read, capability: filesystem.read, args: {/api_key: {eq: k}}}
`

  test('arguments that the log does not keep', () =>
    withTrace(
      async (log) => {
        await log.call({ tool: 'read_file', arguments: { api_key: 'k' }, outcome: 'ok' })
        await log.call({ tool: 'execute_payment', arguments: { amount: 1 } })
      },
      async (trace) => {
        const { code, json, err } = await replayed(trace)
        expect({ code, err }).toEqual({ code: 3, err: '' })
        expect(json).toMatchObject({
          outcome: 'incomplete',
          counts: { calls: 2, same: 1, unknown: 1, different: 0 },
          lacks: { arguments: 1 },
        })
        expect(json.findings).toMatchObject([{ kind: 'unknown', before: { decision: 'allow' } }])
        const { out } = await capfence(['replay', trace])
        expect(out).toContain('could not be evaluated: arguments that rules look at')
        expect(out).toContain('incomplete: 1 call could not be evaluated, which is no pass\n')
      },
      { policy: secretRule },
    ))

  test('a log that keeps digests only', () =>
    withTrace(
      mixedCalls,
      async (trace) => {
        const { code, json } = await replayed(trace)
        expect(code).toBe(3)
        // What no argument decides can be evaluated all the same.
        expect(json.counts).toMatchObject({ same: 2, unknown: 3 })
      },
      { disclosure: 'digest-only' },
    ))

  test('beside a difference it still counts for itself', () =>
    withTrace(
      async (log) => {
        await log.call({ tool: 'read_file', arguments: { api_key: 'k' }, outcome: 'ok' })
        await log.call({ tool: 'execute_payment', arguments: { amount: 1 } })
      },
      async (trace, log) => {
        const other = policyBeside(
          log,
          `${secretRule}  - {id: pay, capability: payment.execute, amount_gte: 0}\n`,
        )
        const { code, json } = await replayed(trace, '--policy', other)
        expect(code).toBe(1)
        expect(json.counts).toMatchObject({ different: 1, unknown: 1, same: 0 })
      },
      { policy: secretRule },
    ))

  test('labels about a value and approvals from before, in a part of a log; limits are taken along', () =>
    withTrace(
      statefulCalls,
      async (trace, log) => {
        const other = policyBeside(log, `# the same\n${stateful}`)
        const { code, json } = await replayed(trace, '--policy', other)
        expect(code).toBe(3)
        expect(json.counts).toMatchObject({ different: 0 })
        const unknown = new Set(json.findings.map(({ call }) => call.capability))
        expect([...unknown]).toEqual(['filesystem.delete.workspace'])
        // Under the policy that decided it is known what it was told.
        expect((await replayed(trace)).json).toMatchObject({ outcome: 'same' })
      },
      { policy: stateful, flags: ['--since', '2026-11-25T13:01:00Z'] },
    ))

  const limited = `version: 1
allow:
  - {id: pay, capability: payment.execute, amount_gte: 0, limit: {max: 900.5, window: 20m, sum: /amount}}
  - {id: read, capability: filesystem.read, limit: {max: 500, window: 20m}}
labels:
  - {capability: filesystem.read, adds: seen, ttl: 5m}
deny:
  - {id: seen, capability: filesystem.delete, session: {has: [seen]}}
`

  test.each(['13:00:30', '13:06:00', '13:12:00', '13:20:30'])(
    'nothing is missing of limits in a part of a log that begins at %s',
    (time) =>
      withTrace(
        async (log) => {
          for (let at = 0; at < 600; at += 1) {
            await log.call({ tool: 'read_file', ...(at % 3 === 0 ? {} : { outcome: 'ok' }) })
            if (at % 5 !== 0) continue
            await log.call({ tool: 'execute_payment', arguments: { amount: 12.5 }, outcome: 'ok' })
            await log.call({ tool: 'delete_path', arguments: { path: 'a' } })
          }
        },
        async (trace, log) => {
          expect(readFileSync(trace, 'utf8')).toContain('"t":"carry"')
          const other = policyBeside(log, `# the same\n${limited}`)
          const { json } = await replayed(trace, '--policy', other)
          expect(json.findings).toEqual([])
          expect(json).toMatchObject({ outcome: 'same' })
        },
        { policy: limited, flags: ['--since', `2026-11-25T${time}Z`] },
      ),
  )

  test('a policy that the trace does not have', () =>
    withTrace(mixedCalls, async (trace, log) => {
      const lines = readFileSync(trace, 'utf8').split('\n')
      const without = lines.filter((line) => !line.startsWith('{"t":"policy"'))
      const forged = join(log.folder, 'forged.jsonl')
      writeFileSync(forged, resealed(without.join('\n'), without.length - 2))
      expect(await replayed(forged)).toMatchObject({
        code: 3,
        json: { counts: { same: 0, unknown: 5 }, lacks: { policy: 5 } },
      })
    }))
})

describe('a trace that is not what it should be', () => {
  test('gives no answer, only where it is wrong', () =>
    withTrace(mixedCalls, async (trace, log) => {
      const broken = join(log.folder, 'broken.jsonl')
      const lines = readFileSync(trace, 'utf8').split('\n')
      writeFileSync(broken, lines.with(3, '{"t":"call"').join('\n'))
      const { code, out, err } = await capfence(['replay', broken])
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toMatch(/^capfence: line 4: .*\[truncated\]\n$/)
    }))

  test('a changed digit, though it changes no verdict', () =>
    withTrace(mixedCalls, async (trace, log) => {
      const broken = join(log.folder, 'broken.jsonl')
      writeFileSync(broken, readFileSync(trace, 'utf8').replace('"amount":250}', '"amount":251}'))
      const { code, out, err } = await replayed(broken)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain('the trace is not what its checksum was made of')
    }))

  test('the texts of a policy that are not those of its hash', () =>
    withTrace(mixedCalls, async (trace, log) => {
      const broken = join(log.folder, 'broken.jsonl')
      writeFileSync(
        broken,
        resealed(readFileSync(trace, 'utf8').replace('amount_lte: 1000', 'amount_lte: 9000')),
      )
      const { code, out, err } = await replayed(broken)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain('the texts of the policy')
    }))

  test.each([
    ['is not there', 'gone.jsonl', 'cannot read the trace'],
    ['is a folder', '.', 'cannot read the trace'],
  ])('a file that %s', async (_, path, said) => {
    const { code, out, err } = await capfence(['replay', path])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(said)
  })

  test('a policy that cannot be read is wrong input too', () =>
    withTrace(mixedCalls, async (trace) => {
      const { code, err } = await capfence(['replay', trace, '--policy', 'gone.yaml'])
      expect(code).toBe(2)
      expect(err).toContain('gone.yaml')
    }))
})

test('a replay leaves the log alone, and needs neither it nor a configuration', () =>
  withTrace(mixedCalls, async (trace, log) => {
    const before = [readFileSync(log.path), statSync(log.path).mtimeMs]
    expect((await replayed(trace)).code).toBe(0)
    expect([readFileSync(log.path), statSync(log.path).mtimeMs]).toEqual(before)
    log.remove()
    const { code, err } = await capfence(['replay', trace])
    expect({ code, err: err.split(':')[1] }).toEqual({
      code: 2,
      err: ' cannot read the trace `' + trace + '`',
    })
  }))

describe('B27: what is exported', () => {
  test('has no value that the log has not, and no path of the machine', () =>
    withTrace(
      async (log) => {
        await log.call({ tool: 'read_file', arguments: { password: 'hunter2', path: 'a' } })
      },
      async (trace, log) => {
        const text = readFileSync(trace, 'utf8')
        expect(text).not.toContain('hunter2')
        expect(text).not.toContain(log.folder)
        expect(text).toContain('"unnamed":"secret"')
      },
    ))

  test('has the disclosures in place of the arguments, each of which is checked', () =>
    withTrace(
      mixedCalls,
      async (trace, log) => {
        expect((await replayed(trace)).json).toMatchObject({ outcome: 'same', counts: { same: 5 } })
        const text = readFileSync(trace, 'utf8')
        expect(text).not.toContain('"arguments"')
        const [, disclosure = ''] = /"disclosures":\["([^"]+)"/.exec(text) ?? []
        const [salt, name] = JSON.parse(
          Buffer.from(disclosure, 'base64url').toString(),
        ) as unknown[]
        const other = Buffer.from(JSON.stringify([salt, name, 'other'])).toString('base64url')
        const forged = join(log.folder, 'forged.jsonl')
        writeFileSync(forged, resealed(text.replace(disclosure, other)))
        const { code, err } = await replayed(forged)
        expect(code).toBe(2)
        expect(err).toContain('none of `digests` stands for one of `disclosures`')
      },
      { flags: ['--with-disclosures'] },
    ))
})

describe('an export as a trace', () => {
  test.each<[string, readonly string[], string]>([
    ['nowhere', [], 'an export is written to'],
    ['in two forms', ['--trace', 'a', '--jsonl', 'b'], 'an export is written to'],
    ['a part of what others verify', ['--jsonl', 'b', '--since', '1d'], 'go with `--trace` only'],
    ['since a time that is none', ['--trace', 'a', '--since', 'monday'], '`monday` is no point'],
    ['to a folder that is not there', ['--trace', 'gone/a'], '`gone/a` cannot be written'],
  ])('%s is wrong usage', (_, flags, said) =>
    withTrace(mixedCalls, async (__, log) => {
      const { code, out, err } = await capfence([
        ...['audit', 'export', '--storage', log.path],
        ...flags,
      ])
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain(said)
    }),
  )

  test('says what it holds', () =>
    withTrace(mixedCalls, async (trace, log) => {
      const args = ['audit', 'export', '--trace', trace, '--storage', log.path, '--json']
      expect(JSON.parse((await capfence(args)).out)).toMatchObject({
        type: 'audit-trace',
        calls: 5,
        policies: 1,
        complete: true,
      })
      const part = await capfence([...args.slice(0, -1), '--since', '2026-11-25T13:00:03Z'])
      expect(part.out).toContain('3 calls of')
      expect(part.out).not.toContain('is not known')
    }))
})
