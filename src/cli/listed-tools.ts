import { readFileSync, statSync } from 'node:fs'
import type { StartableServer } from '../config/start.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { isPlainObject } from '../mcp/merge.ts'
import { readServer } from './server-reader.ts'
import type { ListingOptions } from './server-reader.ts'

/**
 * Starts a server as the gate does, reads the list of its tools to the end, and ends it.
 *
 * @throws CapFenceError `UPSTREAM_UNAVAILABLE` when it does not list its tools in time, or lists without an end
 */
export async function toolsOfServer(
  server: StartableServer,
  options: ListingOptions,
): Promise<readonly unknown[]> {
  return readServer(server, options, async (reader) => {
    await reader.initialize()
    return (await reader.list('tools/list')).map(({ value }) => value)
  })
}

/**
 * The tools of a list that was saved: an array of them, or an object with `tools` as a server answers.
 *
 * @throws CapFenceError `USAGE` when the file holds no such list
 */
export function toolsOfFile(path: string): readonly unknown[] {
  const value = parsed(path)
  const inner = isPlainObject(value) && isPlainObject(value['result']) ? value['result'] : value
  const tools: unknown = isPlainObject(inner) ? inner['tools'] : inner
  if (!Array.isArray(tools)) {
    throw new CapFenceError('USAGE', `\`${path}\` holds no list of tools`, {
      hint: 'it is an array of tools, or an object with `tools`, as a server answers `tools/list`',
    })
  }
  if (tools.length > limits.maxListedTools) {
    throw new CapFenceError('USAGE', `\`${path}\` lists more than ${limits.maxListedTools} tools`)
  }
  return tools
}

function parsed(path: string): unknown {
  try {
    if (path !== '-' && statSync(path).size > limits.maxToolListBytes) {
      throw new Error(`it has more than ${limits.maxToolListBytes} bytes`)
    }
    const value: unknown = JSON.parse(readFileSync(path === '-' ? 0 : path, 'utf8'))
    return value
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', `cannot read the tools in \`${path}\`: ${reason}`, { cause })
  }
}
