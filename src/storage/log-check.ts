import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { CheckAnswer, CheckQuestion } from './check-worker.ts'

/** How often a log is verified while it is written. */
export interface CheckOptions {
  /** The database file, absolute. */
  readonly path: string
  /** Milliseconds from the start of one verification to that of the next; 0 for none. */
  readonly everyMs: number
  /** Called once: the log is not as it was written. */
  readonly onDamage: (reason: string) => void
}

/** How soon after the start the first one begins, milliseconds: a client waits for its first reply until then. */
const firstMs = 5000

/** What the thread may need, megabytes. */
const resourceLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 }

/** The program of the thread: beside this file, or where the command in its few large files finds it. */
const programs = ['./check-worker.js', '../../storage/check-worker.js']

/**
 * Verifies a log soon after it was opened and then from time to time, every record of it and every page, in a thread that
 * lets all others go first. It ends once damage was found, and it keeps no process running.
 *
 * A log that cannot be read at the moment is looked at again the next time; whoever writes to it finds that out sooner.
 *
 * @returns how to end it
 */
export function startChecks({ path, everyMs, onDamage }: CheckOptions): () => void {
  if (everyMs === 0) return () => undefined
  const stopped = new AbortController()
  const check = async (): Promise<void> => {
    const nextMs = performance.now() + everyMs
    const answer = await checked(path, stopped.signal)
    if (stopped.signal.aborted) return
    if (answer?.verdict === 'tampered') onDamage(answer.reason ?? 'nothing is said')
    else plan(Math.max(0, nextMs - performance.now()))
  }
  let timer: NodeJS.Timeout | undefined
  const plan = (ms: number): void => {
    timer = setTimeout(() => void check(), ms).unref()
  }
  plan(Math.min(firstMs, everyMs))
  return () => {
    clearTimeout(timer)
    stopped.abort()
  }
}

/** @returns undefined when there is no answer: it was stopped, or the thread could not do it */
async function checked(path: string, stopped: AbortSignal): Promise<CheckAnswer | undefined> {
  const program = programs
    .map((name) => new URL(name, import.meta.url))
    .find((url) => url.protocol === 'file:' && existsSync(url))
  if (program === undefined) return checkedHere(path)
  return new Promise((resolve) => {
    const question: CheckQuestion = { path }
    const worker = new Worker(program, { resourceLimits })
    worker.unref()
    worker.postMessage(question)
    stopped.addEventListener('abort', () => void worker.terminate(), { once: true })
    worker.once('message', (answer: CheckAnswer) => resolve(answer))
    // No answer says nothing about the log. Commits compare its end with its signed head all the same.
    worker.once('error', () => resolve(undefined))
    worker.once('exit', () => resolve(undefined))
  })
}

/** Where the sources are run as they are, there is no program for a thread. */
async function checkedHere(path: string): Promise<CheckAnswer> {
  const { verifyLog } = await import('./verify-log.ts')
  const { report } = await verifyLog(path, { trustLog: true })
  return { verdict: report.verdict, reason: report.reason }
}
