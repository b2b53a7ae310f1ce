import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hasCommand, requireOrSkip } from '../support/needs.ts'
import { gateCommand, layOut, RawClient } from './gate.ts'

/** One system call of the trace, in the order in which they began. */
interface Call {
  readonly kind: 'sync' | 'forward' | 'other'
}

const calls = 100

/** Reads what strace wrote for the gate's own process: syncs that succeeded, and writes of a call towards the server. */
function readTrace(path: string): readonly Call[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line): Call => {
      if (/^(?:fdatasync|fsync)\(.*= 0$/.test(line)) return { kind: 'sync' }
      if (/^(?:write|writev)\(.*marker-\d+/.test(line) && !line.startsWith('write(1,')) {
        return { kind: 'forward' }
      }
      return { kind: 'other' }
    })
}

test.skipIf(requireOrSkip('strace', hasCommand('strace'))).each([
  ['power durability', { durability: 'power' }],
  ['receipts, whatever the durability', { durability: 'process', receipts: true }],
])('%s: the log is synced to disk before each call is written to the server', async (_, audit) => {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-strace-'))
  try {
    const files = layOut(folder, {
      servers: { raw: 'raw' },
      config: { audit },
    })
    const trace = join(folder, 'trace')
    const { command, args } = gateCommand(files, 'raw')
    // The main thread only (-f would follow the server): it is the one that syncs and that writes to the pipe.
    const strace = [
      '-o',
      trace,
      '-e',
      'trace=fdatasync,fsync,write,writev',
      '-s',
      '300',
      command,
      ...args,
    ]
    const client = new RawClient('strace', strace)
    await client.initialize()
    for (let n = 0; n < calls; n += 1) await client.call('echo', { text: `marker-${String(n)}` })
    await client.close()
    expect(existsSync(trace)).toBe(true)
    const seen = readTrace(trace)
    expect(seen.filter(({ kind }) => kind === 'forward')).toHaveLength(calls)
    let syncsSinceForward = 0
    for (const { kind } of seen) {
      if (kind === 'sync') syncsSinceForward += 1
      if (kind !== 'forward') continue
      expect(syncsSinceForward).toBeGreaterThan(0)
      syncsSinceForward = 0
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
