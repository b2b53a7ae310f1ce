import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCode } from '../../src/scan/code/read-code.ts'
import { findingsIn, openIn } from './a-project.ts'

/** The rules that a file of Python breaks, in their order. */
async function rulesIn(code: string): Promise<readonly string[]> {
  return (await findingsIn({ 'a.py': code })).map(({ rule }) => rule)
}

const use = '@tool\ndef f(x):\n    return x\n'

describe('a tool is found however its maker is reached', () => {
  test.each([
    `from langchain_core.tools import tool\n${use}`,
    `from langchain.tools import tool\n${use}`,
    `from langchain_core.tools import (\n    BaseTool,  # a remark\n    tool,\n)\n${use}`,
    `from langchain_core.tools import *\n${use}`,
    `from langchain_core import tools as t\n@t.tool\ndef f(): pass`,
    `import langchain_core.tools\n@langchain_core.tools.tool\ndef f(): pass`,
    `import langchain_core.tools as lt\n@lt.tool()\ndef f(): pass`,
    `import os, langchain_core.tools\n@langchain_core.tools.tool\ndef f(): pass`,
    `from langchain_core.tools import tool as t\n@t("name", return_direct=True)\ndef f(): pass`,
    `from langchain_core.tools import tool\nmake = tool\n@make\ndef f(): pass`,
    `from langchain_core.tools import tool\na, make = 1, tool\n@make\ndef f(): pass`,
    `from langchain_core.tools import tool\nmake = tool if X else None\n@make\ndef f(): pass`,
    `try:\n    from langchain_core.tools import tool\nexcept ImportError:\n    tool = None\n${use}`,
    `def g():\n    from langchain_core.tools import tool\n    @tool\n    async def f(): pass`,
    `class A:\n    from langchain_core.tools import tool\n    pass\nfrom langchain_core.tools import tool\nclass B:\n    @tool\n    def f(self): pass`,
    `from langchain_core.tools import tool\nif True:\n    @tool\n    def f(): pass`,
    `from langchain_core.tools import tool\nwith x as y:\n    @tool\n    def f(): pass`,
    `from langchain_core.tools import tool\nmatch x:\n    case 1:\n        @tool\n        def f(): pass`,
    `from langchain_core.tools import tool\nfor i in x:\n    tools.append(tool(run))`,
    `from langchain_core.tools import tool\ntools = [tool(f) for f in functions]`,
    `from langchain_core.tools import tool\nx = lambda: tool(run)`,
    `from langchain_core.tools import tool\na = b = tool(run)`,
    `from langchain_core.tools import tool\nprint(f"{tool(run)}")`,
    `from langchain_core.tools import StructuredTool as S\nS.from_function(run, **options)`,
    `\uFEFFfrom langchain_core.tools import tool\r\n@tool\r\ndef f():\r\n    pass\r\n`,
    `try: from langchain_core.tools import tool\nexcept ImportError: pass\n${use}`,
  ])('%s', async (code) => {
    expect(await rulesIn(code)).toEqual(['CF101'])
  })
})

describe('what has the name of a maker and is none', () => {
  const head = 'from langchain_core.tools import tool\n'
  test.each([
    `from my_langchain import tool\n${use}`,
    `from .tools import tool\n${use}`,
    `from langchain_core.messages import tool\ndef tool(f): return f\n`,
    `${head}def g(tool):\n    @tool\n    def f(): pass`,
    `${head}def g():\n    tool = lambda f: f\n    @tool\n    def f(): pass`,
    `${head}# @tool\ndef f(): pass`,
    `${head}x = """\n@tool\ndef f(): pass\n"""`,
    `${head}class A:\n    def tool(self, f): return f\na = A()\n@a.tool\ndef f(): pass`,
    `${head}x = tool("only a name")`,
    `import langchain_core\n@langchain_core.messages.other\ndef f(): pass`,
  ])('%s', async (code) => {
    expect(await rulesIn(code)).toEqual([])
  })
})

describe('the gate counts where it decides', () => {
  const head =
    'from langchain_core.tools import tool, StructuredTool\nimport capfence\nfence = capfence.Client()\n'
  test.each([
    `@tool\n@capfence.gate(resource="x")\ndef f(): pass`,
    `@tool\n@fence.gate\ndef f(): pass`,
    `@tool\n@other\n@capfence.gate\ndef f(): pass`,
    `tool(capfence.gate(run))`,
    `t = tool(run)\nagent(tools=capfence.gate_tools([t]))`,
    `@tool\ndef f(x):\n    if not fence.decide(x).authorized:\n        raise PermissionError\n    return x`,
    `@tool\nasync def f(x):\n    verdict = await fence.decide(x)\n    return act(verdict)`,
    `@tool\ndef f(x):\n    return safe(x)\nsafe = capfence.gate(run)`,
    `from app.capfence import gate\ntool(gate(run))`,
  ])('%s', async (code) => {
    expect(await rulesIn(head + code)).toEqual([])
  })

  test.each([
    [
      'it stands above, where the tool runs without it',
      `@capfence.gate(resource="x")\n@tool\ndef f(): pass`,
    ],
    ['the answer is dropped', `@tool\ndef f(x):\n    fence.decide(x)\n    return act(x)`],
    [
      'the answer is dropped after await',
      `@tool\nasync def f(x):\n    await fence.decide(x)\n    return act(x)`,
    ],
    [
      'it is asked in a function inside',
      `@tool\ndef f(x):\n    def g():\n        return fence.decide(x)\n    return act(x)`,
    ],
    ['one user of two has it', `t = tool(run)\ncapfence.gate_tools([t])\nuse(t)`],
    ['the name is somebody else', `from mine import gate\ntool(gate(run))`],
    [
      'one function of two has it',
      `StructuredTool.from_function(func=run, coroutine=capfence.gate(run))`,
    ],
    ['it is replaced', `safe = capfence.gate(run)\nsafe = run\ntool(safe)`],
  ])('not when %s', async (_, code) => {
    expect(await rulesIn(head + code)).toEqual(['CF101'])
  })
})

describe('names lead on through the files of a project', () => {
  const made = 'from mcp.server.fastmcp import FastMCP\nserver = FastMCP("x")\n'
  const tool = '@server.tool()\ndef f(): pass\n'
  test.each([
    ['app/made.py', 'app/use.py', `from .made import server\n${tool}`],
    ['app/made.py', 'app/inner/use.py', `from ..made import server\n${tool}`],
    ['app/made.py', 'app/use.py', `from . import made\n@made.server.tool()\ndef f(): pass`],
    ['app/made.py', 'use.py', `from app.made import server\n${tool}`],
    ['src/app/made.py', 'src/app/use.py', `from app.made import server\n${tool}`],
    ['app/__init__.py', 'use.py', `from app import server\n${tool}`],
    ['app/__init__.py', 'app/use.py', `from . import server\n${tool}`],
    ['app/made.py', 'use.py', `import app.made\n@app.made.server.tool()\ndef f(): pass`],
    ['app/made.py', 'use.py', `from app.made import *\n${tool}`],
    [
      'app/made.py',
      'use.py',
      `from app.made import (\n    server as s,\n)\n@s.tool()\ndef f(): pass`,
    ],
  ])('%s, %s: %s', async (maker, user, code) => {
    const found = await openIn({ [maker]: made, [user]: code })
    expect(found.map((line) => line.replace(/:\d+/, ''))).toEqual([`${user} CF102`])
  })

  test('a module of another place with the same name is another one', async () => {
    const files = { 'a/made.py': made, 'b/use.py': `from .made import server\n${tool}` }
    expect(await openIn(files)).toEqual([])
  })
})

test('remarks ignore findings, with a reason', async () => {
  const code = `from langchain_core.tools import tool\n# capfence-ignore CF101: it only reads\n${use}`
  const [finding, ...rest] = await findingsIn({ 'a.py': code })
  expect(finding).toMatchObject({ rule: 'CF101', ignored: 'it only reads', line: 3 })
  expect(rest).toEqual([])
  const text = code.replace('# capfence', 'x = "# capfence').replace('reads', 'reads"')
  expect(await openIn({ 'a.py': text })).toEqual(['a.py:3 CF101'])
})

test('what is no Python is said, and the rest is read', async () => {
  const code = `from langchain_core.tools import tool\n${use}def broken(:\n    pass\n`
  expect((await rulesIn(code)).toSorted()).toEqual(['CF006', 'CF101'])
})

test.each([
  ['nested too deep', `${'['.repeat(2000)}${']'.repeat(2000)}`],
  ['too many nodes', `[${'1,'.repeat(400_001)}]`],
])('%s is a finding', async (_, code) => {
  expect(await rulesIn(`from langchain_core.tools import tool\nx = ${code}`)).toEqual(['CF006'])
})

test.each([
  ['sys.executable', '"-m", "server"', ['CF103']],
  ['"capfence"', '"run", "--server", name', []],
  ['"capfence"', 'name, "run"', ['CF103']],
  ['"node"', '"evil.js", "capfence", "run"', ['CF103']],
  ['command', '"run"', ['CF103']],
])('a server started with %s and %s', async (command, args, expected) => {
  const code = `import sys\nfrom mcp import StdioServerParameters\nStdioServerParameters(command=${command}, args=[${args}])`
  expect(await rulesIn(code)).toEqual(expected)
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
    ':\n    ',
    ',',
    '*',
    '**',
    '@',
    'def f',
    'class A',
    '\n',
    '\t',
    'lambda x: ',
    'x',
    '.',
    '"',
    '"""',
    "f'{",
    ' = ',
    'import ',
    'from . import ',
    'await ',
    'with ',
    ' as ',
    'match x:\n',
    'return ',
    '# capfence-ignore CF101: x\n',
    ':=',
    '\\',
    '\uD800',
    '😀',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      const code = `from langchain_core.tools import tool\nfrom capfence import gate\n${pieces.join('')}`
      const { spots } = await readCode('a.py', code)
      expect(spots.every(({ at, end }) => at >= 0 && end >= at && end <= code.length)).toBe(true)
    }),
    { numRuns: 500, seed: 20_261_128 },
  )
})

describe('a tool that other files take', () => {
  const made = `from langchain_core.tools import tool\n@tool\ndef t(): pass\n`
  const gated = 'from made import t\nfrom capfence import gate_tools\ngate_tools([t])\n'

  test('is gated when each of them gives it to the gate', async () => {
    expect(await openIn({ 'made.py': made, 'a.py': gated })).toEqual([])
  })

  test.each([
    ['nobody takes it', {}],
    ['another file uses it', { 'a.py': gated, 'b.py': 'from made import t\nt.invoke({})' }],
    ['another file loads it', { 'a.py': gated, 'b.py': 'import made\nmade.t.invoke({})' }],
    ['another file takes all', { 'a.py': gated, 'b.py': 'from made import *\nt.invoke({})' }],
    ['it is taken as a module', { 'a.py': gated, 'b.py': 'from . import made\nmade.t.invoke({})' }],
    ['its own file uses it', { 'a.py': gated, 'made.py': `${made}t.invoke({})` }],
  ])('is not when %s', async (_, files) => {
    expect(await openIn({ 'made.py': made, ...files })).toEqual(['made.py:2 CF101'])
  })

  test.each([
    ['mcp.server.fastmcp', 'FastMCP("x")', 'CF102'],
    ['pydantic_ai', 'Agent("x")', 'CF101'],
  ])('does not gate what an instance of %s has already', async (module, maker, rule) => {
    const code = `from ${module} import ${maker.split('(')[0] ?? ''}\nx = ${maker}\n@x.tool\ndef t(): pass\n`
    expect(await openIn({ 'made.py': code, 'a.py': gated })).toEqual([`made.py:3 ${rule}`])
    const here = `${code}import capfence\ncapfence.gate_tools([t])`
    expect(await openIn({ 'made.py': here })).toEqual([`made.py:3 ${rule}`])
  })
})
