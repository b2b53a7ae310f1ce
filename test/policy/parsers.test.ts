import { expect, test } from 'vitest'
import { parsersReady, postgresParser, regexEngine, shellParser } from '../../src/policy/parsers.ts'

test('engines that need no preparation are at hand at once', () => {
  expect(regexEngine()).toBeDefined()
  expect(shellParser()).toBeDefined()
})

test('the parser of PostgreSQL is not at hand before it is ready, and is the same one ever after', async () => {
  expect(postgresParser()).toBeUndefined()
  await parsersReady()
  const ready = postgresParser()
  expect(ready).toBeDefined()
  expect(postgresParser()).toBe(ready)
})
