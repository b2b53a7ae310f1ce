import type { StartableServer } from '../config/start.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { closeText, Connection } from '../mcp/connection.ts'
import type { OpenChannel } from '../mcp/connection.ts'
import { isPlainObject } from '../mcp/merge.ts'
import type { PlainObject } from '../mcp/merge.ts'
import type { ServerResponse } from '../mcp/message.ts'
import { listMethods } from '../mcp/methods.ts'
import type { ListMethod } from '../mcp/methods.ts'
import {
  errorMessage,
  notificationMessage,
  requestMessage,
  resultMessage,
  rpcCodes,
} from '../mcp/rpc.ts'
import { textAt } from '../mcp/rpc-id.ts'
import { readPage } from '../proxy/lists.ts'
import type { ListItem } from '../proxy/lists.ts'
import { ProcessTree } from '../transport/tree.ts'
import { localOpener, remoteOpener } from './openers.ts'
import { shown } from './shown.ts'
import { version } from './version.ts'

/** How a server is asked what it offers. */
export interface ListingOptions {
  /** Where `${VAR}` and the environment of the server come from. */
  readonly variables: NodeJS.ProcessEnv
  /** How long all of it may take, milliseconds. */
  readonly timeoutMs: number
  readonly maxMessageBytes: number
  readonly log: (text: string) => void
}

/**
 * Starts a server as the gate does, has it asked what it offers, and ends it.
 *
 * No tool is called, and nothing the server asks for is answered but `ping`.
 *
 * @throws CapFenceError `UPSTREAM_UNAVAILABLE` when it does not answer in time, or lists without an end
 */
export async function readServer<T>(
  server: StartableServer,
  options: ListingOptions,
  read: (reader: ServerReader) => Promise<T>,
): Promise<T> {
  const tree = new ProcessTree({ onUnguarded: options.log })
  const ended = new AbortController()
  const timer = setTimeout(() => {
    ended.abort(unavailable(server.name, `did not list its tools within ${options.timeoutMs} ms`))
  }, options.timeoutMs)
  let reader: ServerReader | undefined
  try {
    reader = new ServerReader(server.name, await openerOf(server, tree, options), ended)
    return await read(reader)
  } finally {
    clearTimeout(timer)
    await reader?.stop()
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

/** One connection to a server that is asked what it offers. */
export class ServerReader {
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

  /** Shakes hands, as a client that can do what clients can do: some servers offer less to others. */
  async initialize(): Promise<ServerResponse> {
    const reply = await this.#reply('initialize', initializeParams)
    this.#resultOf('initialize', reply)
    this.#connection.send(notificationMessage('notifications/initialized'))
    return reply
  }

  /** The items of a list, from its first page to its last. */
  async list(method: ListMethod): Promise<readonly ListItem[]> {
    const items: ListItem[] = []
    const cursors = new Set<string>()
    const { member } = listMethods[method]
    for (;;) {
      const cursor = [...cursors].at(-1)
      const params = cursor === undefined ? undefined : JSON.stringify({ cursor })
      // Each page says where the next one begins.
      // oxlint-disable-next-line no-await-in-loop -- the next page is not known before this one is read
      const reply = await this.#reply(method, params)
      this.#resultOf(method, reply)
      const page = readPage(reply, method)
      if (page === undefined) {
        throw unavailable(this.#server, `answered \`${method}\` without ${member}`)
      }
      for (const item of page.items) items.push(item)
      if (items.length > limits.maxListedTools) {
        throw unavailable(this.#server, `lists more than ${limits.maxListedTools} ${member}`)
      }
      const next = page.nextCursor
      if (next === undefined) return items
      if (cursors.has(next) || cursors.size >= limits.maxListPages) {
        throw unavailable(this.#server, `lists its ${member} without an end`)
      }
      cursors.add(next)
    }
  }

  /** The same for a list that a server need not offer. */
  async listIfOffered(method: ListMethod): Promise<readonly ListItem[]> {
    const reply = await this.#reply(method, undefined)
    const error: unknown = reply.spans.error && JSON.parse(textAt(reply.bytes, reply.spans.error))
    const isUnknown = isPlainObject(error) && error['code'] === rpcCodes.methodNotFound
    return isUnknown ? [] : this.list(method)
  }

  #resultOf(method: string, reply: ServerResponse): PlainObject {
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
  capabilities: { sampling: {}, elicitation: {} },
  clientInfo: { name: 'capfence', version },
})
