import { describe, expect, test } from 'vitest'
import { Bindings } from '../../src/event/binding.ts'
import { scanStrict, wanted } from '../../src/json/scan.ts'
import { pythonJson } from '../../src/replay/python-json.ts'
import type { TraceEntry } from '../../src/replay/trace.ts'
import type { TraceReading } from '../../src/replay/trace-reader.ts'
import { TraceReader } from '../../src/replay/trace-reader.ts'

function read(text: string, reading: TraceReading = {}): readonly TraceEntry[] {
  const reader = new TraceReader(reading)
  return [...reader.push(Buffer.from(text)), ...reader.end()]
}

const lines = (...values: readonly unknown[]): string =>
  values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join('')

describe('a trace of the original CapFence', () => {
  const header = { capfence_replay_version: '1.0', checksum: 'ignore' }
  const event = {
    actor: 'billing',
    action: 'execute',
    resource: 'payment',
    environment: 'production',
    risk: 'high',
    metadata: { scope: 'eu', payload: { amount: 10 }, session_id: 's', timestamp: 1795611600.5 },
    decision: 'pass',
  }

  test('gives its events', () => {
    expect(read(lines(header, event))).toMatchObject([
      { kind: 'header', source: 'original', isComplete: true, hasChecksum: false },
      {
        kind: 'call',
        line: 2,
        seq: 2,
        atMs: 1795611600500,
        event: {
          actor: 'billing',
          capability: { resource: 'payment', action: 'execute', scope: 'eu' },
          environment: 'production',
          risk: 'high',
          arguments: { amount: { text: '10' } },
          context: { session: 's' },
        },
        verdict: { decision: 'allow', reason: null, rules: [], policyHash: null },
      },
    ])
  })

  test('as one list too, with the number of the item in place of the line', () => {
    const list = `  ${JSON.stringify([header, event])}`
    expect(read(list)).toMatchObject([{ kind: 'header' }, { kind: 'call', line: 2 }])
    expect(() => read(JSON.stringify([header, event, 1]))).toThrow('item 3: is no JSON object')
    expect(() => read(JSON.stringify([event]))).toThrow('item 1: a list is a trace of the original')
  })

  test.each<[string, object, object]>([
    [
      'the words of an older version',
      { agent_id: 'a', tool_name: 'run', risk_category: 'shell', environment: 'dev' },
      { event: { actor: 'a', capability: { resource: 'shell', action: 'run', scope: 'dev' } } },
    ],
    [
      'a resource with its scope',
      { actor: 'a', action: 'push', resource: 'github.main', risk: 'read_only' },
      { event: { capability: { resource: 'github', action: 'push', scope: 'main' }, risk: 'low' } },
    ],
    [
      'fields beside `metadata` that belong into it',
      { actor: 'a', action: 'b', resource: 'c', scope: 'd', payload: { x: 1 }, timestamp: null },
      { atMs: null, event: { arguments: { x: { text: '1' } } } },
    ],
    [
      'a time with its offset',
      { actor: 'a', action: 'b', resource: 'c.d', timestamp: '2026-11-25T15:00:00+01:00' },
      { atMs: Date.parse('2026-11-25T14:00:00Z') },
    ],
  ])('reads %s', (_, given, expected) => {
    expect(read(lines(header, given))[1]).toMatchObject(expected)
  })

  test('a risk that is a number is none that is known', () => {
    const [, call] = read(lines(header, { ...event, risk: 0.2 }))
    expect(call).toMatchObject({ event: { risk: undefined } })
  })

  test.each([
    ['pass', 'allow'],
    ['Authorized', 'allow'],
    ['require_approval', 'require_approval'],
    ['fail', 'deny'],
    ['blocked', 'deny'],
  ])('the decision `%s` is %s', (decision, expected) => {
    expect(read(lines(header, { ...event, decision }))[1]).toMatchObject({
      verdict: { decision: expected },
    })
  })

  test.each<[string, object, string]>([
    ['no actor', { ...event, actor: undefined }, 'line 3: `actor` is missing'],
    ['an empty action', { ...event, action: '' }, 'line 3: `action`'],
    ['no resource', { ...event, resource: undefined }, 'line 3: `resource` is missing'],
    ['a field of no version', { ...event, tol_name: 'x' }, 'line 3: unknown field "tol_name"'],
    ['metadata of no version', { ...event, metadata: { scop: 'x' } }, '"metadata.scop"'],
    ['a payload that is text', { ...event, metadata: { payload: 'x' } }, '`payload` is no object'],
    ['a word that is no decision', { ...event, decision: 'maybe' }, '`decision` is "maybe"'],
    ['a word that is no risk', { ...event, risk: 'some' }, '`risk` is "some"'],
    [
      'a time without an offset',
      { ...event, timestamp: '2026-11-25T15:00:00', metadata: {} },
      'time',
    ],
    ['a day that is not', { ...event, metadata: { timestamp: '2026-02-30T00:00:00Z' } }, 'no time'],
    ['two scopes', { ...event, resource: 'payment.us' }, 'already names the scope'],
  ])('refuses %s', (_, wrong, said) => {
    expect(() => read(lines(header, event, wrong))).toThrow(said)
    expect(() => read(lines(header, event, wrong))).toThrow(/^line 3: /)
  })

  test.each<[string, unknown, string]>([
    ['another version', { capfence_replay_version: '2.0' }, 'is "2.0"; expected "1.0"'],
    ['a version that is a number', { capfence_replay_version: 1 }, 'is 1; expected "1.0"'],
    ['a checksum that is none', { ...header, checksum: 'abc' }, 'expected 8 hex digits'],
  ])('refuses %s', (_, first, said) => {
    expect(() => read(lines(first, event))).toThrow(said)
  })

  test('without events is no trace', () => {
    expect(() => read(lines(header))).toThrow('the trace has no events')
  })

  /** What `hashlib.sha256(json.dumps([event], sort_keys=True).encode()).hexdigest()[:8]` of Python says. */
  test('is held against its checksum', () => {
    const first = { ...header, checksum: '0128d26e' }
    expect(read(lines(first, event))[0]).toMatchObject({ hasChecksum: true })
    expect(() => read(lines(first, { ...event, actor: 'other' }))).toThrow(
      'the trace is not what its checksum was made of',
    )
    expect(() => read(lines(first, event, event))).toThrow('not what its checksum was made of')
  })
})

test.each([
  [
    '[1, -0, 0, 12345678901234567890123, 1.0, 1.50, -0.0, 0.0001, 0.00001, 1e5, 1e15, 1e16]',
    '[1, 0, 0, 12345678901234567890123, 1.0, 1.5, -0.0, 0.0001, 1e-05, 100000.0, 1000000000000000.0, 1e+16]',
  ],
  [
    '[123456789012345680000.0, 1.7976931348623157e308, 5e-324, 1e400, -1e400, 0.1, 1e22, 1.5e-7]',
    '[1.2345678901234568e+20, 1.7976931348623157e+308, 5e-324, Infinity, -Infinity, 0.1, 1e+22, 1.5e-07]',
  ],
  [
    '[1000.00000000000000001, 2.5e+3, 100, 1E2, 9007199254740993, 1234567890.125, -0.25]',
    '[1000.0, 2500.0, 100, 100.0, 9007199254740993, 1234567890.125, -0.25]',
  ],
  [
    String.raw`{"b": 1, "a": [null, true, false, {}], "\ud83d\ude00": 2, "\uff03": 3, "\u00e9\n\u007f": "\u2028\"\\/"}`,
    String.raw`{"a": [null, true, false, {}], "b": 1, "\u00e9\n` +
      String.raw`${'\u007f'}": "\u2028\"\\/", "\uff03": 3, "\ud83d\ude00": 2}`,
  ],
])('%s is printed as Python prints it', (text, expected) => {
  expect(pythonJson(scanStrict(Buffer.from(text), wanted({})).value)).toBe(expected)
})

describe('a log of MCP messages', () => {
  const mcp = {
    server: 'bank',
    actor: 'agent',
    environment: 'production',
    bindings: new Bindings(),
    isComplete: false,
  }
  const rpc = (fields: object): object => ({ jsonrpc: '2.0', ...fields })
  const call = (id: unknown, name = 'pay', args: object | undefined = { amount: 5 }): object =>
    rpc({ id, method: 'tools/call', params: { name, arguments: args } })
  const kinds = (...values: readonly unknown[]): readonly string[] =>
    read(lines(...values), { mcp }).map((entry) =>
      entry.kind === 'outcome' ? `outcome of ${entry.of}: ${entry.status}` : entry.kind,
    )

  test('gives its calls and how they ended', () => {
    const entries = read(
      lines(
        rpc({ id: 0, method: 'initialize', params: { clientInfo: { name: 'editor' } } }),
        rpc({ id: 0, result: {} }),
        rpc({ method: 'notifications/initialized' }),
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"amount":1.10}}}',
        rpc({ id: 1, result: { content: [] } }),
      ),
      { mcp },
    )
    expect(entries).toMatchObject([
      { kind: 'header', source: 'mcp', isComplete: false },
      {
        kind: 'call',
        line: 4,
        atMs: null,
        verdict: undefined,
        event: {
          actor: 'agent',
          capability: { resource: 'bank', action: 'pay', scope: 'production' },
          arguments: { amount: { text: '1.10' } },
          context: { server: 'bank', tool: 'pay', client: 'editor' },
        },
      },
      { kind: 'outcome', of: 4, status: 'ok' },
    ])
  })

  test.each<[string, readonly object[], readonly string[]]>([
    [
      'an error of the tool, and one of the protocol',
      [
        call(1),
        call('1'),
        rpc({ id: '1', error: { code: 1, message: '' } }),
        rpc({ id: 1, result: { isError: true } }),
      ],
      ['header', 'call', 'call', 'outcome of 2: rpc_error', 'outcome of 1: tool_error'],
    ],
    ['an answer to nothing', [call(1), rpc({ id: 2, result: {} })], ['header', 'call']],
    [
      'an answer twice',
      [call(1), rpc({ id: 1, result: {} }), rpc({ id: 1, result: {} })],
      ['header', 'call', 'outcome of 1: ok'],
    ],
    [
      'an id that server and client have both used',
      [call(1), rpc({ id: 1, method: 'roots/list' }), rpc({ id: 1, result: { roots: [] } })],
      ['header', 'call', 'outcome of 1: unknown'],
    ],
    [
      'the answer of a session that is over',
      [call(1), rpc({ id: 0, method: 'initialize' }), rpc({ id: 1, result: {} })],
      ['header', 'call'],
    ],
    [
      'a call that asks for no answer, which no server makes',
      [rpc({ method: 'tools/call', params: { name: 'pay' } }), call(1)],
      ['header', 'call'],
    ],
  ])('%s', (_, given, expected) => {
    expect(kinds(...given)).toEqual(expected)
  })

  test('what a server says of its tools raises their risk, as behind a gate', () => {
    const tools = [{ name: 'pay', annotations: { destructiveHint: true } }, { name: 'see' }]
    const entries = read(
      lines(
        rpc({ id: 1, method: 'tools/list' }),
        rpc({ id: 1, result: { tools } }),
        call(2),
        call(3, 'see'),
      ),
      { mcp },
    )
    expect(entries.slice(1)).toMatchObject([
      { event: { risk: 'high' } },
      { event: { risk: 'medium' } },
    ])
  })

  test('with a time, a server and a session around each message', () => {
    const time = '2026-11-25T14:00:00Z'
    const entries = read(
      lines(
        { time, server: 'files', session: 's1', direction: 'out', message: call(1) },
        { ts: 1795611601, message: rpc({ id: 1, result: {} }) },
      ),
      { mcp },
    )
    expect(entries.slice(1)).toMatchObject([
      { atMs: Date.parse(time), event: { context: { server: 'files', session: 's1' } } },
      { atMs: 1795611601000, of: 1 },
    ])
  })

  test.each<[string, unknown, string]>([
    ['another object', { id: 1 }, 'line 2: is no JSON-RPC message'],
    ['another version', { jsonrpc: '1.0', id: 1 }, 'line 2: is no JSON-RPC message'],
    ['a batch', [call(1)], 'line 2: is no JSON object'],
    ['a field around it that is not known', { message: call(1), when: 1 }, 'unknown field "when"'],
    ['a time that is none', { message: call(1), time: 'noon' }, '`time` is no time'],
    ['a call without params', rpc({ id: 2, method: 'tools/call' }), '`params` of a call'],
    ['a call of nothing', rpc({ id: 2, method: 'tools/call', params: {} }), '`params.name`'],
    [
      'arguments that are a list',
      rpc({ id: 2, method: 'tools/call', params: { name: 'x', arguments: [] } }),
      '`params.arguments`',
    ],
    ['arguments that two readers read differently', '{"jsonrpc":"2.0","id":2,"id":3}', 'line 2: '],
  ])('refuses %s', (_, wrong, said) => {
    expect(() => read(lines(call(1), wrong), { mcp })).toThrow(said)
  })

  test('is refused when nobody says whose it is', () => {
    expect(() => read(lines(call(1)))).toThrow('line 1: this is a log of MCP messages')
  })
})
