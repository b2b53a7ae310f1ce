import { nearestName } from '../../event/nearest.ts'
import type { Condition, ContextCondition } from '../condition.ts'
import { foldText } from '../fold.ts'
import { globMatches } from '../glob.ts'
import type { Complaint } from './complaint.ts'
import type { PolicyPart } from './part.ts'

/**
 * What is said of a part that asks for an environment in which no call acts: it is misspelt, or of another installation.
 *
 * @param declared the environments of the configurations; empty when nothing is known of them
 */
export function undeclaredComplaint(
  { name, conditions }: PolicyPart,
  declared: readonly string[],
): Complaint | undefined {
  if (declared.length === 0) return undefined
  const stray = conditions
    .flatMap(environmentsIn)
    .find(({ patterns }) => !declared.some((one) => fits(patterns, one)))
  if (stray === undefined) return undefined
  const [asked = ''] = stray.patterns
  const near = nearestName(asked, declared)
  return {
    message: `${name} asks for the environment ${quoted(stray.patterns)}, but calls act in ${quoted(declared)}`,
    hint:
      near === undefined
        ? 'name every configuration that the policy is used with: `--config FILE --config FILE`'
        : `did you mean \`${near}\`?`,
  }
}

function environmentsIn(condition: Condition): readonly ContextCondition[] {
  if (condition.kind === 'not') return condition.conditions.flatMap(environmentsIn)
  if (condition.kind === 'any') return condition.branches.flat().flatMap(environmentsIn)
  return condition.kind === 'context' && condition.field === 'environment' ? [condition] : []
}

/** Whether a guard takes the name for one that is asked for; a grant that is not exact is not a misspelt one. */
function fits(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => globMatches(folded(pattern), folded(name)))
}

function folded(text: string): string {
  return (foldText(text) ?? text).trim()
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' or ')
}
