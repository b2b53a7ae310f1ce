import { afterEach } from 'vitest'
import type { ChannelEvents, CloseReason } from '../../src/transport/channel.ts'
import { startChild, type ChildChannel } from '../../src/transport/child.ts'
import type { Launch } from '../../src/transport/command.ts'
import { Reaper } from '../../src/transport/reaper.ts'
import type { Command } from './processes.ts'

const env = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
)

/** A started server and what it told. */
export interface Started {
  readonly child: ChildChannel
  readonly messages: string[]
  /** Everything that was told, in order; messages as their length. */
  readonly told: unknown[]
  readonly closed: Promise<CloseReason>
}

const reapers: Reaper[] = []
const children: ChildChannel[] = []
afterEach(async () => {
  await Promise.all(children.splice(0).map(async (child) => child.stop()))
  for (const reaper of reapers.splice(0)) reaper.close()
})

/** What differs from an ordinary start. */
export interface StartOptions extends Partial<Launch> {
  /** Without a reaper the server is started directly, with one through a shell. */
  readonly guarded?: boolean
  readonly events?: Partial<ChannelEvents>
  readonly maxMessageBytes?: number
}

/** Starts a server with short times; it is stopped when the test ends. */
export function start(command: Command, options: StartOptions = {}): Started {
  const { guarded = true, events = {}, maxMessageBytes, ...launch } = options
  const messages: string[] = []
  const told: unknown[] = []
  let onClose: (reason: CloseReason) => void = () => undefined
  const closed = new Promise<CloseReason>((resolve) => (onClose = resolve))
  const reaper = new Reaper(() => told.push('unguarded'))
  if (guarded) reapers.push(reaper)
  const child = startChild(
    { env, ...command, ...launch },
    {
      graceMs: 200,
      termMs: 200,
      ...(guarded ? { reaper } : {}),
      ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
    },
    {
      onMessage: (message) => {
        messages.push(Buffer.from(message).toString())
        told.push(message.length)
      },
      onOversize: (bytes) => told.push({ oversize: bytes }),
      onDrain: () => told.push('drain'),
      onClose: (reason) => {
        told.push('closed')
        onClose(reason)
      },
      ...events,
    },
  )
  children.push(child)
  return { child, messages, told, closed }
}

/** A server that is a shell script. */
export function shell(script: string): Command {
  return { command: 'sh', args: ['-c', script] }
}
