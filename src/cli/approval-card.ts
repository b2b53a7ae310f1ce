import { isEnded } from '../approval/authority.ts'
import type { RecordedApproval } from '../approval/recorded.ts'
import type { ApprovalTerms } from '../approval/request.ts'
import { capabilityName } from '../event/capability.ts'
import type { RequestEntry } from './approval-entry.ts'
import { stateOf } from './approval-entry.ts'
import type { Output } from './io.ts'
import { fieldOf, isObject, listOf, numberOrNull, textOf, textOrNull } from './record-fields.ts'
import { counted, shown } from './shown.ts'
import { styled } from './style.ts'
import { shortDuration } from './time.ts'

/** Everything that somebody has to see before they answer; a line each, nothing hidden that is not said to be. */
export function approvalCard(
  approval: RecordedApproval,
  entry: RequestEntry,
  nowMs: number,
  output: Output,
): string {
  const { request, record } = entry
  const { binding } = request
  const tool = binding.tool === null ? '' : `  ${binding.server ?? '?'}.${binding.tool}`
  const head = shown(`${request.id}  ${capabilityName(binding.capability)}${tool}`)
  const rows: readonly (readonly [name: string, text: string])[] = [
    ['state', stateText(approval, nowMs)],
    ['asked', `${shortDuration(nowMs - request.requestedAtMs)} ago by ${binding.actor}`],
    ['where', binding.environment ?? 'no environment'],
    ['client', textOrNull(record.data, 'client') ?? 'unknown'],
    ['risk', textOrNull(record.data, 'risk') ?? 'not stated'],
    ...rulesOf(entry),
    ...(request.message === null ? [] : [['message', request.message] as const]),
    ['needs', termsText(approval)],
    ['allows', `this tool with these arguments, by this actor, ${usesText(request.terms)}`],
  ]
  return [
    `${styled(output, 'bold', head)}\n`,
    ...rows.map(([name, text]) => `  ${name.padEnd(8)} ${shown(text)}\n`),
    ...argumentLines(entry),
  ].join('')
}

function stateText({ request, answers }: RecordedApproval, nowMs: number): string {
  const state = stateOf(request, nowMs)
  const { expiresAtMs } = request
  if (state === 'pending') return `pending, expires in ${shortDuration(expiresAtMs - nowMs)}`
  if (state === 'expired') return `expired ${shortDuration(nowMs - expiresAtMs)} ago`
  const last = answers.at(-1)
  return last === undefined ? state : `${state} (${last.verdict} by ${last.approver})`
}

function rulesOf({ record: { data } }: RequestEntry): readonly (readonly [string, string])[] {
  const rules = listOf(data, 'rule').filter(isObject)
  if (rules.length === 0) return [['reason', textOf(data, 'reason')]]
  return rules.map((rule) => [
    'rule',
    `${textOf(rule, 'id')} (${textOf(rule, 'file')}:${numberOrNull(rule, 'line') ?? 0})${value(rule)}`,
  ])
}

/** A guard applies as well when it cannot be evaluated, which is worth knowing. */
function value(rule: Parameters<typeof fieldOf>[0]): string {
  return fieldOf(rule, 'value') === 'indeterminate' ? ', which could not be evaluated' : ''
}

/** What the answer must be like, and who has approved so far. */
function termsText(approval: RecordedApproval): string {
  const {
    request: { terms },
    answers,
  } = approval
  const who = terms.quorum === 1 ? '' : `, ${terms.quorum} different approvers`
  const given = answers.filter(({ verdict }) => verdict === 'approve')
  const names = [...new Set(given.map(({ approver }) => approver))].join(', ')
  const soFar = names === '' || isEnded(approval) ? '' : `; so far ${names}`
  return `${presenceTexts[terms.presence]}${who}${soFar}`
}

const presenceTexts: Readonly<Record<ApprovalTerms['presence'], string>> = {
  any: 'anybody’s answer',
  key: 'an approver’s key',
  passkey: 'an approver’s passkey (`capfence ui`)',
}

function usesText({ uses }: ApprovalTerms): string {
  return uses === null || uses === 1 ? 'once' : `${uses} times`
}

function argumentLines({
  arguments: { members, hidden, withheld },
}: RequestEntry): readonly string[] {
  const width = Math.min(24, Math.max(0, ...members.map(({ name }) => shown(name).length)))
  const notes = [
    ...(hidden.length === 0 ? [] : [`not shown: ${hidden.join(', ')} (\`--show-secrets\`)`]),
    ...(withheld === 0
      ? []
      : [`${counted(withheld, 'argument')} of secret name withheld by the log`]),
  ]
  return [
    members.length === 0 ? '  without arguments\n' : '  arguments\n',
    ...members.map(({ name, json }) => `    ${shown(name).padEnd(width)}  ${json}\n`),
    ...notes.map((note) => `    ${shown(note)}\n`),
  ]
}
