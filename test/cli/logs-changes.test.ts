import { expect, test } from 'vitest'
import { configChangeRecord, policyLoadRecord, toolDefRecord } from '../../src/audit/drafts.ts'
import type { TestLog } from './a-log.ts'
import { withLog } from './a-log.ts'
import { capfence } from './capture.ts'

const [hashA, hashB] = ['a'.repeat(64), 'b'.repeat(64)]

async function changes(log: TestLog): Promise<void> {
  const config = { path: '/srv/capfence.mcp.json', restart: [] }
  await log.write(
    policyLoadRecord({
      files: [{ path: 'ops.yaml', sha256: hashA }],
      policyHash: hashA,
      ruleCount: 7,
      error: null,
    }),
    configChangeRecord({ ...config, sha256: hashA, changed: [], error: null }),
    toolDefRecord({
      ...{ server: 'fs', tool: 'read', change: 'first_seen' },
      ...{ sha256: hashA, previous: null, omitted: 0 },
    }),
  )
  await log.write(
    toolDefRecord({
      ...{ server: 'fs', tool: 'read', change: 'changed' },
      ...{ sha256: hashB, previous: hashA, omitted: 12 },
    }),
    toolDefRecord({
      ...{ server: 'git', tool: 'lo\u202eg', change: 'removed' },
      ...{ sha256: null, previous: hashA, omitted: 0 },
    }),
    configChangeRecord({ ...config, sha256: hashB, changed: ['actor', 'mode'], error: null }),
    configChangeRecord({ ...config, sha256: null, changed: [], error: 'CONFIG_NOT_FOUND' }),
    policyLoadRecord({ files: [], policyHash: null, ruleCount: 0, error: 'ops.yaml:1:1: no' }),
  )
}

test('--changes shows policies, configurations and tools, and no calls', async () => {
  await withLog(changes, async (log) => {
    const { code, out, err } = await capfence(['logs', '--storage', log.path, '--changes'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatchInlineSnapshot(`
      "SEQ  TIME                  CHANGE           OF                      SHA-256       DETAILS
      2    2026-11-25 13:00:01Z  policy           ops.yaml                aaaaaaaaaaaa  7 rules
      3    2026-11-25 13:00:01Z  configuration    /srv/capfence.mcp.json  aaaaaaaaaaaa  -
      4    2026-11-25 13:00:01Z  tool first seen  fs.read                 aaaaaaaaaaaa  -
      5    2026-11-25 13:00:02Z  tool changed     fs.read                 bbbbbbbbbbbb  was aaaaaaaaaaaa, 12 more before it have no record
      6    2026-11-25 13:00:02Z  tool removed     git.lo\\u{202e}g         -             was aaaaaaaaaaaa
      7    2026-11-25 13:00:02Z  configuration    /srv/capfence.mcp.json  bbbbbbbbbbbb  actor, mode
      8    2026-11-25 13:00:02Z  not usable       /srv/capfence.mcp.json  -             CONFIG_NOT_FOUND
      9    2026-11-25 13:00:02Z  policy refused   -                       -             ops.yaml:1:1: no
      "
    `)
  })
})

test('calls alone are shown by default', async () => {
  const write = async (log: TestLog): Promise<void> => {
    await changes(log)
    await log.call({ tool: 'read_file', arguments: { path: 'notes.txt' }, outcome: 'ok' })
  }
  await withLog(write, async (log) => {
    const { out } = await capfence(['logs', '--storage', log.path])
    expect(out.trimEnd().split('\n')).toHaveLength(2)
    expect(out).toContain('ops.read_file')
  })
})

test.each([
  [
    ['--server', 'fs'],
    ['first_seen', 'changed'],
  ],
  [
    ['--tool', 'read'],
    ['first_seen', 'changed'],
  ],
  [['--server', 'git'], ['removed']],
  [['--server', 'git', '--tool', 'read'], []],
  [
    ['--limit', '3', '--server', 'fs'],
    ['first_seen', 'changed'],
  ],
])('--changes %j chooses tools', async (flags, expected) => {
  await withLog(changes, async (log) => {
    const { out } = await capfence(['logs', '--storage', log.path, '--changes', '--json', ...flags])
    const lines = out.split('\n').filter((line) => line !== '')
    expect(lines.map((line) => (JSON.parse(line) as { change: string }).change)).toEqual(expected)
  })
})

test('a line of JSON has what the record has', async () => {
  await withLog(changes, async (log) => {
    const args = ['logs', '--storage', log.path, '--changes', '--json', '--tool', 'read']
    const [first = ''] = (await capfence(args)).out.split('\n')
    expect(JSON.parse(first)).toEqual({
      schemaVersion: 1,
      type: 'tool.def',
      seq: expect.any(Number) as number,
      time: expect.stringContaining('2026-11-25T13:00:') as string,
      ...{ server: 'fs', tool: 'read', change: 'first_seen' },
      ...{ sha256: hashA, previous: null, omitted: 0 },
    })
  })
})

test.each([
  [['--orphans'], 'orphans'],
  [['--decision', 'deny'], 'decision'],
  [['--actor', 'x'], 'actor'],
])('--changes and %j do not go together', async (flags, name) => {
  await withLog(changes, async (log) => {
    const { code, err } = await capfence(['logs', '--storage', log.path, '--changes', ...flags])
    expect(code).toBe(2)
    expect(err).toContain(`\`--changes\` and \`--${name}\` do not go together`)
  })
})
