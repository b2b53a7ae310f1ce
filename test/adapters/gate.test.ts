import { tool as aiTool, generateText } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { DynamicStructuredTool, DynamicTool, StructuredTool } from '@langchain/core/tools'
import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  BlockedCallError,
  gate,
  gateClient,
  gateTool,
  gateTools,
  inputOf,
} from '../../src/index.ts'
import { testGate } from './a-runtime.ts'

const input = z.object({ path: z.string() })
const blocked = { code: 'CALL_BLOCKED' }

describe('a function that is gated', () => {
  test('runs when it is allowed, and how it ended stands in the log', async () => {
    const { context, decisions, outcomes } = testGate()
    const read = gate(async ({ path }: { path: string }) => `of ${path}`, {
      ...context,
      tool: 'read',
    })
    expect(await read({ path: 'a' })).toBe('of a')
    const failing = gate(
      async ({ path }: { path: string }): Promise<never> => {
        throw new Error(`no such file: ${path}`)
      },
      { ...context, tool: 'read' },
    )
    await expect(failing({ path: 'b' })).rejects.toThrow('no such file')
    expect(await decisions()).toEqual(['allow', 'allow'])
    expect(await outcomes()).toEqual(['ok', 'tool_error'])
  })

  test('does not run when it is denied, held or known to no rule', async () => {
    const { context, decisions, outcomes } = testGate()
    const made: unknown[] = []
    const act = async (args: object): Promise<void> => void made.push(args)
    const [remove, pay, other] = ['delete', 'pay', 'other'].map((tool) =>
      gate(act, { ...context, tool }),
    )
    await expect(remove?.({ path: '/etc' })).rejects.toMatchObject(blocked)
    const held = await pay?.({ amount: 101 }).catch((error: unknown) => error)
    expect(held).toBeInstanceOf(BlockedCallError)
    expect((held as BlockedCallError).hint).toMatch(/capfence approvals approve apr_/)
    await expect(other?.({})).rejects.toMatchObject(blocked)
    expect(made).toEqual([])
    expect(await decisions()).toEqual(['deny', 'require_approval', 'deny'])
    expect(await outcomes()).toEqual([])
  })

  test('is decided on what it gets, whoever changes its arguments meanwhile', async () => {
    const { context } = testGate()
    const got: unknown[] = []
    const pay = gate(async (args: { amount: number }) => void got.push(args.amount), {
      ...context,
      tool: 'pay',
    })
    const args = { amount: 5 }
    const paying = pay(args)
    args.amount = 5000
    await paying
    let reads = 0
    const turning = {
      get amount(): number {
        reads += 1
        return reads === 1 ? 5 : 5000
      },
    }
    await pay(turning)
    expect(got).toEqual([5, 5])
  })

  test('with several arguments says which of them the policy sees, or is refused', async () => {
    const { context, decisions } = testGate()
    const made: unknown[] = []
    const transfer = async (to: string, amount: number): Promise<void> =>
      void made.push([to, amount])
    const silent = gate(transfer, { ...context, tool: 'pay' })
    await expect(silent('ACME', 5000)).rejects.toMatchObject({ code: 'EVENT_INVALID' })
    const named = gate(transfer, {
      ...context,
      tool: 'pay',
      arguments: (to, amount) => ({ to, amount }),
    })
    await named('ACME', 5)
    await expect(named('ACME', 5000)).rejects.toMatchObject(blocked)
    expect(made).toEqual([['ACME', 5]])
    expect(await decisions()).toEqual(['allow', 'require_approval'])
  })

  test.each<[string, unknown]>([
    ['a function', { path: () => 'x' }],
    ['a date', { path: new Date(0) }],
    ['no number', { path: Number.NaN }],
    ['half a character', { path: '\uD800' }],
    ['a list', ['x']],
    ['a map', new Map([['path', 'x']])],
  ])('refuses %s, which no policy can look at', async (_, args) => {
    const { context, decisions } = testGate()
    let isMade = false
    const read = gate(
      async (given: unknown) => {
        isMade = given !== undefined
      },
      { ...context, tool: 'read' },
    )
    await expect(read(args)).rejects.toMatchObject({ code: 'EVENT_INVALID' })
    expect(isMade).toBe(false)
    expect(await decisions()).toEqual([])
  })

  test('with one text has it as its argument `input`', async () => {
    const { context, decisions } = testGate()
    const search = gate(async (query: string) => `for ${query}`, { ...context, tool: 'search' })
    expect(await search('shoes')).toBe('for shoes')
    await expect(search('secrets')).rejects.toMatchObject(blocked)
    expect(await decisions()).toEqual(['allow', 'deny'])
  })

  test('has to have a name', () => {
    const { context } = testGate()
    expect(() => gate(async () => 1, context)).toThrow(/no name that a policy could know it by/)
  })

  test('of a framework gets what is handed to it besides as it is', async () => {
    const { context } = testGate()
    const extra = { signal: new AbortController().signal, send: (): void => undefined }
    const read = gate(
      async ({ path }: { path: string }, given: typeof extra) => (path === 'a' ? given : path),
      {
        ...context,
        tool: 'read',
        arguments: inputOf,
      },
    )
    expect(await read({ path: 'a' }, extra)).toBe(extra)
  })
})

describe('tools of frameworks', () => {
  test('AI SDK: a model’s call runs when it is allowed, and is an error of the tool when not', async () => {
    const { context, decisions } = testGate()
    const ran: string[] = []
    const tools = {
      read: aiTool({
        inputSchema: input,
        execute: async ({ path }) => {
          ran.push(`read ${path}`)
          return 'text'
        },
      }),
      delete: aiTool({
        inputSchema: input,
        execute: async ({ path }) => {
          ran.push(`delete ${path}`)
          return 'gone'
        },
      }),
    }
    const call = (toolName: string, path: string) => ({
      type: 'tool-call' as const,
      toolCallId: `${toolName}-${path}`,
      toolName,
      input: JSON.stringify({ path }),
    })
    const model = new MockLanguageModelV3({
      doGenerate: async () => ({
        content: [call('read', 'a'), call('delete', '/etc'), call('delete', 'b')],
        finishReason: { unified: 'tool-calls' as const, raw: undefined },
        usage: {
          inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 1, text: 1, reasoning: 0 },
        },
        warnings: [],
      }),
    })
    const { content } = await generateText({
      model,
      prompt: 'go on',
      tools: gateTools(tools, context),
    })
    expect(ran).toEqual(['read a'])
    const kinds = content.map(({ type }) => type)
    expect(kinds.filter((type) => type === 'tool-result')).toHaveLength(1)
    expect(kinds.filter((type) => type === 'tool-error')).toHaveLength(2)
    expect(await decisions()).toEqual(expect.arrayContaining(['allow', 'deny', 'deny']))
  })

  test('LangChain: what invokes the tool gets what the policy allows, of functions and of classes', async () => {
    const { context } = testGate()
    const ran: string[] = []
    class Delete extends StructuredTool {
      override name = 'delete'
      override description = 'deletes'
      override schema = input
      protected override async _call({ path }: { path: string }): Promise<string> {
        ran.push(`delete ${path}`)
        return 'gone'
      }
    }
    const read = new DynamicStructuredTool({
      name: 'read',
      description: 'reads',
      schema: input,
      func: async ({ path }) => {
        ran.push(`read ${path}`)
        return 'text'
      },
    })
    const [gatedRead, gatedDelete] = [gateTool(read, context), gateTool(new Delete(), context)]
    expect(await gatedRead.invoke({ path: 'a' })).toBe('text')
    expect(gatedRead.name).toBe('read')
    await expect(gatedDelete.invoke({ path: '/etc' })).rejects.toMatchObject(blocked)
    expect(ran).toEqual(['read a'])
  })

  test('LangChain: a tool of a text is decided on that text', async () => {
    const { context } = testGate()
    const search = gateTool(
      new DynamicTool({ name: 'search', description: 'x', func: async (text) => `for ${text}` }),
      context,
    )
    expect(await search.invoke('shoes')).toBe('for shoes')
    await expect(search.invoke('secrets')).rejects.toMatchObject(blocked)
  })

  test('OpenAI Agents: the input is read strictly before it is decided on', async () => {
    const { context } = testGate()
    const ran: unknown[] = []
    const pay = gateTool(
      {
        type: 'function' as const,
        name: 'pay',
        invoke: async (_context: unknown, text: string) => {
          ran.push(text)
          return 'paid'
        },
      },
      context,
    )
    expect(await pay.invoke({}, '{"amount":5}')).toBe('paid')
    await expect(pay.invoke({}, '{"amount":5000}')).rejects.toMatchObject(blocked)
    await expect(pay.invoke({}, '{"amount":5000,"amount":5}')).rejects.toMatchObject({
      code: 'JSON_INVALID',
    })
    expect(ran).toEqual(['{"amount":5}'])
  })

  test('what is no tool is refused, and what runs elsewhere is passed on', () => {
    const { context } = testGate()
    expect(() => gateTool({ name: 'x', run: () => 1 }, context)).toThrow(
      /no tool that can be gated/,
    )
    expect(() => gateTool({ execute: () => 1 }, context)).toThrow(/no name/)
    const elsewhere = { inputSchema: {} }
    expect(gateTools({ elsewhere }, context).elsewhere).toBe(elsewhere)
  })
})

interface Served {
  readonly ran: string[]
  readonly transport: InMemoryTransport
}

async function served(): Promise<Served> {
  const ran: string[] = []
  const server = new McpServer({ name: 'app', version: '1.0.0' })
  for (const name of ['read', 'delete']) {
    server.registerTool(name, { inputSchema: { path: z.string() } }, async ({ path }) => {
      ran.push(`${name} ${path}`)
      return { content: [{ type: 'text', text: 'done' }], isError: path === 'missing' }
    })
  }
  const [ours, theirs] = InMemoryTransport.createLinkedPair()
  await server.connect(theirs)
  return { ran, transport: ours }
}

const info = { name: 'agent', version: '1.0.0' }

describe('clients of the MCP SDK', () => {
  test('version 1: allowed calls reach the server, others are answered as the gate answers them', async () => {
    const { context, outcomes } = testGate()
    const { ran, transport } = await served()
    const raw = new ClientV1(info)
    await raw.connect(transport)
    const client = gateClient(raw, context)
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['read', 'delete'])
    expect(await client.callTool({ name: 'read', arguments: { path: 'a' } })).toMatchObject({
      content: [{ text: 'done' }],
    })
    expect(await client.callTool({ name: 'read', arguments: { path: 'missing' } })).toMatchObject({
      isError: true,
    })
    const denied = await client.callTool({ name: 'delete', arguments: { path: '/etc' } })
    expect(denied).toMatchObject({
      isError: true,
      _meta: { 'dev.capfence/decision': { decision: 'deny', rules: ['no-root'] } },
    })
    const past = { method: 'tools/call', params: { name: 'delete', arguments: { path: '/etc' } } }
    expect(await client.request(past as never, CallToolResultSchema)).toMatchObject({
      isError: true,
    })
    expect(ran).toEqual(['read a', 'read missing'])
    expect(await outcomes()).toEqual(['ok', 'tool_error'])
    await raw.close()
  })

  test('what is sent is what was decided on, whoever changes it meanwhile', async () => {
    const { context } = testGate()
    const { ran, transport } = await served()
    const raw = new ClientV1(info)
    await raw.connect(transport)
    const client = gateClient(raw, context)
    const params = { name: 'read', arguments: { path: 'a' } }
    const calling = client.callTool(params)
    params.name = 'delete'
    params.arguments.path = '/etc'
    await calling
    expect(ran).toEqual(['read a'])
    await raw.close()
  })

  test('version 2: the same', async () => {
    const { context } = testGate()
    const { ran, transport } = await served()
    const raw = new ClientV2(info)
    await raw.connect(transport)
    const client = gateClient(raw, context)
    await client.callTool({ name: 'read', arguments: { path: 'a' } })
    const denied = await client.callTool({ name: 'delete', arguments: { path: '/etc' } })
    expect(denied.isError).toBe(true)
    expect(ran).toEqual(['read a'])
    await raw.close()
  })

  test('what would send a call past the gate is refused', async () => {
    const { context } = testGate()
    const client = gateClient(new ClientV1(info), context)
    expect(() => client.experimental).toThrow(/would go past the gate/)
    expect(() => client.transport).toThrow(/would go past the gate/)
    expect(() => gateClient({}, context)).toThrow(/no client of the MCP SDK/)
  })

  test('a call that is no data, or names no tool, is answered and not sent', async () => {
    const { context, decisions } = testGate()
    const { ran, transport } = await served()
    const raw = new ClientV1(info)
    await raw.connect(transport)
    const client = gateClient(raw, context)
    const wrong = [{ arguments: {} }, { name: 'read', arguments: { path: () => 1 } }]
    for (const params of wrong) {
      expect(await client.callTool(params as never)).toMatchObject({ isError: true })
    }
    expect(ran).toEqual([])
    expect(await decisions()).toEqual([])
    await raw.close()
  })
})
