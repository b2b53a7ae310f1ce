import { spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { root } from '../support/root.ts'

/** A command as the gate starts it. */
export interface Command {
  readonly command: string
  readonly args: readonly string[]
  /** Variables beside those of the gate. */
  readonly env?: Readonly<Record<string, string>>
}

/** One of the programs of fixtures/servers. */
export function fixture(name: string, ...args: readonly (string | number)[]): Command {
  return {
    command: process.execPath,
    args: [`${root}/fixtures/servers/${name}.mjs`, ...args.map(String)],
  }
}

/** A function that gives the next line each time; it rejects when there is none. Takes the stream only when called. */
export function linesOf(stream: Readable): () => Promise<string> {
  let lines: AsyncIterator<string> | undefined
  return async () => {
    lines ??= createInterface({ input: stream })[Symbol.asyncIterator]()
    const next = await lines.next()
    if (next.done === true) throw new Error('the stream ended')
    return next.value
  }
}

/** Whether a process runs; the dead whom nobody has collected do not. */
export function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z')
}

/** The pids of the running processes whose command line contains a text. */
export function runningWith(text: string): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,stat=,args='], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, state, ...args]) => state?.startsWith('Z') === false && args.join(' ').includes(text),
    )
    .map(([pid]) => Number(pid))
}

/** Resolves when the condition holds; generous, because the machine may be busy. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`it should come about that ${what}`)
    await pause(20)
  }
}

/** Waits. */
export async function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** A text that no other test uses, to find processes by. */
export function uniqueTag(): string {
  return `tag-${process.pid}-${Math.random().toString(36).slice(2)}`
}

/** Frees what nobody refers to any more. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc()')
}
