import type { ActionEvent } from '../event/action-event.ts'
import { capabilityName } from '../event/capability.ts'
import { printable } from '../event/printable.ts'
import type { AnswerReason, DeterminingRule, Effect, PolicyAnswer } from '../policy/answer.ts'

/** A decision in words; see `Told` of the verdicts for what each is. */
export interface Explanation {
  readonly reason: string
  readonly message: string | undefined
  readonly suggestion: string | undefined
}

const maxRuleIds = 32
const maxIdCharacters = 64
const maxFileCharacters = 200
const maxMessageCharacters = 1000

/**
 * Puts a policy's answer into words.
 *
 * Only deciding rules are quoted, by id and place; of what they look for only thresholds are told, because a text
 * that is searched for is a recipe for writing it differently.
 */
export function explain(event: ActionEvent, answer: PolicyAnswer): Explanation {
  return {
    reason: reasons[answer.reason](event, answer),
    message: messageOf(answer.rules),
    suggestion: answer.decision === 'allow' ? undefined : suggestionOf(event, answer),
  }
}

/** What the author of the deciding rules says, for a person; bounded. */
export function messageOf(rules: readonly DeterminingRule[]): string | undefined {
  const message = rules.find((rule) => rule.message !== undefined)?.message
  return message === undefined ? undefined : printable(message, maxMessageCharacters)
}

/** The ids of the deciding rules, for a person; bounded, so that a record of them never outgrows its bound. */
export function ruleIds(rules: readonly DeterminingRule[]): readonly string[] {
  return rules.slice(0, maxRuleIds).map((rule) => printable(rule.id, maxIdCharacters))
}

/** A rule as a person finds it again: its id, and where it stands. */
function ruleName(rule: DeterminingRule): string {
  const { file, line } = rule.position
  return `\`${printable(rule.id, maxIdCharacters)}\` (${printable(file, maxFileCharacters)}:${line})`
}

const verbs: Readonly<Record<Effect, readonly [one: string, several: string]>> = {
  allow: ['allows it', 'allow it'],
  deny: ['denies it', 'deny it'],
  require_approval: ['asks for approval', 'ask for approval'],
}

/** Why, by the answer's reason. */
const reasons: Readonly<
  Record<AnswerReason, (event: ActionEvent, answer: PolicyAnswer) => string>
> = {
  rule: (_, answer) => ruleSentence(answer),
  indeterminate: (_, answer) =>
    `${ruleSentence(answer)}, because what it looks at could not be read`,
  risk: (_, { risk, decision }) =>
    `an action of risk \`${risk ?? 'unknown'}\` ${riskRules[decision]}`,
  default: (event) => `no rule allows \`${capabilityOf(event)}\` with these arguments`,
}

const riskRules: Readonly<Record<Effect, string>> = {
  allow: 'is allowed',
  deny: 'is denied',
  require_approval: 'needs approval',
}

function ruleSentence({ decision, rules, omittedRules = 0 }: PolicyAnswer): string {
  const [first] = rules
  const [one, several] = verbs[decision]
  if (first === undefined) return `the policy ${one}`
  const name = `rule ${ruleName(first)}`
  const others = rules.length - 1 + omittedRules
  return others === 0 ? `${name} ${one}` : `${name} and ${others} more ${several}`
}

function suggestionOf(event: ActionEvent, answer: PolicyAnswer): string {
  const threshold = firstThreshold(answer.rules)
  if (answer.decision !== 'require_approval') {
    return threshold ?? instead[answer.reason](event)
  }
  const ask = 'once the person responsible has approved it, repeat the same call unchanged'
  return threshold === undefined ? ask : `${ask}; ${threshold}`
}

/** What to do about a denial, by its reason. */
const instead: Readonly<Record<AnswerReason, (event: ActionEvent) => string>> = {
  rule: () => 'the same call stays denied: do without it, or ask the person responsible',
  indeterminate: () => 'give plain and complete arguments, on which the rule can be evaluated',
  risk: () => 'use an action of lower risk, or ask the person responsible',
  default: (event) => `for this to work, the policy would have to allow \`${capabilityOf(event)}\``,
}

function capabilityOf(event: ActionEvent): string {
  return printable(capabilityName(event.capability), maxFileCharacters)
}

/** Which amount a rule with a threshold does not apply to; undefined when no deciding rule has one. */
function firstThreshold(rules: readonly DeterminingRule[]): string | undefined {
  for (const rule of rules) {
    for (const { predicate, value } of rule.predicates) {
      const [, comparison = '', threshold = ''] = thresholdPattern.exec(predicate) ?? []
      const beyond = outside.get(comparison)
      if (beyond !== undefined && value === 'true') {
        return `rule ${ruleName(rule)} does not apply to an amount ${beyond} ${threshold}`
      }
    }
  }
  return undefined
}

const thresholdPattern = /^amount_(gte?|lte?): (-?[0-9][0-9.eE+-]{0,39})$/
const outside: ReadonlyMap<string, string> = new Map([
  ['gt', 'of at most'],
  ['gte', 'below'],
  ['lt', 'of at least'],
  ['lte', 'above'],
])
