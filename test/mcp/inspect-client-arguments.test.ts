import { describe, expect, test } from 'vitest'
import type { RefusalReason } from '../../src/mcp/message.ts'
import { call, refusal } from './client-messages.ts'

describe('B2: what only a model can have got wrong is told to the model', () => {
  const inArguments: readonly [string, string, RefusalReason][] = [
    ['a lone surrogate, as cutting a text short leaves it', '{"text":"\\ud83d"}', 'lone_surrogate'],
    ['a key twice', '{"a":1,"a":2}', 'duplicate_key'],
    ['two cases of a key', '{"a":1,"A":2}', 'ambiguous_key'],
    ['__proto__', '{"__proto__":{}}', 'proto_key'],
    ['too deep', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`, 'too_deep'],
    ['a list', '[]', 'call_arguments'],
    ['a text', '"{}"', 'call_arguments'],
    ['null', 'null', 'call_arguments'],
  ]

  test.each(inArguments)('%s', (_, args, reason) => {
    for (const params of [
      `{"name":"a","arguments":${args}}`,
      `{"arguments":${args},"_meta":{"progressToken":1},"name":"a"}`,
      `{"name":"a","arguments":${args},"unknown":[{}]}`,
    ]) {
      expect(refusal(call(params, '"x"'))).toMatchObject({
        reason,
        rpcCode: -32602,
        idText: '"x"',
        callArguments: true,
      })
    }
  })

  test('also where the id comes last, as some clients write it', () => {
    const text =
      '{"method":"tools/call","params":{"name":"a","arguments":{"a":1,"a":2}},"jsonrpc":"2.0","id":7}'
    expect(refusal(text)).toMatchObject({ idText: '7', callArguments: true })
  })

  test('invalid UTF-8', () => {
    const bytes = Buffer.from(call('{"name":"a","arguments":{"text":"?"}}'))
    bytes[bytes.indexOf('?')] = 0xe9
    expect(refusal(bytes)).toMatchObject({ reason: 'invalid_utf8', callArguments: true })
  })

  test.each([
    ['when something else is wrong as well', call('{"name":"a","arguments":[],"_meta":1}')],
    ['when the name is wrong as well', call('{"name":1,"arguments":{"a":1,"a":2}}')],
    ['when there are two arguments', call('{"name":"a","arguments":[],"arguments":{}}')],
    [
      'when arguments stand elsewhere',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","arguments":[],"params":{"name":"a"}}',
    ],
    [
      'when it is another method',
      '{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"a","arguments":[]}}',
    ],
    ['when it is a variant of the name', call('{"name":"a","Arguments":[]}')],
    [
      'when it has no id',
      '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","arguments":[]}}',
    ],
    ['when it is no JSON at all', call('{"name":"a","arguments":{"a":01}}')],
    ['when the message is cut off', call('{"name":"a","arguments":{"a":1,"a":2').slice(0, -1)],
    [
      'when there are two params',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[]},"params":{}}`,
    ],
  ])('but not %s', (_, text) => {
    expect(refusal(text).callArguments).toBe(false)
  })
})
