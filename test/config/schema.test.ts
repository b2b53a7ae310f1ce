import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { ConfigInvalid } from '../../src/config/problems.ts'
import { configJsonSchema, configSchema } from '../../src/config/schema.ts'
import { clientKeys } from '../../src/config/client-keys.ts'

test('schemas/capfence.mcp.json is what `capfence config schema` prints', () => {
  const file = new URL('../../schemas/capfence.mcp.json', import.meta.url)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(configJsonSchema()))
})

test('every key says what it is for', () => {
  const undescribed: string[] = []
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [key, value] of Object.entries(node)) {
      if (key === 'properties' && typeof value === 'object' && value !== null) {
        for (const [name, property] of Object.entries(value)) {
          if (!('description' in Object(property))) undescribed.push(`${path}/${name}`)
        }
      }
      visit(value, `${path}/${key}`)
    }
  }
  visit(JSON.parse(configJsonSchema()), '')
  expect(undescribed).toEqual([])
})

/** Complaints about what a schema cannot see: two places of a file that do not go together. */
const acrossPlaces = /^the tools of `|as a server's name stands for|^two anchors in `/

function gateRefuses(value: unknown): boolean {
  try {
    loadConfig({ path: 'c', text: JSON.stringify(value) })
    return false
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return error.problems.some(({ message }) => !acrossPlaces.test(message))
  }
}

function expectAgreement(value: unknown): void {
  const schemaRefuses = !configSchema.safeParse(value).success
  expect(gateRefuses(value), JSON.stringify(value)).toBe(schemaRefuses)
}

const tool = {
  capability: 'a.b.c',
  risk: 'high',
  arguments: { amount: '/total', path: ['/a', '/b/*/c~1d'] },
}
const base = {
  $schema: './schemas/capfence.mcp.json',
  mcpServers: {
    files: {
      type: 'stdio',
      command: 'node',
      args: ['x', '', '$${X}'],
      env: { TOKEN: 'a ${B} c', C: '$' },
      cwd: '.',
      autoApprove: ['x'],
      timeout: 1,
      tools: ['*'],
      capfence: {
        resource: 'fs.x',
        prefix: 'f_',
        trustAnnotations: true,
        sharesDisk: false,
        tools: { rm: tool },
      },
    },
    remote: { url: 'https://example.com/mcp?x#y', type: 'sse', headers: { A: 'Bearer ${B}' } },
  },
  policies: ['p.yaml'],
  environment: 'dev',
  actor: 'me',
  mode: 'enforce',
  storage: 'sqlite:x.db',
  approvals: { timeoutSeconds: 5, approvers: 'a.json', approversSha256: '0'.repeat(64) },
  audit: {
    durability: 'power',
    mode: 'args',
    keys: 'k',
    highWater: 'h',
    rotateHours: 0,
    verifyEveryMinutes: 0,
    receipts: true,
    anchors: [
      { exec: ['git', 'x y', ''], name: 'a', everyMinutes: 5 },
      { witness: 'https://w.example/x/', vkey: `w+00000000+${'A'.repeat(44)}` },
    ],
  },
  serve: {
    host: '127.0.0.1',
    port: 0,
    hosts: ['gate.example.com:1', '[::1]'],
    origins: ['https://page.example'],
    tokens: [{ sha256: 'a'.repeat(64), actor: 'ci' }],
    maxSessions: 1,
    maxProcesses: 1,
    idleMinutes: 1,
  },
  limits: {
    maxClientMessageBytes: 65_536,
    maxUpstreamMessageBytes: 65_536,
    maxRequestsInFlight: 1,
  },
  unknownMethods: 'deny',
  lock: { file: 'capfence.lock', required: false, inObserve: 'hold', relistMinutes: 1 },
}

type Path = readonly (string | number)[]

function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value)
  return [path, ...entries.flatMap(([key, inner]) => pathsOf(inner, [...path, key]))]
}

/** A copy in which one place holds something else; `undefined` takes it away. */
function changed(value: unknown, [key, ...rest]: Path, to: unknown): unknown {
  if (key === undefined) return to
  if (Array.isArray(value)) {
    const index = Number(key)
    return value.flatMap((item: unknown, at) => {
      if (at !== index) return [item]
      const next = changed(item, rest, to)
      return next === undefined ? [] : [next]
    })
  }
  const object = value as Record<string, unknown>
  return { ...object, [key]: changed(object[key], rest, to) }
}

describe('law: the gate and the schema of editors refuse the same', () => {
  const paths = pathsOf(base)
  const words = [
    ...['', ' ', '.', '/', '/a', '/~x', '//', 'a.b', 'a..b', 'mcp', 'mcp.x', 'MCP.x', 'mcpx', 'é'],
    ...[
      '${',
      '${A}',
      '$${',
      '${A:-b}',
      '$$${A}',
      '${a b}',
      'x\0y',
      'x\ny',
      'x\u202Ey',
      '\u{E0041}',
    ],
    ...['http', 'stdio', 'sse', 'HTTP', 'http://', 'https://x', 'https://u:p@x', 'https://x/@y'],
    ...['ftp://x', 'http://x y', 'http://[', 'http://x:99999', 'https://%', 'file:///etc/passwd'],
    ...['http://localhost:1/x', 'http://127.0.0.1', 'http://x.example', 'Host', 'mcp-x', 'X-Mcp'],
    ...['sqlite:', 'sqlite::memory:', 'sqlite://x', 'sqlite:/x', 'postgres://x', 'observe', 'full'],
    ...['process', 'forward', 'low', 'x'.repeat(33), 'y'.repeat(65), 'z'.repeat(300)],
  ]
  const values: fc.Arbitrary<unknown> = fc.oneof(
    fc.constantFrom<unknown>(undefined, null, true, false, 0, 1, 1.5, -1, 65_536, 1e9, [], {}, [
      '*',
    ]),
    fc.constantFrom(...words),
    fc.string({ unit: 'binary', maxLength: 8 }).filter((text) => !/\p{Surrogate}/u.test(text)),
    fc.constantFrom<unknown>(...paths.map((path) => path.reduce<unknown>(inside, base))),
  )

  test('one place changed, for every place and every word', () => {
    for (const path of paths) for (const word of words) expectAgreement(changed(base, path, word))
  })

  test('several places changed at once', () => {
    const edits = fc.array(fc.tuple(fc.constantFrom(...paths), values), { maxLength: 4 })
    fc.assert(
      fc.property(edits, (list) => {
        let value: unknown = base
        for (const [path, to] of list) if (hasPath(value, path)) value = changed(value, path, to)
        if (value !== undefined) expectAgreement(JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: Number(process.env['CAPFENCE_FUZZ_RUNS'] ?? 1500) },
    )
  })

  test('one key more, for every place and every known key', () => {
    const keys = [
      'url',
      'command',
      'args',
      'cwd',
      'env',
      'headers',
      'type',
      'transport',
      'disabled',
    ]
    const more = [
      ...keys,
      ...clientKeys.keys(),
      'enabled',
      'serve',
      'x',
      'CAPFENCE_X',
      'capFence_y',
    ]
    const places = paths.filter((path) => isObject(path.reduce<unknown>(inside, base)))
    for (const path of places) {
      for (const key of more) {
        for (const value of [null, true, 'x', '', ['x'], ['*'], {}, 1]) {
          expectAgreement(changed(base, [...path, key], value))
        }
      }
    }
  })
})

function inside(value: unknown, key: string | number): unknown {
  return (value as Record<string | number, unknown>)[key]
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasPath(value: unknown, path: Path): boolean {
  const [key, ...rest] = path
  if (key === undefined) return true
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false
  return hasPath(inside(value, key), rest)
}
