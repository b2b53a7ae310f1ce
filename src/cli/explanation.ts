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
  /** Whether nobody knows when limits have room again: then nothing is said of it. */
  readonly isRoomUnknown?: boolean
  /** Undefined when what nobody has kept decides it. */
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
export function explanationLines(explanation: Explanation, io: Pick<Io, 'out'>): readonly string[] {
  const { event, state, isStoreUnknown = false, answer, accounts } = explanation
  const { reason, message, suggestion } = wordsOf(explanation)
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

function wordsOf({ event, isRoomUnknown, answer, accounts }: Explanation): Words {
  if (answer !== undefined) {
    const words = explain(event, answer, () => accounts)
    const isHidden = isRoomUnknown === true && answer.reason === 'limit'
    return isHidden ? { ...words, suggestion: undefined } : words
  }
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
export function explanationData(explanation: Explanation): Readonly<Record<string, unknown>> {
  const { event, state, isStoreUnknown = false, answer, accounts } = explanation
  const { reason, message, suggestion } = wordsOf(explanation)
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
