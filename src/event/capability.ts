import { limits } from '../limits.ts'

/**
 * What a call needs, as three names; never re-split from text (POLICY.md 5).
 *
 * `resource` and `action` match `[A-Za-z0-9_-]+`; `scope` may also hold dots between such segments.
 */
export interface Capability {
  readonly resource: string
  readonly action: string
  readonly scope: string
}

/** How much harm a call can do, as its binding says. */
export type RiskLevel = 'low' | 'medium' | 'high' | 'critical'

/** All of them, from the least harm to the most. */
export const riskLevels: readonly RiskLevel[] = ['low', 'medium', 'high', 'critical']

/** Whether something from outside names a risk level, exactly as written here. */
export function isRiskLevel(value: unknown): value is RiskLevel {
  return riskLevels.some((level) => level === value)
}

/** The higher of two levels: what one source says about risk, another may only raise. */
export function higherRisk(one: RiskLevel, other: RiskLevel): RiskLevel {
  return riskLevels.indexOf(one) >= riskLevels.indexOf(other) ? one : other
}

// Without the `m` flag `$` stands for the end of the text only, so a trailing newline does not pass.
const segmentPattern = /^[A-Za-z0-9_-]+$/
const scopePattern = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/

/** Whether `text` can be a resource or an action: `[A-Za-z0-9_-]+`, at most `limits.maxSegmentCharacters`. */
export function isSegment(text: string): boolean {
  return text.length <= limits.maxSegmentCharacters && segmentPattern.test(text)
}

/** Whether `text` can be a scope: one or more segments with single dots between them, bounded as a whole. */
export function isScope(text: string): boolean {
  return text.length <= limits.maxSegmentCharacters && scopePattern.test(text)
}

/** The capability as people write it, `resource.action.scope`; for reading only, never to be split again. */
export function capabilityName(capability: Capability): string {
  return `${capability.resource}.${capability.action}.${capability.scope}`
}
