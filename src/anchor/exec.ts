import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Checkpoint } from '../audit/checkpoint.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'

/** A program and its arguments; no shell sees them. */
export type Command = readonly [program: string, ...args: string[]]

/** How a command is run. */
export interface ExecOptions {
  /** Absolute. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly timeoutMs: number
  /** Ends it before. */
  readonly stopped: AbortSignal
}

/** A signed checkpoint, and what it says. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: string
}

/**
 * Hands a signed checkpoint to a command: the note on its standard input, what it says in its environment.
 *
 * @throws CapFenceError `ANCHOR_FAILED` unless it ends with exit code 0 in time; the text ends with what it said last
 */
export async function execAnchor(
  command: Command,
  checkpoint: SignedCheckpoint,
  options: ExecOptions,
): Promise<void> {
  const [program, ...args] = command
  const child = spawn(program, args, {
    cwd: options.folder,
    env: environmentOf(checkpoint, options.environment),
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    // A group of its own, so that what it started ends with it; Windows has no groups, and would open a window.
    detached: process.platform !== 'win32',
  })
  const [said, complained] = [new LastBytes(child.stdout), new LastBytes(child.stderr)]
  // Commands need not read the note; closing the pipe early is their right.
  child.stdin.on('error', () => undefined)
  child.stdin.end(checkpoint.note)
  const failure = await endOf(child, options)
  if (failure === undefined) return
  const words = complained.text() === '' ? said.text() : complained.text()
  throw new CapFenceError(
    'ANCHOR_FAILED',
    `\`${program}\` ${failure}${words === '' ? '' : `: ${words}`}`,
  )
}

/** The gate's own variables name its keys and files: no command gets them. */
function environmentOf(
  { origin, size, root }: Checkpoint,
  inherited: ExecOptions['environment'],
): Record<string, string> {
  const kept = Object.entries(inherited).flatMap(([name, value]) =>
    value === undefined || /^CAPFENCE_/i.test(name) ? [] : [[name, value] as const],
  )
  return {
    ...Object.fromEntries(kept),
    CAPFENCE_ANCHOR_ORIGIN: origin,
    CAPFENCE_ANCHOR_SIZE: String(size),
    CAPFENCE_ANCHOR_ROOT: root,
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** @returns why it failed; undefined when it did not */
async function endOf(
  child: Child,
  { timeoutMs, stopped }: ExecOptions,
): Promise<string | undefined> {
  const isClosed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const failure = await new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(
      () => resolve(`took longer than ${timeoutMs} ms, and was stopped`),
      timeoutMs,
    )
    const end = (what: string | undefined): void => {
      clearTimeout(timer)
      stopped.removeEventListener('abort', stop)
      resolve(what)
    }
    const stop = (): void => end('was stopped, because the gate ends')
    stopped.addEventListener('abort', stop)
    if (stopped.aborted) stop()
    child.once('error', ({ message }) => end(`could not be started: ${message}`))
    child.once('exit', (code, signal) => end(endText(code, signal)))
  })
  stopAll(child)
  // Its last words may still be in the pipes; what it left running elsewhere may hold them open for ever.
  await Promise.race([isClosed, delay(lastWordsMs, undefined, { ref: false })])
  child.stdin.destroy()
  child.stdout.destroy()
  child.stderr.destroy()
  return failure
}

const lastWordsMs = 500

function endText(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (code === 0) return undefined
  return code === null ? `was ended by ${signal ?? 'a signal'}` : `ended with exit code ${code}`
}

/** Ends the command, if it still runs, and whatever of its group does. */
function stopAll(child: Child): void {
  if (child.pid === undefined) return
  if (process.platform === 'win32') {
    child.kill('SIGKILL')
    return
  }
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nobody is left.
  }
}

/** Reads everything and keeps the end of it: errors stand there. */
class LastBytes {
  #kept = Buffer.alloc(0)

  constructor(stream: Readable) {
    stream.on('data', (bytes: Buffer) => this.#push(bytes))
  }

  #push(bytes: Buffer): void {
    const all = Buffer.concat([this.#kept, bytes.subarray(-limits.maxAnchorOutputBytes)])
    this.#kept = all.subarray(-limits.maxAnchorOutputBytes)
  }

  /** The last lines as one; whoever shows it escapes it. */
  text(): string {
    return this.#kept
      .toString('utf8')
      .trim()
      .replaceAll(/\s*\n\s*/g, ' / ')
  }
}
