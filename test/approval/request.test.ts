import { describe, expect, it } from 'vitest'
import { bindingDigest } from '../../src/approval/call-binding.ts'
import { requestExpired } from '../../src/approval/covers.ts'
import { ApprovalEngine } from '../../src/approval/engine.ts'
import { approvalRequest } from '../../src/approval/new-request.ts'
import type { CallBinding } from '../../src/approval/request.ts'

const binding: CallBinding = {
  actor: 'ops-agent',
  server: null,
  tool: null,
  definitionHash: null,
  argumentDigest: 'b'.repeat(64),
  capability: { resource: 'payment', action: 'execute', scope: 'high_value' },
  environment: 'production',
  policyHash: 'c'.repeat(64),
  session: null,
}
const digest = bindingDigest(binding)
const draft = {
  id: 'apr_01JD8Q5V7Z0000000000000000',
  nonce: '0'.repeat(32),
  binding,
  bindingDigest: digest,
  timeoutMs: 1000,
  terms: { presence: 'any', quorum: 1, uses: null },
} as const
const request = approvalRequest(draft, { nowMs: 5000, seq: 7, rules: ['big'], message: null })

describe('a request for an approval', () => {
  it('waits from the clock of its commit on', () => {
    expect(request).toEqual({
      id: draft.id,
      nonce: draft.nonce,
      bindingDigest: digest,
      binding,
      state: 'pending',
      requestedAtMs: 5000,
      expiresAtMs: 6000,
      decisionSeq: 7,
      rules: ['big'],
      message: null,
      terms: draft.terms,
    })
  })

  it.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('never waits %d ms', (timeoutMs) => {
    const asking = { nowMs: 0, seq: 0, rules: [], message: null }
    expect(() => approvalRequest({ ...draft, timeoutMs }, asking)).toThrow(/whole milliseconds/)
  })

  it.each([
    [5999, false],
    [6000, true],
    [6001, true],
  ])('at %d ms is expired: %s', (nowMs, expired) => {
    expect(requestExpired(request, nowMs)).toBe(expired)
  })

  it('stays expired once it was, whatever the clock says then', () => {
    expect(requestExpired({ ...request, state: 'expired' }, 5000)).toBe(true)
  })
})

describe('the queue of requests', () => {
  const late = { ...request, id: 'apr_late', expiresAtMs: 5500 }
  const queue = { approvalRequests: () => Promise.resolve([late, request]) }

  it('shows each in the state that it has now', async () => {
    const engine = new ApprovalEngine(queue, () => 5500)
    expect((await engine.list()).map(({ state }) => state)).toEqual(['expired', 'pending'])
    expect(await engine.pending()).toEqual([request])
    expect((await engine.find('apr_late')).state).toBe('expired')
  })

  it('says so when there is none with an id', async () => {
    const engine = new ApprovalEngine(queue, () => 5500)
    await expect(engine.find('apr_nobody')).rejects.toMatchObject({ code: 'APPROVAL_NOT_FOUND' })
  })
})
