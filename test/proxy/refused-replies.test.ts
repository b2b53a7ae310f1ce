import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { request, reply, shaken } from './harness.ts'

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

/** `ID` stands for the id under which the server was asked. */
test.each([
  [
    'deeper than the bound, the id last',
    `{"jsonrpc":"2.0","result":{"a":${deep(limits.maxUpstreamJsonDepth)}},"id":ID}`,
    'too_deep',
  ],
  ['a NaN, as Python writes it', '{"jsonrpc":"2.0","id":ID,"result":{"a":NaN}}', 'syntax'],
  ['two results', '{"jsonrpc":"2.0","id":ID,"result":{},"result":{"a":1}}', 'member_variant'],
  ['a result in capitals', '{"jsonrpc":"2.0","id":ID,"RESULT":{}}', 'member_variant'],
  ['a result and an error', '{"jsonrpc":"2.0","id":ID,"result":{},"error":{"code":1}}', 'shape'],
  ['neither', '{"jsonrpc":"2.0","id":ID}', 'shape'],
  ['no version', '{"id":ID,"result":{}}', 'jsonrpc'],
  ['another version', '{"jsonrpc":"1.0","id":ID,"result":{}}', 'jsonrpc'],
  ['cut off', '{"jsonrpc":"2.0","id":ID,"result":{"a":"b', 'truncated'],
  ['text behind it', '{"jsonrpc":"2.0","id":ID,"result":{}}!', 'trailing_bytes'],
  [
    'a raw control character',
    '{"jsonrpc":"2.0","id":ID,"result":{"a":"\u0001"}}',
    'control_character',
  ],
  ['a method as well', '{"jsonrpc":"2.0","id":ID,"result":{},"method":"x"}', 'shape'],
])(
  'a reply that is refused answers its call and no other, and leaves a record: %s',
  async (_name, text, reason) => {
    const { servers, gate, send, settle, answerTo, lines } = await shaken()
    const { solo } = servers
    send(request('tools/call', { name: 'one' }, 'one'))
    send(request('tools/call', { name: 'other' }, 'other'))
    await settle()
    const [one, other] = solo?.calls ?? []
    const before = lines.length
    solo?.raw(text.replace('ID', String(one?.id)))
    await settle()
    expect(answerTo('one')?.error).toMatchObject({ code: -32603 })
    expect(answerTo('one')?.error?.message).toMatch(
      /^server `solo` sent a reply that was refused: .*may have been executed$/,
    )
    expect(gate.refusals).toMatchObject([{ reason, server: 'solo' }])
    expect(gate.outcomes).toEqual([{ status: 'rpc_error', bytes: 0 }])
    expect(lines).toHaveLength(before + 1)
    solo?.say(reply(one?.id, { late: true }))
    solo?.say(reply(other?.id, { good: true }))
    await settle()
    expect(answerTo('other')?.result).toEqual({ good: true })
    expect(lines).toHaveLength(before + 2)
  },
)

test.each([
  ['no id', '{"jsonrpc":"2.0","result":{"a":NaN}}'],
  ['two ids', '{"jsonrpc":"2.0","id":1,"id":2,"result":{}}'],
  ['an id in capitals', '{"jsonrpc":"2.0","ID":1,"result":{}}'],
  ['an id that is an object', '{"jsonrpc":"2.0","id":{},"result":{}}'],
  ['an id without end', `{"jsonrpc":"2.0","id":"${'x'.repeat(10_000)}","result":{}}`],
])(
  'a refused reply that does not say whose it is may be anybody’s, so that nobody waits on: %s',
  async (_name, text) => {
    const { servers, gate, send, settle, answerTo } = await shaken()
    send(request('tools/call', { name: 'one' }, 'one'))
    send(request('prompts/list', {}, 'other'))
    await settle()
    servers['solo']?.raw(text)
    await settle()
    expect(answerTo('one')?.error?.code).toBe(-32603)
    expect(answerTo('other')?.error?.code).toBe(-32603)
    expect(gate.refusals).toHaveLength(1)
    send(request('tools/call', { name: 'next' }, 'next'))
    await settle()
    servers['solo']?.say(reply(servers['solo'].last.id, { ok: true }))
    expect(answerTo('next')?.result).toEqual({ ok: true })
  },
)

test.each([
  ['an object that a program printed', '{ a: 1 }'],
  ['a log line in JSON', '{"level":"info","msg":"started","id":7}'],
  ['an empty object', '{}'],
  ['a list', '[{"jsonrpc":"2.0","id":1,"result":{}}]'],
  ['a text', '"jsonrpc"'],
])('what a server prints by mistake loses nobody’s call: %s', async (_name, text) => {
  const { servers, send, settle, answerTo } = await shaken()
  send(request('tools/call', { name: 'one' }, 'one'))
  await settle()
  servers['solo']?.raw(text)
  await settle()
  expect(answerTo('one')).toBeUndefined()
})

test('a refused request of a server is answered, so that it does not wait for ever; a refused notification is not', async () => {
  const { servers, gate, lines } = await shaken()
  const before = lines.length
  const { solo } = servers
  solo?.raw('{"jsonrpc":"2.0","id":"q","method":"roots/list","params":{"a":NaN}}')
  expect(solo?.last).toMatchObject({ id: 'q', error: { code: -32600 } })
  const sent = solo?.lines.length ?? 0
  solo?.raw('{"jsonrpc":"2.0","method":"notifications/message","params":NaN}')
  expect(solo?.lines).toHaveLength(sent)
  expect(gate.refusals).toHaveLength(2)
  expect(lines).toHaveLength(before)
})

test('an initialize whose reply is refused is answered, and what waited behind it goes on', async () => {
  const { servers, send, settle, answerTo } = await shaken()
  const { solo } = servers
  send(request('initialize', {}, 'again'))
  send(request('prompts/list', {}, 'waits'))
  solo?.raw(`{"jsonrpc":"2.0","id":${String(solo.last.id)},"result":NaN}`)
  await settle()
  expect(answerTo('again')?.error?.code).toBe(-32603)
  expect(solo?.last.method).toBe('prompts/list')
})

test('B32: a line without an end loses what is in flight once it is sixteen times over the limit', async () => {
  const { servers, send, settle, answerTo } = await shaken()
  send(request('tools/call', { name: 'one' }, 'one'))
  await settle()
  const piece = 'x'.repeat(1000)
  servers['solo']?.oversize(1000, '{"jsonrpc":"2.0","id":99,"result":"', piece)
  expect(answerTo('one')).toBeUndefined()
  servers['solo']?.oversize(1000, ...Array.from({ length: 17 }, () => piece), undefined)
  expect(answerTo('one')?.error?.code).toBe(-32603)
})

test('a request or an answer of the client over the limit is told to whom it concerns', async () => {
  const { servers, session, received, gate } = await shaken()
  const drop = (text: string): void => {
    session.oversize(100)
    session.oversizePart(Buffer.from(text))
    session.oversizePart(undefined)
  }
  drop('{"method":"tools/call","params":{"arguments":{"a":"xxx"}},"jsonrpc":"2.0","id":"big"}')
  expect(received().at(-1)).toMatchObject({ id: 'big', error: { code: -32600 } })
  servers['solo']?.say({ jsonrpc: '2.0', id: 'q', method: 'sampling/createMessage', params: {} })
  const { id } = received().at(-1) ?? {}
  const before = received().length
  drop(`{"jsonrpc":"2.0","result":{"text":"xxx"},"id":${String(id)}}`)
  expect(servers['solo']?.last).toMatchObject({ id: 'q', error: { code: -32603 } })
  drop(`{"jsonrpc":"2.0","result":{"text":"xxx"},"id":${String(id)}}`)
  expect(received()).toHaveLength(before)
  drop('[1,2,3]')
  expect(received().at(-1)).toMatchObject({ id: null, error: { code: -32600 } })
  expect(gate.refusals.map(({ reason }) => reason)).toEqual(Array(4).fill('too_large'))
})

test('a refused answer is told to the server that asked, and never to the client, whose own requests use that id', async () => {
  const { servers, send, received, lines, logs } = await shaken()
  servers['solo']?.say({ jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: {} })
  const { id } = received().at(-1) ?? {}
  send(request('prompts/list', {}, Number(id)))
  const before = lines.length
  const bad = `{"jsonrpc":"2.0","id":${String(id)},"result":{"content":{"a":"\\ud800"}}}`
  send(bad)
  expect(servers['solo']?.last).toMatchObject({ id: 'q', error: { code: -32603 } })
  send(bad)
  expect(logs.at(-1)).toContain('an answer to no question')
  expect(lines).toHaveLength(before)
})
