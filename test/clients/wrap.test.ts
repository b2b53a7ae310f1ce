import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { parseTOML, getStaticTOMLValue } from 'toml-eslint-parser'
import { entriesOf, readTree } from '../../src/clients/entries.ts'
import type { Entry } from '../../src/clients/entries.ts'
import { foundFiles } from '../../src/clients/locate.ts'
import { gatedServer, unwrapFile, wrapFile, type WrapOptions } from '../../src/clients/wrap.ts'
import { loadConfig } from '../../src/config/config.ts'
import { placed, type Place } from './place.ts'
import { samples, type Sample } from './samples.ts'

const bytes = (path: string): string => readFileSync(path).toString('latin1')

async function entries({ file, path }: Place): Promise<readonly Entry[]> {
  return entriesOf(await readTree(file.format, readFileSync(path, 'utf8')), file)
}

/** What a program of the format's own makes of a text. */
function valueOf({ format }: Pick<Sample, 'format'>, text: string): unknown {
  const plain = text.replace(/^\uFEFF/, '')
  if (format === 'toml') return getStaticTOMLValue(parseTOML(plain))
  return parseYaml(plain.replaceAll(/(^|\s)\/\/.*$|\/\*[^]*?\*\//gm, '$1'))
}

describe('wrap', () => {
  test.each(samples)(
    '$name: only what starts a server changes, and unwrap gives the same bytes',
    async (sample) => {
      const place = placed(sample)
      const before = bytes(place.path)
      const raw = (await entries(place)).filter((one) => one.obstacle === undefined)
      expect(raw.map(({ name }) => name)).toEqual(sample.raw)

      const wrapped = await wrapFile(place.file, place.options)
      const gated = wrapped.servers.filter(({ state }) => state === 'wrapped')
      expect(gated.map(({ name }) => name)).toEqual(sample.raw)
      expect(bytes(place.path)).not.toBe(before)
      for (const entry of await entries(place)) {
        if (entry.obstacle !== undefined) continue
        const { command, args } = entry.launch ?? { command: '', args: [] }
        const server = gatedServer(entry) ?? ''
        expect([command, ...args]).toEqual(['/opt/node', ...place.options.gate(server).args])
      }
      // The servers start from the configuration as the client started them.
      const config = readFileSync(place.options.config, 'utf8')
      expect(config).toContain('// where')
      const servers = loadConfig({ path: place.options.config, text: config }).servers
      const starts = (await entries(place)).flatMap((entry) => gatedServer(entry) ?? [])
      const launches = starts.map((name) => servers.find((one) => one.name === name)?.upstream)
      expect(launches).toMatchObject(
        raw.map(({ launch }) => ({ command: launch?.command, args: launch?.args })),
      )
      // A program of the format's own still reads it, and the rest means what it meant.
      expect(valueOf(sample, readFileSync(place.path, 'utf8'))).toBeTypeOf('object')

      await unwrapFile(place.file, place.options)
      expect(bytes(place.path)).toBe(before)
    },
  )

  test.each(samples)('$name: wrapping again changes nothing', async (sample) => {
    const place = placed(sample)
    await wrapFile(place.file, place.options)
    const [once, config] = [bytes(place.path), bytes(place.options.config)]
    const again = await wrapFile(place.file, place.options)
    expect(again.servers.every(({ state }) => state === 'gated' || state === 'skipped')).toBe(true)
    expect([bytes(place.path), bytes(place.options.config)]).toEqual([once, config])
  })

  test.each(samples)('$name: a dry run changes nothing', async (sample) => {
    const place = placed(sample)
    const before = [bytes(place.path), bytes(place.options.config)]
    const change = await wrapFile(place.file, { ...place.options, isDry: true })
    expect(change.after).not.toBe(change.before)
    expect([bytes(place.path), bytes(place.options.config)]).toEqual(before)
    expect(place.options.journal.wrapped()).toEqual([])
  })

  test.each(samples)('$name: servers are unwrapped one by one, in any order', async (sample) => {
    const place = placed(sample)
    const before = bytes(place.path)
    await wrapFile(place.file, place.options)
    for (const name of [...new Set(sample.raw)].toReversed()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await unwrapFile(place.file, { ...place.options, only: new Set([name]) })
    }
    expect(bytes(place.path)).toBe(before)
  })

  test('law: any text in a command or argument comes back, and starts as it did', async () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(isPlain)
    await fc.assert(
      fc.asyncProperty(word, fc.array(word, { maxLength: 4 }), async (command, args) => {
        const text = JSON.stringify({ mcpServers: { s: { command, args } } }, null, 1)
        const place = placed({ path: '.cursor/mcp.json', text })
        await wrapFile(place.file, place.options)
        const config = readFileSync(place.options.config, 'utf8')
        const [server] = loadConfig({ path: place.options.config, text: config }).servers
        expect(server?.upstream).toMatchObject({ command, args })
        await unwrapFile(place.file, place.options)
        expect(readFileSync(place.path, 'utf8')).toBe(text)
      }),
      { seed: 8, numRuns: 60 },
    )
  })

  test('what a person changes meanwhile stays', async () => {
    const place = placed({
      path: '.cursor/mcp.json',
      text: '{ "mcpServers": { "git": { "command": "npx", "args": ["x"] } } }\n',
    })
    await wrapFile(place.file, place.options)
    const edited = readFileSync(place.path, 'utf8').replace(
      '"git": {',
      '"new": { "command": "a" },\n    "git": { "env": { "A": "2" },',
    )
    writeFileSync(place.path, edited)
    await unwrapFile(place.file, place.options)
    expect(readFileSync(place.path, 'utf8')).toBe(
      '{ "mcpServers": { "new": { "command": "a" },\n    "git": { "env": { "A": "2" }, "command": "npx", "args": ["x"] } } }\n',
    )
  })

  test('a file that was formatted anew gets its values back', async () => {
    const place = placed({
      path: '.cursor/mcp.json',
      text: '{"mcpServers":{"git":{"command":"npx","args":["x","y"]},"bare":{"command":"node"}}}',
    })
    await wrapFile(place.file, place.options)
    const value: unknown = JSON.parse(readFileSync(place.path, 'utf8'))
    writeFileSync(place.path, JSON.stringify(value, null, 4))
    await unwrapFile(place.file, place.options)
    expect(JSON.parse(readFileSync(place.path, 'utf8'))).toEqual({
      mcpServers: {
        git: { command: 'npx', args: ['x', 'y'] },
        bare: { command: 'node', args: [] },
      },
    })
  })

  test('a server whose start was changed by hand is left alone, and named', async () => {
    const place = placed({
      path: '.cursor/mcp.json',
      text: '{"mcpServers":{"git":{"command":"npx","args":["x"]}}}',
    })
    await wrapFile(place.file, place.options)
    const edited = readFileSync(place.path, 'utf8').replace('"--server"', '"--x", "--server"')
    writeFileSync(place.path, edited)
    const { servers } = await unwrapFile(place.file, place.options)
    expect(servers).toMatchObject([{ name: 'git', state: 'skipped' }])
    expect(readFileSync(place.path, 'utf8')).toBe(edited)
  })

  test('a link stays a link, and the mode of the file behind it stays', async () => {
    const place = placed({
      path: '.cursor/mcp.json',
      text: '{"mcpServers":{"git":{"command":"npx"}}}',
    })
    const real = join(dirname(place.path), 'dotfiles.json')
    writeFileSync(real, readFileSync(place.path))
    chmodSync(real, 0o640)
    rmSync(place.path)
    symlinkSync('dotfiles.json', place.path)
    await wrapFile(place.file, place.options)
    expect(lstatSync(place.path).isSymbolicLink()).toBe(true)
    expect(realpathSync(place.path)).toBe(realpathSync(real))
    expect(statSync(real).mode & 0o777).toBe(0o640)
    await unwrapFile(place.file, place.options)
    expect(readFileSync(real, 'utf8')).toBe('{"mcpServers":{"git":{"command":"npx"}}}')
  })

  test('the same server of two clients is one, another of the same name is another', async () => {
    const one = placed({
      path: '.cursor/mcp.json',
      text: '{"mcpServers":{"git":{"command":"npx","args":["x"]}}}',
    })
    const path = join(one.around.home, '.gemini/settings.json')
    mkdirSync(dirname(path))
    writeFileSync(
      path,
      '{"mcpServers":{"git":{"command":"npx","args":["x"]},"other":{"command":"a"}}}',
    )
    const again = join(one.around.home, '.kiro/settings/mcp.json')
    mkdirSync(dirname(again), { recursive: true })
    writeFileSync(again, '{"mcpServers":{"git":{"command":"npx","args":["y"]}}}')
    for (const file of foundFiles(one.around)) {
      // oxlint-disable-next-line no-await-in-loop -- they share a configuration
      await wrapFile(file, one.options)
    }
    const text = readFileSync(one.options.config, 'utf8')
    const { servers } = loadConfig({ path: one.options.config, text })
    expect(servers.map(({ name }) => name)).toEqual(['git', 'other', 'git-kiro'])
  })
})

test('what a crash has left beside a file is nobody\u2019s, and is gone after the next change', async () => {
  const place = placed({
    path: '.cursor/mcp.json',
    text: '{"mcpServers":{"git":{"command":"npx"}}}',
  })
  writeFileSync(join(dirname(place.path), '.mcp.json.capfence-new'), 'half')
  await wrapFile(place.file, place.options)
  expect(readdirSync(dirname(place.path))).toEqual(['mcp.json'])
})

describe('what cannot be changed without doubt is left alone, and named', () => {
  const cases: readonly (readonly [name: string, path: string, text: string, why: RegExp])[] = [
    ['a broken file', '.cursor/mcp.json', '{ "mcpServers": { ', /line 1/],
    [
      'a server that is named twice',
      '.cursor/mcp.json',
      '{"mcpServers":{"a":{"command":"x"},"a":{"command":"y"}}}',
      /written twice/,
    ],
    ['broken TOML', '.codex/config.toml', '[mcp_servers.a]\ncommand = \n', /line 3/],
    ['a TOML key twice', '.codex/config.toml', 'a = 1\na = 2\n', /line 2/],
    ['broken YAML', '.config/goose/config.yaml', 'extensions:\n  a: {\n', /line/],
    [
      'a YAML name twice',
      '.config/goose/config.yaml',
      'extensions:\n  a: {cmd: x}\n  a: {cmd: y}\n',
      /line 3/,
    ],
  ]

  test.each(cases)('%s', async (_, path, text, why) => {
    const place = placed({ path, text })
    await expect(wrapFile(place.file, place.options)).rejects.toThrow(why)
    expect(readFileSync(place.path, 'utf8')).toBe(text)
  })

  const skipped: readonly (readonly [name: string, path: string, text: string, why: RegExp])[] = [
    [
      'a remote server',
      '.cursor/mcp.json',
      '{"mcpServers":{"a":{"url":"https://x.example"}}}',
      /URL/,
    ],
    [
      'variables that the client fills in',
      '.cursor/mcp.json',
      '{"mcpServers":{"a":{"command":"x","args":["${env:A}"]}}}',
      /fills in/,
    ],
    [
      'a command relative to nobody knows what',
      '.cursor/mcp.json',
      '{"mcpServers":{"a":{"command":"./x"}}}',
      /depends on the client/,
    ],
    [
      'a command that is no text',
      '.cursor/mcp.json',
      '{"mcpServers":{"a":{"command":7}}}',
      /without doubt/,
    ],
    [
      'an anchor in YAML',
      '.config/goose/config.yaml',
      'extensions:\n  a: {cmd: &c x}\n  b: {cmd: *c}\n',
      /without doubt/,
    ],
  ]

  test.each(skipped)('%s', async (_, path, text, why) => {
    const place = placed({ path, text })
    const { servers } = await wrapFile(place.file, place.options)
    expect(servers[0]).toMatchObject({ state: 'skipped' })
    expect(servers[0]?.why).toMatch(why)
    expect(readFileSync(place.path, 'utf8')).toBe(text)
  })

  test('bytes that are not UTF-8', async () => {
    const place = placed({ path: '.cursor/mcp.json', text: '{}' })
    const odd = Buffer.from([0x7b, 0xff, 0x7d])
    writeFileSync(place.path, odd)
    await expect(wrapFile(place.file, place.options)).rejects.toThrow('not UTF-8')
    expect(readFileSync(place.path)).toEqual(odd)
  })

  test('a file that changes at that moment', async () => {
    const text = '{"mcpServers":{"a":{"command":"x"}}}'
    const place = placed({ path: '.cursor/mcp.json', text })
    const gate: WrapOptions['gate'] = (server) => {
      writeFileSync(place.path, `${text}\n`)
      return place.options.gate(server)
    }
    await expect(wrapFile(place.file, { ...place.options, gate })).rejects.toThrow('changed it')
    expect(readFileSync(place.path, 'utf8')).toBe(`${text}\n`)
  })

  test('a configuration of CapFence that is wrong', async () => {
    const text = '{"mcpServers":{"a":{"command":"x"}}}'
    const place = placed({ path: '.cursor/mcp.json', text })
    writeFileSync(place.options.config, '{"environment":"development"}')
    await expect(wrapFile(place.file, place.options)).rejects.toThrow('policies')
    expect(readFileSync(place.path, 'utf8')).toBe(text)
  })
})

/** What CapFence's configuration takes: nothing that looks like a variable, and no control characters. */
function isPlain(text: string): boolean {
  return !/[$%\\/\p{C}\p{Z}]/u.test(text)
}
