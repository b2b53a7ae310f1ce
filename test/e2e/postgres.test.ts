import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { capfence } from '../cli/capture.ts'
import { usePostgres } from '../storage/postgres-subject.ts'
import { gateCommand, journalCalls, layOut, RawClient } from './gate.ts'
import type { GateFiles, Wire } from './gate.ts'

const server = usePostgres()

function newFiles(storage: string): GateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-postgres-e2e-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const audit = { durability: 'power' }
  return layOut(folder, { servers: { raw: 'raw' }, config: { storage, audit } })
}

async function startGate(files: GateFiles): Promise<RawClient> {
  const { command, args } = gateCommand(files, 'raw')
  const client = new RawClient(command, args)
  onTestFinished(async () => {
    client.process.kill('SIGKILL')
    await client.exit()
  })
  await client.initialize()
  return client
}

function textOf({ result, error }: Wire): string {
  return JSON.stringify(result ?? error)
}

test('two gates write one log, and every command that reads a log reads it', async () => {
  const files = newFiles(server().url('two_gates'))
  const clients = [await startGate(files), await startGate(files)]
  const answers = await Promise.all(
    clients.flatMap((client) => [client.call('echo', { n: 1 }), client.call('echo', { n: 2 })]),
  )
  expect(answers.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined])
  await Promise.all(clients.map((client) => client.close()))

  const at = ['--config', files.config]
  const logs = await capfence(['logs', '--json', ...at])
  expect(logs.out.trim().split('\n')).toHaveLength(4)
  expect(await capfence(['audit', 'verify', '--trust-log', ...at])).toMatchObject({ code: 0 })
  expect(await capfence(['audit', 'prove', '3', ...at])).toMatchObject({ code: 0 })
  expect(await capfence(['approvals', 'list', ...at])).toMatchObject({ code: 0 })
  const rotated = await capfence(['audit', 'rotate', ...at])
  expect(rotated.out).toContain('epoch 2 has begun')
  expect(await capfence(['audit', 'verify', '--trust-log', ...at])).toMatchObject({ code: 0 })
  const archived = await capfence(['audit', 'archive', 'x', '--by', 'me', '--reason', 'r', ...at])
  expect(archived).toMatchObject({ code: 2, out: '' })
  expect(archived.err).toContain('works on a log in SQLite only')
}, 60_000)

test('no record, no call: kill -9 of the database blocks every call, and the gate goes on when it is back', async () => {
  const files = newFiles(server().url('killed'))
  const client = await startGate(files)
  expect((await client.call('echo', { n: 'before' })).error).toBeUndefined()
  await server().kill()
  const blocked = await client.call('echo', { n: 'meanwhile' })
  expect(textOf(blocked)).toContain('the decision could not be recorded')
  expect(client.stderr).toContain('no connection to postgres://owner@127.0.0.1')
  await server().startAgain()
  expect(textOf(await client.call('echo', { n: 'after' }))).not.toContain('could not be recorded')
  await client.close()

  const arrived = journalCalls(files, 'raw').map(({ params }) => JSON.stringify(params))
  expect(arrived.filter((one) => one.includes('meanwhile'))).toEqual([])
  expect(arrived.filter((one) => one.includes('after'))).toHaveLength(1)
  const at = ['--config', files.config]
  expect(await capfence(['audit', 'verify', '--trust-log', ...at])).toMatchObject({ code: 0 })
  const gaps = await server().sql(
    `SELECT 1 FROM killed.records WHERE position('"t":"audit.gap"'::bytea in body) > 0`,
  )
  expect(gaps).toHaveLength(1)
}, 60_000)

test('B27: the password is in no argument, error or record, wherever it comes from', async () => {
  const files = newFiles(server().url('secret'))
  const url = `postgres://owner:hunter2@127.0.0.1:${server().port}/postgres`
  const typed = await capfence(['logs', '--storage', url])
  expect(typed).toMatchObject({ code: 2, out: '' })
  expect(typed.err).toContain('holds a password')
  expect(typed.err).not.toContain('hunter2')
  const wrong = await capfence(['logs', '--storage', server().url('secret', 'nobody_here')])
  expect(wrong).toMatchObject({ code: 3, out: '' })
  expect(wrong.err).toContain('nobody_here@127.0.0.1')
  expect(wrong.err).not.toContain(server().password)
  const client = await startGate(files)
  await client.close()
  const bodies = await server().sql(`SELECT encode(body, 'escape') AS body FROM secret.records`)
  expect(bodies.length).toBeGreaterThan(1)
  expect(JSON.stringify(bodies)).not.toContain(server().password)
  expect(client.stderr).not.toContain(server().password)
}, 60_000)

test('a database that is out of reach: the gate says where, and does not start', async () => {
  const files = newFiles('postgres://gate@127.0.0.1:1/none')
  const verified = await capfence(['audit', 'verify', '--trust-log', '--config', files.config])
  expect(verified.code).toBe(5)
  expect(verified.out).toContain('ECONNREFUSED')
  const { command, args } = gateCommand(files, 'raw')
  const client = new RawClient(command, args)
  client.send({ id: 1, method: 'initialize', params: {} })
  expect(await client.exit()).not.toBe(0)
  expect(client.stderr).toContain('postgres://gate@127.0.0.1:1/none')
}, 60_000)
