import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { journalLines } from './gate.ts'
import { root } from '../support/root.ts'

/** A server of the official SDK over Streamable HTTP, in a process of its own. */
export interface HttpServerProcess {
  readonly url: string
  readonly process: ChildProcess
  /** What it wrote down of each request: method, session, revision, credentials, whether a stream is resumed. */
  requests(): readonly string[]
  /** Forgets every session, as a server does that was started again. */
  forget(): Promise<void>
  stop(): Promise<void>
}

export async function startHttpServer(
  version: 'v1' | 'v2',
  folder: string,
  ...flags: readonly string[]
): Promise<HttpServerProcess> {
  const journal = join(folder, `http-${version}.journal`)
  const file = join(root, 'fixtures/servers/http.mjs')
  const child = spawn(process.execPath, [file, version, '--journal', journal, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', () => reject(new Error('the server ended before it listened')))
  })
  return {
    url,
    process: child,
    requests: () => journalLines(journal),
    forget: async () => void (await fetch(new URL('/forget', url))),
    stop: async () => {
      child.kill('SIGKILL')
      await exit
    },
  }
}
