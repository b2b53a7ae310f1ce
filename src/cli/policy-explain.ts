import type { Config } from '../config/config.ts'
import { capabilityName } from '../event/capability.ts'
import type { ActionEvent } from '../event/action-event.ts'
import type { PolicyAnswer, PredicateValue } from '../policy/answer.ts'
import { loadPolicy } from '../policy/load.ts'
import type { RuleAccount } from '../policy/policy.ts'
import { explain } from '../runtime/decide-text.ts'
import type { EventFlags } from './event-to-explain.ts'
import { eventToExplain } from './event-to-explain.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { readConfig } from './places.ts'
import { extendedBy } from './policy-files.ts'
import { readPolicySource } from './policy-source.ts'
import { jsonLine, shown } from './shown.ts'
import type { Style } from './style.ts'
import { styled } from './style.ts'

/** What `capfence policy explain` takes, as it was typed. */
export interface ExplainFlags extends EventFlags {
  readonly config?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * `capfence policy explain`: says what would become of a call, and what every rule that fits makes of it.
 *
 * The policies are those that are named, else those of the configuration; exit code 0 says that it would be allowed.
 */
export async function policyExplain(
  files: readonly string[],
  flags: ExplainFlags,
  io: Io,
): Promise<ExitCode> {
  // A whole event with its own policies needs no configuration.
  const needsConfig = files.length === 0 || flags.event === undefined
  const config: Config | undefined = needsConfig ? await readConfig(flags.config, io) : undefined
  const named = files.length > 0 ? files : (config?.policies ?? [])
  const policy = loadPolicy(named.map(readPolicySource), extendedBy(readPolicySource))
  const event = eventToExplain(flags, config)
  const explanation = { event, answer: policy.decide(event), accounts: policy.explain(event) }
  await io.out.write(flags.json === true ? jsonOf(explanation) : textOf(explanation, io))
  return explanation.answer.decision === 'allow' ? exitCodes.yes : exitCodes.no
}

interface Explanation {
  readonly event: ActionEvent
  readonly answer: PolicyAnswer
  readonly accounts: readonly RuleAccount[]
}

const styles: Readonly<Record<PolicyAnswer['decision'], Style>> = {
  allow: 'green',
  require_approval: 'yellow',
  deny: 'red',
}

function textOf({ event, answer, accounts }: Explanation, io: Io): string {
  const { reason, message, suggestion } = explain(event, answer, () => accounts)
  const lines = [
    `${styled(io.out, styles[answer.decision], answer.decision)}  ${shown(capabilityName(event.capability))}`,
    `  ${shown(reason)}`,
    ...(message === undefined ? [] : [`  message: ${shown(message)}`]),
    ...(suggestion === undefined ? [] : [`  ${shown(suggestion)}`]),
    `  actor ${shown(event.actor)}, environment ${shown(event.environment ?? 'unknown')}, risk ${event.risk ?? 'unknown'}`,
    '',
    accounts.length === 0 ? 'no rule has a capability that fits' : 'rules whose capability fits:',
    ...accounts.flatMap((account) => accountLines(account, io)),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function accountLines(
  { rule, applies, value, predicates }: RuleAccount,
  io: Io,
): readonly string[] {
  const { file, line, column } = rule.position
  const head = `${rule.effect} ${shown(rule.id)}  ${shown(`${file}:${line}:${column}`)}`
  const verdict = applies ? `applies (${value})` : `does not apply (${value})`
  return [
    `  ${applies ? styled(io.out, 'bold', head) : head}  ${verdict}`,
    ...predicates.map(predicateLine),
  ]
}

function predicateLine({ predicate, value }: PredicateValue): string {
  return `    ${value.padEnd('indeterminate'.length)}  ${shown(predicate)}`
}

function jsonOf({ event, answer, accounts }: Explanation): string {
  const { reason, message, suggestion } = explain(event, answer, () => accounts)
  return jsonLine({
    schemaVersion,
    type: 'explanation',
    decision: answer.decision,
    reason: answer.reason,
    text: reason,
    message: message ?? null,
    suggestion: suggestion ?? null,
    actor: event.actor,
    capability: capabilityName(event.capability),
    environment: event.environment ?? null,
    risk: event.risk ?? null,
    server: event.context.server ?? null,
    tool: event.context.tool ?? null,
    deciding: answer.rules.map(({ id }) => id),
    rules: accounts.map(({ rule, applies, value, predicates }) => ({
      id: rule.id,
      effect: rule.effect,
      ...rule.position,
      applies,
      value,
      predicates,
    })),
  })
}
