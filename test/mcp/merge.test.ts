import { expect, test } from 'vitest'
import { mergeInitialized } from '../../src/mcp/merge.ts'

const gate = { name: 'capfence', version: '1' }

test('one answer for several servers: lowest revision, every capability, instructions by server', () => {
  const merged = mergeInitialized(
    [
      {
        server: 'a',
        result: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: { listChanged: false }, tasks: { list: {} }, resources: {} },
          instructions: 'Be brief.',
        },
      },
      {
        server: 'b',
        result: {
          protocolVersion: '2025-03-26',
          capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
        },
      },
      { server: 'c', result: { capabilities: 'nonsense', instructions: 7 } },
    ],
    gate,
  )
  expect(merged).toEqual({
    protocolVersion: '2025-03-26',
    capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
    serverInfo: gate,
    instructions: '# a\nBe brief.',
  })
})

test('a capability that one server denies and another has is there', () => {
  const part = (value: unknown) => ({ server: 's', result: { capabilities: { x: { y: value } } } })
  expect(mergeInitialized([part(true), part(false)], gate)['capabilities']).toEqual({
    x: { y: true },
  })
  expect(mergeInitialized([part(false), part(true)], gate)['capabilities']).toEqual({
    x: { y: true },
  })
})

test('B31: a server cannot reach a prototype through its capabilities', () => {
  const capabilities: unknown = JSON.parse('{"__proto__":{"polluted":true}}')
  mergeInitialized([{ server: 's', result: { capabilities } }], gate)
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
})
