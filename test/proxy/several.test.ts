import { expect, test } from 'vitest'
import { harness, initialize, request } from './harness.ts'
import type { FakeServer, Harness, Message } from './harness.ts'

interface Played {
  readonly capabilities?: unknown
  readonly version?: string
  readonly instructions?: string
  readonly lists?: Readonly<Record<string, readonly unknown[]>>
  /** Other methods, by what they answer. */
  readonly answers?: Readonly<Record<string, (message: Message) => unknown>>
}

const all = {
  tools: { listChanged: true },
  prompts: {},
  resources: { subscribe: true },
  completions: {},
  logging: {},
}

const members: Readonly<Record<string, string>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
}

/** Lets a fake server answer what its script says; each entry of a list is a page of one item. */
function play(server: FakeServer | undefined, script: Played): void {
  if (server === undefined) throw new Error('no such server')
  server.auto = (message) => {
    const { id, method = '', params } = message
    if (id === undefined) return undefined
    const ok = (result: unknown): unknown => ({ jsonrpc: '2.0', id, result })
    if (method === 'initialize') {
      return ok({
        protocolVersion: script.version ?? '2025-11-25',
        capabilities: script.capabilities ?? all,
        ...(script.instructions !== undefined && { instructions: script.instructions }),
      })
    }
    const own = script.answers?.[method]
    if (own !== undefined) {
      const answer = own(message)
      return answer === undefined ? undefined : { jsonrpc: '2.0', id, ...(answer as object) }
    }
    const member = members[method]
    if (member !== undefined) {
      const items = script.lists?.[method] ?? []
      const at =
        params?.['cursor'] === undefined
          ? 0
          : Number(params['cursor'] === '' ? 1 : params['cursor'])
      // The first cursor is the empty string, which is a cursor like any.
      const next = at + 1 < items.length ? { nextCursor: at === 0 ? '' : String(at + 1) } : {}
      return ok({ [member]: items.slice(at, at + 1), ...next })
    }
    return ok({ server: 'answered', method, params })
  }
}

const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 15))

async function session(scripts: Readonly<Record<string, Played>>): Promise<Harness> {
  const made = harness(Object.keys(scripts))
  for (const [name, script] of Object.entries(scripts)) play(made.servers[name], script)
  made.send(request('initialize', initialize, 'init'))
  await wait()
  made.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await wait()
  return made
}

async function ask(made: Harness, method: string, params?: unknown): Promise<Message | undefined> {
  const asked = request(method, params)
  made.send(asked)
  await wait()
  return made.answerTo(asked.id)
}

/** The names in an answer to `tools/list`. */
function toolNames(answer: Message | undefined): readonly string[] {
  const tools = answer?.result?.['tools'] ?? []
  return (tools as readonly { readonly name: string }[]).map(({ name }) => name)
}

const tool = (name: string, more: object = {}): object => ({
  name,
  inputSchema: { type: 'object' },
  ...more,
})

test('initialize joins what the servers say; each is told that the client is ready', async () => {
  const made = await session({
    a: { version: '2025-06-18', instructions: 'A first.', capabilities: { tools: {} } },
    b: { instructions: 'B too.', capabilities: { prompts: { listChanged: true }, tasks: {} } },
  })
  expect(made.answerTo('init')?.result).toEqual({
    protocolVersion: '2025-06-18',
    capabilities: { tools: {}, prompts: { listChanged: true } },
    serverInfo: { name: 'capfence', version: '0' },
    instructions: '# a\nA first.\n\n# b\nB too.',
  })
  for (const server of Object.values(made.servers)) {
    expect(server.messages.map(({ method }) => method)).toEqual([
      'initialize',
      'notifications/initialized',
    ])
  }
})

test('a server that dies at the start is left out, and said', async () => {
  const made = harness(['a', 'b'])
  play(made.servers['a'], {})
  made.send(request('initialize', initialize, 'init'))
  made.servers['b']?.exit({ code: null, signal: null, error: new Error('spawn nowhere ENOENT') })
  await wait()
  expect(made.answerTo('init')?.result).toMatchObject({ protocolVersion: '2025-11-25' })
  expect(made.logs.join('\n')).toContain('spawn nowhere ENOENT')
})

test('no server at all is an error, not an empty endpoint', async () => {
  const made = harness(['a', 'b'])
  made.send(request('initialize', initialize, 'init'))
  made.servers['a']?.exit()
  made.servers['b']?.exit()
  await wait()
  expect(made.answerTo('init')?.error?.code).toBe(-32603)
})

test('tools are listed under their server’s prefix, page by page, definitions as they were written', async () => {
  const made = await session({
    a: { lists: { 'tools/list': [tool('x', { n: 1 }), tool('y'), tool('z')] } },
    b: { lists: { 'tools/list': [tool('x')] } },
  })
  const names: unknown[] = []
  let cursor: unknown
  for (let page = 0; page < 5; page += 1) {
    const answer = await ask(made, 'tools/list', cursor === undefined ? {} : { cursor })
    names.push(...toolNames(answer))
    cursor = answer?.result?.['nextCursor']
    if (cursor === undefined) break
  }
  expect(names).toEqual(['a__x', 'b__x', 'a__y', 'a__z'])
})

test.each(['', 'x', 'eyJ9.abc', 'W10.0000'])(
  'a cursor that was not given out is refused: %j',
  async (cursor) => {
    const made = await session({ a: {}, b: {} })
    const before = made.servers['a']?.lines.length
    expect((await ask(made, 'tools/list', { cursor }))?.error?.code).toBe(-32602)
    expect(made.servers['a']?.lines).toHaveLength(before ?? 0)
  },
)

test('a definition keeps a number that no double holds', async () => {
  const made = await session({ a: {}, b: {} })
  const { a } = made.servers
  if (a === undefined) throw new Error('no server')
  a.auto = ({ id }) =>
    `{"jsonrpc":"2.0","id":${String(id)},"result":{"tools":[{"name":"x","max":9223372036854775807}]}}`
  made.send(request('tools/list', {}, 5))
  await wait()
  expect(made.lines.at(-1)).toContain('{"name":"a__x","max":9223372036854775807}')
})

test('one server’s error does not fail the list of the others', async () => {
  const made = await session({
    a: { answers: { 'tools/list': () => ({ error: { code: -32603, message: 'broken' } }) } },
    b: { lists: { 'tools/list': [tool('x')] } },
  })
  expect((await ask(made, 'tools/list'))?.result?.['tools']).toMatchObject([{ name: 'b__x' }])
  expect(made.logs.join('\n')).toContain('`a` is left out of tools/list')
})

test('a call goes to its server under its own name, whether it was listed before or not', async () => {
  const made = await session({
    a: { lists: { 'tools/list': [tool('x')] } },
    b: { lists: { 'tools/list': [tool('x')] } },
  })
  await ask(made, 'tools/call', { name: 'b__x', arguments: { k: 1 } })
  expect(made.servers['a']?.calls).toEqual([])
  expect(made.servers['b']?.calls[0]?.params).toEqual({ name: 'x', arguments: { k: 1 } })
  expect(made.gate.judged).toMatchObject([{ server: 'b', tool: 'x' }])
})

test('B9, B10: a shortened name is judged and forwarded as the tool it stands for', async () => {
  const long = `do_${'something_'.repeat(8)}now`
  const made = await session({
    a: { lists: { 'tools/list': [tool(long)] } },
    b: { lists: { 'tools/list': [tool(`${long}!`)] } },
  })
  const answer = await ask(made, 'tools/list')
  const [first, second] = toolNames(answer)
  expect(first?.length).toBeLessThanOrEqual(49)
  expect(first).not.toBe(second)
  await ask(made, 'tools/call', { name: first })
  expect(made.gate.judged).toMatchObject([{ server: 'a', tool: long }])
  expect(made.servers['a']?.calls[0]?.params).toEqual({ name: long })
})

test('a shortened name is understood before the client has listed anything', async () => {
  const long = `do_${'something_'.repeat(8)}now`
  const one = await session({ a: { lists: { 'tools/list': [tool(long)] } }, b: {} })
  const listed = await ask(one, 'tools/list')
  const [name] = toolNames(listed)
  const two = await session({ a: { lists: { 'tools/list': [tool(long)] } }, b: {} })
  await ask(two, 'tools/call', { name })
  expect(two.servers['a']?.calls[0]?.params).toEqual({ name: long })
})

test('B9: an unknown tool is judged nowhere and reaches nobody', async () => {
  const made = await session({ a: {}, b: {} })
  const answer = await ask(made, 'tools/call', { name: 'x' })
  expect(answer?.error).toMatchObject({ code: -32602, message: 'Unknown tool: x' })
  expect(made.gate.judged).toEqual([])
  expect(made.gate.refusals).toMatchObject([{ reason: 'unknown_tool' }])
  for (const server of Object.values(made.servers)) expect(server.calls).toEqual([])
})

test('prompts carry the prefix in lists, in get and in completion', async () => {
  const made = await session({ a: { lists: { 'prompts/list': [{ name: 'hello' }] } }, b: {} })
  expect((await ask(made, 'prompts/list'))?.result?.['prompts']).toEqual([{ name: 'a__hello' }])
  await ask(made, 'prompts/get', { name: 'a__hello', arguments: {} })
  expect(made.servers['a']?.last.params).toEqual({ name: 'hello', arguments: {} })
  await ask(made, 'completion/complete', {
    ref: { type: 'ref/prompt', name: 'a__hello' },
    argument: { name: 'n', value: 'v' },
  })
  expect(made.servers['a']?.last.params?.['ref']).toEqual({ type: 'ref/prompt', name: 'hello' })
  expect((await ask(made, 'prompts/get', { name: 'c__hello' }))?.error?.code).toBe(-32602)
})

test('a resource is read at the server that lists it or whose template fits, else at whoever has it', async () => {
  const notMine = (): unknown => ({ error: { code: -32002, message: 'Resource not found' } })
  const made = await session({
    a: { lists: { 'resources/list': [{ name: 'one', uri: 'r://one' }] }, answers: {} },
    b: { lists: { 'resources/templates/list': [{ name: 't', uriTemplate: 'db://{id}' }] } },
    c: {},
  })
  await ask(made, 'resources/read', { uri: 'db://7' })
  expect(made.servers['b']?.last.params).toEqual({ uri: 'db://7' })
  await ask(made, 'resources/read', { uri: 'r://one' })
  expect(made.servers['a']?.last.params).toEqual({ uri: 'r://one' })
  play(made.servers['a'], { answers: { 'resources/read': notMine } })
  play(made.servers['b'], { answers: { 'resources/read': notMine } })
  const answer = await ask(made, 'resources/read', { uri: 'hidden://x' })
  expect(answer?.result).toMatchObject({ server: 'answered' })
  expect(made.servers['c']?.last.params).toEqual({ uri: 'hidden://x' })
})

test('a resource that no server has is an error of the last one asked', async () => {
  const notMine = (): unknown => ({ error: { code: -32002, message: 'Resource not found' } })
  const answers = { 'resources/read': notMine }
  const made = await session({ a: { answers }, b: { answers } })
  expect((await ask(made, 'resources/read', { uri: 'r://?' }))?.error?.code).toBe(-32002)
})

test('the log level is told to every server that logs', async () => {
  const made = await session({ a: {}, b: { capabilities: { tools: {} } }, c: {} })
  expect((await ask(made, 'logging/setLevel', { level: 'error' }))?.result).toEqual({})
  const told = Object.entries(made.servers).filter(([, server]) =>
    server.messages.some(({ method }) => method === 'logging/setLevel'),
  )
  expect(told.map(([name]) => name)).toEqual(['a', 'c'])
})

test('a method that cannot be given to one of several servers is refused', async () => {
  const made = await session({ a: {}, b: {} })
  expect((await ask(made, 'tasks/get', { taskId: '1' }))?.error?.code).toBe(-32601)
})

test('a client’s cancellation of a list reaches every server that was asked', async () => {
  const silent: Played = { answers: { 'tools/list': () => undefined } }
  const made = await session({ a: silent, b: silent })
  made.send(request('tools/list', {}, 'l'))
  made.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'l' } })
  await wait()
  for (const server of Object.values(made.servers)) {
    expect(server.last.method).toBe('notifications/cancelled')
  }
  expect(made.answerTo('l')).toBeUndefined()
})

test('the gate is told what tools were shown, and when a list was read to its end', async () => {
  const made = await session({
    a: { lists: { 'tools/list': [tool('x', { n: 1 }), tool('y')] } },
    b: { lists: { 'tools/list': [tool('x'), tool('x')] } },
  })
  const first = await ask(made, 'tools/list')
  const { listings } = made.gate
  expect(listings.map(({ server, isComplete }) => [server, isComplete])).toEqual([
    ['a', false],
    ['b', false],
  ])
  expect(listings[0]?.names()).toEqual(['x'])
  await ask(made, 'tools/list', { cursor: first?.result?.['nextCursor'] })
  expect(listings.slice(2).map(({ server, isComplete }) => [server, isComplete])).toEqual([
    ['a', true],
    ['b', true],
  ])
  expect(listings[2]?.names()).toEqual(['x', 'y'])
  // What the client was not shown is not among them.
  expect(listings[3]?.names()).toEqual(['x'])
  expect(listings[2]?.hashOf('x')).not.toBe(listings[3]?.hashOf('x'))
  expect(listings[2]?.hashOf('z')).toBeUndefined()
})

test('a list of anything else is no list of tools', async () => {
  const made = await session({ a: { lists: { 'prompts/list': [tool('x')] } }, b: {} })
  await ask(made, 'prompts/list')
  expect(made.gate.listings).toEqual([])
})
