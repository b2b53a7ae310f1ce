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
