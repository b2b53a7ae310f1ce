import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { TraceEntry } from '../../src/replay/trace.ts'
import { sealedTrace } from '../../src/replay/trace-lines.ts'
import type { TraceReading } from '../../src/replay/trace-reader.ts'
import { TraceReader } from '../../src/replay/trace-reader.ts'

const hash = 'a'.repeat(64)
const call = {
  t: 'call',
  seq: 3,
  at: 1000,
  actor: 'agent',
  resource: 'payment',
  action: 'execute',
  scope: 'eu',
  arguments: { amount: 1 },
  verdict: { decision: 'allow', reason: 'rule', policy: hash, forwarded: true },
}
const outcome = { t: 'outcome', of: 3, at: 1001, status: 'ok' }
const request = {
  t: 'approval',
  what: 'request',
  approval: 'apr_1',
  at: 1000,
  of: 3,
  expires: 2000,
  presence: 'any',
  quorum: 1,
  uses: null,
}
const grant = { t: 'grant', what: 'create', grant: 'g', at: 1, envelope: '', issuers: [] }
const policy = { t: 'policy', hash, index: 0, count: 1, path: 'p.yaml', text: 'version: 1\n' }
const carry = {
  t: 'carry',
  charges: [{ pot: 'p', amount: '1.5', at: 1, expires: 2 }],
  labels: [{ subject: 's', label: 'l', held: 1, proven: 0 }],
}

type Line = Readonly<Record<string, unknown>>

function traceOf(lines: readonly Line[], calls?: number): string {
  const counted = calls ?? lines.filter(({ t }) => t === 'call').length
  const header = { source: 'log', log: null, isComplete: true, policies: [hash] } as const
  return sealedTrace(
    { ...header, calls: counted, lines: lines.length },
    lines.map((line) => `${JSON.stringify(line)}\n`),
  )
}

function read(text: string | Uint8Array, reading: TraceReading = {}): readonly TraceEntry[] {
  const reader = new TraceReader(reading)
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  return [...reader.push(bytes), ...reader.end()]
}

const whole = traceOf([policy, carry, call, request, outcome])

test('a trace gives its lines, in their order', () => {
  const entries = read(whole)
  expect(entries.map(({ kind }) => kind)).toEqual([
    'header',
    'policy',
    'carry',
    'call',
    'approval',
    'outcome',
  ])
  expect(entries[3]).toMatchObject({ line: 4, seq: 3, atMs: 1000, isFlagged: false })
})

test('however its bytes come', () => {
  const bytes = Buffer.from(whole)
  const once = JSON.stringify(read(whole))
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.toSorted((one, other) => one - other), bytes.length]
      const reader = new TraceReader()
      const entries = at.flatMap((from, index) => [
        ...reader.push(Buffer.from(bytes.subarray(from, at[index + 1] ?? from))),
      ])
      expect(JSON.stringify([...entries, ...reader.end()])).toBe(once)
    }),
    { seed: 7, numRuns: 200 },
  )
})

test('numbers keep every digit', () => {
  const text = traceOf([call]).replace('"amount":1}', '"amount":1000.00000000000000001}')
  const entries = [...new TraceReader().push(Buffer.from(text))]
  expect(entries[1]).toMatchObject({
    event: { arguments: { amount: { text: '1000.00000000000000001' } } },
  })
})

describe('refused is', () => {
  test('every other byte', () => {
    const bytes = Buffer.from(traceOf([call, outcome]))
    const passed = Array.from(bytes.keys()).filter((at) => {
      const other = Buffer.from(bytes)
      // Another letter or digit, so that many stay JSON.
      other.writeUInt8((bytes[at] ?? 0) ^ 1, at)
      try {
        read(other)
        return true
      } catch {
        return false
      }
    })
    expect(passed).toEqual([])
  })

  test('a trace that was cut anywhere', () => {
    const passed = Array.from({ length: whole.length }, (_, at) => at).filter((at) => {
      try {
        read(whole.slice(0, at))
        return true
      } catch {
        return false
      }
    })
    expect(passed).toEqual([])
  })

  test.each<[string, string, string]>([
    ['nothing', '', 'the trace is empty'],
    ['an empty line', whole.replace('\n{"t":"carry"', '\n\n{"t":"carry"'), 'line 3: '],
    ['a byte order mark', `\ufeff${whole}`, 'line 1: '],
    ['a list', '[1]', 'item 1: is no JSON object'],
    ['another file', '{"name":"capfence"}\n', 'line 1: this is no trace'],
    ['a text', '"text"\n', 'line 1: is no JSON object'],
    ['the next format', whole.replace('trace/1', 'trace/2'), 'line 1: `format` is none that'],
    ['a field more in the header', whole.replace('"calls"', '"call":1,"calls"'), 'line 1: unknown'],
    ['no checksum', whole.replace(/"checksum":"\w+",/, ''), 'line 1: `checksum` is missing'],
    ['a name twice', whole.replace('"seq":3', '"seq":3,"seq":3'), 'line 4: '],
    [
      'one more line',
      `${whole}{"t":"outcome","of":3,"status":"ok"}\n`,
      'the trace has 6 lines behind its header, which says 5',
    ],
  ])('%s', (_, text, said) => {
    expect(() => read(text)).toThrow(said)
  })

  test('another count of calls than its header says', () => {
    expect(() => read(traceOf([call, outcome], 2))).toThrow('1 calls, and its header says 2')
  })

  test.each([
    ['the same again', 3],
    ['an earlier one', 2],
  ])('a `seq` that does not grow: %s', (_, seq) => {
    const lines = [call, { ...call, seq }]
    expect(() => read(traceOf(lines))).toThrow('line 3: `seq` must be greater than 3')
  })

  test('a line that is longer than the bound, before it is kept', () => {
    const reader = new TraceReader()
    const piece = Buffer.alloc(limits.maxTraceLineBytes / 4, 0x20)
    expect(() => {
      for (let at = 0; at < 5; at += 1) expect([...reader.push(piece)]).toEqual([])
    }).toThrow(`line 1: longer than ${limits.maxTraceLineBytes} bytes`)
  })

  test('more policies than the bound', () => {
    expect(() => read(withPolicies(limits.maxTracePolicies + 1))).toThrow('more than 256 policies')
    expect(read(withPolicies(limits.maxTracePolicies))).toHaveLength(1)
  })
})

function withPolicies(count: number): string {
  const header = { source: 'log', log: null, isComplete: true, calls: 0, lines: 0 } as const
  return sealedTrace({ ...header, policies: Array.from({ length: count }, () => hash) }, [])
}

describe('a line is refused with its number for', () => {
  const wrong: readonly (readonly [string, Line, string])[] = [
    ['no kind', { seq: 1 }, '`t` says none of'],
    ['another kind', { t: 'calls' }, '`t` says none of'],
    ['a call without a seq', without(call, 'seq'), '`seq` is missing; expected a whole number'],
    ['a seq with a fraction', { ...call, seq: 1.5 }, '`seq` is 1.5; expected a whole number'],
    ['a seq below zero', { ...call, seq: -1 }, '`seq` is -1'],
    ['a time that is text', { ...call, at: '1' }, '`at` is "1"'],
    ['a call without an actor', without(call, 'actor'), '`actor` is missing; expected text'],
    ['an empty actor', { ...call, actor: '' }, '`actor`'],
    ['a resource that is no name', { ...call, resource: 'a b' }, '`resource`'],
    ['a risk that is none', { ...call, risk: 'hi' }, '`risk` is no risk level'],
    ['a field that is not known', { ...call, sequence: 1 }, 'unknown field "sequence"'],
    ['arguments that are a list', { ...call, arguments: [] }, '`arguments` is a list'],
    ['no arguments', without(call, 'arguments'), '`arguments` is missing'],
    ['both forms of arguments', { ...call, disclosures: [], digests: [] }, 'do not go together'],
    ['digests alone', { ...call, digests: ['x'] }, '`digests` stand without'],
    [
      'digests that nothing opens',
      { ...without(call, 'arguments'), digests: ['x'], disclosures: [] },
      'need `unnamed`',
    ],
    ['a place that is no pointer', { ...call, missing: ['a'] }, 'no JSON Pointer'],
    ['told that is text', { ...call, told: 'x' }, '`told` is neither'],
    ['a verdict that is text', { ...call, verdict: 'allow' }, '`verdict` is "allow"'],
    ['a decision that is none', verdict({ decision: 'pass' }), '`verdict.decision` is "pass"'],
    ['a policy that is no hash', verdict({ policy: 'abc' }), '`verdict.policy` is "abc"'],
    ['a mode that is none', verdict({ mode: 'watch' }), '`verdict.mode` is "watch"'],
    ['rules that are texts', verdict({ rules: ['a'] }), 'expected a list of objects'],
    [
      'a rule without a line',
      verdict({ rules: [{ id: 'a', effect: 'deny', file: 'f' }] }),
      'line`',
    ],
    ['an outcome of nothing', without(outcome, 'of'), '`of` is missing'],
    ['a status that is none', { ...outcome, status: 'fine' }, '`status` is "fine"'],
    ['an approval of another kind', { ...request, what: 'ask' }, '`what` says none of'],
    ['a request without an end', without(request, 'expires'), '`expires` is missing'],
    ['a presence that is none', { ...request, presence: 'here' }, '`presence` is "here"'],
    ['a grant with a field of a request', { ...request, what: 'grant' }, 'unknown field'],
    ['a grant of another kind', { ...grant, what: 'give' }, '`what` says none of create, revoke'],
    ['a grant without its text', without(grant, 'envelope'), '`envelope` is missing'],
    ['a use of a grant by nothing', { t: 'grant', what: 'use', grant: 'g', at: 1 }, '`of` is'],
    ['a policy of no files', { ...policy, count: 0 }, 'a policy has 1 to 64 files'],
    ['a file beyond its policy', { ...policy, index: 1 }, '`index` must be below `count`'],
    ['an amount that is no number', { ...carry, charges: [charge('0x1')] }, 'is no number'],
  ]

  test.each(wrong)('%s', (_, line, said) => {
    const text = traceOf([outcome, line], line['t'] === 'call' ? 1 : 0)
    expect(() => read(text)).toThrow(said)
    expect(() => read(text)).toThrow(/^line 3: /)
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'TRACE_INVALID' }) as Error)
  })
})

function without(line: Line, name: string): Line {
  return Object.fromEntries(Object.entries(line).filter(([key]) => key !== name))
}

function verdict(changes: Line): Line {
  return { ...call, verdict: { ...call.verdict, ...changes } }
}

function charge(amount: string): Line {
  return { pot: 'p', amount, at: 1, expires: 2 }
}

test('B30: what is quoted of a line moves no cursor', () => {
  const text = traceOf([{ ...outcome, ['\u001b[2J\u202e']: 1 }])
  expect(() => read(text)).toThrow('unknown field "\\u{1b}[2J\\u{202e}"')
})
