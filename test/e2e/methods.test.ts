import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { StoredRecord } from '../../src/audit/record.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { honest, LockedGate } from '../support/a-locked-gate.ts'
import type { Wire } from './gate.ts'

/** A gate whose policy holds these rules. */
function governed(policy: string, names: readonly string[] = ['files']): LockedGate {
  const gate = new LockedGate(names)
  writeFileSync(gate.files.policy, `version: 1\n${policy}\n`)
  return gate
}

async function decisions(gate: LockedGate): Promise<readonly StoredRecord[]> {
  const log = SQLiteLog.open(gate.files.database)
  try {
    return (await log.find({ types: ['decision', 'outcome'], order: 'oldest', count: 100 })).records
  } finally {
    await log.close()
  }
}

const arrived = (gate: LockedGate, server = 'files'): string =>
  readFileSync(gate.files.journal(server), 'utf8')

const uri = 'file:///etc/passwd'
const onlyTools = 'allow: ["files.*.*"]'

test.each(['resources/read', 'resources/subscribe'])(
  'B8: %s does not reach a server unless a rule allows it',
  async (method) => {
    const gate = governed(onlyTools)
    const client = await gate.client()
    const { error } = await client.request(method, { uri })
    expect(error?.code).toBe(41_001)
    expect(error?.message).toContain('no rule allows `mcp.resource.')
    expect(arrived(gate)).not.toContain(method)
    await client.close()
    const [decision, ...others] = await decisions(gate)
    expect(others).toEqual([])
    expect(decision?.data).toMatchObject({
      resource: 'mcp',
      action: 'resource',
      decision: 'deny',
      reason: 'default',
      forwarded: false,
      server: 'files',
    })
  },
)

test('B8: a rule allows what it says, and its arguments count', async () => {
  const gate = governed(
    'allow:\n  - capability: mcp.resource.read.files\n    args: { /uri: { eq: "docs://a" } }',
  )
  const client = await gate.client()
  const { result } = await client.request('resources/read', { uri: 'docs://a' })
  expect(JSON.stringify(result)).toContain('contents')
  expect((await client.request('resources/read', { uri })).error?.code).toBe(41_001)
  await client.close()
  const records = await decisions(gate)
  expect(records.map(({ type, data }) => [type, data['decision'] ?? data['status']])).toEqual([
    ['decision', 'allow'],
    ['outcome', 'ok'],
    ['decision', 'deny'],
  ])
})

test('B8: a prompt passes where no rule says anything, and not where one denies it', async () => {
  const open = governed(onlyTools)
  const client = await open.client()
  const { result } = await client.request('prompts/get', { name: 'sum' })
  expect(JSON.stringify(result)).toContain('prompt sum')
  await client.close()
  const [decision] = await decisions(open)
  expect(decision?.data).toMatchObject({ decision: 'allow', reason: 'unruled', forwarded: true })

  const closed = governed('allow: ["*"]\ndeny: ["mcp.prompt.get.*"]')
  const other = await closed.client()
  expect((await other.request('prompts/get', { name: 'sum' })).error?.code).toBe(41_001)
  expect(arrived(closed)).not.toContain('prompts/get')
})

test('B8: what needs a person waits, and the error says how', async () => {
  const gate = governed('require_approval: ["mcp.resource.read.*"]')
  const client = await gate.client()
  const { error } = await client.request('resources/read', { uri })
  expect(error?.code).toBe(41_002)
  expect(error?.message).toContain('capfence approvals approve apr_')
})

test('B8: with several servers a request is decided for the one that it is for, by its own name', async () => {
  const gate = governed(
    'allow: ["*"]\ndeny:\n  - capability: mcp.prompt.get.two\n    args: { /name: { eq: sum } }',
    ['one', 'two'],
  )
  const client = await gate.client()
  await client.request('prompts/list')
  const passed = await client.request('prompts/get', { name: 'one__sum' })
  expect(JSON.stringify(passed.result)).toContain('prompt sum')
  // A member that only completion has says nothing about a prompt.
  const params = { name: 'two__sum', ref: { name: 'other' } }
  expect((await client.request('prompts/get', params)).error?.code).toBe(41_001)
  expect(arrived(gate, 'two')).not.toContain('prompts/get')
})

test('B8: a resource is not asked of one server after the other where the policy says no', async () => {
  const gate = governed('allow: ["mcp.resource.read.one"]', ['one', 'two'])
  const client = await gate.client()
  const { result } = await client.request('resources/read', { uri })
  expect(JSON.stringify(result)).toContain('contents')
  expect(arrived(gate, 'two')).not.toContain('resources/read')
})

test('B11: a prompt whose definition changed is not given, also to a client that never listed it', async () => {
  const gate = governed('allow: ["*"]')
  await gate.lock()
  gate.say({ ...honest, prompts: [{ name: 'sum', description: 'Sums up, and more.' }] })
  const client = await gate.client()
  const refused: Wire = await client.request('prompts/get', { name: 'sum' })
  expect(refused.error?.message).toContain('it changed since it was accepted')
  expect(refused.error?.message).toContain('capfence lock accept files/prompt:sum')
  const unknown = await client.request('prompts/get', { name: 'other' })
  expect(unknown.error?.message).toContain('its server does not list it')
  expect(arrived(gate)).not.toContain('prompts/get')
})
