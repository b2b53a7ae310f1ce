import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadPolicy } from '../../src/policy/load.ts'
import { root } from '../support/root.ts'
import { capfence } from './capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-learn-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const mail = join(root, 'fixtures/traces/mail.mcp.jsonl')
const meant = ['--server', 'mail', '--environment', 'live']
const learn = (...args: readonly string[]): ReturnType<typeof capfence> =>
  capfence(['policy', 'learn', ...args])

describe('capfence policy learn', () => {
  test('writes a policy that loads, and under which nothing of its trace is asked about', async () => {
    const out = join(folder, 'learned.yaml')
    const { code, out: said } = await learn(mail, ...meant, '-o', out, '--explain')
    expect(code).toBe(0)
    expect(said).toContain('6 capabilities from 15 calls')
    expect(said).toContain('  /amount  80 to 120.5 in 2 calls')
    expect(said).toContain('held out, in 5 parts')
    loadPolicy([{ path: out, text: readFileSync(out, 'utf8') }])
    const again = await capfence([
      ...['replay', mail, ...meant, '--from-start', '--policy', out, '--json'],
    ])
    const { unrecorded } = JSON.parse(again.out) as { unrecorded: Record<string, number> }
    expect(unrecorded).toMatchObject({ allow: 15, require_approval: 0, deny: 0 })
  })

  test('prints it when no file is named, and says the rest beside it', async () => {
    const { out, err } = await learn(mail, ...meant)
    expect(loadPolicy([{ path: 'p.yaml', text: out }]).ruleCount).toBeGreaterThan(6)
    expect(err).toContain('6 capabilities from 15 calls')
  })

  test('says all of it as one JSON object', async () => {
    const { out } = await learn(mail, ...meant, '--json', '--unseen', 'deny')
    const made = JSON.parse(out) as { policy: string; rules: readonly unknown[] }
    expect(made).toMatchObject({ type: 'policy-learn', calls: 15, heldOut: { sessions: 6 } })
    expect(made.rules).toHaveLength(6)
    expect(made.policy).not.toContain('Tools that history does not have')
  })

  test('replaces no file that it was not told to', async () => {
    const out = join(folder, 'kept.yaml')
    writeFileSync(out, 'mine')
    expect(await learn(mail, ...meant, '-o', out)).toMatchObject({ code: 2 })
    expect(readFileSync(out, 'utf8')).toBe('mine')
    expect(await learn(mail, ...meant, '-o', out, '--force')).toMatchObject({ code: 0 })
    expect(readFileSync(out, 'utf8')).toContain('version: 1')
  })

  test.each<[string, readonly string[], RegExp]>([
    ['without a meaning', [mail], /name the server/],
    [
      'of tools that are neither asked about nor denied',
      [mail, ...meant, '--unseen', 'allow'],
      /`--unseen allow` is neither/,
    ],
    ['of no file', [join(folder, 'none.jsonl'), ...meant], /cannot read the trace/],
  ])('learns nothing %s', async (_, args, message) => {
    const out = join(folder, 'nothing.yaml')
    const { code, err } = await learn(...args, '-o', out)
    expect(code).not.toBe(0)
    expect(err).toMatch(message)
    expect(existsSync(out)).toBe(false)
  })

  test('a trace with a bad line at its end teaches nothing', async () => {
    const broken = join(folder, 'broken.jsonl')
    const out = join(folder, 'broken.yaml')
    writeFileSync(broken, `${readFileSync(mail, 'utf8')}{"message":\n`)
    const { code, err } = await learn(broken, ...meant, '-o', out)
    expect(code).not.toBe(0)
    expect(err).toMatch(/31/)
    expect(existsSync(out)).toBe(false)
  })

  test('a trace of which everything was blocked is nothing to learn from', async () => {
    const empty = join(folder, 'empty.jsonl')
    writeFileSync(empty, '{"message":{"jsonrpc":"2.0","id":1,"method":"tools/list"}}\n')
    const { code, err } = await learn(empty, ...meant)
    expect(code).toBe(2)
    expect(err).toContain('nothing to learn from')
  })
})
