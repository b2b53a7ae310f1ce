import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { hasCommand, requireOrSkip } from '../support/needs.ts'
import { startGate, type Gate } from './gates.ts'
import { fixture, pause } from './processes.ts'

const skip = requireOrSkip('ps', process.platform !== 'win32' && hasCommand('ps'))

/** The memory a process occupies now, megabytes. */
function residentMB(pid: number | undefined): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })
  return Number(stdout) / 1024
}

/** Reads what the gate writes, slowly at first; gives the largest size of the gate meanwhile, once all has come. */
async function readSlowly(gate: Gate, expectedBytes: number): Promise<number> {
  let bytes = 0
  let chunks = 0
  let maxMB = 0
  await pause(1000)
  for await (const chunk of gate.process.stdout) {
    bytes += (chunk as Buffer).length
    chunks += 1
    if (chunks % 400 === 0) {
      maxMB = Math.max(maxMB, residentMB(gate.process.pid))
      await pause(5)
    }
    // Not before: a gate whose client closes its end gives its servers less than a second.
    if (bytes === expectedBytes) gate.process.stdin.end()
  }
  expect(bytes).toBe(expectedBytes)
  return maxMB
}

describe.skipIf(skip)('B32: memory is flat, whoever is slow', () => {
  // Node alone takes about 50 MB; without back-pressure the gate would hold most of 500.
  const flatMB = 250

  test('500 MB from a server to a client that reads slowly', { timeout: 120_000 }, async () => {
    const [lines, lineBytes] = [10_000, 50_000]
    const gate = startGate(fixture('flood', lines, lineBytes))
    const maxMB = await readSlowly(gate, lines * lineBytes + '"end"\n'.length)
    expect(maxMB).toBeGreaterThan(0)
    expect(maxMB).toBeLessThan(flatMB)
  })

  test(
    '300 MB from a client to a server whose replies are read slowly, and back',
    { timeout: 120_000 },
    async () => {
      const [lines, lineBytes] = [6000, 50_000]
      const gate = startGate(fixture('echo'))
      const line = Buffer.from(`${'x'.repeat(lineBytes - 1)}\n`)
      const writing = (async () => {
        for (let sent = 0; sent < lines; sent += 1) {
          if (!gate.process.stdin.write(line)) await once(gate.process.stdin, 'drain')
        }
      })()
      const [maxMB] = await Promise.all([readSlowly(gate, lines * lineBytes), writing])
      expect(maxMB).toBeGreaterThan(0)
      expect(maxMB).toBeLessThan(flatMB)
    },
  )

  test(
    '500 MB without a newline, of which the limit is kept at most',
    { timeout: 120_000 },
    async () => {
      const gate = startGate(fixture('echo'))
      await gate.said()
      const block = Buffer.alloc(1_000_000, 'x')
      let maxMB = 0
      for (let sent = 0; sent < 500; sent += 1) {
        if (!gate.process.stdin.write(block)) await once(gate.process.stdin, 'drain')
        if (sent % 50 === 49) maxMB = Math.max(maxMB, residentMB(gate.process.pid))
      }
      gate.process.stdin.write('\nok\n')
      expect(await gate.line()).toBe('ok')
      expect(await gate.said()).toEqual({ oversize: expect.any(Number) as number })
      expect(maxMB).toBeLessThan(flatMB)
    },
  )
})

describe.skipIf(skip)('nothing is lost when the gate ends', () => {
  test('a reply of 10 MB is complete, although the gate exits as soon as its client is gone', async () => {
    const gate = startGate(fixture('echo'))
    const large = Buffer.alloc(10_000_000, 'x')
    gate.process.stdin.write(large)
    gate.process.stdin.end('\n')
    let bytes = 0
    for await (const chunk of gate.process.stdout) {
      if (bytes === 0) await pause(200)
      bytes += (chunk as Buffer).length
    }
    expect(bytes).toBe(large.length + 1)
    expect(await gate.ended).toEqual({ code: 0, signal: null })
  })

  test('a client that goes away in the middle of a reply ends the gate, not with an exception', async () => {
    const gate = startGate(fixture('flood', 1000, 50_000))
    await once(gate.process.stdout, 'readable')
    gate.process.stdout.destroy()
    expect(await gate.ended).toEqual({ code: 0, signal: null })
  })
})

describe.skipIf(skip)('B29: order is kept per direction', () => {
  test('10,000 messages of all sizes come back in the order in which they were sent', async () => {
    const gate = startGate(fixture('echo'))
    const sent = Array.from(
      { length: 10_000 },
      (_, index) => `${index}:${'x'.repeat((index * 7919) % 5000)}`,
    )
    gate.process.stdin.write(sent.map((line) => `${line}\n`).join(''))
    for (const line of sent) {
      if ((await gate.line()) !== line) expect.fail(`${line.slice(0, 20)} is not in its place`)
    }
  })
})
