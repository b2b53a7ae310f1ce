import { describe, expect, it, vi } from 'vitest'
import { bindingDigest, callBinding } from '../../src/approval/call-binding.ts'
import { noAuthority } from '../../src/approval/authority.ts'
import { approvalRequest } from '../../src/approval/new-request.ts'
import type { RecordedApproval } from '../../src/approval/recorded.ts'
import type { ApprovalRequest } from '../../src/approval/request.ts'
import { encodeRecord } from '../../src/audit/codec.ts'
import { discloseArguments, discloseText } from '../../src/audit/disclosure.ts'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { EventFields } from '../../src/event/create.ts'
import { limits } from '../../src/limits.ts'
import type { PolicyAnswer } from '../../src/policy/answer.ts'
import type { DecisionInput, Question } from '../../src/runtime/decide.ts'
import { decide } from '../../src/runtime/decide.ts'
import { allowAnswer, defaultAnswer, denyAnswer, holdAnswer, payment, rule } from './fixtures.ts'
import { nothingRecorded } from './memory-store.ts'

const salts = (count: number): Uint8Array => new Uint8Array(count).fill(1)
const event = payment(1001, { server: 'bank', tool: 'pay', session: 's1', client: 'c', role: 'r' })
const binding = callBinding(event, {
  definitionHash: 'd'.repeat(64),
  argumentDigest: 'e'.repeat(64),
  policyHash: 'a'.repeat(64),
  session: null,
})
const question: Question = {
  draft: {
    id: 'apr_01JD8Q5V7Z0000000000000000',
    nonce: '0'.repeat(32),
    binding,
    bindingDigest: bindingDigest(binding),
    timeoutMs: 900_000,
    terms: { presence: 'any', quorum: 1, uses: null },
  },
  binding: discloseText('binding', '{}', salts),
}

const emptyView = {
  recorded: nothingRecorded,
  nowMs: 5000,
  nextSeq: 40,
  charges: () => [],
  label: () => ({ held: false, proven: false }),
  approvals: () => [],
  approval: () => undefined,
  lapsedApprovals: () => [],
  kept: () => undefined,
  log: 'capfence.local/01JD8Q5V7Z0000000000000000',
  grants: () => [],
  grant: () => undefined,
}

function input(
  answer: PolicyAnswer | undefined,
  changes: Partial<DecisionInput> = {},
): DecisionInput {
  return {
    view: emptyView,
    authority: () => noAuthority,
    state: undefined,
    answer,
    policyHash: 'a'.repeat(64),
    mode: 'enforce',
    callId: '01980000-0000-7000-8000-000000000000',
    definitionHash: 'd'.repeat(64),
    args: discloseArguments(event.arguments, salts, 'args'),
    sealState: (json) => discloseText('state', json, salts),
    question: () => question,
    ready: () => undefined,
    disk: undefined,
    ...changes,
  }
}

function waitingIn(
  request: ApprovalRequest,
  nowMs = 5000,
  changes: Partial<RecordedApproval> = {},
): DecisionInput['view'] {
  const recorded: RecordedApproval = {
    request,
    log: 'capfence.local/01JD8Q5V7Z0000000000000000',
    isAsked: true,
    answers: [],
    useCount: 0,
    isOver: false,
    latestMs: nowMs,
    ...changes,
  }
  return {
    ...emptyView,
    nowMs,
    approvals: (digest) => (digest === request.bindingDigest ? [recorded] : []),
  }
}

const asked = approvalRequest(question.draft, { nowMs: 4000, seq: 12, rules: ['x'], message: null })

describe('deciding', () => {
  it.each<[string, PolicyAnswer | undefined, DecisionInput['mode'], string, boolean, string]>([
    ['an allowed event', allowAnswer, 'enforce', 'allow', true, 'allow'],
    ['an allowed event, observed', allowAnswer, 'observe', 'allow', true, 'allow'],
    ['a denied event', denyAnswer, 'enforce', 'deny', false, 'deny'],
    ['a denied event, observed', denyAnswer, 'observe', 'allow', true, 'deny'],
    ['an event that no rule allows', defaultAnswer, 'enforce', 'deny', false, 'deny'],
    [
      'an event to be approved',
      holdAnswer,
      'enforce',
      'require_approval',
      false,
      'require_approval',
    ],
    ['the same, observed', holdAnswer, 'observe', 'allow', true, 'require_approval'],
    ['an event the policy failed on', undefined, 'enforce', 'deny', false, 'deny'],
    ['the same, observed: unsure is no', undefined, 'observe', 'deny', false, 'deny'],
  ])('%s', (_, answer, mode, kind, forwarded, recorded) => {
    const { records, result } = decide(event, input(answer, { mode }))
    expect(result.kind).toBe(kind)
    expect(result.seq).toBe(40)
    expect(records[0]?.data).toMatchObject({ forwarded, mode, decision: recorded })
  })

  it('says in the record everything that a reader needs', () => {
    const { records, disclosures } = decide(event, input(holdAnswer))
    expect(records[0]).toEqual({
      type: 'decision',
      data: {
        action: 'execute',
        actor: 'ops-agent',
        approval: question.draft.id,
        args: input(holdAnswer).args.digests,
        call: '01980000-0000-7000-8000-000000000000',
        capability: 'payment.execute.high_value',
        client: 'c',
        decision: 'require_approval',
        environment: 'production',
        forwarded: false,
        grant: null,
        mode: 'enforce',
        policy_hash: 'a'.repeat(64),
        reason: 'rule',
        resource: 'payment',
        risk: 'high',
        role: 'r',
        rule: [
          {
            id: 'big',
            effect: 'require_approval',
            file: 'policies/ops.yaml',
            line: 3,
            column: 5,
            value: 'true',
            predicates: [{ predicate: 'amount_gt: 1000', value: 'true' }],
          },
        ],
        rules_omitted: 0,
        scope: 'high_value',
        server: 'bank',
        session: 's1',
        tenant: null,
        tool: 'pay',
        tool_definition_hash: 'd'.repeat(64),
      },
    })
    expect(disclosures).toEqual([
      ...input(holdAnswer).args.disclosures,
      ...question.binding.disclosures,
    ])
  })

  it('counts deciding rules that the answer does not name', () => {
    const { records } = decide(event, input({ ...denyAnswer, omittedRules: 7 }))
    expect(records[0]?.data['rules_omitted']).toBe(7)
  })

  it('gives the same records for the same input, however often it is asked', () => {
    for (const answer of [allowAnswer, denyAnswer, holdAnswer, undefined]) {
      expect(decide(event, input(answer))).toEqual(decide(event, input(answer)))
    }
  })

  it('works out the question only for a call that has to wait', () => {
    const ask = vi.fn<() => Question>(() => question)
    decide(event, input(allowAnswer, { question: ask }))
    decide(event, input(denyAnswer, { question: ask }))
    decide(event, input(holdAnswer, { question: ask, mode: 'observe' }))
    expect(ask).not.toHaveBeenCalled()
  })
})

describe('a call that has to wait', () => {
  it('leaves a request behind its decision', () => {
    const { records, approvalRequests, result } = decide(event, input(holdAnswer))
    expect(records.map(({ type }) => type)).toEqual(['decision', 'approval.request'])
    const [request] = approvalRequests ?? []
    expect(request).toMatchObject({
      id: question.draft.id,
      state: 'pending',
      requestedAtMs: 5000,
      expiresAtMs: 905_000,
      decisionSeq: 40,
      rules: ['big'],
      message: 'large payments are seen by a person',
    })
    expect(result).toEqual({ kind: 'require_approval', seq: 40, approval: request })
    expect(records[1]?.data).toMatchObject({ approval: question.draft.id, decision_seq: 40 })
  })

  it('waits behind the request that already asks about exactly this call', () => {
    const effects = decide(event, input(holdAnswer, { view: waitingIn(asked) }))
    expect(effects.records.map(({ type }) => type)).toEqual(['decision'])
    expect(effects.approvalRequests).toBeUndefined()
    expect(effects.result).toMatchObject({ kind: 'require_approval', approval: asked })
    expect(effects.records[0]?.data['approval']).toBe(asked.id)
  })

  it.each<[string, ApprovalRequest, number, Partial<RecordedApproval>]>([
    ['expired', asked, asked.expiresAtMs, {}],
    ['was marked expired', { ...asked, state: 'expired' }, 5000, {}],
    ['was edited', { ...asked, binding: { ...asked.binding, actor: 'mallory' } }, 5000, {}],
    ['is not in the log', asked, 5000, { isAsked: false }],
    ['was used', asked, 5000, { useCount: 1 }],
    ['is over', asked, 5000, { isOver: true }],
  ])('asks anew when the request that the store found %s', (_, request, nowMs, changes) => {
    const effects = decide(event, input(holdAnswer, { view: waitingIn(request, nowMs, changes) }))
    expect(effects.approvalRequests).toHaveLength(1)
  })

  it('notes of older requests that nobody has answered them in time', () => {
    const lapsed = [{ id: 'apr_old', expiresAtMs: 4000 }]
    const view = { ...emptyView, lapsedApprovals: () => lapsed }
    const { records } = decide(event, input(holdAnswer, { view }))
    expect(records[2]).toEqual({
      type: 'approval.expire',
      data: { approval: 'apr_old', expires_ms: 4000 },
    })
  })
})

describe('records stay within their bound, whatever the event and the policy', () => {
  const place = {
    log: 'capfence.local/01JD8Q5V7Z0000000000000000',
    seq: Number.MAX_SAFE_INTEGER,
    prev: 'f'.repeat(64),
    ts: '2027-01-15T08:00:00.000Z',
    w: '01JD8Q5V7Z0000000000000001',
    wn: Number.MAX_SAFE_INTEGER,
  }
  // Three bytes of UTF-8 for a character, and for names that may hold controls six bytes of JSON.
  const word = '東'.repeat(limits.maxNameCharacters)
  const name = '\u0001'.repeat(limits.maxNameCharacters)
  const segment = 'a'.repeat(limits.maxSegmentCharacters)
  const fields: EventFields = {
    actor: word,
    action: segment,
    resource: segment,
    scope: segment,
    environment: segment,
    server: name,
    tool: name,
    role: word,
    tenant: word,
    session: word,
    client: word,
    arguments: Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`argument${index}`, 1]),
    ),
  }
  const rules = Array.from({ length: 1000 }, (_, index) =>
    rule({
      id: `${'ж'.repeat(500)}${index}`,
      effect: 'require_approval',
      position: { file: word, line: 1, column: 1 },
      predicates: [{ predicate: word, value: 'true' }],
      message: '東'.repeat(100_000),
    }),
  )

  it('the largest decision and the largest request fit', () => {
    const { capability, context, environment, arguments: sent } = ActionEvent.create(fields)
    const largest = ActionEvent.of({
      actor: word,
      capability,
      context,
      environment: environment ?? '',
      arguments: sent,
      argumentRoles: { amount: [`/${'\u0001'.repeat(limits.maxRoleCharacters - 1)}`] },
    })
    const args = discloseArguments(largest.arguments, salts, 'args')
    const answer: PolicyAnswer = { decision: 'require_approval', reason: 'rule', rules }
    const { records } = decide(largest, input(answer, { args }))
    for (const record of records) {
      const { body } = encodeRecord(record, place)
      expect(body.length).toBeLessThanOrEqual(limits.maxRecordBytes)
    }
    expect(records).toHaveLength(2)
  })
})
