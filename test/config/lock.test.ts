import { expect, test } from 'vitest'
import { ConfigInvalid } from '../../src/config/problems.ts'
import { loadConfig } from '../../src/config/config.ts'

const withLock = (lock: string): string =>
  `{"mcpServers": {}, "policies": ["p.yaml"], "environment": "dev",\n"lock": ${lock}}`

/** What is wrong with a configuration with this lock. */
function problemsOf(lock: string): readonly string[] {
  try {
    loadConfig({ path: 'capfence.mcp.json', text: withLock(lock) })
    return []
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return error.problems.map(({ message, hint }) => `${message} -- ${hint ?? ''}`)
  }
}

test.each([
  ['{}', []],
  [
    '{"relistMinutes": 1441}',
    ['`lock.relistMinutes` must be a whole number from 1 to 1440, found `1441` -- '],
  ],
  ['{"require": true}', ['unknown key `require` in `lock` -- did you mean `required`?']],
  ['{"inObserve": "allow"}', ['`lock.inObserve` must be `hold` or `report`, found `allow` -- ']],
  ['{"file": ""}', ['`lock.file` is empty -- ']],
  ['"capfence.lock"', ['`lock` must be an object, found a text -- ']],
])('B25: the lock %s of a configuration is read exactly, or named', (lock, problems) => {
  expect(problemsOf(lock)).toEqual(problems)
})
