import { describe, expect, test } from 'vitest'
import { missingArguments } from '../../src/replay/missing.ts'
import type { ReplayedPolicy } from '../../src/replay/simulation.ts'
import type { TraceApproval, TraceCall, TraceEntry } from '../../src/replay/trace.ts'
import { call, ended, policyOf, replayed } from './a-call.ts'
import type { CallFields } from './a-call.ts'

describe('limits', () => {
  const limited = policyOf(
    'allow:\n  - {id: pay, capability: payment, limit: {max: 250, window: 10s, sum: /amount}}\n',
  )

  test('count what this policy has allowed, until the window has passed', () => {
    const calls = [1, 2, 3, 4, 11, 12, 13].map((seq) => call({ seq }))
    expect(replayed(limited, calls)).toEqual([
      ...['allow', 'allow', 'deny', 'deny'],
      // At the very second the first one has left the window.
      ...['allow', 'allow', 'deny'],
    ])
  })

  test('give back what was certainly never sent', () => {
    const entries = [call({ seq: 1 }), ended(1, 'ok', false), call({ seq: 2 }), call({ seq: 3 })]
    expect(replayed(limited, entries)).toEqual(['allow', 'allow', 'allow'])
  })

  test('add up exactly', () => {
    const amounts = ['0.1', '0.2', '249.7', '0.0000000000000000001']
    const calls = amounts.map((amount, seq) => call({ seq, event: { arguments: { amount } } }))
    expect(replayed(limited, calls)).toEqual(['allow', 'allow', 'allow', 'deny'])
  })

  test('stand at what was carried over', () => {
    const pot = JSON.stringify(['pay', 'sum', '/amount'])
    const asked: string[] = []
    const watched: ReplayedPolicy = {
      ...limited,
      decide: (event, state) =>
        limited.decide(event, {
          nowMs: state?.nowMs ?? 0,
          label: () => undefined,
          usage: (name, sinceMs) => {
            asked.push(name)
            return state?.usage(name, sinceMs)
          },
        }),
    }
    replayed(watched, [call({ seq: 1 })])
    const [name = pot] = asked
    const charges = [{ pot: name, amount: '200', atMs: 999_000, expiresAtMs: 1_009_000 }]
    const carry = { kind: 'carry', line: 1, charges, labels: [] } as const
    const calls = [1, 2, 12].map((seq) => call({ seq }))
    expect(replayed(limited, [carry, ...calls])).toEqual(['deny', 'deny', 'allow'])
  })

  test('are not known before a part of a log has been as long as their window, and known then', () => {
    const answers = (...seqs: readonly number[]): readonly string[] =>
      replayed(
        limited,
        seqs.map((seq) => call({ seq })),
        { isComplete: false },
      )
    const unknown = Array<string>(3).fill('?state')
    expect(answers(1, 2, 3, 12, 13, 14)).toEqual([...unknown, 'allow', 'allow', 'deny'])
    // While it is not known whether the first ones were charged, what depends on it is not known either.
    expect(answers(1, 2, 3, 11)).toEqual([...unknown, '?state'])
  })

  test('are not known without a clock', () => {
    expect(replayed(limited, [call({ seq: 1, atMs: null })])).toEqual(['?clock'])
  })
})

describe('labels', () => {
  const labelled = policyOf(`allow:
  - {id: look, capability: orders.look}
  - {id: refund, capability: payment, session: {has: [looked], bind: /order}}
deny:
  - {id: tainted, capability: mail, session: {has: [looked]}}
labels:
  - {capability: orders.look, adds: looked, bind: /order, ttl: 20s}
`)
  const look = (seq: number, fields: Partial<CallFields> = {}): TraceCall =>
    call({ seq, event: { resource: 'orders', action: 'look', arguments: { order: 7 } }, ...fields })
  const refund = (seq: number, order = 7): TraceCall =>
    call({ seq, event: { arguments: { order } } })

  test('are proven by the outcome, about their value, for their time', () => {
    const entries = [look(1), refund(2), ended(1), refund(3), refund(4, 8), refund(30)]
    expect(replayed(labelled, entries)).toEqual(['allow', 'deny', 'allow', 'deny', 'deny'])
  })

  test('are not proven by a call that failed', () => {
    expect(replayed(labelled, [look(1), ended(1, 'tool_error'), refund(2)])).toEqual([
      'allow',
      'deny',
    ])
  })

  test('of a call that was not made may be proven: nobody knows how it would have ended', () => {
    const blocked = look(1, { verdict: { decision: 'deny', forwarded: false } })
    const mail = call({ seq: 3, event: { resource: 'mail', action: 'send' } })
    expect(replayed(labelled, [blocked, refund(2), mail])).toEqual(['allow', '?state', 'deny'])
  })

  test('belong to their actor', () => {
    const entries = [
      look(1),
      ended(1),
      call({ seq: 2, event: { actor: 'b', arguments: { order: 7 } } }),
    ]
    expect(replayed(labelled, entries)).toEqual(['allow', 'deny'])
  })

  test('may have been given before a part of a log', () => {
    expect(
      replayed(labelled, [refund(1), look(2), ended(2), refund(3)], { isComplete: false }),
    ).toEqual(['?state', 'allow', 'allow'])
  })

  test('about a value that is not in the trace may be about any', () => {
    const unseen = look(1, { missing: missingArguments(['/order'], 'none') })
    expect(replayed(labelled, [unseen, ended(1), refund(2)])).toEqual(['allow', '?state'])
  })
})

describe('approvals', () => {
  const asking = (terms: string): ReplayedPolicy =>
    policyOf(`require_approval:\n  - {id: big, capability: payment${terms}}\n`)
  const held = { decision: 'require_approval', forwarded: false, approval: 'apr_1' } as const
  const approval = (seq: number, fields: object): TraceEntry => {
    const about = { kind: 'approval', line: seq, approval: 'apr_1', atMs: 1_000_000 + seq * 1000 }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each case writes one of its forms
    return { ...about, ...fields } as unknown as TraceApproval
  }
  const asked = [
    call({ seq: 1, verdict: held }),
    approval(1, {
      what: 'request',
      of: 1,
      expiresAtMs: 1_900_000,
      presence: 'any',
      quorum: 1,
      uses: null,
    }),
  ]
  const grant = (seq: number, fields: object = {}): TraceEntry =>
    approval(seq, {
      what: 'grant',
      approver: 'ann',
      presence: 'key',
      uses: 1,
      expiresAtMs: 1_060_000,
      session: null,
      ...fields,
    })
  const again = (seq: number, fields: Partial<CallFields> = {}): TraceCall =>
    call({ seq, verdict: { reason: 'approved', approval: 'apr_1' }, ...fields })

  test.each<[string, string, readonly TraceEntry[], string]>([
    ['given', '', [grant(2), again(3)], 'allow'],
    ['not given', '', [again(3)], 'require_approval'],
    ['used up', '', [grant(2), again(3), again(4)], 'require_approval'],
    ['for two calls', '', [grant(2, { uses: 2 }), again(3), again(4)], 'allow'],
    [
      'for more calls than the policy allows',
      ', approval: {uses: 1}',
      [grant(2, { uses: 2 }), again(3)],
      'require_approval',
    ],
    ['in the last millisecond', '', [grant(2), again(3, { atMs: 1_059_999 })], 'allow'],
    ['too late', '', [grant(2), again(3, { atMs: 1_060_000 })], 'require_approval'],
    ['before it was given', '', [grant(5), again(3)], 'require_approval'],
    [
      'taken back',
      '',
      [grant(2), approval(3, { what: 'revoke', approver: 'ann' }), again(4)],
      'require_approval',
    ],
    [
      'noted as over',
      '',
      [grant(2), approval(3, { what: 'expire' }), again(4)],
      'require_approval',
    ],
    [
      'for another amount',
      '',
      [grant(2), again(3, { event: { arguments: { amount: 101 } } })],
      'require_approval',
    ],
    [
      'for an amount that only looks another',
      '',
      [grant(2), again(3, { event: { arguments: { amount: '1e2' } } })],
      'require_approval',
    ],
    ['for another actor', '', [grant(2), again(3, { event: { actor: 'b' } })], 'require_approval'],
    [
      'for another definition of the tool',
      '',
      [grant(2), again(3, { definitionHash: 'f' })],
      'require_approval',
    ],
    ['by too few', ', approval: {quorum: 2}', [grant(2), grant(3), again(4)], 'require_approval'],
    [
      'by enough',
      ', approval: {quorum: 2}',
      [grant(2), grant(3, { approver: 'bo' }), again(4)],
      'allow',
    ],
    [
      'by a person who was not there enough',
      ', approval: {presence: passkey}',
      [grant(2), again(3)],
      'require_approval',
    ],
    [
      'for another session',
      '',
      [grant(2, { session: 's' }), again(3, { event: { session: 't' } })],
      'require_approval',
    ],
    [
      'for this session',
      '',
      [grant(2, { session: 's' }), again(3, { event: { session: 's' } })],
      'allow',
    ],
    [
      'refused',
      '',
      [approval(2, { what: 'deny', approver: 'ann', expiresAtMs: 1_060_000 }), again(3)],
      'deny',
    ],
    [
      'refused a while ago',
      '',
      [
        approval(2, { what: 'deny', approver: 'ann', expiresAtMs: 1_060_000 }),
        again(3, { atMs: 1_060_000 }),
      ],
      'require_approval',
    ],
    [
      'of a call whose arguments are missing, which its record names',
      '',
      [grant(2), again(3, { missing: missingArguments([], 'any') })],
      'allow',
    ],
  ])('an approval that is %s', (_, terms, entries, expected) => {
    expect(replayed(asking(terms), [...asked, ...entries]).at(-1)).toBe(expected)
  })

  test('an approval whose question stands before a part of a log is not known', () => {
    expect(replayed(asking(''), [again(3)], { isComplete: false })).toEqual(['?approval'])
  })

  test('what was observed only waits for nobody', () => {
    const observed = call({ seq: 1, verdict: { ...held, forwarded: true, mode: 'observe' } })
    expect(replayed(asking(''), [observed])).toEqual(['require_approval'])
  })
})

describe('what is not the policy’s to say', () => {
  const allowing = policyOf('allow: [payment]\n')
  const nothing = policyOf('allow: [other]\n')

  test('a call of a definition that nobody accepted is held, whatever a policy says', () => {
    const held = { decision: 'deny', reason: 'definition_held', forwarded: false } as const
    const calls = [call({ seq: 1, verdict: held }), call({ seq: 2 })]
    expect(replayed(allowing, calls)).toEqual(['deny', 'allow'])
    expect(replayed(nothing, calls)).toEqual(['deny', 'deny'])
  })

  test('what needs no rule passes where none is about it, and not where one says no', () => {
    const unruled = { decision: 'allow', reason: 'unruled' } as const
    const calls = [call({ seq: 1, verdict: unruled }), call({ seq: 2 })]
    expect(replayed(nothing, calls)).toEqual(['allow', 'deny'])
    expect(replayed(policyOf('deny: [payment]\n'), calls)).toEqual(['deny', 'deny'])
  })
})
