import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { hasCommand, requireOrSkip } from '../support/needs.ts'
import {
  blockedFor,
  contentsOf,
  limitFiles,
  listedOrphans,
  markerOf,
  pinOf,
  verifyWith,
} from './fault-kit.ts'
import { gateCommand, journalCalls, layOut, RawClient } from './gate.ts'
import type { GateFiles } from './gate.ts'

/** More for a long run: `CAPFENCE_FAULT_ROUNDS=200 npx vitest run test/e2e/random-faults.test.ts`. */
const rounds = Number(process.env['CAPFENCE_FAULT_ROUNDS'] ?? 15)

/** Sends calls, a few at a time, until it is told to stop; some take a while, so that they are under way at any moment. */
class Load {
  readonly #client: RawClient
  readonly #name: string
  #sent = 0
  #isOver = false
  readonly #running: Promise<void>

  constructor(client: RawClient, name: string) {
    this.#client = client
    this.#name = name
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      for (let index = 0; index < 4; index += 1) this.#send()
      await delay(2)
    }
  }

  #send(): void {
    const marker = `${this.#name}-${String(this.#sent)}`
    const name = this.#sent % 4 === 0 ? 'late' : 'echo'
    const params = { name, arguments: { marker } }
    this.#client.send({ id: marker, method: 'tools/call', params })
    this.#sent += 1
  }
}

/** A size that is reached at once, or in the middle of one of the next commits. */
function nearlyFull(files: GateFiles): number {
  const size = statSync(`${files.database}-wal`).size
  return Math.random() < 0.3 ? 0 : size + Math.floor(Math.random() * 60_000)
}

/** What happens to a gate under load, after a random time. */
const faults = [
  async ({ client }: Round) => kill(client),
  async ({ client, files, pid }: Round) => {
    limitFiles(pid, nearlyFull(files))
    await someTime()
    await kill(client)
  },
  async ({ client, files, pid }: Round) => {
    limitFiles(pid, nearlyFull(files))
    await someTime()
    limitFiles(pid, undefined)
    await someTime()
    await kill(client)
  },
  async ({ files, pid }: Round) => {
    limitFiles(pid, nearlyFull(files))
    await someTime()
    limitFiles(pid, undefined)
  },
  async ({ files, pid }: Round) => limitFiles(pid, nearlyFull(files)),
] as const

interface Round {
  readonly client: RawClient
  readonly files: GateFiles
  readonly pid: number
}

const someTime = (): Promise<void> => delay(5 + Math.random() * 80)

async function kill(client: RawClient): Promise<void> {
  client.process.kill('SIGKILL')
  await client.exit()
}

/** @returns the markers of calls that the gate said were blocked because they could not be recorded */
async function round(files: GateFiles, number: number): Promise<readonly string[]> {
  const { command, args } = gateCommand(files, 'raw')
  const client = new RawClient(command, args)
  try {
    await client.initialize()
    // The log is open once this is answered, and the load meets a gate at work.
    await client.call('echo', { marker: `${String(number)}-first` })
    const load = new Load(client, String(number))
    await someTime()
    const fault = faults[number % faults.length]
    await fault?.({ client, files, pid: client.process.pid ?? 0 })
    await someTime()
    await load.stop()
    await client.close()
  } finally {
    await kill(client)
  }
  return client.received
    .filter((message) => blockedFor(message) === 'audit_unavailable')
    .map(({ id }) => String(id))
}

test.skipIf(requireOrSkip('prlimit', hasCommand('prlimit')))(
  `B34: kill -9 and a full disk at ${String(rounds)} random moments under load: nothing was forwarded without a record, the log verifies each time, every orphan is listed`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'capfence-faults-'))
    try {
      const power = layOut(folder, { servers: { raw: 'raw' }, config: { audit: {} } })
      await round(power, 0)
      const pin = await pinOf(power)
      const blocked: string[] = []
      const orphans: number[] = []
      for (let number = 1; number <= rounds; number += 1) {
        const durability = number % 2 === 0 ? 'power' : 'process'
        const files = layOut(folder, {
          servers: { raw: 'raw' },
          config: { audit: { durability } },
        })
        blocked.push(...(await round(files, number)))

        expect(await verifyWith(pin, files)).toMatchObject({ verdict: 'ok', pinned: true })
        const { forwarded, open } = await contentsOf(files)
        const recorded = new Set(forwarded.values())
        const arrived = journalCalls(files, 'raw').map(markerOf)
        expect(arrived.filter((marker) => !recorded.has(marker))).toEqual([])
        expect(new Set(arrived).size).toBe(arrived.length)
        expect(arrived.filter((marker) => blocked.includes(marker))).toEqual([])
        expect(await listedOrphans(files)).toEqual(open)
        orphans.push(...open)
      }
      // Enough was blocked, and enough was cut off, for this to mean something.
      expect(blocked.length).toBeGreaterThan(rounds)
      expect(orphans.length).toBeGreaterThan(0)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
  60_000 + rounds * 10_000,
)
