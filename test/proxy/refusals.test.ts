import { expect, test } from 'vitest'
import { harness, request, shaken } from './harness.ts'

test('B1: a batch is refused as a whole, with one refusal', async () => {
  const { servers, gate, lines, send, settle } = await shaken()
  const before = servers['solo']?.lines.length
  send([request('tools/call', { name: 'echo' }), request('ping')])
  await settle()
  expect(servers['solo']?.lines).toHaveLength(before ?? 0)
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ error: { code: -32600 } })
  expect(gate.refusals).toMatchObject([{ reason: 'batch' }])
  expect(gate.judged).toEqual([])
})

test.each([
  [
    'B2: a duplicate key',
    '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"x"}}',
  ],
  [
    'B2: a key that differs by case',
    '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"x"}}',
  ],
  [
    'B2: a Kelvin sign, which some readers fold',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"k":1,"\u212a":2}}}',
  ],
  ['B4: text that is no JSON', '{"jsonrpc":"2.0","id":1,"method":"tools/call",}'],
  [
    'B31: a __proto__ member',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"__proto__":{}}}}',
  ],
  ['a call without an id', '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x"}}'],
  ['an unknown top-level member', '{"jsonrpc":"2.0","id":1,"method":"ping","extra":1}'],
])('%s goes no further and leaves a refusal', async (_, line) => {
  const { servers, gate, lines, send, settle } = await shaken()
  const [before, said] = [servers['solo']?.lines.length, lines.length]
  send(line)
  await settle()
  expect(servers['solo']?.lines).toHaveLength(before ?? 0)
  expect(gate.judged).toEqual([])
  expect(gate.refusals).toHaveLength(1)
  expect(lines.length).toBe(said + 1)
})

test('arguments that a model cut in half are refused with a result that the model can read', async () => {
  const { gate, send, answerTo, settle } = await shaken()
  send(
    '{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"x","arguments":{"t":"\\ud83d"}}}',
  )
  await settle()
  expect(answerTo(8)?.result).toMatchObject({ isError: true })
  expect(gate.judged).toEqual([])
})

test('a question whose answer is refused is answered with an error, so that the server does not wait for ever', async () => {
  const { servers, session, received } = await shaken()
  servers['solo']?.say({ jsonrpc: '2.0', id: 'q', method: 'sampling/createMessage', params: {} })
  const { id } = received().at(-1) ?? {}
  session.receive(Buffer.from(`{"jsonrpc":"2.0","id":${String(id)},"result":{"a":1,"a":2}}`))
  expect(servers['solo']?.last).toMatchObject({ id: 'q', error: { code: -32603 } })
})

test('an unknown method is refused by default and forwarded where the configuration says so', async () => {
  const denied = harness(['solo'], 'deny')
  denied.send(request('tools/callx', { name: 'x' }, 5))
  expect(denied.answerTo(5)?.error?.code).toBe(-32601)
  expect(denied.gate.refusals).toMatchObject([{ reason: 'unknown_method' }])
  expect(denied.servers['solo']?.starts).toBe(0)
  const forwarded = harness(['solo'], 'forward')
  forwarded.send(request('future/method', { name: 'x' }, 5))
  await forwarded.settle()
  expect(forwarded.servers['solo']?.last.method).toBe('future/method')
})
