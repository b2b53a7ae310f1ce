import type { RiskLevel } from '../event/capability.ts'
import { limits } from '../limits.ts'
import type { Effect, Position } from './answer.ts'
import { labelNotes, labelProblems } from './label-check.ts'
import { loadFiles } from './load-files.ts'
import type { PolicySource, ReadExtended } from './load-files.ts'
import { Policy } from './policy.ts'
import { PolicyError } from './problem.ts'
import type { Problem } from './problem.ts'
import type { PolicyPart } from './read-policy.ts'
import type { RuleSource } from './rule.ts'

/**
 * Makes one policy of several files: their rules are united with those of the files they extend, and of two risk actions
 * the stricter one stands. Each file counts once, however many others extend it.
 *
 * @param readExtended gives the files that others name under `extends`; without it no file may extend another
 * @throws PolicyError `POLICY_INVALID` with every problem of every file; a policy is never taken in part
 */
export function loadPolicy(sources: readonly PolicySource[], readExtended?: ReadExtended): Policy {
  const files = loadFiles(sources, readExtended)
  const parts = files.map(({ part }) => part)
  const budgets = parts.flatMap((part) => part.budgets)
  const labels = parts.flatMap((part) => part.labels)
  const invariants = parts.flatMap((part) => part.invariants)
  const rules = parts.flatMap((part) => [
    ...part.rules,
    ...part.budgets.flatMap((one) => one.rules),
  ])
  const problems = files.flatMap((file) => file.problems)
  const named = [
    ...rules.map(({ rule }) => rule),
    ...budgets,
    ...invariants.map(({ calls }) => calls.rule),
  ]
  const all = [...problems, ...repeatedIds(named), ...tooManyRules(rules)]
  // What a file lost that could not be read is not missing.
  if (problems.length === 0) all.push(...labelProblems(rules, labels))
  if (all.length > 0) throw new PolicyError(all)
  const notes = files.flatMap((file) => file.notes)
  return new Policy(rules, {
    risks: strictestRisks(parts),
    notes: [...notes, ...labelNotes(rules, labels)],
    labels,
    invariants,
  })
}

/** A rule, a budget or an invariant. */
interface Named {
  readonly id: string
  readonly position: Position
}

function repeatedIds(named: readonly Named[]): readonly Problem[] {
  const first = new Map<string, Position>()
  const problems: Problem[] = []
  for (const { id, position } of named) {
    // An id that was made of the rule's place holds a bracket, and every file may have one.
    if (id.includes('[')) continue
    const earlier = first.get(id)
    if (earlier === undefined) first.set(id, position)
    else problems.push(repeatedId(id, position, earlier))
  }
  return problems
}

function repeatedId(id: string, position: Position, earlier: Position): Problem {
  const message = `the id \`${id}\` is taken by the rule at ${earlier.file}:${earlier.line}`
  return {
    position,
    code: 'policy-id',
    message,
    hint: 'an id names one rule in every file of a policy',
  }
}

function tooManyRules(rules: readonly RuleSource[]): readonly Problem[] {
  const next = rules[limits.maxRules]
  if (next === undefined) return []
  const message = `the policy has ${rules.length} rules; at most ${limits.maxRules} are read`
  return [{ position: next.rule.position, code: 'policy-limit', message }]
}

function strictestRisks(
  parts: readonly PolicyPart[],
): ReadonlyMap<RiskLevel, Exclude<Effect, 'allow'>> {
  const strictest = new Map<RiskLevel, Exclude<Effect, 'allow'>>()
  for (const [level, action] of parts.flatMap(({ risks }) => [...risks])) {
    if (strictest.get(level) !== 'deny') strictest.set(level, action)
  }
  return strictest
}
