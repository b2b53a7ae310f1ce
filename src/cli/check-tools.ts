import type { Config } from '../config/config.ts'
import { didYouMean } from '../config/problems.ts'
import { CapFenceError } from '../errors.ts'
import { Bindings } from '../event/binding.ts'
import { escapeName } from '../event/name.ts'
import type { ListedTool } from '../policy/analysis/listed-tool.ts'
import { readTools } from '../policy/starter/starter-tool.ts'
import type { StarterTool } from '../policy/starter/starter-tool.ts'
import { toolsOfFile } from './listed-tools.ts'
import { shown } from './shown.ts'

/** A list of tools that was saved, and the server that it is of. */
export interface ToolsFlags {
  readonly tools?: string | undefined
  readonly server?: string | undefined
}

/**
 * The tools of a saved list; none when none is named.
 *
 * @throws CapFenceError `USAGE` when it cannot be read
 */
export function toolsToCheck({ tools, server }: ToolsFlags): readonly StarterTool[] {
  if (tools !== undefined) return readTools(toolsOfFile(tools)).tools
  if (server === undefined) return []
  throw new CapFenceError('USAGE', '`--server` goes with `--tools`', {
    hint: 'save what the server answers `tools/list` with, and name the file: `--tools FILE`',
  })
}

/**
 * What the calls of tools are to the policies of some configurations.
 *
 * @throws CapFenceError `USAGE` when it cannot be told whose tools they are
 */
export function boundTools(
  tools: readonly StarterTool[],
  server: string | undefined,
  configs: readonly Config[],
): readonly ListedTool[] {
  if (tools.length === 0) return []
  if (configs.length === 0) {
    const owner = ownerOf(server, [])
    return tools.map((tool) => unboundTool(tool, owner))
  }
  return configs.flatMap((config) => {
    const owner = ownerOf(
      server,
      config.servers.map(({ name }) => name),
    )
    return tools.flatMap((tool) => boundTool(tool, owner, config) ?? [])
  })
}

function ownerOf(server: string | undefined, known: readonly string[]): string {
  const [only, ...others] = known
  if (server === undefined && only !== undefined && others.length === 0) return only
  if (server !== undefined && (known.length === 0 || known.includes(server))) return server
  const message =
    server === undefined
      ? 'whose tools does `--tools` list'
      : `there is no server \`${shown(server)}\` in the configuration`
  const names = known.length === 0 ? '' : `; the configuration has ${known.join(', ')}`
  const near = server === undefined ? undefined : didYouMean(server, known)
  throw new CapFenceError('USAGE', message, {
    hint: near ?? `write \`--server NAME\`, by its name in the configuration${names}`,
  })
}

/** Without a configuration nobody has said what a tool means, so that it is `<server>.<tool>` anywhere. */
function unboundTool({ name, inputSchema }: StarterTool, server: string): ListedTool {
  const capability = { resource: escapeName(server), action: escapeName(name), scope: undefined }
  return { name, server, capability, environment: undefined, inputSchema }
}

function boundTool(
  { name, inputSchema }: StarterTool,
  server: string,
  { servers, actor, environment }: Config,
): ListedTool | undefined {
  const bindings = new Bindings(servers.map((one) => [one.name, one.binding]))
  const args = Object.freeze({ __proto__: null })
  try {
    const call = { server, tool: name, arguments: args, actor, environment }
    const { capability } = bindings.bind(call)
    return { name, server, capability, environment, inputSchema }
  } catch (error) {
    if (!(error instanceof CapFenceError)) throw error
    // A name that cannot be called has no calls to be checked.
    return undefined
  }
}
