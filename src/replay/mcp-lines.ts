import type { Bindings, ToolAnnotations } from '../event/binding.ts'
import { Decimal } from '../json/decimal.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import { limits } from '../limits.ts'
import { badLine, LineFields } from './line-fields.ts'
import { nothingMissing } from './missing.ts'
import type { TraceCall, TraceEntry, TraceOutcome } from './trace.ts'
import type { LineReader } from './trace-reader.ts'
import { writtenTime } from './written-time.ts'

/** Whose calls a log of MCP messages holds, and what they mean. */
export interface McpReading {
  /** The server that the messages were for, where a line does not say it. */
  readonly server: string
  readonly actor: string
  readonly environment: string
  readonly bindings: Bindings
  /** Whether nothing was charged to limits and no label given before the first message. */
  readonly isComplete: boolean
}

/** Whether a log of MCP messages may begin with this: a JSON-RPC message, bare or as `message` of an object. */
export function isMcpLine(first: JsonObject): boolean {
  const { message } = first
  return isRpc(first) || (isJsonObject(message) && isRpc(message))
}

function isRpc(object: JsonObject): boolean {
  return object['jsonrpc'] === '2.0'
}

const wrapperFields: ReadonlySet<string> = new Set([
  'message',
  'time',
  'timestamp',
  'ts',
  'server',
  'session',
  'direction',
])

/** A request of the client that has no answer yet. */
type Pending =
  | { readonly kind: 'call'; readonly seq: number }
  | { readonly kind: 'list'; readonly server: string }

/**
 * Reads a log of MCP messages, both directions in one file: `tools/call` are its calls, their answers the outcomes, and
 * what `tools/list` answers says how dangerous a tool is, as it does behind a gate.
 */
export class McpLines implements LineReader {
  readonly #reading: McpReading
  readonly #pending = new Map<string, Pending>()
  /** Requests of the server, whose answers come from the client. */
  readonly #asked = new Set<string>()
  readonly #annotations = new Map<string, ToolAnnotations>()
  #client: string | undefined
  #begun = false

  constructor(reading: McpReading) {
    this.#reading = reading
  }

  entries(object: JsonObject, line: number): readonly TraceEntry[] {
    const read = this.#message(object, line)
    if (this.#begun) return read
    this.#begun = true
    const { isComplete } = this.#reading
    const header: TraceEntry = {
      kind: 'header',
      source: 'mcp',
      log: null,
      isComplete,
      policies: [],
      calls: null,
      hasChecksum: false,
    }
    return [header, ...read]
  }

  end(): void {
    // What was never answered has no outcome.
  }

  #message(object: JsonObject, line: number): readonly TraceEntry[] {
    const about = aboutOf(object, line, this.#reading.server)
    const { message } = about
    if (!isRpc(message)) throw badLine('is no JSON-RPC message', 'each has `"jsonrpc":"2.0"`')
    const method = message['method'] ?? null
    const id = idOf(message['id'] ?? null)
    if (typeof method === 'string') return this.#request({ ...about, method, id })
    if (method !== null) throw badLine('`method` is no text')
    return id === undefined ? [] : this.#answer({ ...about, id })
  }

  #request({ method, id, ...about }: About & Request): readonly TraceEntry[] {
    if (method === 'initialize') this.#begin(about.message)
    if (id === undefined) return []
    if (serverMethods.has(method)) {
      bounded(this.#asked).add(id)
      return []
    }
    if (method === 'tools/list') this.#wait(id, { kind: 'list', server: about.server })
    if (method !== 'tools/call') return []
    this.#wait(id, { kind: 'call', seq: about.line })
    return [this.#call(about)]
  }

  /** Another session numbers its requests anew. */
  #begin(message: JsonObject): void {
    this.#client = clientOf(message)
    this.#pending.clear()
    this.#asked.clear()
  }

  /** A request that was never answered makes room for the next one of its id. */
  #wait(id: string, pending: Pending): void {
    bounded(this.#pending).set(id, pending)
  }

  #call({ message, server, session, line, atMs }: About): TraceCall {
    const params = message['params'] ?? null
    if (!isJsonObject(params)) throw badLine('`params` of a call are missing')
    const { name: tool, arguments: args = noArguments } = params
    if (typeof tool !== 'string') throw badLine('`params.name` of a call is no text')
    if (!isJsonObject(args)) throw badLine('`params.arguments` of a call are no object')
    const { bindings, actor, environment } = this.#reading
    const event = bindings.bind({
      server,
      tool,
      arguments: args,
      actor,
      environment,
      context: {
        ...(session === null ? {} : { session }),
        ...(this.#client === undefined ? {} : { client: this.#client }),
      },
      annotations: this.#annotations.get(JSON.stringify([server, tool])),
    })
    const verdict = undefined
    const rest = { missing: nothingMissing, told: undefined, definitionHash: null, verdict }
    return { kind: 'call', line, seq: line, atMs, event, ...rest, isFlagged: false }
  }

  #answer({ id, message, line, atMs }: About & { readonly id: string }): readonly TraceEntry[] {
    const pending = this.#pending.get(id)
    const isAsked = this.#asked.delete(id)
    if (pending === undefined) return []
    this.#pending.delete(id)
    if (pending.kind === 'list') {
      this.#listed(message['result'] ?? null, pending.server)
      return []
    }
    // Both sides had asked something under this id, and nobody can say whose answer it is.
    const status = isAsked ? 'unknown' : statusOf(message)
    const outcome: TraceOutcome = {
      kind: 'outcome',
      line,
      of: pending.seq,
      atMs,
      status,
      sent: true,
    }
    return [outcome]
  }

  #listed(result: JsonValue, server: string): void {
    const tools = isJsonObject(result) ? result['tools'] : undefined
    for (const tool of asArray(tools)) {
      if (!isJsonObject(tool)) continue
      const { name, annotations } = tool
      if (typeof name !== 'string' || !isJsonObject(annotations)) continue
      bounded(this.#annotations).set(JSON.stringify([server, name]), annotations)
    }
  }
}

interface Request {
  readonly method: string
  /** Undefined for a notification. */
  readonly id: string | undefined
}

interface About {
  readonly message: JsonObject
  readonly line: number
  readonly atMs: number | null
  readonly server: string
  readonly session: string | null
}

function aboutOf(object: JsonObject, line: number, usualServer: string): About {
  const { message } = object
  if (isRpc(object) || !isJsonObject(message)) {
    return { message: object, line, atMs: null, server: usualServer, session: null }
  }
  const fields = new LineFields(object, wrapperFields)
  const name = ['time', 'timestamp', 'ts'].find((one) => fields.has(one)) ?? 'time'
  return {
    message,
    line,
    atMs: writtenTime(object[name], name),
    server: fields.textOrNull('server') ?? usualServer,
    session: fields.textOrNull('session'),
  }
}

/** What only a server asks. */
const serverMethods: ReadonlySet<string> = new Set([
  'sampling/createMessage',
  'elicitation/create',
  'roots/list',
])

const noArguments: JsonObject = Object.freeze({ __proto__: null })

function idOf(value: JsonValue): string | undefined {
  if (typeof value === 'string') return `"${value}`
  return value instanceof Decimal ? value.canonical : undefined
}

function clientOf(message: JsonObject): string | undefined {
  const { params } = message
  const info = isJsonObject(params) ? params['clientInfo'] : undefined
  const name = isJsonObject(info) ? info['name'] : undefined
  return typeof name === 'string' && name !== '' && name.length <= limits.maxNameCharacters
    ? name
    : undefined
}

function statusOf(message: JsonObject): TraceOutcome['status'] {
  const { result, error } = message
  if (error !== undefined) return 'rpc_error'
  if (!isJsonObject(result)) return 'unknown'
  return result['isError'] === true ? 'tool_error' : 'ok'
}

function asArray(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isJsonArray(value) ? value : []
}

/** Requests that are never answered must not pile up: the oldest are forgotten. */
function bounded<T extends Map<string, unknown> | Set<string>>(kept: T): T {
  if (kept.size < limits.maxRequestsInFlight) return kept
  const [oldest] = kept.keys()
  if (oldest !== undefined) kept.delete(oldest)
  return kept
}
