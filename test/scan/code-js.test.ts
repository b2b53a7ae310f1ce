import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scan } from '../../src/scan/scan.ts'
import { findingsIn, openIn, withProject } from './a-project.ts'

/** The rules that a file of code breaks, in their order. */
async function rulesIn(code: string, name = 'a.ts'): Promise<readonly string[]> {
  return (await findingsIn({ [name]: code })).map(({ rule }) => rule)
}

const server = `import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
const server = new McpServer({ name: 'x', version: '1' })\n`

describe('a tool is found however its maker is reached', () => {
  test.each([
    `import { tool } from 'ai'; tool({ execute() {} })`,
    `import { tool as t } from 'ai'; t({ execute() {} })`,
    `import * as ai from 'ai'; ai.tool({ execute() {} })`,
    `import * as ai from 'ai'; ai['tool']({ execute() {} })`,
    `import ai from 'ai'; ai.tool({ execute() {} })`,
    `const { tool } = require('ai'); tool({ execute() {} })`,
    `require('ai').tool({ execute() {} })`,
    `const ai = await import('ai'); ai.tool({ execute() {} })`,
    `const { tool: t } = await import('ai'); t({ execute() {} })`,
    `import { tool } from 'ai'; const t = tool; t({ execute() {} })`,
    `import { tool } from 'ai'; let t; t = tool; t({ execute() {} })`,
    `import { tool } from 'ai'; const t = process.env.X ? tool : undefined; t({ execute() {} })`,
    `import { tool } from 'ai'; const all = { nested: { tool } }; all.nested.tool({ execute() {} })`,
    `import { tool } from 'ai'; (tool as any)!({ execute() {} })`,
    `import { tool } from 'ai'; tool?.({ execute: async () => 1 })`,
    `import { tool } from 'ai'; tool({ 'execute': async () => 1 })`,
    `import { tool } from 'ai'; const execute = async () => 1; tool({ execute })`,
    `import { tool } from 'ai'; export const make = (x) => tool(x)`,
    `import { tool } from 'npm:ai@5'; tool({ execute() {} })`,
    `import { tool } from 'https://esm.sh/ai@5.0.1'; tool({ execute() {} })`,
    `import { tool } from 'ai'; class A { static t = tool({ execute() {} }) }`,
    `import { tool } from 'ai'; function f() { { return [tool({ execute() {} })] } }`,
    `import ai = require('ai'); ai.tool({ execute() {} })`,
    `import { tool } from 'ai'; for (const x of [1]) tool({ execute() {} })`,
    'import { tool } from "ai"; label: tool({ execute() {} })',
    'import { tool } from "ai"; `${tool({ execute() {} })}`',
  ])('%s', async (code) => {
    expect(await rulesIn(code)).toEqual(['CF101'])
  })
})

describe('what has the name of a maker and is none', () => {
  test.each([
    `import { tool } from './mine'; tool({ execute() {} })`,
    `import { tool } from 'ai-something'; tool({ execute() {} })`,
    `import { generateText } from 'ai'; function tool(x) {}; tool({ execute() {} })`,
    `import { tool } from 'ai'; function f(tool) { tool({ execute() {} }) }`,
    `import { tool } from 'ai'; { const tool = (x) => x; tool({ execute() {} }) }`,
    `import { tool } from 'ai'; try {} catch (tool) { tool({ execute() {} }) }`,
    `import { tool } from 'ai'; const f = ({ tool }) => tool({ execute() {} })`,
    `import { tool } from 'ai'; // tool({ execute() {} })`,
    'import { tool } from "ai"; const s = `tool({ execute() {} })`',
    `import { tool } from 'ai'; ({ tool() {} }).tool({ execute() {} })`,
    `import { tool } from 'ai'; tool({ description: 'the client runs it' })`,
    `import type { Tool } from 'ai'; export const t = (x: Tool) => x`,
    `${server}server.registerPrompt('x', {}, () => 1); server.resource('x', 'y', () => 1)`,
    `${server}other.registerTool('x', {}, () => 1)\nconst other = new Map()`,
  ])('%s', async (code) => {
    expect(await rulesIn(code)).toEqual([])
  })
})

describe('the gate counts where it decides', () => {
  const head = `import { tool } from 'ai'; import { gate, gateTools, ActionRuntime } from 'capfence'
    const runtime = new ActionRuntime(); const act = () => 1;\n`
  test.each([
    `tool({ execute: gate(act, {}) })`,
    `const execute = gate(act, {}); tool({ execute })`,
    `tool({ execute: (x) => safe(x) }); const safe = gate(act, {})`,
    `gateTools({ a: tool({ execute: act }) }, runtime)`,
    `const a = tool({ execute: act }); use(gateTools({ a }, runtime))`,
    `const all = { a: tool({ execute: act }) }; const safe = gateTools(all, runtime)`,
    `const make = () => tool({ execute: act }); gateTools([make()], runtime)`,
    `tool({ execute: async (x) => { const v = await runtime.execute(x); return v.authorized && act() } })`,
    `tool({ execute: async (x) => { if ((await runtime.execute(x)).decision === 'allow') act() } })`,
  ])('%s', async (code) => {
    expect(await rulesIn(head + code)).toEqual([])
  })

  test.each([
    [
      'the answer is dropped',
      `tool({ execute: async (x) => { await runtime.execute(x); act() } })`,
    ],
    ['the answer is voided', `tool({ execute: (x) => { void runtime.execute(x); act() } })`],
    [
      'it is asked elsewhere',
      `tool({ execute: () => { const f = () => runtime.execute(x); act() } })`,
    ],
    ['it is one of two', `tool({ execute: process.env.X ? gate(act, {}) : act })`],
    [
      'it is given to one user of two',
      `const a = tool({ execute: act }); gateTools({ a }, runtime); use(a)`,
    ],
    ['others can find it', `export const a = tool({ execute: act }); gateTools({ a }, runtime)`],
    ['the gate is somebody else', `const gateX = (f) => f; tool({ execute: gateX(act) })`],
    ['the name is hidden', `{ const gate = (f) => f; tool({ execute: gate(act) }) }`],
    ['the gate is only named', `gate; tool({ execute: act })`],
    ['it is changed later', `let f = gate(act, {}); f = act; tool({ execute: f })`],
    [
      'the runtime is another one',
      `tool({ execute: async (x) => { if (await other.execute(x)) act() } })`,
    ],
    ['a later key wins', `tool({ execute: gate(act, {}), execute: act })`],
  ])('not when %s', async (_, code) => {
    expect(await rulesIn(head + code)).toEqual(['CF101'])
  })

  test('not when `capfence` is a file of the project', async () => {
    const code = `import { tool } from 'ai'; import { gate } from './capfence'; tool({ execute: gate(f) })`
    expect(await rulesIn(code)).toEqual(['CF101'])
  })
})

describe('names lead on through the files of a project', () => {
  const use = 'server.registerTool("x", {}, () => 1)'
  test.each([
    [`${server}export { server }`, `import { server } from './made'; ${use}`],
    [`${server}export default server`, `import server from './made.js'; ${use}`],
    [`${server}export { server as files }`, `import { files as server } from './made'; ${use}`],
    [`${server}module.exports = { server }`, `const { server } = require('./made'); ${use}`],
    [`${server}exports.server = server`, `const server = require('./made').server; ${use}`],
    [`${server}export const get = () => server`, `import * as m from './made'; m.get && ${use}`],
    [
      `export * from '@modelcontextprotocol/sdk/server/mcp.js'`,
      `import { McpServer } from './made'; const server = new McpServer({}); ${use}`,
    ],
    [
      `export { McpServer as Base } from '@modelcontextprotocol/sdk/server/mcp.js'`,
      `import { Base } from '@/made'; const server = new Base({}); ${use}`,
    ],
  ])('%s, %s', async (made, using) => {
    const name = using.includes('m.get') ? [] : ['src/use.ts:1 CF102']
    expect(await openIn({ 'src/made.ts': made, 'src/use.ts': using })).toEqual(name)
  })

  test('through two files, and back in a circle', async () => {
    const files = {
      'a.ts': `${server}export { server }`,
      'b/index.ts': `export * from '../a'; export * from '../c'`,
      'c.ts': `import { server } from './b'; export const again = server; ${use}`,
    }
    expect(await openIn(files)).toEqual(['c.ts:1 CF102'])
  })

  test('a module of another place with the same name is another one', async () => {
    const files = {
      'a/made.ts': `${server}export { server }`,
      'b/use.ts': `import { server } from './made'; ${use}`,
    }
    expect(await openIn(files)).toEqual([])
  })
})

describe('servers that CapFence itself starts', () => {
  const own = (args: readonly string[]): string =>
    JSON.stringify({ policies: ['p.yaml'], mcpServers: { x: { command: 'node', args } } })
  const tool = `${server}server.registerTool('x', {}, () => 1)`

  test('their tools are behind the gate', async () => {
    const files = {
      'src/server.ts': tool,
      'package.json': '{}',
      'capfence.mcp.json': own(['dist/server.js']),
    }
    expect(await openIn(files)).toEqual([])
  })

  test('those of another package are not, nor what an agent gets without a server', async () => {
    const files = {
      'capfence.mcp.json': own(['packages/a/dist/server.js']),
      'packages/a/package.json': '{}',
      'packages/a/server.ts': tool,
      'packages/a/agent.ts': `import { tool } from 'ai'; tool({ execute() {} })`,
      'packages/b/package.json': '{}',
      'packages/b/server.ts': tool,
    }
    expect(await openIn(files)).toEqual([
      'packages/a/agent.ts:1 CF101',
      'packages/b/server.ts:3 CF102',
    ])
  })

  test('a path outside the project, and a configuration of a client, gate nothing', async () => {
    const args = ['../elsewhere/server.js']
    const client = JSON.stringify({ mcpServers: { x: { command: 'node', args: ['server.ts'] } } })
    const found = await openIn({
      'server.ts': tool,
      'capfence.mcp.json': own(args),
      '.mcp.json': client,
    })
    expect(found).toEqual(['.mcp.json:1 CF001', 'server.ts:3 CF102'])
  })
})

describe('remarks in code', () => {
  const call = 'tool({ execute() {} })'
  const head = `import { tool } from 'ai'\n`
  test.each([
    `${head}// capfence-ignore CF101: only reads\n${call}`,
    `${head}/* capfence-ignore CF101: only reads */\n${call}`,
    `${head}${call} // capfence-ignore CF101: only reads`,
  ])('%s', async (code) => {
    const [finding, ...rest] = await findingsIn({ 'a.ts': code })
    expect(finding).toMatchObject({ rule: 'CF101', ignored: 'only reads' })
    expect(rest).toEqual([])
  })

  test('what only stands in a text is none', async () => {
    const code = `${head}const s = '// capfence-ignore CF101: no remark'; ${call}`
    expect(await openIn({ 'a.ts': code })).toEqual(['a.ts:2 CF101'])
  })

  test('one in a file without anything to find is a note', async () => {
    expect(await openIn({ 'a.ts': '// capfence-ignore CF101: nothing' })).toEqual(['a.ts:1 CF008'])
  })
})

describe('what cannot be read is said', () => {
  const head = `import { tool } from 'ai';`
  test.each([
    ['broken', `${head} function (`],
    ['nested too deep', `${head} x = ${'a.'.repeat(2000)}a`],
    ['too many nodes', `${head} x = [${'1,'.repeat(400_001)}]`],
  ])('%s', async (_, code) => {
    expect(await rulesIn(code)).toEqual(['CF006'])
  })

  test('a long sum is not deep', async () => {
    expect(
      await rulesIn(`${head} x = ${'"a" + '.repeat(5000)}"b"; tool({ execute() {} })`),
    ).toEqual(['CF101'])
  })

  test.each(['ts', 'mts', 'cts', 'tsx', 'js', 'mjs', 'cjs', 'jsx'])(
    '.%s is read',
    async (ending) => {
      expect(
        await rulesIn(`const { tool } = require('ai'); tool({ execute() {} })`, `a.${ending}`),
      ).toEqual(['CF101'])
    },
  )
})

test('code of tests counts only when that is asked for', async () => {
  const files = { 'test/a.ts': `import { tool } from 'ai'; tool({ execute() {} })` }
  expect(await openIn(files)).toEqual([])
  const found = await withProject(files, async (root) => scan({ root, includesTests: true }))
  expect(found.findings.map(({ rule }) => rule)).toEqual(['CF101'])
})

test('whatever a file holds, reading it ends with an answer', async () => {
  const piece = fc.constantFrom(
    'tool',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    '=>',
    ',',
    '...',
    'execute',
    ':',
    'gate',
    'await ',
    ';',
    'const x = ',
    'x',
    '.',
    '`',
    "'",
    '?',
    'class A extends ',
    'this',
    'import * as x from "ai"\n',
    'export ',
    'function f',
    'return ',
    '// capfence-ignore CF101: x\n',
    '\u2028',
    '\uD800',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      const code = `import { tool } from 'ai'; import { gate } from 'capfence'\n${pieces.join('')}`
      const { readCode } = await import('../../src/scan/code/read-code.ts')
      const { spots } = await readCode('a.tsx', code)
      expect(spots.every(({ at, end }) => at >= 0 && end >= at && end <= code.length)).toBe(true)
    }),
    { numRuns: 500, seed: 20_261_128 },
  )
})

describe('a tool that other files take', () => {
  const made = `import { tool } from 'ai'; export const t = tool({ execute() {} })`
  const gated = `import { t } from './made'; import { gateTools } from 'capfence'; gateTools({ t })`

  test('is gated when each of them gives it to the gate', async () => {
    const again = gated.replace('{ t }', '{ t as x }').replace('{ t })', '{ x })')
    expect(await openIn({ 'made.ts': made, 'a.ts': gated, 'b.ts': again })).toEqual([])
    const whole = `import * as all from './made'; import { gateTools } from 'capfence'; gateTools(all)`
    expect(await openIn({ 'made.ts': made, 'a.ts': whole })).toEqual([])
  })

  test.each([
    ['nobody takes it', {}],
    ['it is only imported', { 'b.ts': `import { t } from './made'` }],
    ['another file uses it', { 'a.ts': gated, 'b.ts': `import { t } from './made'; t.execute()` }],
    [
      'another file loads it',
      { 'a.ts': gated, 'b.js': `const { t } = require('./made'); t.execute()` },
    ],
    [
      'another file imports it later',
      { 'a.ts': gated, 'b.js': `(await import('./made')).t.execute()` },
    ],
    ['another file passes it on', { 'a.ts': gated, 'b.ts': `export * from './made'` }],
    ['another file passes it on by name', { 'a.ts': gated, 'b.ts': `export { t } from './made'` }],
    ['the whole is used', { 'a.ts': gated, 'b.ts': `import * as m from './made'; use(m)` }],
    ['one use of two is gated', { 'a.ts': `${gated}; t.execute()` }],
    ['its own file uses it', { 'a.ts': gated, 'made.ts': `${made}; t.execute()` }],
    ['it is another name', { 'a.ts': gated.replace('{ t }', '{ u as t }') }],
    ['it is another file', { 'a.ts': gated.replace('./made', './other'), 'other.ts': '' }],
  ])('is not when %s', async (_, files) => {
    expect(await openIn({ 'made.ts': made, ...files })).toEqual(['made.ts:1 CF101'])
  })

  test('does not gate what a server has already', async () => {
    const code = `${server}export const t = server.registerTool('x', {}, () => 1)`
    expect(await openIn({ 'made.ts': code, 'a.ts': gated })).toEqual(['made.ts:3 CF102'])
  })
})
