import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { entriesOf, readTree } from '../../src/clients/entries.ts'
import { gatedServer } from '../../src/clients/wrap.ts'
import { root } from '../support/root.ts'

describe('a server is said to be gated only if it is', () => {
  const gated = [
    ['/usr/bin/node', '/x/capfence/dist/cli/main.js', 'run', '--config', 'c', '--server', 's'],
    ['npx', '-y', 'capfence@1.2.3', 'run', '--server', 's'],
    ['capfence', 'run', '--server', 's'],
    ['C:\\npm\\capfence.cmd', 'run', '--server', 's'],
    ['cmd', '/c', 'npx', 'capfence', 'run', '--server=s'],
    ['node', '--no-warnings', '/x/capfence/dist/cli/main.js', 'run', '--server', 's'],
    // The program of this checkout, whatever its folder is called: its package says so.
    ['node', join(root, 'dist/cli/main.js'), 'run', '--server', 's'],
  ]
  const not = [
    ['node', 'main.js', 'run', '--config', 'c', '--server', 's'],
    ['node', '/home/capfence/server.js', 'run', '--config', 'c'],
    ['node', '/x/capfence/dist/cli/main.js', 'logs', 'run', '--config', 'c'],
    ['npx', 'capfence-notes', 'run', '--config', 'c'],
    ['sh', '-c', 'capfence run --config c'],
    ['node', 'evil.js', 'capfence', 'run', '--server', 's'],
    ['node', 'evil.js', '/x/capfence/dist/cli/main.js', 'run', '--server', 's'],
    ['python', '/x/capfence/dist/cli/main.js', 'run', '--server', 's'],
    ['node', '--import=./evil.js', '/x/capfence/dist/cli/main.js', 'run', '--server', 's'],
    ['node', '-r', '/x/capfence/dist/cli/main.js', 'run', '--server', 's'],
    ['node', '/x/other/dist/cli/main.js', 'run', '--server', 's'],
    // A program of somebody else that is built to the same place.
    ['node', join(root, 'node_modules/zod/dist/cli/main.js'), 'run', '--server', 's'],
    ['npx', '--registry', 'https://evil.example', 'capfence', 'run', '--server', 's'],
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
