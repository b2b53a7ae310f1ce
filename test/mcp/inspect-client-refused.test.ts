import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { knownMethods, methodRule } from '../../src/mcp/client-methods.ts'
import { inspectClientMessage } from '../../src/mcp/inspect-client.ts'
import type { ClientMessage } from '../../src/mcp/message.ts'
import { call, refusal } from './client-messages.ts'

const inspect = (text: string): ClientMessage => inspectClientMessage(Buffer.from(text))

/** Reason and code, then the id that can be answered, a name and the message, in which `V` is the version. */
const table = String.raw`
batch -32600
  - | B1: a batch of a call | [{V,"id":1,"method":"tools/call","params":{"name":"delete","arguments":{}}}]
  - | B1: an empty batch | []
  - | B1: a batch that is no JSON | [{"jsonrpc"
duplicate_key -32600
  1 | B2: two methods | {V,"id":1,"method":"ping","method":"tools/call","params":{"name":"delete","arguments":{}}}
  1 | B2: two methods, one escaped | {V,"id":1,"\u006dethod":"ping","method":"tools/call","params":{"name":"delete","arguments":{}}}
ambiguous_key -32600
  1 | B2: a method and its variant | {V,"id":1,"method":"ping","Method":"tools/call"}
member_variant -32600
  1 | B2: only a variant of method | {V,"id":1,"Method":"tools/call"}
  1 | B2: params with a long s | {V,"id":1,"method":"tools/call","param\u017f":{"name":"delete"}}
  1 | B2: params cut at a NUL | {V,"id":1,"method":"tools/call","params\u0000x":{}}
duplicate_key -32600
  - | B2: two ids | {V,"id":1,"method":"ping","id":2}
ambiguous_key -32600
  - | B2: an id and its variant | {V,"id":1,"method":"ping","ID":2}
member_variant -32600
  - | B2: only a variant of id | {V,"\u0130d":1,"method":"ping"}
duplicate_key -32600
  1 | B2: two names | {V,"id":1,"method":"tools/call","params":{"name":"read","name":"delete"}}
ambiguous_key -32600
  1 | B2: a variant of name | {V,"id":1,"method":"tools/call","params":{"name":"read","Name":"delete"}}
member_variant -32600
  1 | B2: a variant of arguments alone | {V,"id":1,"method":"tools/call","params":{"name":"read","Arguments":{}}}
  1 | B2: a line feed for the n of name | {V,"id":1,"method":"tools/call","params":{"\name":"delete","name ":"a"}}
  1 | B2: full width arguments | {V,"id":1,"method":"tools/call","params":{"name":"read","\uff41rguments":{}}}
duplicate_key -32600
  1 | B2: two arguments | {V,"id":1,"method":"tools/call","params":{"name":"a","arguments":{},"arguments":{}}}
member_variant -32600
  1 | B2: a variant of _meta | {V,"id":1,"method":"tools/call","params":{"name":"a","_Meta":{}}}
  1 | B2: a variant of the progress token | {V,"id":1,"method":"tools/call","params":{"name":"a","_meta":{"ProgressToken":1}}}
ambiguous_key -32600
  1 | B2: a variant of uri | {V,"id":1,"method":"resources/read","params":{"uri":"a","URI\u0000":"b"}}
method_variant -32600
  1 | B2: a variant of the method tools/call | {V,"id":1,"method":"Tools/Call","params":{"name":"delete"}}
  1 | B2: tools/call and a NUL | {V,"id":1,"method":"tools/call\u0000","params":{"name":"delete"}}
  1 | B2: tools/call with a wide slash | {V,"id":1,"method":"tools\uff0fcall","params":{"name":"delete"}}
  1 | B2: a variant of another method | {V,"id":1,"method":"RESOURCES/read","params":{"uri":"a"}}
syntax -32700
  - | B4: no JSON | hello
truncated -32700
  5 | B4: a message that is cut off | {V,"id":5,"method":"tools/call","params":{"name":"a
trailing_bytes -32700
  1 | B4: two messages in one | {V,"id":1,"method":"ping"}{}
not_object -32600
  - | B4: a text | "tools/call"
  - | B4: a number | 7
  - | B4: null | null
proto_key -32600
  1 | B31: __proto__ around the method | {V,"id":1,"method":"ping","__proto__":{"method":"tools/call"}}
  1 | B31: __proto__ in params | {V,"id":1,"method":"tools/call","params":{"name":"a","__proto__":{"name":"b"}}}
jsonrpc -32600
  1 | another version | {"jsonrpc":"1.0","id":1,"method":"ping"}
  1 | a version that is a number | {"jsonrpc":2.0,"id":1,"method":"ping"}
  1 | no version | {"id":1,"method":"ping"}
  - | an empty object | {}
shape -32600
  - | neither method nor outcome | {V,"id":1}
  - | only a version | {V}
unknown_member -32600
  1 | an unknown member | {V,"id":1,"method":"ping","extra":1}
shape -32600
  - | a method and a result | {V,"id":1,"method":"ping","result":{}}
  - | a method and an error | {V,"id":1,"method":"ping","error":{}}
method -32600
  1 | a method that is no text | {V,"id":1,"method":["tools/call"]}
  1 | a method that is null | {V,"id":1,"method":null}
  1 | an empty method | {V,"id":1,"method":""}
id -32600
  - | an id that is null | {V,"id":null,"method":"ping"}
  - | an id that is true | {V,"id":true,"method":"ping"}
  - | an id that is a list | {V,"id":[1],"method":"ping"}
  - | an id with a fraction | {V,"id":1.5,"method":"ping"}
  - | an id written as a fraction | {V,"id":1.0,"method":"ping"}
  - | an id with an exponent | {V,"id":1e2,"method":"ping"}
  - | an id of minus zero | {V,"id":-0,"method":"ping"}
  - | an id that no double holds | {V,"id":9007199254740993,"method":"ping"}
  - | an id one above the largest | {V,"id":9007199254740992,"method":"ping"}
params -32602
  1 | params that are a list | {V,"id":1,"method":"tools/call","params":["a"]}
  1 | params that are null | {V,"id":1,"method":"tools/call","params":null}
  1 | params that are a number | {V,"id":1,"method":"tools/call","params":1}
call_without_id -32600
  - | a call without an id | {V,"method":"tools/call","params":{"name":"delete","arguments":{}}}
  - | a call without an id, escaped | {V,"method":"tools\/call","params":{"name":"a"}}
request_without_id -32600
  - | B8: a read without an id | {V,"method":"resources/read","params":{"uri":"a"}}
shape -32600
  4 | a notification with an id | {V,"id":4,"method":"notifications/cancelled"}
call_name -32602
  1 | a call without params | {V,"id":1,"method":"tools/call"}
  1 | a call without a name | {V,"id":1,"method":"tools/call","params":{"arguments":{}}}
  1 | a call by a number | {V,"id":1,"method":"tools/call","params":{"name":1}}
params -32602
  1 | _meta that is no object | {V,"id":1,"method":"tools/call","params":{"name":"a","_meta":[]}}
progress_token -32602
  1 | a progress token that is null | {V,"id":1,"method":"tools/call","params":{"name":"a","_meta":{"progressToken":null}}}
  1 | a progress token with a fraction | {V,"id":1,"method":"tools/call","params":{"name":"a","_meta":{"progressToken":1.0}}}
params -32602
  1 | a read without a uri | {V,"id":1,"method":"resources/read","params":{}}
  1 | a prompt without a name | {V,"id":1,"method":"prompts/get","params":{}}
  1 | a cursor that is a number | {V,"id":1,"method":"tools/list","params":{"cursor":1}}
  - | a cancellation of null | {V,"method":"notifications/cancelled","params":{"requestId":null}}
progress_token -32602
  - | progress of nothing | {V,"method":"notifications/progress","params":{"progress":1}}
`

interface Refused {
  readonly name: string
  readonly text: string
  readonly expected: {
    readonly reason: string
    readonly rpcCode: number
    readonly idText: string | null
  }
}

const refused: readonly Refused[] = table
  .trim()
  .split(/\n(?! )/)
  .flatMap((group) => {
    const [head = '', ...cases] = group.split('\n')
    const [reason = '', rpcCode = ''] = head.split(' ')
    return cases.map((line) => {
      const [id = '', name = '', text = ''] = line.trim().split(' | ')
      const idText = id === '-' ? null : id
      const expected = { reason, rpcCode: Number(rpcCode), idText }
      return { name, text: text.replace('{V', '{"jsonrpc":"2.0"'), expected }
    })
  })

describe('what is refused, and what can be answered', () => {
  test.each(refused)('$name: $text', ({ text, expected }) => {
    const error = refusal(text)
    expect(error).toMatchObject({ ...expected, answersIdText: null, callArguments: false })
    expect(error.message).toMatch(/^message refused: [ -~]+$/)
  })

  test('B1, B4: what a table cannot show', () => {
    expect(refusal(' \r\n\t[{}]')).toMatchObject({ reason: 'batch', rpcCode: -32600 })
    const afterMark = { reason: 'byte_order_mark', rpcCode: -32700, idText: null }
    expect(refusal('\ufeff[{}]')).toMatchObject(afterMark)
    expect(refusal('\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}')).toMatchObject(afterMark)
    expect(refusal('')).toMatchObject({ reason: 'truncated', rpcCode: -32700, idText: null })
    const wide =
      '{"jsonrpc":"2.0","id":1,"method":"tools\uff0fcall","param\u017f":{"name":"delete"}}'
    expect(refusal(wide).reason).toBe('member_variant')
  })

  test('B2: a variant of any method, and of any member that the gate reads, is refused', () => {
    const variants = (name: string): readonly string[] => [
      name.toUpperCase(),
      `${name}\\u0000`,
      `${name}\\u0000x`,
      name.replace(/[a-z]/, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)),
      ...(name.includes('s') ? [name.replace('s', '\u017f')] : []),
      ...(name.includes('k') ? [name.replace('k', '\u212a')] : []),
      ...(name.includes('i') ? [name.replace('i', '\u0130'), name.replace('i', '\u0131')] : []),
    ]
    const accepted: string[] = []
    const expectRefusal = (text: string, reason: string): void => {
      if (refusal(text).reason !== reason) accepted.push(text)
    }
    for (const method of knownMethods.names) {
      const id = method.startsWith('notifications/') ? '' : '"id":1,'
      for (const variant of variants(method)) {
        expectRefusal(`{"jsonrpc":"2.0",${id}"method":"${variant}"}`, 'method_variant')
      }
      for (const { name } of methodRule(method)?.members ?? []) {
        for (const variant of variants(name)) {
          const params = `{"${variant}":1}`
          expectRefusal(
            `{"jsonrpc":"2.0",${id}"method":"${method}","params":${params}}`,
            'member_variant',
          )
        }
      }
    }
    for (const name of ['jsonrpc', 'id', 'method', 'params', 'result', 'error']) {
      for (const variant of variants(name)) {
        expectRefusal(`{"${variant}":1}`, 'member_variant')
      }
    }
    expect(accepted).toEqual([])
  })

  test('a response: never the id to answer, for the client may use it, too', () => {
    const responses = [
      '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}',
      '{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}',
      '{"jsonrpc":"2.0","id":1,"result":{"text":"\\ud800"}}',
      '{"jsonrpc":"2.0","id":1,"result":{},"params":{}}',
      '{"jsonrpc":"2.0","id":1,"error":"no"}',
      '{"jsonrpc":"2.0","id":1,"error":null}',
      '{"jsonrpc":"2.0","id":1,"result":{},"extra":0}',
    ]
    for (const text of responses) {
      expect(refusal(text), text).toMatchObject({ idText: null, answersIdText: '1' })
    }
    const unclear = [
      '{"jsonrpc":"2.0","id":1,"result":{},"id":2}',
      '{"jsonrpc":"2.0","id":null,"error":{"code":1}}',
      '{"jsonrpc":"2.0","result":{}}',
      '{"jsonrpc":"2.0","id":1.0,"result":{}}',
    ]
    for (const text of unclear) {
      expect(refusal(text), text).toMatchObject({ idText: null, answersIdText: null })
    }
  })

  test('B5: a message over the limit is not looked into', () => {
    const bytes = Buffer.alloc(limits.maxClientMessageBytes + 1, ' ')
    bytes.write('{"jsonrpc":"2.0","id":1,"method":"ping"}')
    expect(refusal(bytes)).toMatchObject({ reason: 'too_large', rpcCode: -32600, idText: null })
    const fits = inspectClientMessage(bytes.subarray(0, limits.maxClientMessageBytes))
    expect(fits).toMatchObject({ kind: 'request', method: 'ping' })
  })

  test('ids, methods and names, on both sides of their bounds', () => {
    const ping = (id: string): string => `{"jsonrpc":"2.0","id":"${id}","method":"ping"}`
    expect(inspect(ping('i'.repeat(limits.maxIdCharacters))).kind).toBe('request')
    expect(refusal(ping('i'.repeat(limits.maxIdCharacters + 1)))).toMatchObject({
      reason: 'id',
      idText: null,
    })
    const method = (name: string): string => `{"jsonrpc":"2.0","id":1,"method":"${name}"}`
    expect(inspect(method('m'.repeat(limits.maxNameCharacters))).kind).toBe('request')
    expect(refusal(method('m'.repeat(limits.maxNameCharacters + 1))).reason).toBe('method')
    const tool = (name: string): string => call(`{"name":"${name}"}`)
    expect(inspect(tool('n'.repeat(limits.maxNameCharacters))).kind).toBe('request')
    expect(refusal(tool('n'.repeat(limits.maxNameCharacters + 1))).reason).toBe('call_name')
    const token = (text: string): string => call(`{"name":"a","_meta":{"progressToken":"${text}"}}`)
    expect(inspect(token('t'.repeat(limits.maxIdCharacters))).kind).toBe('request')
    expect(refusal(token('t'.repeat(limits.maxIdCharacters + 1))).reason).toBe('progress_token')
  })

  test('a refusal shows nothing that could act on a terminal, and little', () => {
    for (const name of ['\\u001b[2J', '\u202e', '\u{e0041}'.repeat(50), 'x'.repeat(100_000)]) {
      for (const text of [
        `{"jsonrpc":"2.0","id":1,"method":"ping","${name}":1}`,
        `{"jsonrpc":"2.0","id":1,"method":"tools/call\\u0000${name}"}`,
      ]) {
        const { message } = refusal(text)
        expect(message).toMatch(/^[ -~]+$/)
        expect(message.length).toBeLessThan(200)
      }
    }
  })
})
