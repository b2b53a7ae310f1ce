import type { Readable, Writable } from 'node:stream'

import { limits } from '../limits.ts'
import type { Channel, ChannelEvents } from './channel.ts'
import { MessageReader } from './reader.ts'
import { MessageWriter } from './writer.ts'

/** The streams of a stdio gate, its limit, and where its messages go. */
export interface StdioOptions {
  /** Where the client writes; `process.stdin` unless given. */
  readonly input?: Readable
  /** Where the client reads; `process.stdout` unless given. */
  readonly output?: Writable
  /** The longest message taken from the client, bytes. */
  readonly maxMessageBytes?: number
  readonly events: ChannelEvents
}

/**
 * The client's side of a stdio gate.
 *
 * After `onClose` because of the end of the input, `send` still reaches a client that only closed its writing end. What
 * is sent to a client that is gone is dropped, and `send` says true: there is nothing to wait for.
 */
export interface StdioChannel extends Channel {
  /**
   * Waits until queued output has reached the pipe: `process.exit()` throws away what has not.
   *
   * @returns false when the client is gone or did not read within `withinMs` (1000 unless given); never rejects
   */
  flush(withinMs?: number): Promise<boolean>
  /** Takes no more messages and lets go of the input, so that it does not keep the process alive. */
  close(): void
}

/** Speaks to the client over this process's own standard streams. */
export function openStdio(options: StdioOptions): StdioChannel {
  const { events } = options
  let closed = false
  const close = (): void => {
    if (closed) return
    closed = true
    events.onClose({ code: null, signal: null })
  }
  const writer = new MessageWriter(options.output ?? process.stdout, {
    onDrain: () => events.onDrain(),
    onBroken: close,
  })
  const reader = new MessageReader(
    options.input ?? process.stdin,
    options.maxMessageBytes ?? limits.maxClientMessageBytes,
    {
      onMessage: (message) => events.onMessage(message),
      onOversize: (limitBytes) => events.onOversize(limitBytes),
      onOversizePart: (piece) => events.onOversizePart?.(piece),
      onEnd: close,
    },
  )
  return {
    send: (...pieces) => writer.send(pieces),
    pause: () => reader.pause(),
    resume: () => reader.resume(),
    get backlogBytes() {
      return writer.backlogBytes
    },
    flush: (withinMs = 1000) => writer.flush(withinMs),
    close: () => reader.abandon(),
  }
}
