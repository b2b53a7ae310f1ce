import type { ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Channel, ChannelEvents, CloseReason } from './channel.ts'
import { shellFailure, startFailure, type Launch } from './command.ts'
import { becomesTrue, endGroup, posixGroup, stopTimes, type ProcessGroup } from './group.ts'
import { MessageReader } from './reader.ts'
import type { Reaper } from './reaper.ts'
import { spawnServer, type SpawnedServer } from './spawn.ts'
import { windowsTree } from './windows.ts'
import { MessageWriter } from './writer.ts'

/** Bounds on a server; each has a default (limits.ts, `stopTimes`). */
export interface ChildOptions {
  /** The longest message taken from the server, bytes. */
  readonly maxMessageBytes?: number
  /** How long the server may take to end after the end of its input, milliseconds. */
  readonly graceMs?: number
  /** How long after SIGTERM, milliseconds. */
  readonly termMs?: number
  /** Ends the server when this process is killed; without it a stubborn one survives that. */
  readonly reaper?: Reaper
}

/** A server that runs as a child process. */
export interface ChildChannel extends Channel {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined
  /** True from the moment on at which `send` would throw. */
  readonly closed: boolean
  /**
   * Queues one message, like every channel.
   *
   * @throws CapFenceError `UPSTREAM_UNAVAILABLE` when the server has gone: not one byte of the message was written
   */
  send(...pieces: readonly Uint8Array[]): boolean
  /**
   * Ends the server and every process of its group: end of input, SIGTERM, SIGKILL, in less than two seconds.
   *
   * Messages are delivered meanwhile. Resolves after `onClose`, when nothing of the group runs any more. May be called
   * again, and after the server ended by itself, to wait for its helpers.
   */
  stop(): Promise<void>
}

/**
 * Starts a server. A failure to start is told by `onClose` with an `error`, never by an exception.
 *
 * Its standard error is this process's own. Every `send` that returned false is followed by `onDrain`, at the latest
 * just before `onClose`. What the server wrote before it ended is delivered before `onClose`.
 */
export function startChild(
  launch: Launch,
  options: ChildOptions,
  events: ChannelEvents,
): ChildChannel {
  try {
    const server = spawnServer(launch, options.reaper)
    const { pid, stdin, stdout } = server.process
    if (pid === undefined) return failedChild(spawnError(launch, server.process), events)
    if (stdin === null || stdout === null) throw new Error('bug: it should have pipes')
    return new RunningChild({ launch, options, events, server, pid, stdin, stdout })
  } catch (error) {
    const failure = error instanceof CapFenceError ? error : startFailure(launch, error)
    return failedChild(Promise.resolve(failure), events)
  }
}

async function spawnError(launch: Launch, child: ChildProcess): Promise<CapFenceError> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(startFailure(launch, error)))
  })
}

/** A server that could not be started, for a reason that is known soon. */
export function failedChild(failure: Promise<CapFenceError>, events: ChannelEvents): ChildChannel {
  const told = failure.then((error) => events.onClose({ code: null, signal: null, error }))
  return {
    pid: undefined,
    closed: true,
    send: () => {
      throw gone()
    },
    pause: () => undefined,
    resume: () => undefined,
    backlogBytes: 0,
    stop: async () => told,
  }
}

function gone(): CapFenceError {
  return new CapFenceError('UPSTREAM_UNAVAILABLE', 'the server has gone')
}

interface Parts {
  readonly launch: Launch
  readonly options: ChildOptions
  readonly events: ChannelEvents
  readonly server: SpawnedServer
  readonly pid: number
  readonly stdin: Writable
  readonly stdout: Readable
}

class RunningChild implements ChildChannel {
  readonly pid: number
  readonly #parts: Parts
  readonly #reader: MessageReader
  readonly #writer: MessageWriter
  readonly #group: ProcessGroup
  readonly #exited: Promise<CloseReason>
  readonly #outputEnded: Promise<void>
  readonly #closed: Promise<void>
  #hasExited = false
  #spoke = false
  #stopping = false
  #ending: Promise<void> | undefined
  #groupEnd: Promise<void> | undefined

  constructor(parts: Parts) {
    this.pid = parts.pid
    this.#parts = parts
    this.#group = groupOf(parts.pid, () => this.#hasExited)
    this.#exited = exitOf(parts.server.process)
    this.#writer = new MessageWriter(parts.stdin, {
      onDrain: () => parts.events.onDrain(),
      // A server that closed its input but lives on serves nobody; it is ended, so that waiting calls are answered.
      onBroken: () => {
        if (!this.#hasExited) void this.#end()
      },
    })
    const { reader, ended } = this.#read()
    this.#reader = reader
    this.#outputEnded = ended
    this.#closed = this.#close()
  }

  get closed(): boolean {
    return this.#hasExited || this.#writer.broken || this.#ending !== undefined
  }

  get backlogBytes(): number {
    return this.#writer.backlogBytes
  }

  send(...pieces: readonly Uint8Array[]): boolean {
    if (this.closed) throw gone()
    return this.#writer.send(pieces)
  }

  pause(): void {
    this.#reader.pause()
  }

  resume(): void {
    this.#reader.resume()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#end()
    // Not for ever: the system cannot end a process that hangs in a broken disk or driver.
    await settledWithin(this.#closed, 2 * stopTimes.outputMs)
  }

  #read(): { reader: MessageReader; ended: Promise<void> } {
    const { events, options, stdout } = this.#parts
    let onEnd: () => void = () => undefined
    const ended = new Promise<void>((resolve) => {
      onEnd = resolve
    })
    const maxMessageBytes = options.maxMessageBytes ?? limits.maxUpstreamMessageBytes
    const reader = new MessageReader(stdout, maxMessageBytes, {
      onMessage: (message) => {
        this.#spoke = true
        events.onMessage(message)
      },
      onOversize: (limitBytes) => events.onOversize(limitBytes),
      onOversizePart: (piece) => events.onOversizePart?.(piece),
      // A server without output answers nobody: it is ended, so that waiting calls are answered.
      onEnd: () => {
        onEnd()
        if (!this.#hasExited) void this.#end()
      },
    })
    return { reader, ended }
  }

  async #end(): Promise<void> {
    this.#ending ??= this.#endInSteps()
    return this.#ending
  }

  async #endInSteps(): Promise<void> {
    if (!this.#hasExited) this.#group.look()
    this.#writer.end()
    await settledWithin(this.#exited, this.#parts.options.graceMs ?? stopTimes.graceMs)
    await this.#endGroup()
  }

  async #endGroup(): Promise<void> {
    this.#groupEnd ??= endGroup(this.#group, this.#parts.options.termMs ?? stopTimes.termMs).then(
      () => this.#parts.options.reaper?.forget(this.pid),
    )
    return this.#groupEnd
  }

  async #close(): Promise<void> {
    const reason = await this.#exited
    this.#hasExited = true
    // Helpers must neither outlive their server nor hold its output open.
    const groupEnd = this.#endGroup()
    await Promise.race([this.#outputEnded, groupEnd.then(async () => this.#giveUpOnOutput())])
    this.#writer.abandon()
    this.#parts.events.onClose(this.#explain(reason))
  }

  /**
   * Everybody who should hold the pipe is gone, so its end is near; but somebody who left the group may hold it for
   * ever. A slow receiver is waited for, unless we are stopping.
   */
  async #giveUpOnOutput(): Promise<void> {
    let readingSinceMs: number | undefined
    await becomesTrue(() => {
      if (this.#reader.done) return true
      const nowMs = performance.now()
      if (this.#reader.paused && !this.#stopping) readingSinceMs = undefined
      else readingSinceMs ??= nowMs
      const patienceMs = this.#stopping ? stopTimes.outputMs : 1000
      return readingSinceMs !== undefined && nowMs - readingSinceMs > patienceMs
    }, Infinity)
    this.#reader.abandon()
  }

  #explain(reason: CloseReason): CloseReason {
    if (!this.#parts.server.throughShell || this.#spoke) return reason
    if (reason.code !== 126 && reason.code !== 127) return reason
    return { ...reason, error: shellFailure(this.#parts.launch, reason.code) }
  }
}

function groupOf(pid: number, leaderGone: () => boolean): ProcessGroup {
  return process.platform === 'win32' ? windowsTree(pid, leaderGone) : posixGroup(pid)
}

async function exitOf(child: ChildProcess): Promise<CloseReason> {
  // Once it runs, the only error is a signal that could not be sent; that is no end, and must not end this process.
  child.on('error', () => undefined)
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    void promise.finally(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
