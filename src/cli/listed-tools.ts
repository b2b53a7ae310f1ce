import { readFileSync, statSync } from 'node:fs'
import type { StartableServer } from '../config/start.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { closeText, Connection } from '../mcp/connection.ts'
import type { OpenChannel } from '../mcp/connection.ts'
import { textAt } from '../mcp/rpc-id.ts'
import { isPlainObject } from '../mcp/merge.ts'
import type { PlainObject } from '../mcp/merge.ts'
import type { ServerResponse } from '../mcp/message.ts'
import {
  errorMessage,
  notificationMessage,
  requestMessage,
  resultMessage,
  rpcCodes,
} from '../mcp/rpc.ts'
import { ProcessTree } from '../transport/tree.ts'
import { localOpener, remoteOpener } from './openers.ts'
import { shown } from './shown.ts'
import { version } from './version.ts'

/** How a server is asked for its tools. */
export interface ListingOptions {
  /** Where `${VAR}` and the environment of the server come from. */
  readonly variables: NodeJS.ProcessEnv
  /** How long all of it may take, milliseconds. */
  readonly timeoutMs: number
  readonly maxMessageBytes: number
  readonly log: (text: string) => void
}

/**
 * Starts a server as the gate does, reads the list of its tools to the end, and ends it.
 *
 * No tool is called, and nothing the server asks for is answered but `ping`.
 *
 * @throws CapFenceError `UPSTREAM_UNAVAILABLE` when it does not list its tools in time, or lists without an end
 */
export async function toolsOfServer(
  server: StartableServer,
  options: ListingOptions,
): Promise<readonly unknown[]> {
  const tree = new ProcessTree({ onUnguarded: options.log })
  const ended = new AbortController()
  const timer = setTimeout(() => {
    ended.abort(unavailable(server.name, `did not list its tools within ${options.timeoutMs} ms`))
  }, options.timeoutMs)
  let lister: ToolLister | undefined
  try {
    lister = new ToolLister(server.name, await openerOf(server, tree, options), ended)
    return await lister.list()
  } finally {
    clearTimeout(timer)
    await lister?.stop()
    await tree.stopAll()
  }
}

async function openerOf(
  server: StartableServer,
  tree: ProcessTree,
  { variables, maxMessageBytes }: ListingOptions,
): Promise<OpenChannel> {
  if (server.kind === 'http') return remoteOpener(server, maxMessageBytes)
  // It is the only server here, as behind `capfence run --server`.
  return localOpener(server, { scope: 'whole', variables, maxMessageBytes, tree })
}

function unavailable(server: string, what: string): CapFenceError {
  return new CapFenceError('UPSTREAM_UNAVAILABLE', `the server \`${shown(server)}\` ${what}`)
}

/** One connection that is asked for tools, page by page. */
class ToolLister {
  readonly #server: string
  readonly #connection: Connection
  readonly #ended: AbortController

  constructor(
    server: string,
    open: ConstructorParameters<typeof Connection>[0],
    ended: AbortController,
  ) {
    this.#server = server
    this.#ended = ended
    const fail = (what: string): void => ended.abort(unavailable(server, what))
    const connection: Connection = new Connection(open, {
      onRequest: ({ idText, method }) =>
        connection.send(
          method === 'ping'
            ? resultMessage(idText, '{}')
            : errorMessage(idText, { code: rpcCodes.methodNotFound, message: 'not offered' }),
        ),
      onNotification: () => undefined,
      onStray: () => undefined,
      onRefused: ({ message }) => fail(`sent a message that is refused: ${message}`),
      onDropped: () => undefined,
      onTrouble: () => undefined,
      onUndelivered: () => undefined,
      onCongestion: () => undefined,
      onClose: (reason) => fail(closeText(reason)),
    })
    this.#connection = connection
  }

  /** Leaves the server. */
  async stop(): Promise<void> {
    await this.#connection.stop()
  }

  async list(): Promise<readonly unknown[]> {
    await this.#ask('initialize', initializeParams)
    this.#connection.send(notificationMessage('notifications/initialized'))
    const items: unknown[] = []
    const cursors = new Set<string>()
    for (;;) {
      const cursor = [...cursors].at(-1)
      const params = cursor === undefined ? undefined : JSON.stringify({ cursor })
      // Each page says where the next one begins.
      // oxlint-disable-next-line no-await-in-loop -- the next page is not known before this one is read
      const page = await this.#ask('tools/list', params)
      const tools: unknown = page['tools']
      if (!Array.isArray(tools))
        throw unavailable(this.#server, 'answered `tools/list` without tools')
      for (const tool of tools) items.push(tool)
      if (items.length > limits.maxListedTools) {
        throw unavailable(this.#server, `lists more than ${limits.maxListedTools} tools`)
      }
      const next: unknown = page['nextCursor']
      if (typeof next !== 'string') return items
      if (cursors.has(next) || cursors.size >= limits.maxListPages) {
        throw unavailable(this.#server, 'lists its tools without an end')
      }
      cursors.add(next)
    }
  }

  async #ask(method: string, paramsText: string | undefined): Promise<PlainObject> {
    const reply = await this.#reply(method, paramsText)
    const { result, error } = reply.spans
    const value: unknown =
      result === undefined ? undefined : JSON.parse(textAt(reply.bytes, result))
    if (isPlainObject(value)) return value
    const said = error === undefined ? 'no object' : shown(textAt(reply.bytes, error).slice(0, 300))
    throw unavailable(this.#server, `answered \`${method}\` with ${said}`)
  }

  async #reply(method: string, paramsText: string | undefined): Promise<ServerResponse> {
    const { signal } = this.#ended
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(reasonOf(signal))
      if (signal.aborted) return stop()
      signal.addEventListener('abort', stop, { once: true })
      const id = String(this.#connection.nextId)
      this.#connection.request(
        {
          onReply: (reply) => {
            signal.removeEventListener('abort', stop)
            resolve(reply)
          },
          onLost: (reason) => reject(unavailable(this.#server, reason)),
        },
        requestMessage(id, method, paramsText),
      )
    })
  }
}

function reasonOf(signal: AbortSignal): Error {
  const { reason } = signal as { readonly reason: unknown }
  return reason instanceof Error ? reason : new Error('bug: an abort has a reason')
}

const initializeParams = JSON.stringify({
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'capfence', version },
})

/**
 * The tools of a list that was saved: an array of them, or an object with `tools` as a server answers.
 *
 * @throws CapFenceError `USAGE` when the file holds no such list
 */
export function toolsOfFile(path: string): readonly unknown[] {
  const value = parsed(path)
  const inner = isPlainObject(value) && isPlainObject(value['result']) ? value['result'] : value
  const tools: unknown = isPlainObject(inner) ? inner['tools'] : inner
  if (!Array.isArray(tools)) {
    throw new CapFenceError('USAGE', `\`${path}\` holds no list of tools`, {
      hint: 'it is an array of tools, or an object with `tools`, as a server answers `tools/list`',
    })
  }
  if (tools.length > limits.maxListedTools) {
    throw new CapFenceError('USAGE', `\`${path}\` lists more than ${limits.maxListedTools} tools`)
  }
  return tools
}

function parsed(path: string): unknown {
  try {
    if (path !== '-' && statSync(path).size > limits.maxToolListBytes) {
      throw new Error(`it has more than ${limits.maxToolListBytes} bytes`)
    }
    const value: unknown = JSON.parse(readFileSync(path === '-' ? 0 : path, 'utf8'))
    return value
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', `cannot read the tools in \`${path}\`: ${reason}`, { cause })
  }
}
