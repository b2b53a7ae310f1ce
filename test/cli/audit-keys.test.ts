import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parsePin } from '../../src/audit/pin.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { olderLog } from '../storage/older-log.ts'
import { expectSigned } from '../storage/signed-log.ts'
import { capfence } from './capture.ts'

const software = 'capfence/test'

/** A folder with a configuration, whose log exists. */
async function project(audit: object = {}): Promise<{
  readonly folder: string
  readonly config: string
  readonly path: string
}> {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-audit-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, 'capfence.mcp.json')
  writeFileSync(
    config,
    JSON.stringify({
      ...{ environment: 'production', policies: ['p.yaml'], storage: 'sqlite:log.db', audit },
      mcpServers: { x: { command: 'x' } },
    }),
  )
  const path = join(folder, 'log.db')
  const keys = 'keys' in audit ? join(folder, String(audit.keys)) : undefined
  await SQLiteEngine.open({ path, keys, software }).close()
  return { folder, config, path }
}

describe('audit key', () => {
  test('prints the pin, and nothing else', async () => {
    const { config, path } = await project()
    const { code, out, err } = await capfence(['audit', 'key', '--config', config])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const { stable, epochs } = expectSigned(path)
    const pin = parsePin(out)
    expect([pin.stable.id, pin.genesis.id]).toEqual([stable.id, epochs[0]?.id])
    expect(out.split('\n')).toHaveLength(3)
  })

  test('prints the same after rotations, and for programs', async () => {
    const { config } = await project()
    const { out: before } = await capfence(['audit', 'key', '--config', config])
    await capfence(['audit', 'rotate', '--config', config])
    await capfence(['audit', 'rotate', '--config', config])
    expect((await capfence(['audit', 'key', '--config', config])).out).toBe(before)
    const { out } = await capfence(['audit', 'key', '--config', config, '--json'])
    const [vkey, epochVkey] = before.split('\n')
    expect(JSON.parse(out)).toEqual({
      ...{ schemaVersion: 1, type: 'audit-key', vkey, epochVkey },
      log: vkey?.split('+')[0],
    })
  })

  test('of a log that got its keys later is the one that it got then', async () => {
    const { path } = olderLog(3)
    const before = await capfence(['audit', 'key', '--storage', path])
    expect(before).toMatchObject({ code: 3, out: '' })
    expect(before.err).toContain('the log has no keys')
    await SQLiteEngine.open({ path, software }).close()
    const { code, out } = await capfence(['audit', 'key', '--storage', path])
    expect(code).toBe(0)
    expect(parsePin(out).stable.id).toBe(expectSigned(path).stable.id)
  })

  test('needs no private key', async () => {
    const { path } = await project()
    rmSync(`${path}.keys`, { recursive: true })
    expect((await capfence(['audit', 'key', '--storage', path])).code).toBe(0)
  })
})

describe('audit rotate', () => {
  test('begins an epoch and erases the key before, while a gate goes on', async () => {
    const { config, path } = await project()
    const gate = SQLiteEngine.open({ path, software })
    const { code, out, err } = await capfence(['audit', 'rotate', '--config', config])
    expect({ code, out, err }).toEqual({
      ...{ code: 0, err: '' },
      out: 'epoch 2 has begun; the key of epoch 1 is erased\n',
    })
    expect(readdirSync(`${path}.keys`).toSorted()).toEqual(['epoch-2.key', 'log.key'])
    await gate.close()
    expect(expectSigned(path).epochs).toHaveLength(2)
  })

  test('tells programs', async () => {
    const { config } = await project()
    const { code, out } = await capfence(['audit', 'rotate', '--config', config, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({
      ...{ schemaVersion: 1, type: 'audit-rotate', epoch: 2, keysLeft: [] },
    })
  })

  test('finds the keys where the configuration says', async () => {
    const { config, path, folder } = await project({ keys: 'secret' })
    expect((await capfence(['audit', 'rotate', '--config', config])).code).toBe(0)
    expect(readdirSync(join(folder, 'secret')).toSorted()).toEqual(['epoch-2.key', 'log.key'])
    expect(existsSync(`${path}.keys`)).toBe(false)
  })

  test('says which key it could not erase, and is no success then', async () => {
    const { config, path } = await project()
    const left = join(`${path}.keys`, 'epoch-0.key')
    mkdirSync(left)
    expect((await capfence(['audit', 'rotate', '--config', config])).code).toBe(0)
    const earlier = join(`${path}.keys`, 'epoch-1.key')
    mkdirSync(earlier)
    const { code, out, err } = await capfence(['audit', 'rotate', '--config', config])
    expect(code).toBe(3)
    expect(out).toBe('epoch 3 has begun\n')
    expect(err).toContain(earlier)
    expect(err).not.toContain('epoch-0.key')
  })

  test('makes no log, and does not go on without the keys', async () => {
    const { config, path, folder } = await project()
    const missing = join(folder, 'other.db')
    const none = await capfence(['audit', 'rotate', '--storage', missing])
    expect(none).toMatchObject({ code: 3, out: '' })
    expect(existsSync(missing)).toBe(false)
    rmSync(join(`${path}.keys`, 'log.key'))
    const keyless = await capfence(['audit', 'rotate', '--config', config])
    expect(keyless).toMatchObject({ code: 3, out: '' })
    expect(keyless.err).toContain('log.key')
  })
})
