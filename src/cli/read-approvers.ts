import { readFileSync, statSync } from 'node:fs'
import {
  approverListFingerprint,
  noApprovers,
  parseApproverList,
  type ApproverList,
} from '../approval/approver-list.ts'
import type { ApprovalsConfig } from '../config/config.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'

/**
 * The approvers that a configuration names.
 *
 * @throws CapFenceError `SIGNATURE_INVALID` when the list is not sound or not the pinned one, `KEY_INVALID` when it
 *   cannot be read: then nobody is an approver
 */
export function readApprovers({
  approvers,
  approversSha256,
}: Pick<ApprovalsConfig, 'approvers' | 'approversSha256'>): ApproverList {
  if (approvers === undefined) return noApprovers
  const text = readBounded(approvers, limits.maxApproverListBytes)
  const fingerprint = approverListFingerprint(text)
  if (approversSha256 !== undefined && approversSha256 !== fingerprint) {
    throw new CapFenceError(
      'SIGNATURE_INVALID',
      `${approvers} is not the list of approvers that the configuration pins`,
      { hint: `its fingerprint is ${fingerprint}; find out who changed it before you pin it` },
    )
  }
  return parseApproverList(text)
}

/**
 * The text of a file.
 *
 * @throws CapFenceError `KEY_INVALID` when it cannot be read, or is larger than it can be
 */
export function readBounded(path: string, maxBytes: number): string {
  try {
    const { size } = statSync(path)
    if (size > maxBytes) throw new Error(`it is larger than ${String(maxBytes)} bytes`)
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** A file of keys that the system does not let us have, as an error. */
export function unreadable(path: string, cause: unknown): CapFenceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new CapFenceError('KEY_INVALID', `${path}: ${reason}`, {
    hint: '`capfence keys approver add NAME` makes a key and enters it in the list of approvers',
    cause,
  })
}
