import type { ApprovalRequest, ApprovalState, ApprovalTerms } from '../approval/request.ts'
import {
  count,
  isObject,
  listOf,
  matching,
  nullable,
  object,
  oneOf,
  optional,
  sha256Hex,
  shape,
  shapeComplaint,
  text,
} from '../audit/fields.ts'
import type { RecordValue } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'

const requestShape = shape({
  id: text,
  nonce: matching(/^[0-9a-f]{32}$/, '32 lower-case hex digits'),
  bindingDigest: sha256Hex,
  binding: object({
    actor: text,
    server: nullable(text),
    tool: nullable(text),
    definitionHash: nullable(sha256Hex),
    argumentDigest: sha256Hex,
    capability: object({ resource: text, action: text, scope: text }),
    environment: nullable(text),
    policyHash: sha256Hex,
    session: nullable(text),
  }),
  state: oneOf('pending', 'expired'),
  requestedAtMs: count,
  expiresAtMs: count,
  decisionSeq: count,
  rules: listOf(text),
  message: nullable(text),
  terms: optional(
    object({ presence: oneOf('any', 'key', 'passkey'), quorum: count, uses: nullable(count) }),
  ),
})

/** Rows of older versions say nothing of it. */
const usualTerms: ApprovalTerms = { presence: 'any', quorum: 1, uses: null }

const states: readonly ApprovalState[] = [
  'pending',
  'approved',
  'denied',
  'expired',
  'revoked',
  'used',
]

/**
 * The text that stands in a row for a request.
 *
 * @throws CapFenceError `RECORD_INVALID` when it is not what `parseApprovalRequest` takes
 */
export function printApprovalRequest(request: ApprovalRequest): string {
  const json = JSON.stringify(request)
  const complaint = complaintAbout(json)
  if (complaint !== undefined)
    throw new CapFenceError('RECORD_INVALID', `an approval request: ${complaint}`)
  return json
}

/** What the row says beside the request, and the time it is read at. */
export interface RowFacts {
  readonly state: string
  /** Of the request while it waits, of its answer afterwards. */
  readonly expiresAtMs: number
  readonly nowMs: number
}

/**
 * Reads such a text again; the clock says whether the request still waits.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` for anything that `printApprovalRequest` does not write
 */
export function parseApprovalRequest(json: string, row: RowFacts): ApprovalRequest {
  const complaint = complaintAbout(json)
  if (complaint !== undefined) {
    throw new CapFenceError(
      'AUDIT_CORRUPT',
      `the database holds a damaged approval request: ${complaint}`,
    )
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compared with its shape just now
  const request = JSON.parse(json) as Omit<ApprovalRequest, 'terms'> &
    Partial<Pick<ApprovalRequest, 'terms'>>
  const known = states.find((one) => one === row.state) ?? 'expired'
  const isOpen = known === 'pending' || known === 'approved'
  const state = isOpen && row.expiresAtMs <= row.nowMs ? 'expired' : known
  return { ...request, terms: request.terms ?? usualTerms, state }
}

function complaintAbout(json: string): string | undefined {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON.parse makes nothing but JSON values
    const value = JSON.parse(json) as RecordValue
    return isObject(value) ? shapeComplaint(value, requestShape) : 'not an object'
  } catch {
    // The only thing JSON.parse says is what the sentence says.
    return 'not JSON'
  }
}
