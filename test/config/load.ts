import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/config.ts'
import { ConfigInvalid, problemLine } from '../../src/config/problems.ts'

/** Reads a configuration that stands in a folder `home`. */
export const load = (text: string): Config => loadConfig({ path: 'home/capfence.mcp.json', text })

/** Problems as `line:column: message`, each with its hint behind ` -- `. */
export function problems(text: string): readonly string[] {
  try {
    load(text)
    return []
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return error.problems.map((problem) => {
      const line = problemLine(problem).replace('home/capfence.mcp.json:', '')
      return problem.hint === undefined ? line : `${line} -- ${problem.hint}`
    })
  }
}

/** A configuration whose server `files`, on the second line, is this. */
export const withServer = (entry: string): string =>
  `{"environment": "dev", "policies": ["p.yaml"], "mcpServers": {\n"files": ${entry}}}`

/** A configuration whose server has this `capfence` block. */
export const withBlock = (block: string): string =>
  withServer(`{"command": "node", "capfence": ${block}}`)

/** A configuration with this member on its second line. */
export const withKey = (member: string): string =>
  `{"environment": "dev", "policies": ["p.yaml"], "mcpServers": {"files": {"command": "node"}},\n${member}}`
