import { bindingDigest } from './call-binding.ts'
import type { ApprovalRequest } from './request.ts'

/** Whether a request's time is up; at the very millisecond of its expiry it is. */
export function requestExpired(request: ApprovalRequest, nowMs: number): boolean {
  return request.state === 'expired' || nowMs >= request.expiresAtMs
}

/**
 * Whether a pending request asks about exactly this call, now.
 *
 * The digest is made anew from the request's own binding: a row whose binding was edited asks about nothing.
 */
export function requestCovers(
  request: ApprovalRequest,
  call: { readonly digest: string; readonly nowMs: number },
): boolean {
  return (
    !requestExpired(request, call.nowMs) &&
    request.bindingDigest === call.digest &&
    bindingDigest(request.binding) === call.digest
  )
}
