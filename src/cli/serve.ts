import { newToken, tokenOf } from '../auth/tokens.ts'
import type { KnownToken } from '../auth/tokens.ts'
import { tokenFile } from '../auth/token-file.ts'
import type { Config } from '../config/config.ts'
import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import { systemRandom } from '../crypto/random.ts'
import { CapFenceError } from '../errors.ts'
import { HttpFront } from '../proxy/http-front.ts'
import type { HttpCaller, HttpEndpoint } from '../proxy/http-front.ts'
import { listenHttp } from '../transport/http-server.ts'
import type { HttpListener } from '../transport/http-server.ts'
import { ProcessTree } from '../transport/tree.ts'
import { httpEndpoints } from './http-endpoints.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { LiveLock } from './live-lock.ts'
import { openGate } from './open-gate.ts'
import type { OpenGate } from './open-gate.ts'
import { say } from './say.ts'
import { openPage } from './ui.ts'
import type { OpenPage, UiParts } from './ui.ts'
import { jsonLine } from './shown.ts'

/** What `capfence serve` takes, as it was typed. */
export interface ServeFlags {
  readonly config?: string | undefined
  readonly host?: string | undefined
  readonly port?: string | undefined
  /** False for `--no-token`. */
  readonly token?: boolean | undefined
  /** Whether the operator's page is served too, by a listener of its own. */
  readonly ui?: boolean | undefined
  /** False for `--no-open`. */
  readonly open?: boolean | undefined
  readonly json?: boolean | undefined
}

/** How long requests that wait for an answer are waited for at the end, milliseconds. */
const drainMs = 10_000

/**
 * `capfence serve`: serves MCP over Streamable HTTP until it is stopped, every call judged and recorded as by `run`.
 *
 * Nothing is bound before the policy and the log are open, and nothing on this listener can approve anything.
 *
 * @throws CapFenceError `USAGE`, `KEY_INVALID`, or what keeps a gate from starting; nothing was forwarded then
 */
export async function serve(flags: ServeFlags, io: Io, logs: UiParts): Promise<ExitCode> {
  const config = readConfigFile(flags.config ?? defaultConfigPath)
  for (const { message } of config.warnings) say(`${config.file}: ${message}`)
  const place = placeOf(config, flags)
  const tree = new ProcessTree({ onUnguarded: say })
  try {
    const lock = new LiveLock(config, undefined)
    const gate = await openGate(config, lock, say)
    try {
      await new HttpGate(config, place, { gate, lock, tree, io, logs }).serve(flags)
    } finally {
      await tree.stopAll()
      await gate.close()
    }
  } finally {
    await tree.stopAll()
  }
  return exitCodes.yes
}

/** `capfence serve token`: makes a token, and says what to write into the configuration. It is kept nowhere. */
export async function serveToken(flags: { readonly json?: boolean }, io: Io): Promise<ExitCode> {
  const { token, sha256 } = newToken(systemRandom)
  if (flags.json === true) {
    await io.out.write(jsonLine({ schemaVersion: 1, type: 'token', token, sha256 }))
    return exitCodes.yes
  }
  await io.out.write(`${token}\n`)
  await io.err.write(
    `this is shown once; the client sends it as \`Authorization: Bearer …\`. The configuration knows its digest:\n  "serve": {"tokens": [{"sha256": "${sha256}"}]}\n`,
  )
  return exitCodes.yes
}

/** Where the gate listens, and whom it lets in. */
interface Place {
  readonly host: string
  readonly port: number
  readonly needsToken: boolean
}

function placeOf({ serve: configured, file }: Config, flags: ServeFlags): Place {
  const host = flags.host ?? configured.host
  const needsToken = flags.token !== false
  if (!isLoopback(host)) {
    if (!needsToken) {
      throw new CapFenceError('USAGE', `without a token \`${host}\` is not served`, {
        hint: 'leave out `--no-token`, or serve this machine only: `--host 127.0.0.1`',
      })
    }
    if (configured.hosts.length === 0) {
      throw new CapFenceError(
        'CONFIG_INVALID',
        `${file} does not say under which name \`${host}\` is reached`,
        { hint: 'write it as clients do: `"serve": {"hosts": ["gate.example.com"]}`' },
      )
    }
  }
  return { host, port: portOf(flags.port) ?? configured.port, needsToken }
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1
  if (port >= 0 && port <= 65_535) return port
  throw new CapFenceError('USAGE', `\`--port ${text}\` is no port`, {
    hint: 'write a number from 1 to 65535, or 0 for any that is free',
  })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

interface HttpGateParts {
  readonly gate: OpenGate
  readonly lock: LiveLock
  readonly tree: ProcessTree
  readonly io: Io
  readonly logs: UiParts
}

/** The gate behind one listener, from its first request to its last. */
class HttpGate {
  readonly #config: Config
  readonly #place: Place
  readonly #parts: HttpGateParts

  constructor(config: Config, place: Place, parts: HttpGateParts) {
    this.#config = config
    this.#place = place
    this.#parts = parts
  }

  async serve(flags: ServeFlags): Promise<void> {
    const { gate, lock, tree, io } = this.#parts
    const { gateFor } = gate
    const endpoints = await httpEndpoints(this.#config, {
      ...{ variables: io.variables, tree, gateFor, pins: lock },
      log: say,
    })
    const tokens = this.#tokens()
    const hosts = new Set(this.#config.serve.hosts)
    const front = this.#front(endpoints, tokens, hosts)
    const listener = await listenHttp({
      ...this.#place,
      onVisit: (visit) => void front.visit(visit),
      onFailure: (error) => say(`the listener failed: ${String(error)}`),
    })
    for (const name of ownNames(this.#place.host, listener.port)) hosts.add(name)
    await this.#announce(listener, [...endpoints.keys()], flags)
    const stopped = stopSignals(io)
    const page = flags.ui === true ? await this.#openPage(flags) : undefined
    await page?.letIn(stopped.first.then(() => undefined))
    say(`ends: ${await stopped.first}`)
    await page?.close()
    const closed = listener.close()
    await front.close(drainMs, stopped.second)
    listener.abandon()
    await closed
  }

  #front(
    endpoints: ReadonlyMap<string, HttpEndpoint>,
    tokens: readonly KnownToken[],
    hosts: ReadonlySet<string>,
  ): HttpFront {
    const { serve: served, actor, limits: bounds } = this.#config
    return new HttpFront({
      endpoints,
      rules: { hosts, origins: new Set(served.origins) },
      callerOf: this.#place.needsToken
        ? (authorization) => callerOf(authorization, tokens)
        : () => ({ id: 'anyone', actor }),
      gate: this.#parts.gate.gateFor(actor),
      newId: () => Buffer.from(systemRandom(24)).toString('base64url'),
      maxMessageBytes: bounds.maxClientMessageBytes,
      bounds: {
        maxSessions: served.maxSessions,
        maxProcesses: served.maxProcesses,
        idleMs: served.idleMinutes * 60_000,
      },
      log: say,
    })
  }

  /** The operator's page has a listener of its own: nothing on the agents' port can approve (THREATS B12). */
  async #openPage({ open }: ServeFlags): Promise<OpenPage | undefined> {
    const { io, logs } = this.#parts
    if (!io.err.isTerminal) {
      say("the operator's page is not served: its code is shown on a terminal only (`capfence ui`)")
      return undefined
    }
    return openPage({ config: this.#config.file, open }, io, logs)
  }

  /** Those of the configuration, or the one in the file beside the log. */
  #tokens(): readonly KnownToken[] {
    const { serve: served, actor } = this.#config
    if (!this.#place.needsToken) return []
    if (served.tokens.length > 0) {
      return served.tokens.map((token) => ({ sha256: token.sha256, actor: token.actor ?? actor }))
    }
    return [{ sha256: tokenFile(this.#tokenPath, systemRandom), actor }]
  }

  get #tokenPath(): string {
    return `${this.#config.storage.path}.token`
  }

  async #announce(
    { port }: HttpListener,
    paths: readonly string[],
    { json }: ServeFlags,
  ): Promise<void> {
    const { host, needsToken } = this.#place
    const base = `http://${host.includes(':') ? `[${host}]` : host}:${String(port)}`
    const urls = paths.map((path) => base + path)
    const hasFile = needsToken && this.#config.serve.tokens.length === 0
    if (hasFile) say(`clients send \`Authorization: Bearer\` and the token in ${this.#tokenPath}`)
    if (!needsToken) say('every program of this machine may call: no token is asked for')
    if (!isLoopback(host)) {
      say('what is sent is not encrypted; put a server that does TLS in front (docs/http.md)')
    }
    const { out } = this.#parts.io
    if (json === true) {
      const file = hasFile ? this.#tokenPath : null
      await out.write(jsonLine({ schemaVersion: 1, type: 'serve', urls, port, tokenFile: file }))
    } else await out.write(urls.map((url) => `${url}\n`).join(''))
  }
}

function callerOf(
  authorization: string | undefined,
  tokens: readonly KnownToken[],
): HttpCaller | undefined {
  const token = tokenOf(authorization, tokens)
  return token && { id: token.sha256, actor: token.actor }
}

/** How clients write the address that is listened on in `Host`; the usual port they leave out. */
function ownNames(host: string, port: number): readonly string[] {
  const isEverywhere = host === '0.0.0.0' || host === '::'
  const literal = host.includes(':') ? `[${host.toLowerCase()}]` : host.toLowerCase()
  const names = isLoopback(host) || isEverywhere ? ['localhost', '127.0.0.1', '[::1]'] : []
  const all = [...new Set([...names, ...(isEverywhere ? [] : [literal])])]
  return all.flatMap((name) => [
    `${name}:${String(port)}`,
    ...(port === 80 || port === 443 ? [name] : []),
  ])
}

/** The first signal that asks for an end, and the second, which asks not to wait. */
function stopSignals(io: Io): { readonly first: Promise<string>; readonly second: AbortSignal } {
  const hurry = new AbortController()
  const first = new Promise<string>((resolve) => {
    let hasStopped = false
    const stop = (what: string): void => {
      if (hasStopped) hurry.abort()
      hasStopped = true
      resolve(what)
    }
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => stop(signal))
    }
    io.stopped.addEventListener('abort', () => stop('nobody reads'), { once: true })
  })
  return { first, second: hurry.signal }
}
