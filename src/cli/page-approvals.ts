import type { RecordedApproval } from '../approval/recorded.ts'
import { isEnded } from '../approval/authority.ts'
import type { ApprovalRequest } from '../approval/request.ts'
import { Decimal } from '../json/decimal.ts'
import type { JsonObject } from '../json/value.ts'
import type { LogReader } from '../runtime/store.ts'
import { approvalOf, entryOf, type RequestEntry, stateOf } from './approval-entry.ts'
import { requestLine } from './approvals.ts'
import { shownArguments } from './log-arguments.ts'
import { pageText } from './page-text.ts'
import { isObject, listOf, numberOrNull, textOf, textOrNull } from './record-fields.ts'

/** Questions that are listed with what became of them, count: the newest. */
const maxListed = 200
/** Calls of late that are compared with one that waits, count. */
const compared = 200

/** The questions that wait, or the newest of all, oldest first, as one JSON text. */
export async function pageApprovals(
  reader: LogReader,
  all: boolean,
  nowMs: number,
): Promise<string> {
  const requests = (await reader.approvalRequests()).filter(
    (request) => all || stateOf(request, nowMs) === 'pending',
  )
  const texts = await Promise.all(
    requests.slice(-maxListed).map((request) => textFor(reader, request, { nowMs })),
  )
  return `[${texts.join(',')}]`
}

/** One question, as one JSON text. @throws CapFenceError `APPROVAL_NOT_FOUND` */
export async function pageApproval(
  reader: LogReader,
  id: string,
  options: { readonly nowMs: number; readonly showSecrets: boolean },
): Promise<string> {
  const { request } = await approvalOf(reader, id)
  return textFor(reader, request, options)
}

async function textFor(
  reader: LogReader,
  request: ApprovalRequest,
  { nowMs, showSecrets = false }: { readonly nowMs: number; readonly showSecrets?: boolean },
): Promise<string> {
  const entry = await entryOf(reader, request, { showSecrets })
  const approval = await approvalOf(reader, request.id)
  const { data } = entry.record
  const rules = listOf(data, 'rule').filter(isObject)
  return pageText(requestLine(entry, nowMs), {
    client: textOrNull(data, 'client'),
    risk: textOrNull(data, 'risk'),
    ruleText: rules.map(
      (rule) =>
        `${textOf(rule, 'id')} (${textOf(rule, 'file')}:${numberOrNull(rule, 'line') ?? 0})`,
    ),
    given: isEnded(approval) ? [] : approversOf(approval),
    covered: await coveredBy(reader, entry, stateOf(request, nowMs) === 'pending'),
  })
}

function approversOf({ answers }: RecordedApproval): readonly string[] {
  const given = answers.filter(({ verdict }) => verdict === 'approve')
  return [...new Set(given.map(({ approver }) => approver))]
}

/** How many of the last calls were this one: what an approval for a while would have let pass without a question. */
async function coveredBy(
  reader: LogReader,
  { record, arguments: own }: RequestEntry,
  isWaiting: boolean,
): Promise<JsonObject> {
  if (!isWaiting) return counts(0, 0)
  const { data } = record
  const [server, tool] = [textOrNull(data, 'server'), textOrNull(data, 'tool')]
  const { records } = await reader.find({
    types: ['decision'],
    actor: textOf(data, 'actor'),
    ...(server === null ? {} : { server }),
    ...(tool === null ? {} : { tool }),
    order: 'newest',
    count: compared,
  })
  const others = records.filter(({ seq }) => seq !== record.seq)
  const texts = await Promise.all(
    others.map(async (other) => shownArguments(other, await reader.disclosures(other.seq)).json),
  )
  return counts(texts.filter((json) => json === own.json).length, others.length)
}

function counts(same: number, of: number): JsonObject {
  return { same: new Decimal(String(same)), of: new Decimal(String(of)) }
}
