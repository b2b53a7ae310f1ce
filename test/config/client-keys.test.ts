import { describe, expect, test } from 'vitest'
import { load, problems, withServer } from './load.ts'

describe('keys of clients: what CapFence does not do must not look as if it did', () => {
  const warnings = (entry: string): readonly string[] =>
    load(withServer(entry)).warnings.map(({ message }) => message)
  const warned: readonly (readonly [entry: string, ...warnings: string[]])[] = [
    ['{"command": "x", "timeout": 60, "description": "d", "type": "stdio"}'],
    ['{"command": "x", "autoApprove": []}'],
    ['{"command": "x", "trust": false}'],
    ['{"command": "x", "tools": ["*"], "excludeTools": [], "sandboxEnabled": false}'],
    ['{"command": "x", "autoApprove": ["rm"]}', '`autoApprove` does not let calls past CapFence'],
    ['{"command": "x", "alwaysAllow": ["rm"]}', '`alwaysAllow` does not let calls past CapFence'],
    ['{"command": "x", "trust": true}', '`trust` does not let calls past CapFence'],
    [
      '{"command": "x", "envFile": ".env"}',
      '`envFile` is not read, the server gets no variables from it',
    ],
    [
      '{"url": "https://x", "oauth": {"a": 1}}',
      '`oauth` is not used, CapFence does not sign in to servers',
    ],
    [
      '{"command": "x", "env": {"A": "$TOKEN"}}',
      '`mcpServers.files.env.A` is taken as it is written',
    ],
    [
      '{"command": "x", "env": {"A": "%TOKEN%"}}',
      '`mcpServers.files.env.A` is taken as it is written',
    ],
    ['{"command": "x", "env": {"A": "pa$$word", "B": "$5", "C": "100%"}}'],
  ]
  test.each(warned)('%s', (entry, ...expected) => {
    expect(warnings(entry)).toEqual(expected)
  })

  const refused: readonly (readonly [entry: string, problem: string])[] = [
    [
      '{"command": "x", "excludeTools": ["rm"]}',
      '2:27: `excludeTools` is not applied, every tool of the server would be offered -- write `deny` rules for these tools in a policy and remove the key',
    ],
    [
      '{"command": "x", "tools": ["read"]}',
      '2:27: `tools` is not applied, every tool of the server would be offered -- write `deny` rules for these tools in a policy and remove the key',
    ],
    [
      '{"command": "x", "sandboxEnabled": true}',
      '2:27: `sandboxEnabled` is not applied, the server would run without a sandbox -- remove the key, or put the sandbox into `command`',
    ],
  ]
  test.each(refused)('%s is refused', (entry, problem) => {
    expect(problems(withServer(entry))).toEqual([problem])
  })

  test('a switched-off server is left out, in the words of every client', () => {
    const { servers, disabledServers } = load(
      '{"environment": "d", "policies": ["p"], "mcpServers": {"a": {"command": "x", "disabled": true}, "b": {"command": "x", "enabled": false}, "c": {"command": "x", "enabled": true}}}',
    )
    expect(servers.map(({ name }) => name)).toEqual(['c'])
    expect(disabledServers).toEqual(['a', 'b'])
  })
})
