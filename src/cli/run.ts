import { createHash, randomBytes } from 'node:crypto'
import process from 'node:process'
import { parseArgs } from 'node:util'

import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import type { Config } from '../config/config.ts'
import { serversToStart } from '../config/start.ts'
import type { StartableServer } from '../config/start.ts'
import { CapFenceError } from '../errors.ts'
import { definitionHash } from '../mcp/definition-hash.ts'
import { Session } from '../proxy/session.ts'
import type { SessionServer } from '../proxy/session.ts'
import { childEnvironment } from '../transport/environment.ts'
import { RestartPolicy } from '../transport/restart.ts'
import { openStdio } from '../transport/stdio.ts'
import type { StdioChannel } from '../transport/stdio.ts'
import { ProcessTree } from '../transport/tree.ts'
import { LateGate } from './late-gate.ts'
import type { OpenGate } from './open-gate.ts'
import { printable } from '../event/printable.ts'
import { version } from './version.ts'

const usage = `capfence run --config capfence.mcp.json --server files   one server, names unchanged
capfence run --config capfence.mcp.json                  all servers, names with a prefix each

Speaks MCP on standard input and output; put it where a client's configuration names a server.

  --config FILE   the configuration (default: ${defaultConfigPath})
  --server NAME   only this server of it
`

/** The key under which clients usually have this gate; it counts towards their limits on tool names. */
const endpointKey = 'capfence'

/** What `capfence run` was asked to do. */
interface RunOptions {
  readonly config: string
  readonly server: string | undefined
}

/**
 * Runs the gate between the client on standard input and output and its servers, until the client goes.
 *
 * @returns the exit code: 0 after an orderly end
 * @throws CapFenceError when the gate cannot start; nothing was forwarded then
 */
export async function run(args: readonly string[]): Promise<number> {
  const options = readArguments(args)
  if (options === undefined) {
    process.stdout.write(usage)
    return 0
  }
  const config = readConfigFile(options.config)
  for (const { message } of config.warnings) log(`${config.file}: ${message}`)
  const servers = serversToStart(config, { only: options.server, variables: process.env })
  return new Gate(config, servers).serve()
}

function readArguments(args: readonly string[]): RunOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', default: defaultConfigPath },
        server: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    return values.help ? undefined : { config: values.config, server: values.server }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', message, { hint: 'see `capfence run --help`', cause })
  }
}

/** One client, its servers and the gate between them, from start to end. */
class Gate {
  readonly #config: Config
  readonly #tree = new ProcessTree({ onUnguarded: (reason) => log(reason) })
  readonly #late = new LateGate()
  readonly #stdio: StdioChannel
  readonly #session: Session
  #open: OpenGate | undefined
  #end: (reason: string) => void = () => undefined
  readonly #ended: Promise<string>

  constructor(config: Config, servers: readonly StartableServer[]) {
    this.#config = config
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
    this.#open = await openGate(this.#config, log)
    this.#late.open(this.#open.gate)
  }

  async #stop(reason: string): Promise<void> {
    log(`ends: ${reason}`)
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
        onOversize: (bytes) => this.#session.oversize(bytes, maxClientMessageBytes),
        onDrain: () => this.#session.setClientCongested(false),
        onClose: () => this.#end('the client has gone'),
      },
    })
  }

  #openSession(servers: readonly StartableServer[]): Session {
    return new Session({
      downstream: {
        send: (_about, ...pieces) => {
          if (!this.#stdio.send(...pieces)) this.#session.setClientCongested(true)
        },
      },
      servers: servers.map((server) => this.#sessionServer(server, servers.length === 1)),
      gate: this.#late,
      unknownMethods: this.#config.unknownMethods,
      endpointKey,
      software: { name: 'capfence', version },
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      hashDefinition: definitionHash,
      cursorKey: randomBytes(32),
      onCongestion: (congested) => {
        if (congested) this.#stdio.pause()
        else this.#stdio.resume()
      },
      log,
    })
  }

  #sessionServer(server: StartableServer, isSole: boolean): SessionServer {
    const launch = {
      command: server.command,
      args: server.args,
      env: childEnvironment({
        inherited: process.env,
        declared: server.env,
        scope: isSole ? 'whole' : 'base',
        platform: process.platform,
      }),
      ...(server.cwd !== undefined && { cwd: server.cwd }),
    }
    const maxMessageBytes = this.#config.limits.maxUpstreamMessageBytes
    return {
      name: server.name,
      prefix: server.prefix,
      open: (events) => this.#tree.start(launch, { maxMessageBytes }, events),
      backoff: new RestartPolicy({ now: () => performance.now() }),
    }
  }

  #listenToSignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => this.#end(signal))
    }
  }
}

/** Standard output is the protocol's; everything for people goes to standard error, one line each. */
function log(text: string): void {
  process.stderr.write(`capfence: ${printable(text, 2000)}\n`)
}
