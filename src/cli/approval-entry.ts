import type { RecordedApproval } from '../approval/recorded.ts'
import type { ApprovalRequest, ApprovalState } from '../approval/request.ts'
import type { StoredRecord } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import { capabilityName } from '../event/capability.ts'
import type { LogReader } from '../runtime/store.ts'
import type { ShownArguments } from './log-arguments.ts'
import { allArguments, shownArguments } from './log-arguments.ts'
import { textOf, textOrNull } from './record-fields.ts'

/** A request, the decision that asked, and what was to be called. */
export interface RequestEntry {
  readonly request: ApprovalRequest
  /** The decision. */
  readonly record: StoredRecord
  readonly arguments: ShownArguments
}

/** How an entry is read. */
export interface EntryOptions {
  /** Values that look like secrets too, as far as the log has them. */
  readonly showSecrets?: boolean
}

/**
 * Reads what a request asks about from the record of its decision, not from its row.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when row and record are not of one call: somebody has changed the database
 */
export async function entryOf(
  reader: LogReader,
  request: ApprovalRequest,
  { showSecrets = false }: EntryOptions = {},
): Promise<RequestEntry> {
  const [record] = await reader.records(request.decisionSeq, 1)
  if (record === undefined || !isOf(record, request)) {
    throw new CapFenceError(
      'AUDIT_CORRUPT',
      `the log has lost the decision that asked ${request.id}, or the request was changed`,
    )
  }
  const disclosures = await reader.disclosures(record.seq)
  const read = showSecrets ? allArguments : shownArguments
  return { request, record, arguments: read(record, disclosures) }
}

/**
 * A request by its id, with what the log says of it.
 *
 * @throws CapFenceError `APPROVAL_NOT_FOUND`
 */
export async function approvalOf(reader: LogReader, id: string): Promise<RecordedApproval> {
  const found = await reader.approval(id)
  if (found !== undefined) return found
  throw new CapFenceError('APPROVAL_NOT_FOUND', `no request for an approval has the id ${id}`, {
    hint: '`capfence approvals list --all` shows those there are',
  })
}

/** Where a request is on its way; time alone ends one that waits, whatever its row says. */
export function stateOf({ state, expiresAtMs }: ApprovalRequest, nowMs: number): ApprovalState {
  if (state !== 'pending' && state !== 'expired') return state
  return expiresAtMs > nowMs ? 'pending' : 'expired'
}

function isOf({ type, data }: StoredRecord, { id, binding }: ApprovalRequest): boolean {
  return (
    type === 'decision' &&
    textOrNull(data, 'approval') === id &&
    textOf(data, 'actor') === binding.actor &&
    textOrNull(data, 'server') === binding.server &&
    textOrNull(data, 'tool') === binding.tool &&
    textOrNull(data, 'environment') === binding.environment &&
    textOrNull(data, 'tool_definition_hash') === binding.definitionHash &&
    textOf(data, 'policy_hash') === binding.policyHash &&
    textOf(data, 'capability') === capabilityName(binding.capability)
  )
}
