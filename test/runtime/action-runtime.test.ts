import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import { Decimal } from '../../src/json/decimal.ts'
import type { PolicyAnswer } from '../../src/policy/answer.ts'
import type { Mode } from '../../src/runtime/decide.ts'
import type { GoverningPolicy } from '../../src/runtime/policy.ts'
import type { AllowVerdict, Verdict } from '../../src/runtime/verdict.ts'
import {
  allowAnswer,
  defaultAnswer,
  denyAnswer,
  gate,
  holdAnswer,
  payment,
  paymentPolicy,
  policy,
} from './fixtures.ts'
import type { FailurePoint, MemoryStore } from './memory-store.ts'

const failurePoints: readonly FailurePoint[] = [
  'before deciding',
  'after deciding',
  'after storing',
  'by throwing at once',
  'by never being a promise',
]

function allowed(verdict: Verdict): AllowVerdict {
  if (verdict.decision !== 'allow') throw new Error(`not allowed: ${verdict.reason}`)
  return verdict
}

/** The decision record behind a verdict, if it is in the log. */
function recordOf(store: MemoryStore, verdict: Verdict): { [name: string]: unknown } | undefined {
  return store.ofType('decision').find(({ data }) => data['call'] === verdict.callId)?.data
}

describe('a verdict', () => {
  it('of an allowed event permits the call, and its record says forwarded', async () => {
    const { runtime, store } = gate()
    const verdict = await runtime.execute(payment(1000))
    expect(verdict).toMatchObject({
      decision: 'allow',
      authorized: true,
      decisionSeq: 1,
      observed: undefined,
      reasonCode: 'rule',
      reason: 'rule `small` (policies/ops.yaml:3) allows it',
    })
    expect(store.stored[1]).toMatchObject({ type: 'decision', data: { forwarded: true } })
    expect(store.stored[1]?.data['call']).toBe(verdict.callId)
  })

  it('of a denied event says which rule, and not what the rule looks for', async () => {
    const { runtime, store } = gate({ policy: policy(() => denyAnswer) })
    const verdict = await runtime.execute(payment(1))
    expect(verdict).toMatchObject({
      decision: 'deny',
      authorized: false,
      decisionSeq: 1,
      reasonCode: 'rule',
      reason: 'rule `big` (policies/ops.yaml:3) denies it',
      retryable: false,
    })
    expect(`${verdict.reason} ${verdict.suggestion}`).not.toContain('rm -rf')
    expect(recordOf(store, verdict)).toMatchObject({ forwarded: false, decision: 'deny' })
  })

  it('of an event to be approved names the request, its end and the author’s message', async () => {
    const { runtime, store } = gate()
    const verdict = await runtime.execute(payment(1001))
    expect(verdict).toMatchObject({
      decision: 'require_approval',
      authorized: false,
      expiresAtMs: store.nowMs + 900_000,
      reason: 'rule `big` (policies/ops.yaml:3) asks for approval',
      message: 'large payments are seen by a person',
      retryable: true,
    })
    expect(verdict.suggestion).toMatch(/does not apply to an amount of at most 1000$/)
    expect(store.requests.map(({ id }) => id)).toEqual([
      verdict.decision === 'require_approval' ? verdict.approvalId : '',
    ])
  })

  it('of an event that no rule allows names the capability to allow', async () => {
    const { runtime } = gate()
    const verdict = await runtime.execute(payment(undefined))
    expect(verdict.reasonCode).toBe('default')
    expect(verdict.suggestion).toContain('`payment.execute.high_value`')
  })

  it.each<[string, unknown]>([
    ['an object of the same shape', Object.assign({}, payment(1))],
    ['an object that inherits from one', Object.create(payment(1))],
    ['nothing', undefined],
    ['text', 'payment.execute'],
  ])('on what is no event is a denial: %s', async (_, event) => {
    const { runtime, store } = gate({ policy: policy(() => allowAnswer) })
    const verdict = await runtime.execute(event as ActionEvent)
    expect(verdict).toMatchObject({ decision: 'deny', reasonCode: 'invalid_event' })
    expect(store.ofType('decision')).toEqual([])
  })

  it.each(['enforce', 'observe'] as const)(
    'is a denial when the policy fails, in mode %s',
    async (mode) => {
      const broken = policy(() => {
        throw new RangeError('stack')
      })
      const { runtime, store, failures } = gate({ policy: broken, mode })
      const verdict = await runtime.execute(payment(1))
      expect(verdict).toMatchObject({ decision: 'deny', reasonCode: 'internal_error' })
      expect(recordOf(store, verdict)).toMatchObject({ reason: 'internal_error', forwarded: false })
      expect(failures).toHaveLength(1)
    },
  )
})

describe('observe mode', () => {
  it.each<[string, PolicyAnswer]>([
    ['deny', denyAnswer],
    ['require_approval', holdAnswer],
  ])('lets pass what the policy answers with %s, and the record says so', async (said, answer) => {
    const { runtime, store } = gate({ policy: policy(() => answer), mode: 'observe' })
    const verdict = allowed(await runtime.execute(payment(1)))
    expect(verdict.observed).toBe(said)
    expect(recordOf(store, verdict)).toMatchObject({
      decision: said,
      forwarded: true,
      mode: 'observe',
    })
    expect(store.requests).toEqual([])
  })

  it('still needs its record: no record, no call', async () => {
    const { runtime, store } = gate({ mode: 'observe' })
    await runtime.start()
    store.failure = () => 'before deciding'
    expect(await runtime.execute(payment(1))).toMatchObject({ reasonCode: 'audit_unavailable' })
  })
})

describe('no record, no call', () => {
  it.each(failurePoints)('a store that fails %s never yields an allow', async (point) => {
    const { runtime, store, failures } = gate()
    await runtime.start()
    store.failure = () => point
    const verdict = await runtime.execute(payment(1))
    expect(verdict).toMatchObject({
      decision: 'deny',
      authorized: false,
      reasonCode: 'audit_unavailable',
      decisionSeq: undefined,
      retryable: true,
    })
    expect(failures.length).toBeGreaterThan(0)
  })

  it.each(failurePoints)('nor when it fails %s on the very first write', async (point) => {
    const { runtime, store } = gate()
    store.failure = () => point
    expect((await runtime.execute(payment(1))).authorized).toBe(false)
    store.failure = () => undefined
    expect((await runtime.execute(payment(1))).authorized).toBe(true)
  })

  it.each(failurePoints)(
    'what is denied stays denied for its rule when it fails %s',
    async (point) => {
      const { runtime, store } = gate({ policy: policy(() => denyAnswer) })
      await runtime.start()
      store.failure = () => point
      expect(await runtime.execute(payment(1))).toMatchObject({
        decision: 'deny',
        reasonCode: 'rule',
        decisionSeq: undefined,
        retryable: false,
      })
    },
  )

  it('a call that had to wait is a denial too, because nobody was asked', async () => {
    const { runtime, store } = gate()
    await runtime.start()
    store.failure = () => 'after deciding'
    expect(await runtime.execute(payment(5000))).toMatchObject({
      decision: 'deny',
      reasonCode: 'audit_unavailable',
    })
    expect(store.requests).toEqual([])
  })

  it('a key that cannot be read blocks what would be bound to it', async () => {
    const { runtime, store } = gate()
    store.argumentKey = () => {
      throw new Error('key missing')
    }
    expect((await runtime.execute(payment(5000))).reasonCode).toBe('audit_unavailable')
  })

  it('an allow is in the log before the verdict is out, whatever the event and the failures', async () => {
    const answers = fc.constantFrom(allowAnswer, denyAnswer, holdAnswer, defaultAnswer, undefined)
    const points = fc.option(fc.constantFrom(...failurePoints), { nil: undefined, freq: 2 })
    const steps = fc.array(fc.tuple(answers, points, fc.boolean()), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom<Mode>('enforce', 'observe'), steps, async (mode, calls) => {
        let answer: PolicyAnswer | undefined
        const scripted = policy(() => {
          if (answer === undefined) throw new Error('a broken policy')
          return answer
        })
        const { runtime, store } = gate({ policy: scripted, mode })
        for (const [next, point, settles] of calls) {
          answer = next
          store.failure = () => point
          const verdict = await runtime.execute(payment(1))
          const record = recordOf(store, verdict)
          if (verdict.authorized) {
            expect(record).toMatchObject({ forwarded: true, mode })
            expect(store.stored[verdict.decisionSeq]?.data['call']).toBe(verdict.callId)
            if (mode === 'enforce') expect(next).toBe(allowAnswer)
            if (settles) runtime.settle(verdict, { status: 'ok' })
          } else if (verdict.decisionSeq !== undefined) {
            expect(record).toMatchObject({ forwarded: false })
          }
        }
      }),
    )
  })
})

describe('identical calls that wait', () => {
  async function ids(amounts: readonly unknown[]): Promise<readonly string[]> {
    const { runtime } = gate()
    const found: string[] = []
    for (const amount of amounts) {
      const verdict = await runtime.execute(payment(amount))
      found.push(verdict.decision === 'require_approval' ? verdict.approvalId : verdict.decision)
    }
    return found
  }

  it('share one request: whoever asks again waits behind the first', async () => {
    const [first, second, third] = await ids([5000, 5000, new Decimal('5.000e3')])
    expect(second).toBe(first)
    expect(third).toBe(first)
  })

  it.each<[string, unknown, unknown]>([
    ['2^53 and 2^53+1', 2n ** 53n, 2n ** 53n + 1n],
    ['5000 and 5000.00000000000000001', 5000, new Decimal('5000.00000000000000001')],
    ['a number and its text', 5000, new Decimal('5001')],
  ])('are not %s', async (_, one, other) => {
    const [first, second] = await ids([one, other])
    expect(second).not.toBe(first)
    expect(second).toMatch(/^apr_/)
  })

  it('1000 passes, 1000.00000000000000001 waits', async () => {
    const [first, second] = await ids([1000, new Decimal('1000.00000000000000001')])
    expect(first).toBe('allow')
    expect(second).toMatch(/^apr_/)
  })

  it.each([
    ['actor', { actor: 'other' }],
    ['environment', { environment: 'staging' }],
    ['capability', { resource: 'payment.low_value' }],
    ['server', { server: 'other' }],
    ['tool', { tool: 'other' }],
  ])('are not the same with another %s (B13)', async (_, change) => {
    const { runtime, store } = gate()
    await runtime.execute(payment(5000))
    await runtime.execute(payment(5000, change))
    expect(store.requests).toHaveLength(2)
  })

  it('are not the same with another definition of the tool, or under another policy (B11, B13)', async () => {
    const { runtime, store } = gate()
    await runtime.execute(payment(5000))
    await runtime.execute(payment(5000), { definitionHash: 'd'.repeat(64) })
    await runtime.reload({ ...paymentPolicy, hash: 'b'.repeat(64) })
    await runtime.execute(payment(5000))
    expect(store.requests).toHaveLength(3)
    expect(new Set(store.requests.map(({ nonce }) => nonce)).size).toBe(3)
  })

  it('ask anew once the request has expired', async () => {
    const { runtime, store } = gate({ approvalTimeoutMs: 1000 })
    await runtime.execute(payment(5000))
    store.nowMs += 999
    await runtime.execute(payment(5000))
    expect(store.requests).toHaveLength(1)
    store.nowMs += 1
    await runtime.execute(payment(5000))
    expect(store.requests).toHaveLength(2)
  })

  it('collapse when they arrive at the same time', async () => {
    const { runtime, store } = gate()
    await Promise.all(Array.from({ length: 20 }, () => runtime.execute(payment(5000))))
    expect(store.requests).toHaveLength(1)
    expect(store.ofType('decision')).toHaveLength(20)
    expect(store.ofType('approval.request')).toHaveLength(1)
  })
})

describe('the policy', () => {
  it('is in the log before the first decision, with its bytes, once', async () => {
    const { runtime, store } = gate()
    await Promise.all([runtime.execute(payment(1)), runtime.execute(payment(2)), runtime.start()])
    expect(store.stored.map(({ type }) => type)).toEqual(['policy.load', 'decision', 'decision'])
    expect(store.stored[0]?.data).toMatchObject({ ok: true, policy_hash: 'a'.repeat(64) })
    expect(store.policies).toEqual(['a'.repeat(64)])
  })

  it('is replaced once the new one is recorded', async () => {
    const { runtime, store } = gate({ policy: policy(() => allowAnswer, 'a') })
    expect((await runtime.execute(payment(1))).authorized).toBe(true)
    await runtime.reload(policy(() => denyAnswer, 'b'))
    expect(runtime.policyHash).toBe('b'.repeat(64))
    const verdict = await runtime.execute(payment(1))
    expect(verdict.authorized).toBe(false)
    expect(recordOf(store, verdict)).toMatchObject({ policy_hash: 'b'.repeat(64) })
  })

  it('stays when the new one cannot be recorded', async () => {
    const { runtime, store } = gate()
    await runtime.start()
    store.failure = () => 'before deciding'
    await expect(runtime.reload(policy(() => allowAnswer, 'b'))).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
    })
    expect(runtime.policyHash).toBe('a'.repeat(64))
  })

  it('that is refused leaves a record and nothing else', async () => {
    const { runtime, store } = gate()
    await runtime.refuseReload('policies/ops.yaml:7:5: unknown effect')
    expect(store.stored[0]?.data).toMatchObject({ ok: false, policy_hash: null })
    expect(runtime.policyHash).toBe('a'.repeat(64))
    expect((await runtime.execute(payment(1))).authorized).toBe(true)
  })

  it('that was replaced while a call waited for the log allows nothing any more (B28)', async () => {
    const { runtime, store } = gate({ policy: policy(() => allowAnswer, 'a') })
    await runtime.start()
    let begin: () => void = () => undefined
    const queued = new Promise<void>((resolve) => (begin = resolve))
    store.queue = () => queued
    const waiting = runtime.execute(payment(1))
    store.queue = () => Promise.resolve()
    await runtime.reload(policy(() => denyAnswer, 'b'))
    begin()
    const verdict = await waiting
    expect(verdict).toMatchObject({ decision: 'deny', reasonCode: 'rule' })
    expect(recordOf(store, verdict)).toMatchObject({ policy_hash: 'b'.repeat(64) })
  })

  it('is asked anew for every call: nothing is cached (B28)', async () => {
    let asked = 0
    const counting: GoverningPolicy = policy(() => {
      asked += 1
      return asked > 1 ? denyAnswer : allowAnswer
    })
    const { runtime } = gate({ policy: counting })
    const event = payment(1)
    expect((await runtime.execute(event)).authorized).toBe(true)
    expect((await runtime.execute(event)).authorized).toBe(false)
  })
})
