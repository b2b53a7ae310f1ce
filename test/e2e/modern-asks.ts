import type { Wire } from './gate.ts'
import type { RawHttp } from './serve.ts'

export const revision = '2026-07-28'
export const key = (name: string): string => `io.modelcontextprotocol/${name}`

export interface Asked {
  readonly method: string
  readonly params?: Record<string, unknown>
  readonly id?: string | number
  readonly meta?: Record<string, unknown>
  readonly headers?: Record<string, string>
  readonly capabilities?: Record<string, unknown>
}

/** A request of the revision without sessions, its envelope and headers right unless a test says otherwise. */
export async function askOf(
  client: RawHttp,
  asked: Asked,
  signal?: AbortSignal,
): Promise<Response> {
  const { method, params = {}, id = 1, meta = {}, headers = {}, capabilities = {} } = asked
  const name = params['name'] ?? params['uri']
  const own = {
    'MCP-Protocol-Version': revision,
    'Mcp-Method': method,
    ...(typeof name === 'string' && { 'Mcp-Name': name }),
  }
  const envelope = {
    [key('protocolVersion')]: revision,
    [key('clientInfo')]: { name: 'modern-raw', version: '1' },
    [key('clientCapabilities')]: capabilities,
    ...meta,
  }
  const known = Object.entries(envelope).filter(([, value]) => value !== null)
  const body = { id, method, params: { ...params, _meta: Object.fromEntries(known) } }
  return client.post(body, { ...own, ...headers }, signal)
}

export const call = (
  name: string,
  args: Record<string, unknown> = {},
  more: Partial<Asked> = {},
): Asked => ({
  method: 'tools/call',
  params: { name, arguments: args },
  ...more,
})
export const text = ({ result }: Wire): unknown =>
  (result as { content?: { text?: string }[] } | undefined)?.content?.[0]?.text
