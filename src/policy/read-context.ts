import { isScope, riskLevels } from '../event/capability.ts'
import type { ContextField } from './condition.ts'
import { nearestHint } from './problem.ts'
import type { WrittenFault } from './read-needles.ts'

/** Refuses what could never match: a rule that is silently dead is a control that somebody believes in. */
export function patternFault(field: ContextField, pattern: string): WrittenFault | undefined {
  if (field === 'risk') {
    if (riskLevels.some((level) => level === pattern)) return undefined
    const hint = nearestHint(pattern, riskLevels) ?? `risk levels are ${riskLevels.join(', ')}`
    return { says: 'is no risk level', hint }
  }
  if (field === 'environment') {
    // Any name may stand where a star does.
    return isScope(pattern.replaceAll('*', 'x'))
      ? undefined
      : { says: 'can be no environment; its characters are `A-Z a-z 0-9 _ - .`, and `*` for any' }
  }
  return wordFault(pattern)
}

/** The same for any text in which `*` is the one wildcard. */
export function wordFault(pattern: string): WrittenFault | undefined {
  if (/\p{Cc}/u.test(pattern)) return { says: 'holds a control character' }
  if (pattern !== pattern.trim()) return { says: 'begins or ends with white space' }
  if (/[?[\]{}]/.test(pattern)) {
    return {
      says: 'holds a wildcard of another language; `*` is the only one',
      hint: 'write `*` where any characters may stand',
    }
  }
  return undefined
}
