import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inspectClientMessage } from '../../src/mcp/inspect-client.ts'
import { inspectServerMessage } from '../../src/mcp/inspect-server.ts'
import type { ClientRequest, ServerResponse } from '../../src/mcp/message.ts'
import {
  clientKey,
  modernReplyEdits,
  modernResult,
  readEnvelope,
  requestKey,
  withoutEnvelope,
  withoutMembers,
} from '../../src/mcp/modern.ts'
import { decodeHeader, repeatedArguments } from '../../src/mcp/modern-headers.ts'
import { splice } from '../../src/mcp/splice.ts'

const seed = 20_260_728

function request(params: unknown, method = 'tools/call'): ClientRequest {
  const text = typeof params === 'string' ? params : JSON.stringify(params)
  const whole = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${text}}`
  const message = inspectClientMessage(Buffer.from(whole))
  if (message.kind !== 'request') throw new Error('no request')
  return message
}

function response(result: string): ServerResponse {
  const message = inspectServerMessage(Buffer.from(`{"jsonrpc":"2.0","id":1,${result}}`))
  if (message?.kind !== 'response') throw new Error('no response')
  return message
}

describe('taking members out of an object', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'x', 'y', 'z'))
  const value = fc.constantFrom('1', '"a,b"', '{"a":[1,{"b":2}]}', '[]', 'null', '"\\"}"')
  const blank = fc.constantFrom('', ' ', '\n ', '\t')

  test('law: what is left is what `JSON.parse` would leave, and every other byte is as it was', () => {
    const members = names.chain((all) =>
      fc.tuple(...all.map((name) => fc.tuple(fc.constant(name), value, blank, blank))),
    )
    fc.assert(
      fc.property(members, blank, (all, inside) => {
        const written = all.map(
          ([name, text, before, after]) => `${before}"${name}"${after}:${before}${text}${after}`,
        )
        const text = `{${written.length === 0 ? inside : written.join(',')}}`
        const bytes = Buffer.from(`##${text}##`)
        const span = { start: 2, end: bytes.length - 2 }
        const left = splice(bytes, withoutMembers(bytes, span, new Set(['x', 'y', 'z'])))
        const kept = Buffer.from(left).toString().slice(2, -2)
        const expected = Object.entries(JSON.parse(text) as object).filter(
          ([name]) => !'xyz'.includes(name),
        )
        expect(JSON.parse(kept)).toEqual(Object.fromEntries(expected))
        for (const [name, text_, before, after] of all) {
          if (!'xyz'.includes(name)) expect(kept).toContain(`"${name}"${after}:${before}${text_}`)
        }
      }),
      { seed, numRuns: 2000 },
    )
  })

  test('of a request only the envelope goes, and big numbers stay', () => {
    const meta =
      '{"io.modelcontextprotocol/protocolVersion":"2026-07-28","n":9007199254740993, "io.modelcontextprotocol/clientCapabilities" : {} ,"progressToken":5,"io.modelcontextprotocol/logLevel":"info"}'
    const one = request(`{"name":"t","_meta":${meta},"arguments":{}}`)
    const left = Buffer.from(splice(one.bytes, withoutEnvelope(one))).toString()
    expect(left).toContain('"_meta":{"n":9007199254740993 ,"progressToken":5}')
  })
})

describe('the envelope', () => {
  const good = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { a: 1, b: {} },
    'io.modelcontextprotocol/clientInfo': { name: 'n', version: '1' },
  }

  test('a client is the same in whatever order it says what it can do', () => {
    const other = { ...good, 'io.modelcontextprotocol/clientCapabilities': { b: {}, a: 1 } }
    const keys = [good, other].map((meta) => {
      const envelope = readEnvelope(request({ name: 't', _meta: meta }))
      if ('code' in envelope) throw new Error(envelope.message)
      return clientKey(envelope)
    })
    expect(keys[0]).toBe(keys[1])
  })

  test.each([
    ['protocolVersion', 1],
    ['protocolVersion', undefined],
    ['clientCapabilities', 'x'],
    ['clientCapabilities', undefined],
    ['clientInfo', { name: 'n' }],
    ['clientInfo', 'n'],
    ['logLevel', 'LOUD'],
    ['logLevel', 1],
  ])('without the right `%s` (%j) there is none', (name, value) => {
    const meta = { ...good, [`io.modelcontextprotocol/${name}`]: value }
    expect(readEnvelope(request({ name: 't', _meta: meta }))).toMatchObject({ code: -32602 })
  })

  test('B13: two requests are the same if they ask for the same, answers and states aside', () => {
    const key = (params: object): string => requestKey(request({ name: 't', ...params }))
    const asked = key({ arguments: { a: 1, b: [1] } })
    expect(key({ arguments: { b: [1], a: 1.0 }, requestState: 's', inputResponses: {} })).toBe(
      asked,
    )
    expect(key({ arguments: { a: 2, b: [1] } })).not.toBe(asked)
    expect(key({ arguments: { a: '1', b: [1] } })).not.toBe(asked)
    expect(key({})).not.toBe(asked)
  })
})

describe('results', () => {
  const marked = (method: string, result: string, isAlone = true): unknown => {
    const reply = response(result)
    return JSON.parse(
      Buffer.from(splice(reply.bytes, modernReplyEdits(method, reply, isAlone))).toString(),
    )
  }

  test.each([
    ['tools/call', '"result":{"content":[]}', { resultType: 'complete', content: [] }],
    ['tools/call', '"result":{ }', { resultType: 'complete' }],
    [
      'tools/list',
      '"result":{\n"tools":[]}',
      { resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools: [] },
    ],
    [
      'resources/read',
      '"result":{"contents":[]}',
      { resultType: 'complete', ttlMs: 0, cacheScope: 'private', contents: [] },
    ],
    ['tools/call', '"result":{"resultType":"x"}', { resultType: 'x' }],
    ['tools/call', String.raw`"result":{"r\u0065sultType":"x"}`, { resultType: 'x' }],
    [
      'tools/call',
      '"result":{"content":[{"text":"resultType"}]}',
      { resultType: 'complete', content: [{ text: 'resultType' }] },
    ],
  ])('%s %s', (method, result, expected) => {
    expect(marked(method, result)).toMatchObject({ result: expected })
  })

  test('errors say what this revision says', () => {
    const code = (error: string): unknown =>
      (marked('resources/read', `"error":${error}`) as { error: object }).error
    expect(code('{"code":-32002,"message":"m","data":{"uri":"u"}}')).toEqual({
      code: -32602,
      message: 'm',
      data: { uri: 'u' },
    })
    expect(code('{"code":-32042,"message":"m"}')).toMatchObject({ code: -32603 })
    expect(code('{"code":-1,"message":"m","x":1}')).toEqual({ code: -1, message: 'm', x: 1 })
  })

  test('a result of the gate', () => {
    expect(JSON.parse(modernResult('tools/call', '{}'))).toEqual({ resultType: 'complete' })
    expect(JSON.parse(modernResult('tools/list', '{"tools":[]}'))).toEqual({
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
      tools: [],
    })
  })
})

describe('headers', () => {
  test('law: a text that was encoded is the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(Buffer.from(text).toString() === text)
        expect(decodeHeader(`=?base64?${Buffer.from(text).toString('base64')}?=`)).toBe(text)
      }),
      { seed },
    )
  })

  test.each([
    '=?base64?ZWNobw?=',
    '=?base64?ZWN obw==?=',
    '=?base64?ZWNobw==x?=',
    '=?base64?/w==?=',
    '=?base64?ZWNob3==?=',
  ])('gotcha 19: %s is no text', (text) => {
    expect(decodeHeader(text)).toBeUndefined()
  })

  test('arguments that headers repeat are found as deep as they stand, up to a bound', () => {
    const deep = (levels: number): object =>
      levels === 0
        ? { 'x-mcp-header': 'Deep' }
        : { type: 'object', properties: { in: deep(levels - 1) } }
    expect(repeatedArguments(deep(3))).toEqual([{ header: 'Deep', path: ['in', 'in', 'in'] }])
    expect(repeatedArguments(deep(100))).toEqual([])
    expect(
      repeatedArguments({ properties: { a: { 'x-mcp-header': 'a b' }, b: { 'x-mcp-header': 5 } } }),
    ).toEqual([])
  })
})
