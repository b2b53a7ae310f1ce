import type { ActionEvent } from '../event/action-event.ts'
import { capabilityName } from '../event/capability.ts'
import { printable } from '../event/printable.ts'
import type { AnswerReason, DeterminingRule, Effect, PolicyAnswer } from '../policy/answer.ts'
import type { SpentLimit } from '../policy/limit.ts'
import type { PartialAccount } from '../policy/unknown.ts'

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
 * Rules are quoted by id and place; of what they look for only thresholds are told, because a text that is searched
 * for is a recipe for writing it differently.
 *
 * @param accounts what every rule whose capability fits makes of the event; asked for only when no rule decided
 */
export function explain(
  event: ActionEvent,
  answer: PolicyAnswer,
  accounts: () => readonly PartialAccount[] = () => [],
): Explanation {
  return {
    reason: reasons[answer.reason](event, answer),
    message: messageOf(answer.rules),
    suggestion: answer.decision === 'allow' ? undefined : suggestionOf(event, answer, accounts),
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
function ruleName(rule: Pick<DeterminingRule, 'id' | 'position'>): string {
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
  limit: (_, { spent = [] }) => spent.slice(0, maxLimits).map(spentText).join('; '),
}

/** Limits that are told one by one. */
const maxLimits = 4

/** What is used up, such as `the limit \`gh\` is used up: 60 of 60 calls in 1h`. */
function spentText({ name, used, max, windowMs, countsCalls }: SpentLimit): string {
  const of = `${used.canonical} of ${max.canonical}${countsCalls ? ' calls' : ''}`
  return `the limit \`${printable(name, maxIdCharacters)}\` has no room: ${of} used in ${durationText(windowMs)}`
}

function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const) {
    if (seconds % size === 0) return `${seconds / size}${unit}`
  }
  return `${seconds}s`
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

function suggestionOf(
  event: ActionEvent,
  answer: PolicyAnswer,
  accounts: () => readonly PartialAccount[],
): string {
  if (answer.reason === 'limit') return whenRoom(answer)
  const threshold =
    answer.reason === 'default' ? nearestAllow(accounts()) : firstThreshold(answer.rules)
  if (answer.decision !== 'require_approval') {
    return threshold ?? instead[answer.reason](event)
  }
  const ask = 'once the person responsible has approved it, repeat the same call unchanged'
  return threshold === undefined ? ask : `${ask}; ${threshold}`
}

function whenRoom({ decision, roomAtMs }: PolicyAnswer): string {
  const later =
    roomAtMs === undefined
      ? 'it is more than the limit ever has room for'
      : `there is room for this call again at ${new Date(roomAtMs).toISOString()}`
  return decision === 'require_approval'
    ? `${later}; once the person responsible has approved it, repeat the same call unchanged`
    : later
}

/** What to do about a denial, by its reason. */
const instead: Readonly<Record<Exclude<AnswerReason, 'limit'>, (event: ActionEvent) => string>> = {
  rule: () => 'the same call stays denied: do without it, or ask the person responsible',
  indeterminate: () => 'give plain and complete arguments, on which the rule can be evaluated',
  risk: () => 'use an action of lower risk, or ask the person responsible',
  default: (event) => `for this to work, the policy would have to allow \`${capabilityOf(event)}\``,
}

function capabilityOf(event: ActionEvent): string {
  return printable(capabilityName(event.capability), maxFileCharacters)
}

/** Which amount a deciding rule with a threshold does not apply to; undefined when none has one. */
function firstThreshold(rules: readonly DeterminingRule[]): string | undefined {
  for (const rule of rules) {
    for (const { predicate, value } of rule.predicates) {
      const threshold = thresholdOf(predicate)
      if (threshold === undefined || value !== 'true') continue
      const { comparison, amount } = threshold
      return `rule ${ruleName(rule)} does not apply to an amount ${outside[comparison]} ${amount}`
    }
  }
  return undefined
}

/** The rule that would allow the event with another amount and nothing else changed; undefined when there is none. */
function nearestAllow(accounts: readonly PartialAccount[]): string | undefined {
  for (const { rule, predicates } of accounts) {
    if (rule.effect !== 'allow') continue
    const failed = predicates.filter(({ value }) => value !== 'true')
    const thresholds = failed.map(({ predicate }) => thresholdOf(predicate))
    const [threshold] = thresholds
    if (threshold === undefined || thresholds.includes(undefined)) continue
    const { comparison, amount } = threshold
    return `rule ${ruleName(rule)} allows an amount ${inside[comparison]} ${amount}`
  }
  return undefined
}

type Comparison = 'gt' | 'gte' | 'lt' | 'lte'

interface Threshold {
  readonly comparison: Comparison
  readonly amount: string
}

/** The threshold in a predicate as a policy file writes it; undefined for any other predicate. */
function thresholdOf(predicate: string): Threshold | undefined {
  const [, comparison, amount] = thresholdPattern.exec(predicate) ?? []
  return amount !== undefined && isComparison(comparison) ? { comparison, amount } : undefined
}

const thresholdPattern = /^amount_(gte?|lte?): (-?[0-9][0-9.eE+-]{0,39})$/

function isComparison(text: string | undefined): text is Comparison {
  return text !== undefined && Object.hasOwn(inside, text)
}

/** The amounts that such a predicate is true of. */
const inside: Readonly<Record<Comparison, string>> = {
  gt: 'above',
  gte: 'of at least',
  lt: 'below',
  lte: 'of at most',
}

/** The amounts that it is not true of. */
const outside: Readonly<Record<Comparison, string>> = {
  gt: 'of at most',
  gte: 'below',
  lt: 'of at least',
  lte: 'above',
}
