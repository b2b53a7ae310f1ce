import { describe, expect, test } from 'vitest'
import { entriesOf, readTree } from '../../src/clients/entries.ts'
import { gatedServer } from '../../src/clients/wrap.ts'

describe('a server is said to be gated only if it is', () => {
  const gated = [
    ['/usr/bin/node', '/x/capfence/dist/cli/main.js', 'run', '--config', 'c', '--server', 's'],
    ['npx', '-y', 'capfence@1.2.3', 'run', '--server', 's'],
    ['capfence', 'run', '--server', 's'],
    ['C:\\npm\\capfence.cmd', 'run', '--server', 's'],
  ]
  const not = [
    ['node', 'main.js', 'run', '--config', 'c', '--server', 's'],
    ['node', '/home/capfence/server.js', 'run', '--config', 'c'],
    ['node', '/x/capfence/dist/cli/main.js', 'logs', 'run', '--config', 'c'],
    ['npx', 'capfence-notes', 'run', '--config', 'c'],
    ['sh', '-c', 'capfence run --config c'],
  ]

  async function serverOf([command, ...args]: readonly string[]): Promise<string | undefined> {
    const tree = await readTree('json', JSON.stringify({ mcpServers: { a: { command, args } } }))
    const [entry] = entriesOf(tree, { servers: [['mcpServers']] })
    if (entry === undefined) throw new Error('no entry')
    return gatedServer(entry)
  }

  test.each(gated)('%s %s', async (...words) => {
    expect(await serverOf(words)).toBe('s')
  })

  test.each(not)('not %s %s', async (...words) => {
    expect(await serverOf(words)).toBeUndefined()
  })
})
