import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parseCosignerKey } from '../../src/audit/cosignature.ts'
import { loadConfig } from '../../src/config/config.ts'
import { commitOne, openLog } from '../storage/log-files.ts'
import { blocksOf, pages } from '../support/markdown.ts'
import { hasCommand, requireOrSkip } from '../support/needs.ts'
import { capfence } from './capture.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-recipes-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const page = pages.find(({ path }) => path === 'docs/anchoring.md') ?? { path: '', text: '' }
const recipes = new Map(
  blocksOf(page)
    .filter(({ language, about }) => language === 'json' && about.startsWith('anchor '))
    .map(({ about, text }) => [about.slice('anchor '.length), text]),
)

/** The anchors of the page, in a log of its own, with folders of this machine in the place of those of the page. */
async function run(names: readonly string[], fill: (text: string) => string): Promise<string> {
  const home = mkdtempSync(join(folder, 'log-'))
  const anchors = names.map((name) => JSON.parse(fill(recipes.get(name) ?? '')) as object)
  const config = join(home, 'capfence.mcp.json')
  const file = {
    mcpServers: { files: { command: 'node' } },
    policies: ['p.yaml'],
    environment: 'test',
    storage: 'sqlite:capfence.db',
    audit: { anchors },
  }
  writeFileSync(config, JSON.stringify(file))
  const store = openLog(join(home, 'capfence.db'))
  await commitOne(store)
  await store.close()
  const { out } = await capfence(['audit', 'key', '--config', config])
  writeFileSync(join(home, 'log.pin'), out)
  expect(await capfence(['audit', 'anchor', '--config', config])).toMatchObject({
    code: 0,
    err: '',
  })
  return home
}

async function expectAnchor(home: string, note: string): Promise<void> {
  const file = join(home, 'anchor.note')
  writeFileSync(file, note)
  const { code } = await capfence([
    ...['audit', 'verify', join(home, 'capfence.db'), '--pin', join(home, 'log.pin')],
    ...['--anchor', file],
  ])
  expect(code).toBe(0)
}

function sh(text: string, options: { cwd?: string; input?: string } = {}): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', text], { encoding: 'utf8', ...options })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

describe('the recipes of docs/anchoring.md', () => {
  test('are all looked at here', () => {
    expect([...recipes.keys()]).toEqual(['git', 'push', 'remote', 'syslog', 'disk'])
  })

  test('git: a commit that is pushed, and taken out again as the page says', async () => {
    const [work, remote] = [join(folder, 'work'), join(folder, 'remote.git')]
    sh(`git init -q --bare ${remote} && git init -q ${work}`)
    sh(
      `git config user.name a && git config user.email a@example.org && git remote add origin ${remote}`,
      { cwd: work },
    )
    const home = await run(['git', 'push'], (text) => text.replaceAll('/srv/anchors', work))
    const takeOut = /`(git -C \/srv\/anchors cat-file .*?) > last\.note`/.exec(page.text)?.[1] ?? ''
    await expectAnchor(home, sh(takeOut.replace('/srv/anchors', remote)))
  })

  test('disk: a file for each size, and never written over', async () => {
    const media = join(folder, 'media')
    mkdirSync(media)
    const home = await run(['disk'], (text) => text.replaceAll('/media/anchors', media))
    const [file = ''] = readdirSync(media)
    expect(file).toMatch(/^\d+\.note$/)
    const before = readFileSync(join(media, file), 'utf8')
    await expectAnchor(home, before)
    const { exec } = JSON.parse(recipes.get('disk') ?? '') as { exec: string[] }
    const again = spawnSync('sh', ['-c', (exec[2] ?? '').replace('/media/anchors', media)], {
      input: 'other',
      env: { ...process.env, CAPFENCE_ANCHOR_SIZE: file.replace('.note', '') },
    })
    expect(again.status).not.toBe(0)
    expect(readFileSync(join(media, file), 'utf8')).toBe(before)
  })

  test('remote: what the other machine runs keeps the note in a file of its own', async () => {
    const command = /command="(.*?)" ssh/.exec(page.text)?.[1] ?? ''
    expect(command).toContain('cat > notes/')
    const place = join(folder, 'remote')
    mkdirSync(join(place, 'notes'), { recursive: true })
    // Without a network: the forced command takes the place of ssh.
    const home = await run(['remote'], () =>
      JSON.stringify({ exec: ['sh', '-c', `cd ${place} && ${command}`], name: 'remote' }),
    )
    const [file = ''] = readdirSync(join(place, 'notes'))
    await expectAnchor(home, readFileSync(join(place, 'notes', file), 'utf8'))
  })

  test.skipIf(requireOrSkip('logger', hasCommand('logger')))(
    'syslog: what another machine gets makes the note again, and no system log is a failure',
    async () => {
      const { exec } = JSON.parse(recipes.get('syslog') ?? '') as { exec: string[] }
      const { port, received } = await listen()
      const remote = ['-n', '127.0.0.1', '-P', String(port), '-T', '--rfc3164']
      const home = await run(['syslog'], () =>
        JSON.stringify({ exec: [...exec, ...remote], name: 'syslog' }),
      )
      const lines = (await received)
        .split('\n')
        .filter((line) => line.includes('capfence-anchor'))
        .map((line) => line.replace(/^.*? capfence-anchor: /, ''))
      const [id = '', size = '', root = '', ...rest] = lines
      const signatures = rest.filter((line) => line !== '')
      await expectAnchor(home, [id, size, root, '', ...signatures, ''].join('\n'))
      const [program = '', ...args] = exec
      const none = spawnSync(program, [...args, '-u', join(folder, 'no-socket')], { input: 'x' })
      expect(none.status).not.toBe(0)
    },
  )

  /** A machine that takes one connection, and what it has received at its end. */
  async function listen(): Promise<{ port: number; received: Promise<string> }> {
    const server = createServer()
    const received = new Promise<string>((resolve) => {
      server.once('connection', (socket) => {
        let text = ''
        socket.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        socket.on('end', () => {
          server.close()
          resolve(text)
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { port: (server.address() as AddressInfo).port, received }
  }

  test('the configuration of the page is one, and its witness has a key', () => {
    const block = blocksOf(page).find(({ language, about }) => language === 'json' && about === '')
    const { audit } = loadConfig({ path: 'c', text: block?.text ?? '' })
    const witness = audit.anchors.find((anchor) => anchor.kind === 'witness')
    expect(() => parseCosignerKey(witness?.vkey ?? '')).not.toThrow()
  })
})
