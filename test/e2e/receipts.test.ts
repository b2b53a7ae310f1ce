import Database from 'better-sqlite3'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { openCheckpoint } from '../../src/audit/checkpoint.ts'
import { inclusionRanges, RangeRoots, verifyInclusion } from '../../src/audit/merkle-proof.ts'
import { parseVerifierKey } from '../../src/audit/note.ts'
import { receiptKey } from '../../src/mcp/receipt.ts'
import { gateCommand, layOut, RawClient, type GateFiles, type Wire } from './gate.ts'

const home = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-receipts-')))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const clients: RawClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})

const policy = 'version: 1\nallow:\n  - "*"\ndeny:\n  - "raw.big.*"\n'

async function start(audit: object): Promise<{ files: GateFiles; client: RawClient }> {
  const folder = mkdtempSync(join(home, 'gate-'))
  const files = layOut(folder, { servers: { raw: 'raw' }, policy, config: { audit } })
  const { command, args } = gateCommand(files, 'raw')
  const client = new RawClient(command, args)
  clients.push(client)
  await client.initialize()
  return { files, client }
}

interface Receipt {
  readonly v: number
  readonly seq: number
  readonly leaf: string
  readonly size: number
  readonly checkpoint: string
}

function receiptOf({ result }: Wire): Receipt | undefined {
  const meta = result?.['_meta'] as Record<string, Receipt> | undefined
  return meta?.[receiptKey]
}

/** The log as it stands in its file, read past the gate. */
function logOf({ database }: GateFiles) {
  const db = new Database(database, { readonly: true })
  const rows = db
    .prepare<[], { leaf: Buffer; body: Buffer }>('SELECT leaf, body FROM records ORDER BY seq')
    .all()
  db.close()
  const records = rows.map(({ leaf, body }) => ({
    leaf: leaf.toString('hex'),
    ...(JSON.parse(body.toString()) as { t: string; log: string; d: Record<string, unknown> }),
  }))
  return { records, origin: records[0]?.log ?? '', vkey: String(records[0]?.d['vkey']) }
}

/** Everything that a client who has pinned the log's key can check of a receipt, with the log at hand. */
function expectReceipt(files: GateFiles, reply: Wire): Record<string, unknown> {
  const receipt = receiptOf(reply)
  if (receipt === undefined) throw new Error('there is no receipt')
  const { records, origin, vkey } = logOf(files)
  const { seq, leaf, size, checkpoint } = receipt
  expect(receipt.v).toBe(1)
  const opened = openCheckpoint(checkpoint, origin, [parseVerifierKey(vkey)])
  expect(opened.size).toBe(size)
  expect(size).toBeGreaterThan(seq)
  const roots = new RangeRoots(inclusionRanges(seq, size))
  for (const record of records.slice(0, size)) roots.push(record.leaf)
  const proof = roots.roots()
  expect(verifyInclusion({ index: seq, size, leaf, proof, root: opened.root })).toBe(true)
  const record = records[seq]
  expect(record).toMatchObject({ t: 'decision', leaf })
  return record?.d ?? {}
}

describe.each(['power', 'process'])('with receipts, and durability `%s`', (durability) => {
  test('a result says where its decision stands, in a checkpoint that covers it', async () => {
    const { files, client } = await start({ durability, receipts: true })
    for (let call = 0; call < 5; call += 1) {
      const reply = await client.call('echo', { n: call })
      expect(expectReceipt(files, reply)).toMatchObject({ tool: 'echo', decision: 'allow' })
    }
  })

  test('so does one that says that the tool failed, and one that blocks a call', async () => {
    const { files, client } = await start({ durability, receipts: true })
    const failed = await client.call('fails')
    expect(failed.result?.['isError']).toBe(true)
    expect(expectReceipt(files, failed)).toMatchObject({ tool: 'fails', decision: 'allow' })
    const denied = await client.call('big')
    expect(denied.result?.['isError']).toBe(true)
    expect(expectReceipt(files, denied)).toMatchObject({ tool: 'big', decision: 'deny' })
    expect(denied.result?.['_meta']).toHaveProperty(['dev.capfence/decision'])
  })

  test('each of many calls at once has its own', async () => {
    const { files, client } = await start({ durability, receipts: true })
    const replies = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => client.call('late', { n, ms: 30 - n })),
    )
    const seqs = replies.map((reply) => receiptOf(reply)?.seq)
    expect(new Set(seqs).size).toBe(30)
    for (const reply of replies) expectReceipt(files, reply)
  })
})

test('with receipts every other byte of a result is as the server wrote it', async () => {
  const { client } = await start({ receipts: true })
  const reply = await client.call('odd_order')
  const line = client.lines.find((one) => one.includes('9007199254740993')) ?? ''
  const receipt = JSON.stringify(receiptOf(reply))
  expect(line.replace(`"_meta":{"${receiptKey}":${receipt}},`, '')).toBe(
    '{"result":{"content":[],"big":9007199254740993},"id":1,"jsonrpc":"2.0"}',
  )
})

test('what is no result has no receipt, and neither has any result where none is asked for', async () => {
  const { client } = await start({ receipts: true })
  const unknown = await client.call('unknown')
  expect(unknown.error).toBeDefined()
  expect(JSON.stringify(unknown)).not.toContain(receiptKey)
  const without = await start({ durability: 'power' })
  expect(await without.client.call('echo')).not.toHaveProperty(['result', '_meta'])
})
