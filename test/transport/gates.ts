import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { dist } from '../support/dist.ts'
import { linesOf, type Command } from './processes.ts'

/** A small gate (gate.mjs) that runs as a process of its own. */
export interface Gate {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>
  /** The next line that it writes for the client. */
  line(): Promise<string>
  /** The next thing it says on standard error. */
  said(): Promise<Record<string, unknown>>
  /** Resolves when it has ended and its streams are closed. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>
}

const started: ChildProcess[] = []
afterAll(() => started.forEach((gate) => gate.kill('SIGKILL')))

/** Starts a gate in front of servers; what is left of it is killed after the last test of the file. */
export function startGate(...servers: readonly Command[]): Gate {
  const script = fileURLToPath(new URL('gate.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, dist, JSON.stringify(servers)], {
    // A group of its own, so that a test can signal all of it.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => undefined)
  started.push(child)
  const sayings = linesOf(child.stderr)
  return {
    process: child,
    line: linesOf(child.stdout),
    said: async () => JSON.parse(await sayings()) as Record<string, unknown>,
    ended: new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal }))
    }),
  }
}
