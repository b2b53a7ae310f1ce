import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { inspectServerMessage } from '../../src/mcp/inspect-server.ts'
import type { ServerMessage, Span } from '../../src/mcp/message.ts'

const inspect = (text: string): ServerMessage | undefined => inspectServerMessage(Buffer.from(text))

/** A message in which `V` stands for the version. */
const message = (text: string): string => text.replace('V', '"jsonrpc":"2.0"')

/** The texts of all spans of a message, by name. */
function parts(text: string): Record<string, string> {
  const spans = Object.entries((inspect(text)?.spans ?? {}) as Record<string, Span | undefined>)
  return Object.fromEntries(
    spans.flatMap(([name, span]) =>
      span === undefined ? [] : [[name, Buffer.from(text).toString('utf8', span.start, span.end)]],
    ),
  )
}

describe('what a server may send', () => {
  test.each<[string, string, object]>([
    [
      'a result',
      '{V,"id":7,"result":{"content":[]}}',
      { kind: 'response', id: 7, outcome: 'result' },
    ],
    ['the id last', '{"result":{},V,"id":7}', { kind: 'response', id: 7, outcome: 'result' }],
    ['a text as id', '{V,"id":"\\u0061","result":{}}', { id: 'a' }],
    ['an empty id', '{V,"id":"","result":{}}', { id: '' }],
    ['an id written as a fraction', '{V,"id":7.0,"result":{}}', { id: 7 }],
    ['an id with an exponent', '{V,"id":7e0,"result":{}}', { id: 7 }],
    ['an id of minus zero', '{V,"id":-0,"result":{}}', { id: 0 }],
    [
      'unknown members',
      '{V,"id":1,"result":{},"extra":{"a":1},"trace":"x"}',
      { outcome: 'result' },
    ],
    ['a result that is no object', '{V,"id":1,"result":"ok"}', { outcome: 'result' }],
    ['a result of null', '{V,"id":1,"result":null}', { outcome: 'result' }],
    [
      'a tool that failed',
      '{V,"id":1,"result":{"content":[],"isError":true}}',
      { outcome: 'tool_error' },
    ],
    ['a tool that did not', '{V,"id":1,"result":{"isError":false}}', { outcome: 'result' }],
    ['isError of null', '{V,"id":1,"result":{"isError":null}}', { outcome: 'result' }],
    [
      'isError elsewhere',
      '{V,"id":1,"result":{"structuredContent":{"isError":true}},"isError":true}',
      { outcome: 'result' },
    ],
    ['an error', '{V,"id":1,"error":{"code":-32601,"message":"no"}}', { outcome: 'rpc_error' }],
    [
      'an error to nobody',
      '{V,"id":null,"error":{"code":-32700}}',
      { id: null, outcome: 'rpc_error' },
    ],
    ['an error of a fractional code', '{V,"id":1,"error":{"code":1.5}}', { outcome: 'rpc_error' }],
    ['a result and an error of null', '{V,"id":1,"result":{},"error":null}', { outcome: 'result' }],
    [
      'an error and a result of null',
      '{V,"id":1,"result":null,"error":{}}',
      { outcome: 'rpc_error' },
    ],
    [
      'a request',
      '{V,"id":"q1","method":"sampling/createMessage","params":{}}',
      { kind: 'request', id: 'q1', idText: '"q1"' },
    ],
    [
      'a request by an odd id',
      '{V,"id":3.0,"method":"roots/list"}',
      { kind: 'request', id: 3, idText: '3.0' },
    ],
    ['a foreign request', '{V,"id":1,"method":"acme/ask","params":[1]}', { kind: 'request' }],
    [
      'a notification',
      '{V,"method":"notifications/tools/list_changed"}',
      { kind: 'notification', progressToken: undefined },
    ],
    [
      'progress',
      '{V,"method":"notifications/progress","params":{"progress":1,"progressToken":5}}',
      { progressToken: 5, requestId: undefined },
    ],
    [
      'progress by a text',
      '{V,"method":"notifications/progress","params":{"progressToken":"t\\n"}}',
      { progressToken: 't\n' },
    ],
    [
      'a cancellation',
      '{V,"method":"notifications/cancelled","params":{"requestId":"q1"}}',
      { requestId: 'q1' },
    ],
    [
      'a token that is none',
      '{V,"method":"notifications/progress","params":{"progressToken":{}}}',
      { kind: 'notification', progressToken: undefined },
    ],
    [
      'white space everywhere',
      ' {\n"jsonrpc" :\t"2.0" , "id" : 1 , "result" : { } } \r',
      { outcome: 'result' },
    ],
    [
      'an escaped name',
      '{V,"\\u0069d":1,"\\u0072esult":{"is\\u0045rror":true}}',
      { id: 1, outcome: 'tool_error' },
    ],
  ])('%s', (_, text, expected) => {
    expect(inspect(message(text))).toMatchObject(expected)
  })

  test('inside a result goes what JSON.parse takes: it is not for the gate to mend', () => {
    for (const result of [
      '{"a":1,"a":2,"A":3}',
      '{"__proto__":{}}',
      '"\\ud800"',
      '{"n":1e400}',
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
    ]) {
      expect(inspect(message(`{V,"id":1,"result":${result}}`)), result.slice(0, 20)).toMatchObject({
        outcome: 'result',
      })
    }
    const bytes = Buffer.from(message('{V,"id":1,"result":"?"}'))
    bytes[bytes.indexOf('?')] = 0xff
    expect(inspectServerMessage(bytes)).toMatchObject({ outcome: 'result' })
  })

  test('the places of what is rewritten or passed on', () => {
    expect(parts(message('{"result":{"a":[1]},V,"id": "x" }'))).toEqual({
      id: '"x"',
      result: '{"a":[1]}',
    })
    expect(parts(message('{V,"id":1,"error":{"code":1}}'))).toEqual({
      id: '1',
      error: '{"code":1}',
    })
    expect(
      parts(message('{V,"id":1,"method":"a\\/b","params":{"_meta":{"progressToken":9},"x":1}}')),
    ).toEqual({
      id: '1',
      method: '"a\\/b"',
      params: '{"_meta":{"progressToken":9},"x":1}',
      progressToken: '9',
    })
    expect(parts(message('{V,"method":"m","params":{"requestId":1,"progressToken":"t"}}'))).toEqual(
      {
        method: '"m"',
        params: '{"requestId":1,"progressToken":"t"}',
        requestId: '1',
        progressToken: '"t"',
      },
    )
  })

  test('any part of a larger buffer, as it came', () => {
    const text = message('{V,"id":1,"result":{"text":"long enough for words of four bytes"}}')
    for (let before = 0; before < 8; before++) {
      const bytes = Buffer.from('"'.repeat(before) + text + '"'.repeat(8)).subarray(
        before,
        before + text.length,
      )
      const found = inspectServerMessage(bytes)
      expect(found?.bytes).toBe(bytes)
      expect({ ...found, bytes: null }).toEqual({ ...inspect(text), bytes: null })
    }
  })
})

describe('what is no message, and goes to standard error', () => {
  test.each([
    ['a log line', 'server listening on port 3000'],
    ['nothing', ''],
    ['a log line that is JSON', '{"level":"info","msg":"started","id":3}'],
    ['a log line with a method', '{"method":"GET","path":"/"}'],
    ['a batch', '[{V,"id":1,"result":{}}]'],
    ['a text', '"result"'],
    ['a message that is cut off', '{V,"id":1,"result":{}'],
    ['two messages', '{V,"id":1,"result":{}}{V,"id":2,"result":{}}'],
    ['a byte order mark', '\ufeff{V,"id":1,"result":{}}'],
    ['a raw control character', '{V,"id":1,"result":"a\tb"}'],
    ['another version', '{"jsonrpc":"1.0","id":1,"result":{}}'],
    ['a version that is a number', '{"jsonrpc":2.0,"id":1,"result":{}}'],
    ['neither a method nor an outcome', '{V,"id":1}'],
    ['a result without an id', '{V,"result":{}}'],
    ['an error without an id', '{V,"error":{}}'],
    ['only an error of null', '{V,"id":1,"error":null}'],
    ['a result and an error', '{V,"id":1,"result":{},"error":{}}'],
    ['a method and a result', '{V,"id":1,"method":"m","result":{}}'],
    ['a method that is no text', '{V,"id":1,"method":1}'],
    ['a request of null', '{V,"id":null,"method":"m"}'],
    ['an id with a fraction', '{V,"id":1.5,"result":{}}'],
    ['an id that no double holds', '{V,"id":9007199254740993,"result":{}}'],
    ['an id that is a list', '{V,"id":[1],"result":{}}'],
    ['an id that is true', '{V,"id":true,"result":{}}'],
  ])('%s', (_, text) => {
    expect(inspect(message(text))).toBeUndefined()
  })

  test.each([
    ['two ids', '{V,"id":1,"result":{},"id":2}'],
    ['the same id twice', '{V,"id":1,"id":1,"result":{}}'],
    ['an id and its variant', '{V,"id":1,"ID":2,"result":{}}'],
    ['only a variant of id', '{V,"Id":1,"result":{}}'],
    ['an id cut at a NUL', '{V,"id":1,"id\\u0000":2,"result":{}}'],
    ['two results', '{V,"id":1,"result":{},"result":{"isError":true}}'],
    ['a result and its variant', '{V,"id":1,"result":{},"Re\\u017fult":{}}'],
    ['two methods', '{V,"id":1,"method":"a","method":"b"}'],
    [
      'a result and a variant of method',
      '{V,"id":1,"result":{},"Method":"sampling/createMessage"}',
    ],
    ['two params', '{V,"method":"a","params":{"progressToken":1},"params":{"progressToken":2}}'],
    ['two progress tokens', '{V,"method":"a","params":{"progressToken":1,"progressToken":2}}'],
    [
      'a progress token and its variant',
      '{V,"method":"a","params":{"progressToken":1,"progresstoken":2}}',
    ],
    [
      'two progress tokens of a request',
      '{V,"id":1,"method":"a","params":{"_meta":{"progressToken":1,"progressToken":2}}}',
    ],
    ['two _meta', '{V,"id":1,"method":"a","params":{"_meta":{"progressToken":1},"_meta":{}}}'],
    ['two versions', '{V,"jsonrpc":"2.0","id":1,"result":{}}'],
  ])('B23: whom it is for is not clear: %s', (_, text) => {
    expect(inspect(message(text))).toBeUndefined()
  })

  test('a failed tool is a failure under every reading', () => {
    for (const result of [
      '{"isError":true,"isError":false}',
      '{"isError":false,"isError":true}',
      '{"isError":false,"IsError":true}',
      '{"IsError":true}',
      '{"isError":1}',
      '{"isError":"false"}',
      '{"isError":{}}',
    ]) {
      expect(inspect(message(`{V,"id":1,"result":${result}}`)), result).toMatchObject({
        outcome: 'tool_error',
      })
    }
  })
})

describe('B32: bounds, on both sides', () => {
  test('the depth', () => {
    // The message itself is one level.
    const deep = (levels: number): string =>
      message(`{V,"id":1,"result":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`)
    expect(inspect(deep(limits.maxUpstreamJsonDepth))).toMatchObject({ outcome: 'result' })
    expect(inspect(deep(limits.maxUpstreamJsonDepth + 1))).toBeUndefined()
    expect(inspect(message(`{V,"id":1,"result":${'{"a":'.repeat(1_000_000)}`))).toBeUndefined()
  })

  test('the id, the method and the token', () => {
    const id = 'i'.repeat(limits.maxIdCharacters)
    const response = (text: string): string => message(`{V,"id":"${text}","result":{}}`)
    expect(inspect(response(id))).toMatchObject({ id })
    expect(inspect(response(`${id}i`))).toBeUndefined()
    // Escapes count as the characters they stand for.
    expect(inspect(response('\\u0069'.repeat(limits.maxIdCharacters)))).toMatchObject({ id })
    expect(inspect(response('\\u0069'.repeat(limits.maxIdCharacters + 1)))).toBeUndefined()
    expect(
      inspect(
        message(`{V,"id":${'0'.repeat(0)}1${'0'.repeat(limits.maxIdCharacters)},"result":{}}`),
      ),
    ).toBeUndefined()
    const method = 'm'.repeat(limits.maxNameCharacters)
    expect(inspect(message(`{V,"method":"${method}"}`))).toMatchObject({ method })
    expect(inspect(message(`{V,"method":"${method}m"}`))).toBeUndefined()
    const progress = (token: string): string =>
      message(`{V,"method":"m","params":{"progressToken":"${token}"}}`)
    expect(inspect(progress(id))).toMatchObject({ progressToken: id })
    expect(inspect(progress(`${id}i`))).toMatchObject({ progressToken: undefined })
  })

  test('the size', () => {
    const text = message('{V,"id":1,"result":""}')
    const atBound = Buffer.alloc(limits.maxUpstreamMessageBytes + 1, ' ')
    atBound.write(text)
    expect(inspectServerMessage(atBound.subarray(0, limits.maxUpstreamMessageBytes))).toMatchObject(
      { id: 1 },
    )
    expect(inspectServerMessage(atBound)).toBeUndefined()
  })

  test('a name that is repeated without end, or that is dear to compare, costs neither time nor memory', () => {
    const repeated = message(`{V,"id":1,"result":{${'"isError":false,'.repeat(500_000)}"x":1}}`)
    expect(inspect(repeated)).toBeUndefined()
    const within = message(
      `{V,"id":1,"result":{${'"isError":false,'.repeat(limits.maxRecordedMembers)}"x":1}}`,
    )
    expect(inspect(within)).toMatchObject({ outcome: 'result' })
    const marks = message(`{V,"id":1,"result":{},"a${'\u0301\u0316'.repeat(2_000_000)}":1}`)
    expect(inspect(marks)).toMatchObject({ outcome: 'result' })
  })
})
