import type { Condition, ContextField } from '../condition.ts'
import type { Policy } from '../policy.ts'
import type { Problem } from '../problem.ts'
import type { RuleSource } from '../rule.ts'
import { Analyst } from './analyst.ts'
import type { Complaint } from './complaint.ts'
import { doubtComplaint } from './doubt.ts'
import { IdleRules } from './idle.ts'
import { toolsOfPart } from './listed-tool.ts'
import type { ListedTool } from './listed-tool.ts'
import { missingArgumentComplaints } from './missing-arguments.ts'
import { partsOf } from './part.ts'
import type { PolicyPart } from './part.ts'
import { undeclaredComplaint } from './undeclared.ts'

/** What is known of every call that a policy is asked about. */
export interface LintSetting {
  /** What is not known of any of them. */
  readonly unstated?: readonly ContextField[]
  /** The environments in which they act; empty when that is not known. */
  readonly environments?: readonly string[]
  /** Tools that are called, as their servers list them; empty when nothing is known of them. */
  readonly tools?: readonly ListedTool[]
}

/**
 * What is right in a policy and hardly meant, in the order of its parts; each with code `policy-lint`.
 *
 * A rule that is said to do nothing, or to be in doubt of everything, is proven to: where that cannot be found out, nothing
 * is said.
 */
export function lintPolicy(policy: Policy, setting: LintSetting = {}): readonly Problem[] {
  const { unstated = [], environments = [], tools = [] } = setting
  const analyst = new Analyst()
  const idle = new IdleRules(policy, analyst)
  const parts = partsOf(policy)
  const strangers = strangersComplaint(parts, tools)
  return parts.flatMap((part, index) => {
    const found = [
      ...(part.rule === undefined
        ? []
        : [
            idle.complaint(part.rule) ?? doubtComplaint(part.rule, unstated, analyst),
            ...(part.role === 'grant' ? allowComplaints(part.rule) : []),
          ]),
      undeclaredComplaint(part, environments),
      ...missingArgumentComplaints(part, tools),
      ...(index === 0 ? [strangers] : []),
    ]
    return found.flatMap((one) =>
      one === undefined ? [] : [{ position: part.position, code: lint, ...one }],
    )
  })
}

const lint = 'policy-lint'

/** A list of tools of which no rule says anything is hardly the one that was meant. */
function strangersComplaint(
  parts: readonly PolicyPart[],
  tools: readonly ListedTool[],
): Complaint | undefined {
  if (tools.length === 0 || parts.some((part) => toolsOfPart(part, tools).length > 0))
    return undefined
  return {
    message: `no rule is about any of the listed tools: ${tools.length}`,
    hint: '`--server` says whose they are, and the configuration what they mean',
  }
}

function allowComplaints({ rule, pattern, conditions }: RuleSource): readonly Complaint[] {
  const { resource, action, scope } = pattern
  const isAny = [resource, action, scope].every((name) => name === '*')
  const found: Complaint[] = []
  if (isAny) {
    found.push({
      message: `rule \`${rule.id}\` allows every capability, also those of servers that are added later`,
      hint: 'name the resources that may be used, one rule each',
    })
  }
  if (conditions.some(looksForText)) {
    found.push({
      message: `rule \`${rule.id}\` allows by a text that may stand anywhere in the arguments`,
      hint: 'aim at the argument that is meant, such as `args: {/command: {in: […]}}`',
    })
  }
  return found
}

/** Whether a text is looked for that is aimed at no argument; under `not` that only makes a rule stricter. */
function looksForText(condition: Condition): boolean {
  if (condition.kind === 'any') return condition.branches.flat().some(looksForText)
  return condition.kind === 'text' || condition.kind === 'pattern'
}
