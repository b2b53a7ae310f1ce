import { limits } from '../limits.ts'

/** A rule's capability: three names, each a text in which `*` is a wildcard; `*` alone means any. */
export interface CapabilityPattern {
  readonly resource: string
  readonly action: string
  readonly scope: string
}

const patternSegment = /^[A-Za-z0-9_*-]+$/

/**
 * Takes a written pattern apart: `resource.action.scope`, where missing names mean any and a scope may hold dots.
 *
 * @returns undefined when it is none: empty names, or a character that no capability has
 */
export function parseCapabilityPattern(text: string): CapabilityPattern | undefined {
  const segments = text.split('.')
  if (!segments.every((segment) => patternSegment.test(segment))) return undefined
  const [resource = '*', action = '*', ...rest] = segments
  const scope = rest.length === 0 ? '*' : rest.join('.')
  const pattern = { resource: oneStar(resource), action: oneStar(action), scope: oneStar(scope) }
  const bounded = [resource, action, scope].every(
    (name) => name.length <= limits.maxSegmentCharacters,
  )
  return bounded ? pattern : undefined
}

/** `**` means no more than `*`. */
function oneStar(segment: string): string {
  return segment.replace(/\*{2,}/g, '*')
}
