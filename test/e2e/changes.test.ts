import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { StoredRecord } from '../../src/audit/record.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { gateCommand, layOut, RawClient } from './gate.ts'
import type { GateFiles } from './gate.ts'

function newGate(): GateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-changes-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return layOut(folder, { servers: { raw: 'raw' } })
}

function started(files: GateFiles): RawClient {
  const { command, args } = gateCommand(files)
  const client = new RawClient(command, args)
  onTestFinished(() => void client.process.kill('SIGKILL'))
  return client
}

async function changes({ database }: GateFiles): Promise<readonly StoredRecord[]> {
  const log = SQLiteLog.open(database)
  try {
    const types = ['config.change', 'tool.def'] as const
    return (await log.find({ types, order: 'oldest', count: 100 })).records
  } finally {
    await log.close()
  }
}

const hashOf = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex')

test('the tools that a client was shown stand in the log, each once for several gates', async () => {
  const files = newGate()
  for (let round = 0; round < 2; round += 1) {
    const client = started(files)
    // oxlint-disable-next-line no-await-in-loop -- one gate after the other
    await client.initialize()
    // oxlint-disable-next-line no-await-in-loop -- one gate after the other
    const { result } = await client.request('tools/list')
    // oxlint-disable-next-line no-await-in-loop -- one gate after the other
    expect(await client.close()).toBe(0)
    const shown = (result ?? {})['tools'] as readonly { readonly name: string }[]
    // oxlint-disable-next-line no-await-in-loop -- one gate after the other
    const tools = (await changes(files)).filter(({ type }) => type === 'tool.def')
    expect(tools.map(({ data }) => data['tool'])).toEqual(shown.map(({ name }) => name))
    expect(tools.every(({ data }) => data['change'] === 'first_seen')).toBe(true)
  }
})

test('the configuration stands in the log when it is another than before, at a start or while a gate runs', async () => {
  const files = newGate()
  const first = hashOf(files.config)
  const client = started(files)
  await client.initialize()
  await client.call('echo', {})
  const config = JSON.parse(readFileSync(files.config, 'utf8')) as object
  writeFileSync(files.config, JSON.stringify({ ...config, actor: 'somebody' }))
  const second = hashOf(files.config)
  while (!client.stderr.includes('`actor`')) {
    // oxlint-disable-next-line no-await-in-loop -- until the gate has seen it
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  writeFileSync(files.config, '{"secret": "s3cret"')
  const third = hashOf(files.config)
  while (!client.stderr.includes('cannot be used')) {
    // oxlint-disable-next-line no-await-in-loop -- until the gate has seen it
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await client.close()
  writeFileSync(files.config, JSON.stringify({ ...config, actor: 'somebody' }))
  for (let round = 0; round < 2; round += 1) {
    const later = started(files)
    // oxlint-disable-next-line no-await-in-loop -- one gate after the other
    await later.initialize()
    // oxlint-disable-next-line no-await-in-loop -- one gate after the other
    await later.call('echo', {})
    // oxlint-disable-next-line no-await-in-loop -- one gate after the other
    await later.close()
  }
  const path = files.config
  const none = { path, error: null, ok: true, changed: [], restart: [] }
  expect((await changes(files)).map(({ data }) => data)).toEqual([
    { ...none, sha256: first },
    { ...none, sha256: second, changed: ['actor'], restart: ['actor'] },
    // The words of the error could quote a secret.
    { ...none, sha256: third, error: 'CONFIG_INVALID', ok: false },
    { ...none, sha256: second },
  ])
})
