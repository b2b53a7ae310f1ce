import type { CapabilityPattern } from '../capability-pattern.ts'
import type { Condition, ContextField } from '../condition.ts'
import { foldText } from '../fold.ts'
import { globMatches } from '../glob.ts'
import type { Role } from '../predicate.ts'
import type { PolicyPart } from './part.ts'

/** A tool that a server lists, and what its calls are to a policy. */
export interface ListedTool {
  readonly name: string
  readonly server: string
  readonly capability: {
    readonly resource: string
    readonly action: string
    /** Undefined where nobody has said it. */
    readonly scope: string | undefined
  }
  /** Undefined where nobody has said it. */
  readonly environment: string | undefined
  /** As the server lists it, whatever it is. */
  readonly inputSchema: unknown
}

/** The tools whose calls a part may be about. */
export function toolsOfPart(
  { pattern, role }: Pick<PolicyPart, 'pattern' | 'role'>,
  tools: readonly ListedTool[],
): readonly ListedTool[] {
  return tools.filter(({ capability: { resource, action, scope } }) => {
    return fits('resource', resource) && fits('action', action) && fits('scope', scope)
  })

  function fits(field: keyof CapabilityPattern, name: string | undefined): boolean {
    if (name === undefined) return true
    return role === 'grant'
      ? globMatches(pattern[field], name)
      : globMatches(pattern[field].toLowerCase(), name.toLowerCase())
  }
}

/** Those of some tools whose calls conditions may be about, as far as the conditions name tools. */
export function narrowed(
  tools: readonly ListedTool[],
  conditions: readonly Condition[],
  role: Role,
): readonly ListedTool[] {
  return tools.filter((tool) => !conditions.some((one) => isOfOthers(one, tool, role)))
}

function isOfOthers(condition: Condition, tool: ListedTool, role: Role): boolean {
  if (condition.kind !== 'context') return false
  const name = knownOf(tool, condition.field)
  if (name === undefined) return false
  return !condition.patterns.some((pattern) =>
    role === 'grant' ? globMatches(pattern, name) : globMatches(folded(pattern), folded(name)),
  )
}

function knownOf(tool: ListedTool, field: ContextField): string | undefined {
  if (field === 'tool') return tool.name
  if (field === 'server') return tool.server
  return field === 'environment' ? tool.environment : undefined
}

function folded(text: string): string {
  return (foldText(text) ?? text).trim()
}
