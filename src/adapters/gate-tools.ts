import { CapFenceError } from '../errors.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import { decided, type GateContext } from './gate-call.ts'
import { gate, inputOf } from './gate-function.ts'

/** What a tool is to the policy. */
export interface ToolContext extends GateContext {
  /** What it is called; its own `name` when absent. */
  readonly tool?: string | undefined
}

type Method = (...args: readonly unknown[]) => unknown

/**
 * A tool of a framework, of which what it does only happens when the policy allows it: `execute` of the AI SDK, `func` or
 * `_call` of LangChain, `invoke` of the OpenAI Agents SDK.
 *
 * @throws CapFenceError `USAGE` for what is none of them
 */
export function gateTool<Tool extends object>(tool: Tool, context: ToolContext): Tool {
  const name = context.tool ?? textOf(tool, 'name')
  if (name === undefined || name === '') {
    throw new CapFenceError('USAGE', 'the tool has no name that a policy could know it by', {
      hint: 'say one: `gateTool(tool, { tool: "send_mail", … })`',
    })
  }
  const own = ['execute', 'func', '_call'].find((method) => methodOf(tool, method) !== undefined)
  const act = own === undefined ? undefined : methodOf(tool, own)
  if (own !== undefined && act !== undefined) {
    const binding = { ...context, tool: name, arguments: inputOf }
    return withMethod(tool, own, (self) => gate(act.bind(self), binding))
  }
  const invoke = methodOf(tool, 'invoke')
  if (invoke !== undefined && textOf(tool, 'type') === 'function') {
    return withMethod(tool, 'invoke', (self) => async (runContext, input, ...rest) => {
      const called = { tool: name, arguments: parsedInput(input) }
      return decided(context, called, () => invoke.call(self, runContext, input, ...rest))
    })
  }
  throw new CapFenceError('USAGE', `\`${name}\` is no tool that can be gated`, {
    hint: 'it has none of `execute`, `func`, `_call`, and no `invoke` of a function tool: gate what it calls with `gate`',
  })
}

/**
 * Tools by their names, such as those of the AI SDK, each gated. What has nothing to execute is passed on as it is: it
 * runs somewhere else, where nothing here decides.
 */
export function gateTools<Tools extends Readonly<Record<string, object>>>(
  tools: Tools,
  context: GateContext,
): Tools {
  const gated = Object.entries(tools).map(([name, tool]) => [
    name,
    runs(tool) ? gateTool(tool, { ...context, tool: name }) : tool,
  ])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same names, each with a tool of its type
  return Object.fromEntries(gated) as Tools
}

function runs(tool: object): boolean {
  return ['execute', 'func', '_call', 'invoke'].some((name) => methodOf(tool, name) !== undefined)
}

/**
 * An object that is the other one in everything but a method, and takes no state from it: methods that it has and that
 * call the gated one by itself (LangChain's `invoke` calls `_call`, and that `func`) call the gated one too.
 */
function withMethod<Tool extends object>(
  tool: Tool,
  name: string,
  make: (self: Tool) => Method,
): Tool {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its prototype is the tool
  const gated = Object.create(tool, Object.getOwnPropertyDescriptors(tool)) as Tool
  Object.defineProperty(gated, name, { value: make(tool), enumerable: true, configurable: true })
  return gated
}

function methodOf(tool: object, name: string): Method | undefined {
  const found: unknown = Reflect.get(tool, name)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a function, which is all that is known of it
  return typeof found === 'function' ? (found as Method) : undefined
}

function textOf(tool: object, name: string): string | undefined {
  const found: unknown = Reflect.get(tool, name)
  return typeof found === 'string' ? found : undefined
}

/** The input as text is read as strictly as a message: what two readers could take for different things is refused. */
function parsedInput(input: unknown): unknown {
  if (typeof input !== 'string') return input ?? {}
  if (input.trim() === '') return {}
  return scanStrict(new TextEncoder().encode(input), wanted({})).value
}
