import { CapFenceError } from '../../errors.ts'
import { ActionEvent } from '../../event/action-event.ts'
import type { Bindings } from '../../event/binding.ts'
import { capabilityPrefix } from '../../event/binding.ts'
import type { DeterminingRule, PolicyAnswer } from '../answer.ts'
import type { Policy, RuleAccount } from '../policy.ts'
import type { PolicyRule } from '../rule.ts'
import type { PolicyState } from '../state.ts'
import type { AskedCall, AskedEvent, Expected, TestCase } from './test-case.ts'
import { stateOf } from './test-state.ts'

/** What stands in for whatever a case does not say. */
export interface TestSetting {
  readonly bindings: Bindings
  readonly actor: string
  readonly environment: string | undefined
}

/** What a policy said about a case. */
export interface CaseResult {
  readonly case: TestCase
  readonly event: ActionEvent
  readonly state: PolicyState | undefined
  readonly answer: PolicyAnswer
  /** What every rule makes of the call, when something is not as expected; none otherwise. */
  readonly accounts: readonly RuleAccount[]
  /** The rules that decided, however many they are. */
  readonly deciding: readonly (PolicyRule | DeterminingRule)[]
  /** What is not as expected, in a few words; undefined when all is. */
  readonly failure: string | undefined
}

/**
 * Makes the event of a case, of a call exactly as the gate would make it.
 *
 * @throws CapFenceError `EVENT_INVALID` when there can be no such event
 */
export function eventOf({ asked }: TestCase, setting: TestSetting): ActionEvent {
  return asked.kind === 'event' ? plainEvent(asked, setting) : boundEvent(asked, setting)
}

function plainEvent(asked: AskedEvent, setting: TestSetting): ActionEvent {
  const prefix = capabilityPrefix(asked.capability)
  const { actor = setting.actor, environment = setting.environment, ...context } = asked.context
  const scope = prefix?.scope ?? environment
  if (prefix?.action === undefined || scope === undefined) {
    throw new CapFenceError(
      'EVENT_INVALID',
      'the capability has no scope, and there is no environment to stand in for it',
      { hint: 'write `environment: …`, or the scope behind the second dot of `capability`' },
    )
  }
  return ActionEvent.of({
    actor,
    capability: { resource: prefix.resource, action: prefix.action, scope },
    ...(environment === undefined ? {} : { environment }),
    ...(asked.risk === undefined ? {} : { risk: asked.risk }),
    arguments: asked.arguments,
    context,
  })
}

function boundEvent(asked: AskedCall, { bindings, ...setting }: TestSetting): ActionEvent {
  const { actor = setting.actor, environment = setting.environment, ...context } = asked.context
  if (environment === undefined) {
    throw new CapFenceError('EVENT_INVALID', 'a call needs an environment', {
      hint: 'write `defaults: {environment: …}`, or name the configuration: `config: FILE`',
    })
  }
  const { server, tool } = asked
  return bindings.bind({ server, tool, arguments: asked.arguments, actor, environment, context })
}

/** Asks a policy about a case. */
export function runCase(policy: Policy, test: TestCase, event: ActionEvent): CaseResult {
  const state = test.state && stateOf(test.state)
  const answer = policy.decide(event, state)
  const explain = (): readonly RuleAccount[] => policy.explain(event, state)
  const deciding = decidingRules(answer, explain)
  const ids = new Set(deciding.map(({ id }) => id))
  const failure = failureOf(test.expected, answer, ids)
  // Of thousands of tests nearly all pass, and nobody asks how.
  const accounts = failure === undefined ? [] : explain()
  return { case: test, event, state, answer, accounts, deciding, failure }
}

/** An answer names a bounded number of rules; the accounts have the rest. */
function decidingRules(
  { decision, rules, omittedRules = 0 }: PolicyAnswer,
  explain: () => readonly RuleAccount[],
): CaseResult['deciding'] {
  if (omittedRules === 0) return rules
  return explain()
    .filter(({ rule, applies }) => applies && rule.effect === decision)
    .map(({ rule }) => rule)
}

function failureOf(
  { decision, reason, rules }: Expected,
  answer: PolicyAnswer,
  deciding: ReadonlySet<string>,
): string | undefined {
  if (answer.decision !== decision) {
    return `expected \`${decision}\`, the policy says \`${answer.decision}\``
  }
  if (reason !== undefined && answer.reason !== reason) {
    return `expected \`${decision}\` with the reason \`${reason}\`, the reason is \`${answer.reason}\``
  }
  const missing = rules.find(({ id }) => !deciding.has(id))
  if (missing === undefined) return undefined
  const by = [...deciding].map((id) => `\`${id}\``).join(', ')
  return `expected \`${decision}\` by \`${missing.id}\`, it is ${by === '' ? 'no rule' : by} that decides`
}

/** The rules of a policy that decided none of some cases, in the order of the files. */
export function rulesWithoutCase(
  policy: Policy,
  results: readonly CaseResult[],
): readonly PolicyRule[] {
  const decided = new Set(results.flatMap(({ deciding }) => deciding.map(placeOf)))
  return policy.rules.filter((rule) => !decided.has(placeOf(rule)))
}

/** Rules without an id of their own may share one across files; no two share a place. */
function placeOf({ position: { file, line, column } }: Pick<PolicyRule, 'position'>): string {
  return `${line}:${column} ${file}`
}
