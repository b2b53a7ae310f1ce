import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { ConfigInvalid, problemLine } from '../../src/config/problems.ts'
import type { StartableServer } from '../../src/config/start.ts'
import { serversToStart } from '../../src/config/start.ts'
import type { Variables } from '../../src/config/variables.ts'

const text = `{"environment": "dev", "policies": ["p.yaml"], "mcpServers": {
"files": {"command": "node", "args": ["f.mjs"], "env": {"TOKEN": "\${FILES_TOKEN}"}},
"ops": {"command": "node", "env": {"A": "\${OPS_A}-\${OPS_B}"}},
"remote": {"url": "https://example.com"},
"off": {"command": "x", "env": {"A": "\${NOT_SET}"}, "disabled": true}}}`

function start(
  only: string | undefined,
  variables: Variables,
  config: string = text,
): readonly StartableServer[] {
  return serversToStart(loadConfig({ path: 'capfence.mcp.json', text: config }), {
    only,
    variables,
  })
}

test('one server keeps its names, and only its own variables must be set', () => {
  expect(start('files', { FILES_TOKEN: 's3cret' })).toEqual([
    {
      name: 'files',
      command: 'node',
      args: ['f.mjs'],
      env: { TOKEN: 's3cret' },
      cwd: undefined,
      prefix: '',
      binding: {},
    },
  ])
})

test('several servers get prefixes; a single one does not, though nobody named it', () => {
  const local = text.replace(/"remote".*\n/, '')
  const variables = { FILES_TOKEN: 'x', OPS_A: 'a', OPS_B: 'b' }
  expect(start(undefined, variables, local).map(({ prefix, env }) => [prefix, env])).toEqual([
    ['files__', { TOKEN: 'x' }],
    ['ops__', { A: 'a-b' }],
  ])
  const single = '{"environment": "dev", "policies": ["p"], "mcpServers": {"a": {"command": "x"}}}'
  expect(start(undefined, {}, single).map(({ prefix }) => prefix)).toEqual([''])
})

describe('B15: a secret has no default', () => {
  test('every missing variable is named, with its place', () => {
    try {
      start('ops', { OPS_B: '' })
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigInvalid)
      expect(error instanceof ConfigInvalid && error.problems.map(problemLine)).toEqual([
        'capfence.mcp.json:3:41: the environment variable `OPS_A` is not set',
        'capfence.mcp.json:3:41: the environment variable `OPS_B` is empty',
      ])
    }
  })

  test('names that every object has are not variables', () => {
    const config = text.replace('${FILES_TOKEN}', '${constructor}')
    expect(() => start('files', {}, config)).toThrow('`constructor` is not set')
  })

  const forms: readonly (readonly [written: string, problem: string, hint: string])[] = [
    [
      '${TOKEN:-s3cret}',
      '`${TOKEN…}` in `mcpServers.files.env.TOKEN` names no variable',
      'write `${TOKEN}` and set the variable; a secret has no default',
    ],
    [
      '${TOKEN-s3cret}',
      '`${TOKEN…}` in `mcpServers.files.env.TOKEN` names no variable',
      'write `${TOKEN}` and set the variable; a secret has no default',
    ],
    [
      '${env:TOKEN}',
      '`${env:TOKEN}` in `mcpServers.files.env.TOKEN` names no variable',
      'set an environment variable and write `${TOKEN}`',
    ],
    [
      '${input:token}',
      '`${input:token}` in `mcpServers.files.env.TOKEN` names no variable',
      'set an environment variable and write `${token}`',
    ],
    [
      '${}',
      '`${}` in `mcpServers.files.env.TOKEN` names no variable',
      'names are letters, digits and `_`; `$${` writes a literal `${`',
    ],
    [
      'a ${TOKEN',
      '`${` is never closed in `mcpServers.files.env.TOKEN`',
      '`$${` writes a literal `${`',
    ],
  ]
  test.each(forms)('%s', (written, problem, hint) => {
    try {
      loadConfig({ path: 'c', text: text.replace('${FILES_TOKEN}', written) })
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ message: `c:2:66: ${problem}`, hint })
      expect(String(error)).not.toContain('s3cret')
    }
  })

  const literals: readonly (readonly [written: string, value: string])[] = [
    ['$${X}', '${X}'],
    ['$$${X}', '$${X}'],
    ['pa$$w$ord', 'pa$$w$ord'],
    ['$X', '$X'],
    ['${A}${A}', 'aa'],
    ['$${A}${A}', '${A}a'],
  ]
  test.each(literals)('%s is %s', (written, value) => {
    const config = text.replace('${FILES_TOKEN}', () => written)
    expect(start('files', { A: 'a' }, config)[0]?.env).toEqual({ TOKEN: value })
  })

  test('a variable that looks like another is not expanded again', () => {
    expect(start('files', { FILES_TOKEN: '${OPS_A}', OPS_A: 'x' })[0]?.env).toEqual({
      TOKEN: '${OPS_A}',
    })
  })

  const elsewhere: readonly (readonly [key: string, entry: string])[] = [
    ['args[0]', '{"command": "node", "args": ["--key=${KEY:-s3cret}"]}'],
    ['command', '{"command": "${KEY}"}'],
    ['cwd', '{"command": "x", "cwd": "${KEY}/x"}'],
    ['url', '{"url": "https://x/${KEY}"}'],
  ]
  test.each(elsewhere)(
    'a variable is not replaced in %s, and not taken literally either',
    (key, entry) => {
      const config = `{"environment": "dev", "policies": ["p"], "mcpServers": {"x": ${entry}}}`
      const load = (): unknown => loadConfig({ path: 'c', text: config })
      expect(load).toThrow(/`\$\{KEY…?\}` is not replaced in `mcpServers\.x\./)
      expect(load).toThrow(key)
      expect(load).not.toThrow('s3cret')
    },
  )
})

describe('a server that cannot be started is said to be so', () => {
  const cases: readonly (readonly [only: string | undefined, message: string, hint: string])[] = [
    ['fils', 'there is no server `fils` in capfence.mcp.json', 'did you mean `files`?'],
    ['zzz', 'there is no server `zzz` in capfence.mcp.json', 'it has: files, ops, remote'],
    ['off', 'the server `off` is switched off in capfence.mcp.json', 'remove its `disabled`'],
    [
      'remote',
      'the server `remote` is reached at a url, which this version cannot do',
      'start the others one by one with `--server`, or set `"disabled": true` for it',
    ],
  ]
  test.each(cases)('%s', (only, message, hint) => {
    try {
      start(only, { FILES_TOKEN: 'x' })
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', message, hint })
    }
  })

  test('none at all', () => {
    const config = '{"environment": "dev", "policies": ["p"], "mcpServers": {}}'
    expect(() => start(undefined, {}, config)).toThrow('capfence.mcp.json has no server to start')
  })
})
