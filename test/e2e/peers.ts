import {
  Client as ClientV2,
  StreamableHTTPClientTransport as HttpV2,
} from '@modelcontextprotocol/client'
import { StdioClientTransport as TransportV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'

/** A tool's result as both SDKs give it. */
export interface ToolResult {
  readonly isError?: boolean | undefined
  readonly content: readonly { readonly type: string; readonly text?: string }[]
  readonly structuredContent?: unknown
  readonly _meta?: Record<string, unknown>
}

/** What the tests do with a client of the official SDK, whichever version. */
export interface Peer {
  readonly events: string[]
  /** The revision that was agreed on. */
  readonly revision: string | undefined
  tools(): Promise<readonly string[]>
  call(
    name: string,
    args?: Record<string, unknown>,
    options?: { signal?: AbortSignal; onprogress?: (progress: { progress: number }) => void },
  ): Promise<ToolResult>
  resources(): Promise<readonly string[]>
  templates(): Promise<readonly string[]>
  read(uri: string): Promise<unknown>
  subscribe(uri: string): Promise<unknown>
  prompts(): Promise<readonly string[]>
  prompt(name: string, args: Record<string, string>): Promise<unknown>
  complete(params: unknown): Promise<unknown>
  setLevel(level: 'debug'): Promise<unknown>
  serverName(): string | undefined
  instructions(): string | undefined
  close(): Promise<void>
}

const info = { name: 'test-client', version: '1.0.0' }
const capabilities = { sampling: {}, elicitation: {}, roots: { listChanged: true } }
const answers = {
  sampling: {
    model: 'm',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: 'pong' },
  },
  elicitation: { action: 'accept' as const, content: { colour: 'blue' } },
  roots: { roots: [{ uri: 'file:///workspace', name: 'w' }] },
}

interface Command {
  readonly command: string
  readonly args: string[]
}

/** Where a gate is served over HTTP, and what it wants to see. */
export interface Address {
  readonly url: string
  readonly token: string
}

const bearing = ({ token }: Address): { requestInit: RequestInit } => ({
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
})

/** SDK v1, which speaks the handshake revisions. */
export async function connectV1(to: Command | Address): Promise<Peer> {
  const events: string[] = []
  const client = new ClientV1(info, { capabilities })
  client.setRequestHandler(CreateMessageRequestSchema, () => answers.sampling)
  client.setRequestHandler(ElicitRequestSchema, () => answers.elicitation)
  client.setRequestHandler(ListRootsRequestSchema, () => answers.roots)
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void events.push('tools'))
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    events.push(`log ${String(params.data)}`)
  })
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    events.push(`updated ${params.uri}`)
  })
  const transport =
    'url' in to
      ? new HttpV1(new URL(to.url), bearing(to))
      : new TransportV1({ ...to, stderr: 'ignore' })
  await client.connect(transport)
  return peer(client as unknown as AnyClient, events)
}

/** SDK v2, which asks for the newest revision first where `negotiate` says so. */
export async function connectV2(
  to: Command | Address,
  negotiate: 'legacy' | 'auto',
): Promise<Peer> {
  const events: string[] = []
  const client = new ClientV2(info, { capabilities, versionNegotiation: { mode: negotiate } })
  client.setRequestHandler('sampling/createMessage', () => answers.sampling)
  client.setRequestHandler('elicitation/create', () => answers.elicitation)
  client.setRequestHandler('roots/list', () => answers.roots)
  client.setNotificationHandler('notifications/tools/list_changed', () => void events.push('tools'))
  client.setNotificationHandler('notifications/message', ({ params }) => {
    events.push(`log ${String(params.data)}`)
  })
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    events.push(`updated ${params.uri}`)
  })
  const transport =
    'url' in to
      ? new HttpV2(new URL(to.url), bearing(to))
      : new TransportV2({ ...to, stderr: 'ignore' })
  await client.connect(transport)
  const isModern = client.getProtocolEra() === 'modern'
  if (!isModern) return peer(client as unknown as AnyClient, events)
  return { ...peer(client as unknown as AnyClient, events), ...(await modern(client)) }
}

/** What the revision without sessions does in another way. */
async function modern(
  client: ClientV2,
): Promise<Pick<Peer, 'revision' | 'call' | 'subscribe' | 'setLevel'>> {
  let level: string | undefined
  const { tools, resources } = client.getServerCapabilities() ?? {}
  if (tools?.listChanged === true) await client.listen({ toolsListChanged: true })
  return {
    revision: client.getNegotiatedProtocolVersion(),
    call: async (name, args, callOptions) => {
      const meta =
        level === undefined ? {} : { _meta: { 'io.modelcontextprotocol/logLevel': level } }
      const params = { name, ...(args && { arguments: args }), ...meta }
      return (client as unknown as AnyClient).callTool(params, callOptions)
    },
    subscribe: async (uri) => {
      const subscription = await client.listen({ resourceSubscriptions: [uri] })
      if (resources?.subscribe === true && !subscription.honoredFilter.resourceSubscriptions) {
        throw new Error('the server does not tell what it says it tells')
      }
    },
    setLevel: async (wanted) => {
      level = wanted
    },
  }
}

/** The surface that both versions share; `v1` and `v2` differ in the arguments of `callTool`. */
interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>
  callTool(params: unknown, schemaOrOptions?: unknown, options?: unknown): Promise<ToolResult>
  listResources(): Promise<{ resources: { uri: string }[] }>
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>
  readResource(params: unknown): Promise<unknown>
  subscribeResource(params: unknown): Promise<unknown>
  listPrompts(): Promise<{ prompts: { name: string }[] }>
  getPrompt(params: unknown): Promise<unknown>
  complete(params: unknown): Promise<unknown>
  setLoggingLevel(level: string): Promise<unknown>
  getServerVersion(): { name: string } | undefined
  getNegotiatedProtocolVersion?(): string | undefined
  getInstructions(): string | undefined
  close(): Promise<void>
}

function peer(client: AnyClient, events: string[]): Peer {
  const isV1 = client instanceof ClientV1
  return {
    events,
    revision: client.getNegotiatedProtocolVersion?.(),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, options) => {
      const params = { name, ...(args && { arguments: args }) }
      return isV1 ? client.callTool(params, undefined, options) : client.callTool(params, options)
    },
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(
        ({ uriTemplate }) => uriTemplate,
      ),
    read: async (uri) => client.readResource({ uri }),
    subscribe: async (uri) => client.subscribeResource({ uri }),
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    prompt: async (name, args) => client.getPrompt({ name, arguments: args }),
    complete: async (params) => client.complete(params),
    setLevel: async (level) => client.setLoggingLevel(level),
    serverName: () => client.getServerVersion()?.name,
    instructions: () => client.getInstructions(),
    close: async () => client.close(),
  }
}
