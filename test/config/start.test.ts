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

function environmentOf(server: StartableServer | undefined): unknown {
  return server?.kind === 'stdio' ? server.env : undefined
}

test('one server keeps its names, and only its own variables must be set', () => {
  expect(start('files', { FILES_TOKEN: 's3cret' })).toEqual([
    {
      kind: 'stdio',
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
  expect(
    start(undefined, variables, local).map((server) => [server.prefix, environmentOf(server)]),
  ).toEqual([
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
    expect(environmentOf(start('files', { A: 'a' }, config)[0])).toEqual({ TOKEN: value })
  })

  test('a variable that looks like another is not expanded again', () => {
    expect(environmentOf(start('files', { FILES_TOKEN: '${OPS_A}', OPS_A: 'x' })[0])).toEqual({
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
  ]
  test.each(cases)('%s', (only, message, hint) => {
    try {
      start(only, { FILES_TOKEN: 'x' })
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', message, hint })
    }
  })

  test('one of the transport of 2024', () => {
    const config = text.replace('"url"', '"type": "sse", "url"')
    expect(() => start('remote', {}, config)).toThrow(
      'the server `remote` is of the type `sse`, the transport of 2024, which this version cannot do',
    )
  })

  test('none at all', () => {
    const config = '{"environment": "dev", "policies": ["p"], "mcpServers": {}}'
    expect(() => start(undefined, {}, config)).toThrow('capfence.mcp.json has no server to start')
  })
})

describe('a server at an address', () => {
  const at = (entry: string): string =>
    `{"environment": "dev", "policies": ["p"], "mcpServers": {"far": ${entry}}}`

  test('gets its headers, with variables in them', () => {
    const entry = '{"url": "https://example.com/mcp", "headers": {"Authorization": "Bearer ${T}"}}'
    expect(start(undefined, { T: 's3cret' }, at(entry))).toEqual([
      {
        kind: 'http',
        name: 'far',
        url: new URL('https://example.com/mcp'),
        headers: { authorization: 'Bearer s3cret' },
        prefix: '',
        binding: {},
      },
    ])
  })

  test.each([
    ['a line break', 'a\r\nHost: evil', 'holds a character that cannot stand in a header'],
    ['a letter outside ASCII', 'gehe\u00EDm', 'holds a character that cannot stand in a header'],
  ])('B27: a secret with %s is refused, and not repeated', (_, secret, problem) => {
    const entry = '{"url": "https://example.com", "headers": {"X-Key": "${T}"}}'
    const load = (): unknown => start(undefined, { T: secret }, at(entry))
    expect(load).toThrow(`the header \`X-Key\` of the server \`far\` ${problem}`)
    expect(load).not.toThrow('evil')
  })

  test('the same header twice', () => {
    const entry = '{"url": "https://example.com", "headers": {"A": "1", "a": "2"}}'
    expect(() => start(undefined, {}, at(entry))).toThrow(
      'the header `a` of the server `far` stands there twice',
    )
  })

  test.each([
    'http://example.com/mcp',
    'http://10.0.0.1/mcp',
    'http://127.0.0.1.example.com/',
    'http://localhost.example.com/',
    'http://[::2]/',
  ])('is not asked in clear text over a network: %s', (url) => {
    expect(() => start(undefined, {}, at(`{"url": "${url}"}`))).toThrow(
      '`mcpServers.far.url` is not encrypted, and not on this machine',
    )
  })

  test.each(['http://localhost:8080/mcp', 'http://127.0.0.1/', 'http://[::1]:3000'])(
    'may be asked in clear text on this machine: %s',
    (url) => {
      expect(start(undefined, {}, at(`{"url": "${url}"}`))).toMatchObject([{ url: new URL(url) }])
    },
  )

  test.each(['Host', 'content-length', 'Transfer-Encoding', 'MCP-Session-Id', 'mcp-x'])(
    'does not take the header %s, which is the gate’s own',
    (name) => {
      const entry = `{"url": "https://example.com", "headers": {"${name}": "x"}}`
      expect(() => start(undefined, {}, at(entry))).toThrow(
        `\`${name}\` is not a header's name, or is the gate's own`,
      )
    },
  )
})
