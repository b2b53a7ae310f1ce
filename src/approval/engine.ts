import { CapFenceError } from '../errors.ts'
import { requestExpired } from './covers.ts'
import type { ApprovalRequest } from './request.ts'

/** Where requests are kept; every store is one. */
export interface ApprovalQueue {
  approvalRequests(): Promise<readonly ApprovalRequest[]>
}

/** The questions that wait for a person. */
export class ApprovalEngine {
  readonly #queue: ApprovalQueue
  readonly #clock: () => number

  /** @param clock milliseconds since the epoch, now */
  constructor(queue: ApprovalQueue, clock: () => number) {
    this.#queue = queue
    this.#clock = clock
  }

  /** Every request, oldest first, in the state that it has now. */
  async list(): Promise<readonly ApprovalRequest[]> {
    const requests = await this.#queue.approvalRequests()
    const nowMs = this.#clock()
    return requests.map((request) =>
      requestExpired(request, nowMs) ? { ...request, state: 'expired' } : request,
    )
  }

  /** Requests that can still be answered, oldest first. */
  async pending(): Promise<readonly ApprovalRequest[]> {
    return (await this.list()).filter((request) => request.state === 'pending')
  }

  /**
   * The request with this id, whatever its state.
   *
   * @throws CapFenceError `APPROVAL_NOT_FOUND`
   */
  async find(id: string): Promise<ApprovalRequest> {
    const found = (await this.list()).find((request) => request.id === id)
    if (found !== undefined) return found
    throw new CapFenceError('APPROVAL_NOT_FOUND', 'no approval request has this id', {
      hint: '`capfence approvals list` shows those there are',
    })
  }
}
