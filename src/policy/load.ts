import type { RiskLevel } from '../event/capability.ts'
import { limits } from '../limits.ts'
import type { Effect } from './answer.ts'
import { Policy } from './policy.ts'
import { PolicyError } from './problem.ts'
import type { Problem } from './problem.ts'
import { readPolicy } from './read-policy.ts'
import { Report } from './report.ts'
import type { RuleSource } from './rule.ts'
import { readYaml } from './yaml.ts'

/** A policy file: its path, for messages, and its text. */
export interface PolicySource {
  readonly path: string
  readonly text: string
}

/**
 * Loads files as one policy: the union of their rules, of which the stricter wins (POLICY.md 12).
 *
 * @throws PolicyError `POLICY_INVALID` with every problem of every file; nothing of a broken policy is used
 */
export function loadPolicy(sources: readonly PolicySource[]): Policy {
  const problems: Problem[] = []
  const rules: RuleSource[] = []
  const risks = new Map<RiskLevel, Exclude<Effect, 'allow'>>()
  for (const source of sources) {
    const part = loadPart(source, problems)
    rules.push(...part.rules)
    for (const [level, action] of part.risks) {
      if (risks.get(level) !== 'deny') risks.set(level, action)
    }
  }
  problems.push(...sharedIds(rules), ...tooMany(rules))
  if (problems.length > 0) throw new PolicyError(problems)
  return new Policy(rules, risks)
}

function loadPart(
  { path, text }: PolicySource,
  problems: Problem[],
): ReturnType<typeof readPolicy> {
  if (text.length > limits.maxPolicyBytes) {
    const message = `the file is larger than ${limits.maxPolicyBytes} bytes`
    problems.push({ position: { file: path, line: 1, column: 1 }, code: 'policy-limit', message })
    return { rules: [], risks: new Map() }
  }
  const { root, faults, lineAndColumn } = readYaml(text)
  const report = new Report(path, lineAndColumn)
  for (const fault of faults) report.add(fault)
  const isReadable = root !== undefined || faults.length === 0
  const part = isReadable ? readPolicy({ text, report }, root) : { rules: [], risks: new Map() }
  problems.push(...report.problems())
  return part
}

/** An id names one rule of the whole policy: records and approvals refer to it. */
function sharedIds(rules: readonly RuleSource[]): readonly Problem[] {
  const first = new Map<string, RuleSource>()
  return rules.flatMap((source) => {
    const { id, position, effect } = source.rule
    if (/^(?:deny|require_approval|allow)\[\d+\]$/.test(id)) return []
    const earlier = first.get(id)
    if (earlier === undefined) {
      first.set(id, source)
      return []
    }
    const { file, line } = earlier.rule.position
    return [
      {
        position,
        code: 'policy-id' as const,
        message: `the id \`${id}\` of this ${effect} rule is used at ${file}:${line} already`,
        hint: 'give each rule an id of its own',
      },
    ]
  })
}

function tooMany(rules: readonly RuleSource[]): readonly Problem[] {
  const over = rules[limits.maxRules]
  if (over === undefined) return []
  const message = `the policy has ${rules.length} rules; at most ${limits.maxRules} are read`
  return [{ position: over.rule.position, code: 'policy-limit', message }]
}
