import type { DeterminingRule } from '../policy/answer.ts'
import { presences, type PolicyRule, type Presence } from '../policy/rule.ts'
import type { ApprovalTerms } from './request.ts'

/**
 * What several rules ask of one approval: the most that any of them does.
 *
 * Several approvers can only be told apart by keys, so that a quorum asks for them.
 *
 * @param usual what a rule asks that says nothing of presence
 */
export function termsOf(
  rules: readonly (PolicyRule | undefined)[],
  usual: Presence,
): ApprovalTerms {
  const asked = rules.map((rule) => rule?.approval ?? {})
  const quorum = Math.max(1, ...asked.map((terms) => terms.quorum ?? 1))
  const least = quorum > 1 ? 'key' : 'any'
  const levels = asked.map((terms) => terms.presence ?? usual)
  // A risk level asks without any rule.
  const presence = strictest([least, ...(levels.length === 0 ? [usual] : levels)])
  const uses = asked.flatMap((terms) => (terms.uses === undefined ? [] : [terms.uses]))
  return { presence, quorum, uses: uses.length === 0 ? null : Math.min(...uses) }
}

function strictest(levels: readonly Presence[]): Presence {
  return presences.findLast((presence) => levels.includes(presence)) ?? 'passkey'
}

/** The deciding rules as the policy has them; one that is not found asks for what is usual. */
export function askingRules(
  deciding: readonly DeterminingRule[],
  rules: readonly PolicyRule[],
): readonly (PolicyRule | undefined)[] {
  // Rules without an id of their own are called alike in every file.
  return deciding.map(({ id, position }) =>
    rules.find((one) => one.id === id && one.position.file === position.file),
  )
}
