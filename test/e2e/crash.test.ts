import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verifyChain } from '../../src/audit/chain.ts'
import type { StoredRecord } from '../../src/audit/record.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { gateCommand, journalCalls, layOut, RawClient } from './gate.ts'
import type { GateFiles } from './gate.ts'

const rounds = Number(process.env['CAPFENCE_CRASH_ROUNDS'] ?? 50)

/** What the log says of forwarded calls, by the marker in their arguments. */
async function forwarded(log: SQLiteLog): Promise<ReadonlySet<string>> {
  const markers = new Set<string>()
  const records: readonly StoredRecord[] = await log.records(0, 1_000_000)
  for (const { seq, type, data } of records) {
    if (type !== 'decision' || data['forwarded'] !== true) continue
    for (const { encoded } of await log.disclosures(seq)) {
      const [, , value] = JSON.parse(Buffer.from(encoded, 'base64url').toString()) as unknown[]
      markers.add(String(value))
    }
  }
  return markers
}

async function round(files: GateFiles, number: number): Promise<void> {
  const { command, args } = gateCommand(files, 'raw')
  const client = new RawClient(command, args)
  await client.initialize()
  await client.call('echo', { marker: `m-${String(number)}-first` })
  const until = Date.now() + Math.random() * 60
  for (let n = 0; n < 10 || Date.now() < until; n += 1) {
    client.send({
      id: 1000 + n,
      method: 'tools/call',
      params: {
        name: n % 3 === 0 ? 'late' : 'echo',
        arguments: { marker: `m-${String(number)}-${String(n)}` },
      },
    })
    // A few at a time, so that the gate is somewhere else each time.
    if (n % 5 === 4) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  client.process.kill('SIGKILL')
  await client.exit()
}

test(
  `B34: kill -9 at ${String(rounds)} random moments: nothing was forwarded without a durable decision, the chain holds, orphans are listed`,
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'capfence-crash-'))
    try {
      const files = layOut(folder, { servers: { raw: 'raw' } })
      for (let number = 0; number < rounds; number += 1) await round(files, number)
      const log = SQLiteLog.open(files.database)
      const report = verifyChain(await log.rows(0, 1_000_000))
      expect(report.bad).toBeNull()
      const allowed = await forwarded(log)
      const arrived = journalCalls(files, 'raw').map(({ params }) =>
        String((params?.['arguments'] as { marker?: string } | undefined)?.marker),
      )
      // Enough calls got through, and enough were cut off, for this to mean something.
      expect(arrived.length).toBeGreaterThan(rounds)
      expect(arrived.filter((marker) => !allowed.has(marker))).toEqual([])
      expect(new Set(arrived).size).toBe(arrived.length)
      const orphans = await log.orphans()
      expect(orphans.length).toBeGreaterThan(0)
      expect(orphans.map(({ seq }) => seq)).toEqual(report.orphans.map(({ seq }) => seq))
      await log.close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
