import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { unwrapFile, wrapFile } from '../../src/clients/wrap.ts'
import { loadConfig } from '../../src/config/config.ts'
import { placed } from './place.ts'

const text = (key: string): string =>
  `{"${key}":{"own":{"command":"./bin/server","args":["./data"]}}}`

describe('a command with a path of its own', () => {
  test.each([
    ['./.vscode/mcp.json', 'servers'],
    ['./.mcp.json', 'mcpServers'],
  ])('in %s begins in the project, and comes back as it was', async (path, key) => {
    const place = placed({ path, text: text(key) })
    const program = join(place.around.folder, 'bin/server')
    mkdirSync(dirname(program), { recursive: true })
    writeFileSync(program, '')
    await wrapFile(place.file, place.options)
    const config = readFileSync(place.options.config, 'utf8')
    const [server] = loadConfig({ path: place.options.config, text: config }).servers
    expect(server?.upstream).toMatchObject({ command: program, args: ['./data'] })
    await unwrapFile(place.file, place.options)
    expect(readFileSync(place.path, 'utf8')).toBe(text(key))
  })

  test('in a project that has no such program is left alone', async () => {
    const place = placed({ path: './.mcp.json', text: text('mcpServers') })
    const { servers } = await wrapFile(place.file, place.options)
    expect(servers).toMatchObject([{ state: 'skipped' }])
  })

  test('in a file of the user is left alone, whatever stands beside it', async () => {
    const place = placed({ path: '.cursor/mcp.json', text: text('mcpServers') })
    for (const folder of [dirname(place.path), place.around.home]) {
      mkdirSync(join(folder, 'bin'), { recursive: true })
      writeFileSync(join(folder, 'bin/server'), '')
    }
    const { servers } = await wrapFile(place.file, place.options)
    expect(servers).toMatchObject([{ state: 'skipped' }])
    expect(readFileSync(place.path, 'utf8')).toBe(text('mcpServers'))
  })
})
