import { describe, expect, test } from 'vitest'
import { Decimal } from '../../src/json/decimal.ts'
import { stringify } from '../support/to-js.ts'
import type { JsonValue } from '../../src/json/value.ts'
import { inspectClientMessage } from '../../src/mcp/inspect-client.ts'
import type { ClientMessage, Span } from '../../src/mcp/message.ts'
import { call } from './client-messages.ts'

const inspect = (text: string): ClientMessage => inspectClientMessage(Buffer.from(text))

/** The texts of all spans of a message, by name. */
function parts(text: string): Record<string, string> {
  const spans = Object.entries(inspect(text).spans as Record<string, Span | undefined>)
  const bytes = Buffer.from(text)
  return Object.fromEntries(
    spans.flatMap(([name, span]) =>
      span === undefined ? [] : [[name, bytes.toString('utf8', span.start, span.end)]],
    ),
  )
}

describe('what a client may send', () => {
  test('a call, with the value to judge and the places of what is forwarded', () => {
    const text =
      ' {"jsonrpc" : "2.0", "params":{"_meta":{"x":1,"progressToken":"p\\u0031"} , "arguments": {"amount":1e3} ,"name":"pay"},\n"id": "a\\n" ,"method":"tools\\/call"} '
    const message = inspect(text)
    if (message.kind !== 'request') throw new Error(message.kind)
    expect(message).toMatchObject({ id: 'a\n', idText: '"a\\n"', method: 'tools/call' })
    expect(stringify(message.params)).toBe(
      '{"_meta":{"x":1,"progressToken":"p1"},"arguments":{"amount":1e3},"name":"pay"}',
    )
    expect(parts(text)).toEqual({
      id: '"a\\n"',
      method: '"tools\\/call"',
      params: text.slice(text.indexOf('{"_meta"'), text.indexOf(',\n')),
      name: '"pay"',
      arguments: '{"amount":1e3}',
      meta: '{"x":1,"progressToken":"p\\u0031"}',
      progressToken: '"p\\u0031"',
    })
    expect(message.spans.id).toEqual({
      start: text.indexOf('"a\\n"'),
      end: text.indexOf('"a\\n"') + 5,
    })
  })

  test('the bytes are those that came, and spans count in bytes', () => {
    const text = call('{"name":"\u20ac\u{1f600}","arguments":{"\u00e9":1}}')
    const bytes = Buffer.from(text)
    const message = inspectClientMessage(bytes)
    expect(message.bytes).toBe(bytes)
    expect(parts(text)['arguments']).toBe('{"\u00e9":1}')
  })

  test('any part of a larger buffer', () => {
    const text = call('{"name":"a","arguments":{"text":"long enough for words of four bytes"}}')
    for (let before = 0; before < 8; before++) {
      const around = Buffer.from('"'.repeat(before) + text + '"'.repeat(8))
      const own = inspectClientMessage(around.subarray(before, before + text.length))
      const plain = inspectClientMessage(Uint8Array.from(Buffer.from(text)))
      expect({ ...own, bytes: null }).toEqual({ ...plain, bytes: null })
    }
  })

  test.each<[string, string, object]>([
    [
      'a request without params',
      '{"jsonrpc":"2.0","id":0,"method":"ping"}',
      { kind: 'request', id: 0, idText: '0', params: {} },
    ],
    ['an empty id', '{"jsonrpc":"2.0","id":"","method":"ping"}', { id: '', idText: '""' }],
    ['a negative id', '{"jsonrpc":"2.0","id":-7,"method":"ping"}', { id: -7, idText: '-7' }],
    [
      'the largest id',
      '{"jsonrpc":"2.0","id":9007199254740991,"method":"ping"}',
      { id: 2 ** 53 - 1 },
    ],
    [
      'a foreign method',
      '{"jsonrpc":"2.0","id":1,"method":"acme/Do It","params":{"Name":1}}',
      { method: 'acme/Do It' },
    ],
    [
      'unknown members of params',
      call('{"name":"a","x":1,"Y":2,"_meta":{"com.acme/Z":1}}'),
      { kind: 'request' },
    ],
    ['a call without arguments', call('{"name":"a"}'), { kind: 'request' }],
    [
      'an empty cursor',
      '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":""}}',
      { kind: 'request' },
    ],
    [
      'a notification',
      '{"jsonrpc":"2.0","method":"notifications/initialized"}',
      { kind: 'notification', params: {} },
    ],
    [
      'a foreign notification',
      '{"jsonrpc":"2.0","method":"acme/event","params":{}}',
      { kind: 'notification' },
    ],
    [
      'a result',
      '{"jsonrpc":"2.0","id":3,"result":{}}',
      { kind: 'response', id: 3, idText: '3', isError: false },
    ],
    [
      'a result that is null',
      '{"id":"x","result":null,"jsonrpc":"2.0"}',
      { kind: 'response', isError: false },
    ],
    [
      'an error',
      '{"jsonrpc":"2.0","error":{"code":-1,"message":"no"},"id":3}',
      { kind: 'response', isError: true },
    ],
  ])('%s', (_, text, expected) => {
    expect(inspect(text)).toMatchObject(expected)
  })

  test('the places of a read, a page, a cancellation, progress and an answer', () => {
    const read = '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a:b"}}'
    expect(parts(read)['uri']).toBe('"a:b"')
    const page = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"c"}}'
    expect(parts(page)['cursor']).toBe('"c"')
    const cancelled =
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}'
    expect(parts(cancelled)['requestId']).toBe('5')
    const progress =
      '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}'
    expect(parts(progress)['progressToken']).toBe('"t"')
    const answer = '{"jsonrpc":"2.0","id":1,"result":{"a":[]}}'
    expect(parts(answer)).toEqual({ id: '1', result: '{"a":[]}' })
  })

  test('B21: numbers are judged as they are written', () => {
    const numbers = ['1000.00000000000000001', '9007199254740993', '1e400', '-0', '1E3']
    const message = inspect(call(`{"name":"a","arguments":{"n":[${numbers.join(',')}]}}`))
    const list = (message.kind === 'request' && message.params['arguments']) as { n: JsonValue[] }
    expect(list.n.map((number) => number instanceof Decimal && number.text)).toEqual(numbers)
  })

  test('B31: nothing of a prototype reaches what is judged', () => {
    const message = inspect(
      call('{"name":"a","arguments":{"constructor":{"prototype":{}},"hasOwnProperty":1}}'),
    )
    if (message.kind !== 'request') throw new Error(message.kind)
    const args = message.params['arguments'] as Record<string, unknown>
    expect(Object.keys(args)).toEqual(['constructor', 'hasOwnProperty'])
    expect(
      [message.params, args].map((object) => Object.getPrototypeOf(object) as unknown),
    ).toEqual([null, null])
    expect(args['toString']).toBeUndefined()
    const bare = inspect('{"jsonrpc":"2.0","id":1,"method":"ping"}')
    expect(bare.kind === 'request' && Object.getPrototypeOf(bare.params)).toBe(null)
  })
})
