import { expect, test } from 'vitest'
import { harness, initialize, reply, request, shaken } from './harness.ts'
import type { Message } from './harness.ts'

test('what the server says about itself reaches the client byte for byte, under the client’s id', () => {
  const { servers, send, lines } = harness()
  send(request('initialize', initialize, 'first'))
  const id = servers['solo']?.last.id
  servers['solo']?.raw(
    `{"result":{"x":9007199254740993,"capabilities":{}},"id":${String(id)},"jsonrpc":"2.0"}`,
  )
  expect(lines).toEqual([
    '{"result":{"x":9007199254740993,"capabilities":{}},"id":"first","jsonrpc":"2.0"}',
  ])
})

test('the server is started at the first need, not before', () => {
  const { servers, send } = harness()
  expect(servers['solo']?.starts).toBe(0)
  send(request('ping', undefined, 1))
  expect(servers['solo']?.starts).toBe(0)
  send(request('initialize', initialize))
  expect(servers['solo']?.starts).toBe(1)
})

test.each([
  ['a string', '"7"'],
  ['zero', '0'],
  ['an empty string', '""'],
  ['a negative number', '-5'],
  ['a large integer', '9007199254740991'],
])('an id that is %s comes back as it was sent', async (_, idText) => {
  const { servers, session, lines, settle } = await shaken()
  session.receive(
    Buffer.from(`{"jsonrpc":"2.0","id":${idText},"method":"tools/call","params":{"name":"echo"}}`),
  )
  await settle()
  servers['solo']?.say(reply(servers['solo'].last.id))
  expect(lines.at(-1)).toBe(`{"jsonrpc":"2.0","id":${idText},"result":{}}`)
})

test('ids towards a server are integers of the gate’s own', async () => {
  const { servers, send, settle } = await shaken()
  send(request('tools/call', { name: 'echo' }, 'abc'))
  send(request('prompts/list', {}, 'def'))
  await settle()
  const ids = servers['solo']?.messages.map(({ id }) => id).filter((id) => id !== undefined)
  expect(ids).toEqual([1, 2, 3])
})

test('the arguments are forwarded as they were written', async () => {
  const { servers, session, settle } = await shaken()
  const args = '{ "n":9007199254740993, "e":1e2 ,"s":"\\u0041\\/", "z":-0 }'
  session.receive(
    Buffer.from(
      `{"jsonrpc":"2.0","id":1,"method":"tools\\/call","params":{"name":"echo","arguments":${args},"future":{"x":[]}}}`,
    ),
  )
  await settle()
  expect(servers['solo']?.lines.at(-1)).toBe(
    `{"jsonrpc":"2.0","id":2,"method":"tools\\/call","params":{"name":"echo","arguments":${args},"future":{"x":[]}}}`,
  )
})

test('a denied call never reaches the server, and the client has a result', async () => {
  const { servers, gate, send, answerTo, settle } = await shaken()
  gate.policy = () => 'deny'
  send(request('tools/call', { name: 'echo' }, 5))
  await settle()
  expect(servers['solo']?.calls).toEqual([])
  expect(answerTo(5)?.result).toMatchObject({ isError: true })
})

test('a gate that fails forwards nothing', async () => {
  const { servers, gate, send, answerTo, settle } = await shaken()
  gate.judge = () => Promise.reject(new Error('broken'))
  send(request('tools/call', { name: 'echo' }, 5))
  await settle()
  expect(servers['solo']?.calls).toEqual([])
  expect(answerTo(5)?.error).toMatchObject({ code: -32603 })
})

test('B29: a call that waits for its decision holds back what came after it', async () => {
  const { servers, gate, send, settle } = await shaken()
  gate.policy = undefined
  send(request('tools/call', { name: 'one' }))
  send(request('tools/call', { name: 'two' }))
  send(request('tools/call', { name: 'three' }))
  send(request('prompts/list'))
  await settle()
  expect(servers['solo']?.lines).toHaveLength(2)
  gate.decide('allow', 2)
  gate.decide('allow', 1)
  await settle()
  expect(servers['solo']?.lines).toHaveLength(2)
  gate.decide('allow')
  await settle()
  const sent = servers['solo']?.messages
    .slice(2)
    .map(({ method, params }) => params?.['name'] ?? method)
  expect(sent).toEqual(['one', 'two', 'three', 'prompts/list'])
})

test('B23: a reply that answers nothing, or answers twice, is dropped and said', async () => {
  const { servers, send, lines, logs, settle } = await shaken()
  send(request('tools/call', { name: 'echo' }, 5))
  await settle()
  const { id } = servers['solo']?.last ?? {}
  const before = lines.length
  servers['solo']?.say(reply(777))
  servers['solo']?.say(reply('2'))
  servers['solo']?.say(reply(id))
  servers['solo']?.say(reply(id))
  expect(lines.length).toBe(before + 1)
  expect(logs.filter((text) => text.includes('dropped'))).toHaveLength(3)
})

test('B23: an id that is in flight cannot be used again', async () => {
  const { servers, gate, send, settle, received } = await shaken()
  send(request('tools/call', { name: 'echo' }, 5))
  send(request('tools/call', { name: 'other' }, 5))
  await settle()
  expect(servers['solo']?.calls).toHaveLength(1)
  expect(gate.refusals).toMatchObject([{ reason: 'id_in_flight' }])
  expect(received().at(-1)).toMatchObject({ id: 5, error: { code: -32600 } })
})

test('progress that arrives with the result is passed on before it, with the client’s own token', async () => {
  const { servers, send, received, settle } = await shaken()
  send(request('tools/call', { name: 'p', _meta: { progressToken: 'tök"en' } }, 5))
  await settle()
  const { id, params } = servers['solo']?.last ?? {}
  expect(params?.['_meta']).toEqual({ progressToken: id })
  for (const progress of [1, 2]) {
    servers['solo']?.say({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: id, progress },
    })
  }
  servers['solo']?.say(reply(id))
  servers['solo']?.say({
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: { progressToken: id, progress: 3 },
  })
  const tail = received().slice(-3)
  expect(tail.map(({ params: p }) => p?.['progress'])).toEqual([1, 2, undefined])
  expect(tail[0]?.params?.['progressToken']).toBe('tök"en')
})

test('a cancelled call is cancelled at the server under its id, and its late reply is dropped silently', async () => {
  const { servers, gate, send, lines, logs, settle } = await shaken()
  send(request('tools/call', { name: 'slow' }, 'c'))
  await settle()
  const { id } = servers['solo']?.last ?? {}
  send({
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId: 'c', reason: 'enough' },
  })
  expect(servers['solo']?.last).toMatchObject({
    method: 'notifications/cancelled',
    params: { requestId: id, reason: 'enough' },
  })
  const before = [lines.length, logs.length]
  servers['solo']?.say(reply(id))
  expect([lines.length, logs.length]).toEqual(before)
  expect(gate.outcomes).toEqual([{ status: 'cancelled', bytes: 0 }])
})

test('a call that is cancelled while it waits for its decision is never forwarded', async () => {
  const { servers, gate, send, settle, answerTo } = await shaken()
  gate.policy = undefined
  send(request('tools/call', { name: 'slow' }, 'c'))
  send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'c' } })
  gate.decide('allow')
  await settle()
  expect(servers['solo']?.calls).toEqual([])
  expect(answerTo('c')).toBeUndefined()
  expect(gate.outcomes).toEqual([{ status: 'cancelled', bytes: 0, sent: false }])
})

test('B34: a server that dies in the middle of a call: the client is told, nothing is sent again', async () => {
  const { servers, gate, send, settle, answerTo } = await shaken()
  send(request('tools/call', { name: 'die' }, 5))
  await settle()
  servers['solo']?.exit({ code: 3, signal: null })
  await settle()
  expect(answerTo(5)?.error?.message).toContain('exited with code 3')
  expect(answerTo(5)?.error?.message).toContain('not sent again')
  expect(gate.outcomes).toEqual([{ status: 'upstream_died', bytes: 0 }])
  send(request('tools/call', { name: 'echo' }, 6))
  await settle()
  expect(servers['solo']?.starts).toBe(2)
  const restarted = servers['solo']?.messages.slice(3)
  expect(restarted?.map(({ method }) => method)).toEqual(['initialize'])
  servers['solo']?.say(
    reply(restarted?.[0]?.id, { capabilities: { tools: { listChanged: true } } }),
  )
  await settle()
  expect(servers['solo']?.messages.slice(4).map(({ method }) => method)).toEqual([
    'notifications/initialized',
    'tools/call',
  ])
  expect(servers['solo']?.calls.map(({ params }) => params?.['name'])).toEqual(['die', 'echo'])
})

test('a server that was started again is told the log level and the subscriptions, the client that lists changed', async () => {
  const { servers, send, settle, received } = await shaken()
  const { solo } = servers
  const told = async (method: string, params: unknown): Promise<void> => {
    send(request(method, params))
    await settle()
    solo?.say(reply(solo.last.id))
  }
  await told('logging/setLevel', { level: 'error' })
  await told('resources/subscribe', { uri: 'r://1' })
  await told('resources/subscribe', { uri: 'r://2' })
  await told('resources/unsubscribe', { uri: 'r://1' })
  solo?.exit()
  const before = solo?.lines.length ?? 0
  send(request('prompts/list'))
  solo?.say(reply(solo.last.id, { capabilities: { tools: { listChanged: true } } }))
  expect(
    solo?.messages
      .slice(before)
      .map(({ method, params }) => [method, params?.['level'] ?? params?.['uri']]),
  ).toEqual([
    ['initialize', undefined],
    ['notifications/initialized', undefined],
    ['logging/setLevel', 'error'],
    ['resources/subscribe', 'r://2'],
    ['prompts/list', undefined],
  ])
  expect(received().at(-1)?.method).toBe('notifications/tools/list_changed')
})

test('two questions of a server under the same id as another’s are told apart', async () => {
  const { servers, send, received } = harness(['a', 'b'])
  for (const server of Object.values(servers)) {
    server.auto = ({ method, id }) =>
      method === 'initialize' ? reply(id, { capabilities: {} }) : undefined
  }
  send(request('initialize', initialize, 0))
  await new Promise((resolve) => setTimeout(resolve, 10))
  const question = {
    jsonrpc: '2.0',
    id: 'same',
    method: 'elicitation/create',
    params: { message: 'Sure?' },
  }
  servers['a']?.say(question)
  servers['b']?.say(question)
  const asked = received().filter(({ method }) => method === 'elicitation/create')
  expect(asked.map(({ params }) => params?.['message'])).toEqual(['[a] Sure?', '[b] Sure?'])
  expect(new Set(asked.map(({ id }) => id)).size).toBe(2)
  send({ jsonrpc: '2.0', id: asked[1]?.id, result: { action: 'accept' } })
  expect(servers['b']?.last).toEqual({ jsonrpc: '2.0', id: 'same', result: { action: 'accept' } })
  expect(servers['a']?.messages.some((message: Message) => message.result !== undefined)).toBe(
    false,
  )
  // Answered once; a second answer is nobody's.
  const before = servers['b']?.lines.length
  send({ jsonrpc: '2.0', id: asked[1]?.id, result: { action: 'accept' } })
  expect(servers['b']?.lines).toHaveLength(before ?? 0)
})

test('a reply over the limit is answered, and the session lives on', async () => {
  const { servers, send, settle, answerTo, gate } = await shaken()
  send(request('tools/call', { name: 'big' }, 5))
  await settle()
  send(request('prompts/list', {}, 9))
  const [one, other] = servers['solo']?.messages.slice(-2) ?? []
  servers['solo']?.oversize(
    1e9,
    '{"jsonrpc":"2.0","result":{"id":3,"a":[{"id":',
    '4}],"t":"\\"id\\":',
    `5"},"id":${String(one?.id)}}`,
    undefined,
  )
  expect(answerTo(5)?.error?.message).toContain('over the limit of 1000000000 bytes')
  expect(gate.refusals).toMatchObject([{ reason: 'too_large', server: 'solo' }])
  expect(answerTo(9)).toBeUndefined()
  servers['solo']?.say(reply(other?.id, { prompts: [] }))
  expect(answerTo(9)?.result).toEqual({ prompts: [] })
  send(request('tools/call', { name: 'echo' }, 6))
  await settle()
  servers['solo']?.say(reply(servers['solo'].last.id))
  expect(answerTo(6)?.result).toEqual({})
})

test('a printed line goes to the operator, escaped, never to the client', async () => {
  const { servers, lines, logs } = await shaken()
  const before = lines.length
  servers['solo']?.raw('hello \u001b[31m\u202e world')
  expect(lines.length).toBe(before)
  expect(logs.at(-1)).toContain('\\u001b[31m\\u{202e}')
  expect(logs.at(-1)).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})

test('B10: a tool whose name imitates another is neither listed nor called; the rest is byte for byte', async () => {
  const { servers, send, settle, lines, answerTo } = await shaken()
  send(request('tools/list', {}, 5))
  const { id } = servers['solo']?.last ?? {}
  servers['solo']?.raw(
    `{"jsonrpc":"2.0","result":{"tools":[ {"name":"read_file","n":9007199254740993} , {"name":"rеad_file"}],"more":1},"id":${String(id)}}`,
  )
  expect(lines.at(-1)).toBe(
    '{"jsonrpc":"2.0","result":{"tools":[{"name":"read_file","n":9007199254740993}],"more":1},"id":5}',
  )
  send(request('tools/call', { name: 'rеad_file' }, 6))
  await settle()
  expect(answerTo(6)?.error?.code).toBe(-32602)
  expect(servers['solo']?.calls).toEqual([])
})
