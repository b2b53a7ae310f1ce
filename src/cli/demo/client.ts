import { CapFenceError } from '../../errors.ts'

/** What the gate says of a call it blocked, in the result's `_meta`. */
interface DecisionMeta {
  readonly decision: string
  readonly rules: readonly string[]
  readonly approvalId?: string
}

/** A tool's result as the demonstration reads it. */
export interface DemoReply {
  readonly isError: boolean
  readonly text: string
  readonly decision: DecisionMeta | undefined
}

/** A client of the gate, made of the official SDK. */
export interface DemoClient {
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<DemoReply>
  close(): Promise<void>
}

/**
 * Starts a command and connects the official SDK's client to it.
 *
 * @throws CapFenceError `USAGE` when the SDK is not installed
 */
export async function connect(command: string, args: readonly string[]): Promise<DemoClient> {
  const { Client, StdioClientTransport } = await sdk()
  const client = new Client({ name: 'capfence-demo', version: '1.0.0' })
  const transport = new StdioClientTransport({ command, args: [...args], stderr: 'ignore' })
  await client.connect(transport)
  return {
    call: async (name, given) =>
      readReply(await client.callTool({ name, arguments: { ...given } })),
    close: async () => client.close(),
  }
}

async function sdk() {
  try {
    const [{ Client }, { StdioClientTransport }] = await Promise.all([
      import('@modelcontextprotocol/sdk/client/index.js'),
      import('@modelcontextprotocol/sdk/client/stdio.js'),
    ])
    return { Client, StdioClientTransport }
  } catch (cause) {
    throw new CapFenceError(
      'USAGE',
      'the demo needs the official MCP SDK, which is not installed',
      {
        hint: 'npm install --no-save @modelcontextprotocol/sdk @modelcontextprotocol/server-filesystem',
        cause,
      },
    )
  }
}

function readReply(result: Readonly<Record<string, unknown>>): DemoReply {
  const content = Array.isArray(result['content']) ? result['content'] : []
  const meta: unknown = result['_meta']
  return {
    isError: result['isError'] === true,
    text: content.map(textOf).join('\n'),
    decision: isRecord(meta) ? readDecision(meta['dev.capfence/decision']) : undefined,
  }
}

function textOf(block: unknown): string {
  return isRecord(block) && typeof block['text'] === 'string' ? block['text'] : ''
}

function readDecision(value: unknown): DecisionMeta | undefined {
  if (!isRecord(value) || typeof value['decision'] !== 'string') return undefined
  const { decision, rules, approvalId } = value
  return {
    decision,
    rules: Array.isArray(rules) ? rules.map(String) : [],
    ...(typeof approvalId === 'string' && { approvalId }),
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
