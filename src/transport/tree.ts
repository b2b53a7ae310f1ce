import { CapFenceError } from '../errors.ts'
import type { ChannelEvents } from './channel.ts'
import { failedChild, startChild, type ChildChannel, type ChildOptions } from './child.ts'
import type { Launch } from './command.ts'
import { Reaper } from './reaper.ts'

/** What a `ProcessTree` tells its owner. */
export interface ProcessTreeOptions {
  /** Told when nothing would end the servers if this process were killed; `reason` is a line for people. */
  onUnguarded?(reason: string): void
}

/** Every server that this process runs, and the reaper that ends them should this process be killed. */
export class ProcessTree {
  readonly #children = new Set<ChildChannel>()
  readonly #reaper: Reaper | undefined
  #stopped = false

  constructor(options: ProcessTreeOptions = {}) {
    // On Windows the system itself ends the children of a process that was killed, though not what they started.
    if (process.platform === 'win32') return
    this.#reaper = new Reaper((reason) => options.onUnguarded?.(reason))
  }

  /** Starts a server as `startChild` does. After `stopAll` it refuses, as a server that cannot be started does. */
  start(
    launch: Launch,
    options: Omit<ChildOptions, 'reaper'>,
    events: ChannelEvents,
  ): ChildChannel {
    if (this.#stopped) return failedChild(Promise.resolve(shuttingDown(launch)), events)
    const reaper = this.#reaper === undefined ? {} : { reaper: this.#reaper }
    const child = startChild(
      launch,
      { ...options, ...reaper },
      {
        onMessage: (message) => events.onMessage(message),
        onOversize: (limitBytes) => events.onOversize(limitBytes),
        onOversizePart: (piece) => events.onOversizePart?.(piece),
        onDrain: () => events.onDrain(),
        onClose: (reason) => {
          void this.#forget(child)
          events.onClose(reason)
        },
      },
    )
    this.#children.add(child)
    return child
  }

  /** The pid of the reaper; undefined before the first server, and where there is none. */
  get reaperPid(): number | undefined {
    return this.#reaper?.pid
  }

  /** Ends all servers side by side, in less than two seconds; nothing is started afterwards. */
  async stopAll(): Promise<void> {
    this.#stopped = true
    await Promise.all([...this.#children].map(async (child) => child.stop()))
    this.#reaper?.close()
  }

  /** A server that ended is still in the tree until its helpers are gone. */
  async #forget(child: ChildChannel): Promise<void> {
    await child.stop()
    this.#children.delete(child)
  }
}

function shuttingDown(launch: Launch): CapFenceError {
  return new CapFenceError(
    'UPSTREAM_UNAVAILABLE',
    `\`${launch.command}\` is not started: the gate is shutting down`,
  )
}
