import type { ApprovalRequest } from './request.ts'

/** Whether a request's time is up; at the very millisecond of its expiry it is. */
export function requestExpired(request: ApprovalRequest, nowMs: number): boolean {
  return request.state === 'expired' || nowMs >= request.expiresAtMs
}
