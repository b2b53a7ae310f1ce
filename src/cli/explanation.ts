import type { ActionEvent } from '../event/action-event.ts'
import { capabilityName } from '../event/capability.ts'
import type { PolicyAnswer } from '../policy/answer.ts'
import type { PolicyState } from '../policy/state.ts'
import type { PartialAccount } from '../policy/unknown.ts'
import type { Explanation as Words } from '../runtime/decide-text.ts'
import { explain } from '../runtime/decide-text.ts'
import type { Io } from './io.ts'
import { shown } from './shown.ts'
import type { Style } from './style.ts'
import { styled } from './style.ts'

/** What a policy says about an event, and what each rule makes of it. */
export interface Explanation {
  readonly event: ActionEvent
  /** What the policy was asked with; absent when the answer depends on nothing but the event. */
  readonly state?: PolicyState | undefined
  /** Whether a rule asks for what only the store of a gate knows: it is indeterminate here. */
  readonly isStoreUnknown?: boolean
  /** Undefined when arguments that nobody has kept decide it. */
  readonly answer: PolicyAnswer | undefined
  readonly accounts: readonly PartialAccount[]
}

const styles: Readonly<Record<PolicyAnswer['decision'], Style>> = {
  allow: 'green',
  require_approval: 'yellow',
  deny: 'red',
}

const storeUnknown =
  'state unknown: only the store of a gate knows what is left of limits and the labels of sessions'

/** An explanation for people, as lines that are safe to show. */
export function explanationLines(
  { event, state, isStoreUnknown = false, answer, accounts }: Explanation,
  io: Pick<Io, 'out'>,
): readonly string[] {
  const { reason, message, suggestion } = wordsOf({ event, answer, accounts })
  const decision =
    answer === undefined ? 'unknown' : styled(io.out, styles[answer.decision], answer.decision)
  return [
    `${decision}  ${shown(capabilityName(event.capability))}`,
    `  ${shown(reason)}`,
    ...(message === undefined ? [] : [`  message: ${shown(message)}`]),
    ...(suggestion === undefined ? [] : [`  ${shown(suggestion)}`]),
    `  actor ${shown(event.actor)}, environment ${shown(event.environment ?? 'unknown')}, risk ${event.risk ?? 'unknown'}`,
    ...(state === undefined || Number.isNaN(state.nowMs)
      ? []
      : [`  at ${new Date(state.nowMs).toISOString()}`]),
    ...(isStoreUnknown ? [`  ${storeUnknown}`] : []),
    '',
    accounts.length === 0 ? 'no rule has a capability that fits' : 'rules whose capability fits:',
    ...accounts.flatMap((account) => accountLines(account, io)),
  ]
}

function wordsOf({ event, answer, accounts }: Explanation): Words {
  if (answer !== undefined) return explain(event, answer, () => accounts)
  const reason = 'what the log does not keep decides it'
  return { reason, message: undefined, suggestion: undefined }
}

function accountLines(
  { rule, applies, value, predicates }: PartialAccount,
  io: Pick<Io, 'out'>,
): readonly string[] {
  const { file, line, column } = rule.position
  const head = `${rule.effect} ${shown(rule.id)}  ${shown(`${file}:${line}:${column}`)}`
  const verdict = applies === undefined ? 'may apply' : applies ? 'applies' : 'does not apply'
  return [
    `  ${applies === true ? styled(io.out, 'bold', head) : head}  ${verdict} (${value})`,
    ...predicates.map(predicateLine),
  ]
}

function predicateLine({ predicate, value }: PartialAccount['predicates'][number]): string {
  return `    ${value.padEnd('indeterminate'.length)}  ${shown(predicate)}`
}

/** The same for programs. */
export function explanationData({
  event,
  state,
  isStoreUnknown = false,
  answer,
  accounts,
}: Explanation): Readonly<Record<string, unknown>> {
  const { reason, message, suggestion } = wordsOf({ event, answer, accounts })
  return {
    decision: answer?.decision ?? null,
    reason: answer?.reason ?? null,
    text: reason,
    message: message ?? null,
    suggestion: suggestion ?? null,
    actor: event.actor,
    capability: capabilityName(event.capability),
    environment: event.environment ?? null,
    risk: event.risk ?? null,
    ...(state === undefined || Number.isNaN(state.nowMs)
      ? {}
      : { at: new Date(state.nowMs).toISOString() }),
    ...(isStoreUnknown ? { stateUnknown: true } : {}),
    server: event.context.server ?? null,
    tool: event.context.tool ?? null,
    deciding: (answer?.rules ?? []).map(({ id }) => id),
    rules: accounts.map(({ rule, applies, value, predicates }) => ({
      id: rule.id,
      effect: rule.effect,
      ...rule.position,
      applies: applies ?? null,
      value,
      predicates,
    })),
  }
}
