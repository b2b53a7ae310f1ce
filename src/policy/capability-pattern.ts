import type { Capability } from '../event/capability.ts'
import { limits } from '../limits.ts'
import { globMatches } from './glob.ts'

/** A rule's capability: three names, each a text in which `*` is a wildcard; `*` alone means any. */
export interface CapabilityPattern {
  readonly resource: string
  readonly action: string
  readonly scope: string
}

const patternText = /^[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_*-]+)*$/

/**
 * Takes a written pattern apart: `resource.action.scope`, where missing names mean any and a scope may hold dots.
 *
 * @returns undefined when it is none: empty names, or a character that no capability has
 */
export function parseCapabilityPattern(text: string): CapabilityPattern | undefined {
  if (!patternText.test(text)) return undefined
  const first = text.indexOf('.')
  if (first === -1) return bounded({ resource: text, action: '*', scope: '*' })
  const resource = text.slice(0, first)
  const second = text.indexOf('.', first + 1)
  if (second === -1) return bounded({ resource, action: text.slice(first + 1), scope: '*' })
  return bounded({
    resource,
    action: text.slice(first + 1, second),
    scope: text.slice(second + 1),
  })
}

function bounded({ resource, action, scope }: CapabilityPattern): CapabilityPattern | undefined {
  const longest = Math.max(resource.length, action.length, scope.length)
  if (longest > limits.maxSegmentCharacters) return undefined
  return { resource: oneStar(resource), action: oneStar(action), scope: oneStar(scope) }
}

/** `**` means no more than `*`. */
function oneStar(segment: string): string {
  return segment.includes('**') ? segment.replace(/\*{2,}/g, '*') : segment
}

/** Whether a capability fits with its case. */
export function patternFits(
  pattern: CapabilityPattern,
  { resource, action, scope }: Capability,
): boolean {
  return (
    globMatches(pattern.resource, resource) &&
    globMatches(pattern.action, action) &&
    globMatches(pattern.scope, scope)
  )
}
