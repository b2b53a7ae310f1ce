/**
 * How long a tool name may be when several servers share one endpoint, in characters.
 *
 * Cursor drops a tool silently when its server key and name have more than 60 characters together; Claude and the
 * OpenAI API take at most 64 for `mcp__<server key>__<tool>`.
 */
export function nameBudget(endpointKey: string): number {
  return Math.min(60 - endpointKey.length, 64 - `mcp__${endpointKey}__`.length)
}

/** A tool and what is put before its name. */
export interface NamedTool {
  readonly server: string
  readonly tool: string
  readonly prefix: string
}

/**
 * The name a client sees for a tool: prefix and name, shortened always the same way when it is over the budget.
 *
 * A shortened name ends in eight hex digits of a hash over server and tool, so that no two tools share one.
 */
export function exposedName(
  named: NamedTool,
  budget: number,
  hash: (text: string) => string,
): string {
  const full = named.prefix + named.tool
  if (named.prefix === '' || full.length <= budget) return full
  const mark = `_${hash(`${named.server}\0${named.tool}`).slice(0, 8)}`
  let head = ''
  for (const character of full) {
    if (head.length + character.length > budget - mark.length) break
    head += character
  }
  return head + mark
}

/** Whether a name could be a shortened one: which tool it stands for is known only from the server's list. */
export function mayBeShortened(name: string, prefix: string): boolean {
  return prefix !== '' && /_[0-9a-f]{8}$/.test(name)
}
