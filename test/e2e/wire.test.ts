import { expect, test } from 'vitest'
import { journalCalls, journalLines } from './gate.ts'
import type { Wire } from './gate.ts'
import { rawGates } from './raw-gates.ts'

const { files, client } = rawGates()

const text = (reply: Wire): string => {
  const content = reply.result?.['content'] as readonly { text: string }[] | undefined
  return content?.[0]?.text ?? ''
}

const toolNames = (listed: Wire): readonly string[] => {
  const tools = listed.result?.['tools'] as readonly { name: string }[] | undefined
  return (tools ?? []).map(({ name }) => name)
}

const call = (id: number, args: string): string =>
  `{"jsonrpc":"2.0","id":${String(id)},"method":"tools/call","params":{"name":"echo","arguments":${args}}}`

test('progress that a server writes in the same chunk as its result arrives, all of it, before the result', async () => {
  const peer = client(files(), 'raw')
  await peer.initialize()
  peer.send({
    id: 5,
    method: 'tools/call',
    params: { name: 'progress', arguments: {}, _meta: { progressToken: 'mine' } },
  })
  await peer.until(({ id }) => id === 5)
  const tail = peer.received.slice(-4)
  expect(tail.map(({ params }) => [params?.['progressToken'], params?.['progress']])).toEqual([
    ['mine', 1],
    ['mine', 2],
    ['mine', 3],
    [undefined, undefined],
  ])
})

test('B23: two clients that use the same ids on one database and server each get their own results', async () => {
  const laid = files()
  const peers = [client(laid, 'raw'), client(laid, 'raw'), client(laid, 'raw')]
  await Promise.all(peers.map((peer) => peer.initialize()))
  const asked = peers.map((peer, who) =>
    Promise.all(
      Array.from({ length: 40 }, async (_, id) => {
        const reply = await peer.request(
          'tools/call',
          { name: 'late', arguments: { who, id, ms: (id * 7) % 30 } },
          id,
        )
        expect(JSON.parse(text(reply))).toMatchObject({ who, id })
      }),
    ),
  )
  await Promise.all(asked)
})

test('B23: what a server sends twice, or to nobody, is dropped', async () => {
  const peer = client(files(), 'raw')
  await peer.initialize()
  await peer.call('twice')
  const next = await peer.call('echo', { after: true })
  expect(text(next)).toBe('{"after":true}')
  expect(peer.received.filter((message) => text(message) === 'once')).toHaveLength(1)
  expect(peer.lines.join('')).not.toContain('nobody asked')
})

test.each([
  ['B1: a batch with a call', `[${call(1, '{}')}]`, -32600],
  ['B1: an empty batch', '[]', -32600],
  ['B1: a batch in a batch', `[[${call(1, '{}')}]]`, -32600],
  [
    'B2: a second method',
    '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"echo"}}',
    -32600,
  ],
  [
    'B2: a method in capitals',
    '{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"tools/call","params":{"name":"echo"}}',
    -32600,
  ],
  [
    'B2: a long s in params',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"param\u017f":{"name":"die"}}',
    -32600,
  ],
  [
    'B2: a key cut by NUL',
    '{"jsonrpc":"2.0","id":1,"method":"ping","method\\u0000":"tools/call"}',
    -32600,
  ],
  [
    'B4: a trailing comma',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},}',
    -32700,
  ],
  ['B4: two messages on one line', `${call(1, '{}')}${call(2, '{}')}`, -32700],
  ['B4: text that is no JSON', 'tools/call echo', -32700],
  [
    'B4: a call without an id',
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo"}}',
    undefined,
  ],
  ['B31: a prototype as argument', call(1, '{"__proto__":{"admin":true}}'), undefined],
  [
    'B32: 200 levels',
    call(1, `${'['.repeat(200)}${']'.repeat(200)}`.replace(/^/, '{"a":').concat('}')),
    undefined,
  ],
])('%s never reaches the server, and is answered', async (_, line, code) => {
  const laid = files()
  const peer = client(laid, 'raw')
  await peer.initialize()
  const before = peer.received.length
  peer.write(line)
  await peer.request('ping')
  expect(journalCalls(laid, 'raw')).toEqual([])
  const answers = peer.received
    .slice(before)
    .filter(({ result }) => result?.['isError'] === true || result === undefined)
  expect(answers).toHaveLength(1)
  if (code !== undefined) expect(answers[0]?.error?.code).toBe(code)
})

test('B5, B32: a message over the limit is refused whole, and the session lives on', async () => {
  const laid = files({ config: { limits: { maxClientMessageBytes: 100_000 } } })
  const peer = client(laid, 'raw')
  await peer.initialize()
  peer.write(call(77, `{"a":"${'x'.repeat(200_000)}"}`))
  expect((await peer.until(({ id }) => id === 77)).error?.code).toBe(-32600)
  expect(text(await peer.call('echo', { small: 1 }))).toBe('{"small":1}')
  expect(journalCalls(laid, 'raw')).toHaveLength(1)
})

test('an 11 MB call and a 20 MB result pass', async () => {
  const peer = client(files(), 'raw')
  await peer.initialize()
  const filler = 'y'.repeat(11_000_000)
  expect(text(await peer.call('echo', { filler })).length).toBeGreaterThan(11_000_000)
  expect(text(await peer.call('big', { bytes: 20_000_000 }))).toHaveLength(20_000_000)
})

test('B21: numbers reach the server as they were written', async () => {
  const laid = files()
  const peer = client(laid, 'raw')
  await peer.initialize()
  const args = '{"a":1000.00000000000000001,"b":9007199254740993,"c":1e400,"d":-0,"e":1.0}'
  peer.write(call(9, args))
  await peer.until(({ id }) => id === 9)
  expect(journalLines(laid.journal('raw')).at(-1)).toContain(`"arguments":${args}`)
})

test('B21: 1000.00000000000000001 is over a limit of 1000, as number and as text', async () => {
  const policy = 'version: 1\nallow:\n  - {capability: raw.echo, amount_lte: 1000}\n'
  const laid = files({ policy })
  const peer = client(laid, 'raw')
  await peer.initialize()
  for (const [id, amount] of [
    '1000',
    '1000.00000000000000001',
    '"1000.00000000000000001"',
    '-0',
    '1e3',
    '1e400',
    '"1,000"',
    'true',
  ].entries()) {
    peer.write(call(100 + id, `{"amount":${amount}}`))
    await peer.until((message) => message.id === 100 + id)
  }
  const blocked = peer.received
    .filter(({ result }) => result?.['isError'] === true)
    .map(({ id }) => Number(id) - 100)
  expect(blocked).toEqual([1, 2, 5, 6, 7])
})

test('B9, B10: what is judged is the tool that is called, whatever its name', async () => {
  const policy = 'version: 1\nallow:\n  - a.echo\n  - "b.shape*"\n'
  const laid = files({ policy, servers: { a: 'raw', b: 'raw' } })
  const peer = client(laid)
  await peer.initialize()
  const listed = await peer.request('tools/list')
  const names = toolNames(listed)
  expect(names).toContain('a__echo')
  expect(names).toContain('b__shape.with/odd*name')
  expect(text(await peer.call('a__echo', { k: 1 }))).toBe('{"k":1}')
  for (const name of ['b__echo', 'a__shape.with/odd*name', 'a__fails']) {
    expect((await peer.call(name)).result?.['isError']).toBe(true)
  }
  expect((await peer.call('echo')).error?.code).toBe(-32602)
  expect((await peer.call('b__shape.with/odd*name')).error?.message).toBe('no such tool')
  expect(journalCalls(laid, 'a').map(({ params }) => params?.['name'])).toEqual(['echo'])
})

test('B34: a server that dies in the middle of a call is started again; the call is not', async () => {
  const laid = files()
  const peer = client(laid, 'raw')
  await peer.initialize()
  const died = await peer.call('die')
  expect(died.error?.message).toContain('not sent again')
  expect(text(await peer.call('echo', { alive: 1 }))).toBe('{"alive":1}')
  expect(journalCalls(laid, 'raw').map(({ params }) => params?.['name'])).toEqual(['die', 'echo'])
})

test('B30, B33: what a server prints by mistake is escaped and goes to standard error', async () => {
  const peer = client(files(), 'raw')
  await peer.initialize()
  expect(text(await peer.call('stray'))).toBe('after a stray line')
  await peer.close()
  expect(peer.stderr).toContain('this line is no message')
  expect(peer.stderr).not.toContain('\u001b')
})

test('at the end of input what is in flight is still answered, and the exit code is 0', async () => {
  const peer = client(files(), 'raw')
  await peer.initialize()
  peer.send({ id: 7, method: 'tools/call', params: { name: 'late', arguments: { ms: 300 } } })
  await new Promise((resolve) => setTimeout(resolve, 100))
  const code = await peer.close()
  expect(code).toBe(0)
})

test('B29: a hundred calls in one write arrive in their order', async () => {
  const laid = files()
  const peer = client(laid, 'raw')
  await peer.initialize()
  const lines = Array.from({ length: 100 }, (_, n) => call(1000 + n, `{"n":${String(n)}}`))
  peer.write(lines.join('\n'))
  await peer.until(({ id }) => id === 1099)
  const arrived = journalCalls(laid, 'raw').map(
    ({ params }) => (params?.['arguments'] as { n?: number } | undefined)?.n,
  )
  expect(arrived).toEqual(Array.from({ length: 100 }, (_, n) => n))
})
