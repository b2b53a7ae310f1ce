import { expect, test } from 'vitest'
import {
  dialectParser,
  parsersReady,
  postgresParser,
  regexEngine,
  shellParser,
} from '../../src/policy/parsers.ts'

test('engines that need no preparation are at hand at once', () => {
  expect(regexEngine()).toBeDefined()
  expect(shellParser()).toBeDefined()
})

test.each([
  ['PostgreSQL', postgresParser],
  ['other dialects', dialectParser],
])(
  'the parser of %s is not at hand before it is ready, and is the same one ever after',
  async (_, parser) => {
    expect(parser()).toBeUndefined()
    await parsersReady()
    const ready = parser()
    expect(ready).toBeDefined()
    expect(parser()).toBe(ready)
  },
)
