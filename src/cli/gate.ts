import { createHash, randomBytes } from 'node:crypto'

import type { Config } from '../config/config.ts'
import { definitionHash } from '../mcp/definition.ts'
import { Session } from '../proxy/session.ts'
import type { SessionServer } from '../proxy/session.ts'
import { RestartPolicy } from '../transport/restart.ts'
import { openStdio } from '../transport/stdio.ts'
import type { StdioChannel } from '../transport/stdio.ts'
import type { ProcessTree } from '../transport/tree.ts'
import { LateGate } from './late-gate.ts'
import type { LiveLock } from './live-lock.ts'
import type { OpenGate } from './open-gate.ts'
import { say } from './say.ts'
import { version } from './version.ts'

/** The key under which clients usually have this gate; it counts towards their limits on tool names. */
const endpointKey = 'capfence'

/** A server of the gate: its names, and how it is started. */
export type GateServer = Omit<SessionServer, 'backoff'>

/**
 * Serves the client on standard input and output until it goes or a signal comes.
 *
 * @param tree where the servers run; empty when this returns
 * @param lock what the servers may be
 * @returns the exit code: 0 after an orderly end
 * @throws CapFenceError when the policy or the log cannot be opened; no call was forwarded then
 */
export async function serve(
  config: Config,
  servers: readonly GateServer[],
  tree: ProcessTree,
  lock: LiveLock,
): Promise<number> {
  return new Gate(config, servers, tree, lock).serve()
}

/** One client, its servers and the gate between them, from start to end. */
class Gate {
  readonly #config: Config
  readonly #tree: ProcessTree
  readonly #lock: LiveLock
  readonly #late = new LateGate()
  readonly #stdio: StdioChannel
  readonly #session: Session
  #open: OpenGate | undefined
  #end: (reason: string) => void = () => undefined
  readonly #ended: Promise<string>

  constructor(config: Config, servers: readonly GateServer[], tree: ProcessTree, lock: LiveLock) {
    this.#config = config
    this.#tree = tree
    this.#lock = lock
    this.#ended = new Promise((resolve) => {
      this.#end = resolve
    })
    // The session is made first, but hears from the client only in a later turn of the event loop.
    this.#stdio = this.#openStdio()
    this.#session = this.#openSession(servers)
  }

  async serve(): Promise<number> {
    this.#listenToSignals()
    try {
      await this.#start()
    } catch (error) {
      await this.#tree.stopAll()
      this.#stdio.close()
      throw error
    }
    const reason = await this.#ended
    await this.#stop(reason)
    return 0
  }

  /** Opens the log and loads the policy; meanwhile the server may already start, and calls wait. */
  async #start(): Promise<void> {
    const { openGate } = await import('./open-gate.ts')
    this.#open = await openGate(this.#config, this.#lock, say)
    this.#late.open(this.#open.gateFor(this.#config.actor))
  }

  async #stop(reason: string): Promise<void> {
    say(`ends: ${reason}`)
    await this.#session.close()
    await this.#tree.stopAll()
    await this.#open?.close()
    await this.#stdio.flush()
    this.#stdio.close()
  }

  #openStdio(): StdioChannel {
    const { maxClientMessageBytes } = this.#config.limits
    return openStdio({
      maxMessageBytes: maxClientMessageBytes,
      events: {
        onMessage: (message) => this.#session.receive(message),
        onOversize: (limitBytes) => this.#session.oversize(limitBytes),
        onOversizePart: (piece) => this.#session.oversizePart(piece),
        onDrain: () => this.#session.clientDrained(),
        onClose: () => this.#end('the client has gone'),
      },
    })
  }

  #openSession(servers: readonly GateServer[]): Session {
    return new Session({
      downstream: {
        send: (_about, ...pieces) => {
          if (!this.#stdio.send(...pieces)) this.#session.clientCongested(this.#stdio.backlogBytes)
        },
      },
      servers: servers.map((server) => ({
        ...server,
        backoff: new RestartPolicy({ now: () => performance.now() }),
      })),
      gate: this.#late,
      unknownMethods: this.#config.unknownMethods,
      endpointKey,
      software: { name: 'capfence', version },
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      hashDefinition: definitionHash,
      pins: this.#lock,
      cursorKey: randomBytes(32),
      onCongestion: (congested) => {
        if (congested) this.#stdio.pause()
        else this.#stdio.resume()
      },
      log: say,
    })
  }

  #listenToSignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => this.#end(signal))
    }
  }
}
