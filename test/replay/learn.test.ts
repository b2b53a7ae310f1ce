import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import { scanStrict, wanted } from '../../src/json/scan.ts'
import type { JsonObject } from '../../src/json/value.ts'
import type { Effect } from '../../src/policy/answer.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import { heldOut } from '../../src/replay/learn/held-out.ts'
import { Learner, type LearnOptions } from '../../src/replay/learn/learn.ts'
import type { TraceCall, TraceVerdict } from '../../src/replay/trace.ts'

type Args = Readonly<Record<string, unknown>>
type Called = readonly [tool: string, args: Args, session?: string]

function json(args: Args): JsonObject {
  return scanStrict(new TextEncoder().encode(JSON.stringify(args)), wanted({})).value as JsonObject
}

function eventOf([tool, args, session = 's1']: Called): ActionEvent {
  return ActionEvent.of({
    actor: 'agent',
    capability: {
      resource: 'mail',
      action: tool.replaceAll(/[^A-Za-z0-9_-]/g, '-'),
      scope: 'live',
    },
    context: { tool, session },
    arguments: json(args),
  })
}

function callOf(called: Called, changes: Partial<TraceCall> = {}): TraceCall {
  return {
    kind: 'call',
    line: 1,
    seq: 1,
    atMs: null,
    event: eventOf(called),
    missing: { places: [], mayBeNamed: undefined },
    told: undefined,
    definitionHash: null,
    verdict: undefined,
    isFlagged: false,
    ...changes,
  }
}

function learnedText(calls: readonly Called[], options: LearnOptions = { unseen: 'ask' }): string {
  const learner = new Learner()
  for (const called of calls) learner.note(callOf(called))
  return learner.policy(options).text
}

function decider(
  calls: readonly Called[],
  options?: LearnOptions,
): (called: Called, labels?: readonly string[]) => Effect {
  const policy = loadPolicy([{ path: 'learned.yaml', text: learnedText(calls, options) }])
  return (called, labels = []) => {
    const state = {
      nowMs: 0,
      usage: () => undefined,
      label: (name: string) => ({ held: labels.includes(name), proven: labels.includes(name) }),
    }
    return policy.decide(eventOf(called), state).decision
  }
}

const history: readonly Called[] = [
  ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: null }, 's1'],
  ['send_mail', { to: ['ann@example.com', 'bob@example.com'], subject: 'Hello' }, 's2'],
  ['pay', { recipient: 'ACME-01', amount: 10, date: '2026-01-02' }, 's2'],
  ['pay', { recipient: 'ACME-01', amount: 25.5, date: '2026-03-04' }, 's3'],
  ['confirm', { code: '123456' }, 's3'],
  ['refund', { invoice: 'INV-77' }, 's3'],
  ['save_file', { path: '/data/out/report.txt', overwrite: false }, 's3'],
  ['upload', { url: 'https://files.example.com/a/b', tags: [] }, 's4'],
  ['post_page', { url: 'www.example.org/new' }, 's4'],
  ['read_file', { path: '/data/in/list.csv', lines: 10 }, 's5'],
  ['get_page', { url: 'https://www.example.org/a' }, 's5'],
  ['list_orders', {}, 's5'],
]
const decide = decider(history)

describe('a policy that is learned', () => {
  test('lets every call pass that it was learned from, and says what it rests on', () => {
    const confirmed = history.map((called) => decide(called, ['changed']))
    expect(confirmed).toEqual(history.map(() => 'allow'))
    expect(learnedText(history)).toContain('# /amount: 10 to 25.5 in 2 calls')
  })

  test.each<readonly [tool: string, args: Args]>([
    ['send_mail', { to: ['bob@example.com'], subject: 'Hello' }],
    ['pay', { recipient: 'ACME-01', amount: 11.25, date: '2027-12-31' }],
    ['save_file', { path: '/data/out/deeper/other.txt', overwrite: false }],
    ['upload', { url: 'https://files.example.com/c?d=e', tags: [] }],
    ['post_page', { url: 'https://www.example.org/other' }],
    // What only reads may look wherever anything went, and be asked anything.
    ['read_file', { path: '/data/out/report.txt', lines: 90 }],
    ['get_page', { url: 'https://files.example.com/' }],
    ['get_status', {}],
    // Null, an empty text and an empty list say as little as nothing.
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: '' }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: [] }],
    ['upload', { url: 'https://files.example.com/a/b' }],
    ['upload', { url: 'https://files.example.com/a/b', tags: null }],
    ['read_file', { path: '/data/in/list.csv' }],
    ['read_file', { lines: 10, path: null }],
    ['read_file', {}],
  ])('lets pass what differs in nothing that matters: %s %j', (tool, args) => {
    expect(decide([tool, args])).toBe('allow')
  })

  test.each<readonly [tool: string, args: Args]>([
    ['send_mail', { to: ['eve@example.net'], subject: 'Hello' }],
    ['send_mail', { to: ['ann@example.com', 'eve@example.net'], subject: 'Hello' }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: 'eve@example.net' }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: ['eve@example.net'] }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: { a: 'eve@example.net' } }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: {} }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: [null] }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: 0 }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: false }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', cc: ' ' }],
    ['send_mail', { to: null, subject: 'Hello' }],
    ['send_mail', { subject: 'Hello' }],
    ['send_mail', { to: ['ann@example.com'] }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', bcc: 'eve@example.net' }],
    ['send_mail', { to: ['ann@example.com'], subject: 'Hello', bcc: null }],
    ['send_mail', { to: 'ann@example.com', subject: 'Hello' }],
    ['send_mail', { to: { a: 'ann@example.com' }, subject: 'Hello' }],
    ['send_mail', { to: [], subject: 'Hello' }],
    ['send_mail', { to: [['eve@example.net']], subject: 'Hello' }],
    ['send_mail', { to: ['ANN@example.com'], subject: 'Hello' }],
    ['send_mail', {}],
    ['pay', { recipient: 'ACME-02', amount: 10, date: '2026-01-02' }],
    ['pay', { recipient: 'ACME-01', amount: 25.51, date: '2026-01-02' }],
    ['pay', { recipient: 'ACME-01', amount: -10, date: '2026-01-02' }],
    ['pay', { recipient: 'ACME-01', amount: '10', date: '2026-01-02' }],
    ['pay', { recipient: 'ACME-01', amount: 10, date: '2026-01-02; drop' }],
    ['save_file', { path: '/data/out/../../etc/passwd', overwrite: false }],
    ['save_file', { path: '/data/outside.txt', overwrite: false }],
    // It was read from there, and never written.
    ['save_file', { path: '/data/in/list.csv', overwrite: false }],
    ['save_file', { path: '/data/out/report.txt', overwrite: true }],
    ['save_file', { path: '/data/out/report.txt', overwrite: 'false' }],
    ['upload', { url: 'https://files.example.com@evil.example/', tags: [] }],
    ['upload', { url: 'https://files.example.com.evil.example/', tags: [] }],
    ['upload', { url: 'file:///etc/passwd', tags: [] }],
    ['upload', { url: 'https://files.example.com/a', tags: ['x'] }],
    ['post_page', { url: 'www.example.org.evil.example/new' }],
    ['post_page', { url: 'evil.example/www.example.org/new' }],
    ['post_page', { url: 'https://www.example.org@evil.example/' }],
    ['read_file', { path: '/etc/passwd', lines: 10 }],
    ['read_file', { path: '/data/in/list.csv', lines: 1_000_000 }],
    ['read_file', { path: ['/etc/passwd'], lines: 10 }],
    ['read_file', { path: { a: '/data/in/list.csv' } }],
    ['read_file', { path: 5 }],
    ['read_file', { path: '/data/in/list.csv', encoding: 'utf8' }],
    ['get_page', { url: 'https://evil.example/?q=secret' }],
    ['get_secret', { name: 'x' }],
    ['delete_all', {}],
    ['Send_Mail', { to: ['ann@example.com'], subject: 'Hello' }],
  ])('asks about what differs: %s %j', (tool, args) => {
    expect(decide([tool, args])).toBe('require_approval')
  })

  test('a code that nobody has seen is right behind a change in the same session, and only then', () => {
    expect(decide(['confirm', { code: '654321' }])).toBe('require_approval')
    expect(decide(['confirm', { code: '654321' }], ['changed'])).toBe('allow')
    expect(decide(['confirm', { code: '65432' }], ['changed'])).toBe('require_approval')
    const alone = decider([['confirm', { code: '123456' }]])
    expect(alone(['confirm', { code: '654321' }], ['changed'])).toBe('require_approval')
  })

  test('an argument that is a text in one call and an object in another is taken as a whole', () => {
    const both = decider([
      ['send_mail', { to: 'ann@example.com' }],
      ['send_mail', { to: { name: 'Ann', cc: null } }],
      ['find_mail', { from: ['ann@example.com'] }],
      ['find_mail', { from: { name: 'Ann' } }],
    ])
    expect(both(['send_mail', { to: 'ann@example.com' }])).toBe('allow')
    expect(both(['send_mail', { to: { name: 'Ann' } }])).toBe('allow')
    expect(both(['find_mail', { from: ['bob@example.com'] }])).toBe('allow')
    expect(both(['send_mail', { to: { name: 'Eve' } }])).toBe('require_approval')
    expect(both(['send_mail', { to: { cc: 'eve@example.net' } }])).toBe('require_approval')
    expect(both(['send_mail', { to: { name: 'Ann', cc: 'eve@example.net' } }])).toBe(
      'require_approval',
    )
    expect(both(['send_mail', { to: ['ann@example.com'] }])).toBe('require_approval')
    expect(both(['find_mail', { from: { name: 'Ann', folder: 'all' } }])).toBe('require_approval')
  })

  test('an argument whose name looks like a pattern is one like others', () => {
    const odd = decider([
      ['save', { '*a': null, 'b/*': 'x' }],
      ['find_it', { '*a': null }],
    ])
    expect(odd(['save', { 'b/*': 'x' }])).toBe('allow')
    expect(odd(['save', { '*a': 'y', 'b/*': 'x' }])).toBe('require_approval')
    expect(odd(['save', { b: 'x' }])).toBe('require_approval')
    expect(odd(['find_it', {}])).toBe('allow')
    expect(odd(['find_it', { '*a': 'y' }])).toBe('require_approval')
  })

  test('tools that nobody called are denied where that is wanted', () => {
    const strict = decider(history, { unseen: 'deny' })
    expect(strict(['delete_all', {}])).toBe('deny')
    expect(strict(['get_status', {}])).toBe('deny')
    expect(strict(['pay', { recipient: 'X', amount: 1, date: '2026-01-02' }])).toBe(
      'require_approval',
    )
  })

  test('folders side by side make their parent known to what reads, unless it holds everybody’s', () => {
    const read = (parent: string): readonly Called[] =>
      ['a', 'b', 'c'].map((name) => ['read_file', { path: `${parent}/${name}/x.txt` }])
    const decideIn = (parent: string): Effect =>
      decider(read(parent))(['read_file', { path: `${parent}/d/x.txt` }])
    expect(decideIn('/data')).toBe('allow')
    expect(['/home', '/etc', '/Users', '/var'].map(decideIn)).toEqual(
      new Array<Effect>(4).fill('require_approval'),
    )
    const save = (name: string): Called => ['save_file', { path: `/data/${name}/x.txt` }]
    expect(decider(['a', 'b', 'c'].map(save))(save('d'))).toBe('require_approval')
  })

  test('is the same in whatever order the calls come', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...history], { minLength: history.length }), (calls) => {
        expect(learnedText(calls)).toBe(learnedText(history))
      }),
      { seed: 20_261_128, numRuns: 50 },
    )
  })
})

describe('nothing is learned from a call', () => {
  const verdict = (decision: Effect): TraceVerdict => ({
    decision,
    reason: 'rule',
    rules: [],
    omittedRules: 0,
    policyHash: null,
    forwarded: null,
    mode: 'enforce',
    approval: null,
    grant: null,
  })

  test.each<[string, Partial<TraceCall>, keyof Learner['leftOut']]>([
    ['that was denied', { verdict: verdict('deny') }, 'blocked'],
    ['that was held', { verdict: verdict('require_approval') }, 'blocked'],
    [
      'that was observed, and would have been denied',
      { verdict: { ...verdict('deny'), mode: 'observe', forwarded: true } },
      'blocked',
    ],
    ['that was flagged', { isFlagged: true, verdict: verdict('allow') }, 'flagged'],
    [
      'of which an argument is missing',
      { missing: { places: [['to']], mayBeNamed: undefined } },
      'incomplete',
    ],
    ['that may have had others', { missing: { places: [], mayBeNamed: () => true } }, 'incomplete'],
  ])('%s', (_, changes, reason) => {
    const learner = new Learner()
    const called: Called = ['send_mail', { to: ['eve@example.net'] }]
    expect(learner.note(callOf(called, changes))).toBe(false)
    expect(learner.calls).toBe(0)
    expect(learner.leftOut[reason]).toBe(1)
    learner.note(callOf(['send_mail', { to: ['ann@example.com'] }]))
    expect(learner.policy({ unseen: 'ask' }).text).not.toContain('eve@')
  })

  test.each<[string, Args]>([
    ['with a member that is called like a pattern', { '*': 'x' }],
    ['with an empty object', { to: {} }],
    ['with null beside values', { to: ['ann@example.com', null] }],
    [
      'with more places than a rule has',
      Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`a${String(at)}`, 1])),
    ],
  ])('%s', (_, args) => {
    const learner = new Learner()
    expect(learner.note(callOf(['send_mail', args]))).toBe(false)
    expect(learner.leftOut.unwritable).toBe(1)
  })
})

describe('whatever the names and values are', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }).filter((one) => !/\p{Cs}/u.test(one)),
    fc.constantFrom(
      'a: b',
      '# x',
      "'",
      '"',
      '- x',
      '{',
      '}',
      '[a',
      '\n',
      '\u2028',
      '\u202E',
      '${x}',
      '%',
      '&a',
      '*a',
      '!x',
      '|',
      '>',
      'null',
      'true',
      '1e5',
      '~',
      '\\',
    ),
  )
  const value = fc.oneof(
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(text, { maxLength: 3 }),
  )
  const args = fc.dictionary(text, value, { maxKeys: 4 }).filter((one) => !('__proto__' in one))
  const calls = fc.array(
    fc.tuple(
      text.filter((name) => name !== ''),
      args,
    ),
    { minLength: 1, maxLength: 6 },
  )

  test('the policy loads, passes what it was learned from, and takes no value of another call for a name', () => {
    let passed = 0
    fc.assert(
      fc.property(calls, (made) => {
        const learner = new Learner()
        const learned = made.filter((called) => learner.note(callOf(called)))
        const policy = loadPolicy([
          { path: 'l.yaml', text: learner.policy({ unseen: 'deny' }).text },
        ])
        const stranger: Called = ['stranger-that-nobody-named', { x: 1 }]
        expect(policy.decide(eventOf(stranger)).decision).toBe('deny')
        for (const called of learned) {
          const { decision } = policy.decide(eventOf(called))
          expect(decision).not.toBe('deny')
          passed += decision === 'allow' ? 1 : 0
        }
      }),
      { seed: 20_261_129, numRuns: 300 },
    )
    expect(passed).toBeGreaterThan(300)
  })
})

describe('what was held out', () => {
  test('tells how a policy takes calls of sessions that it does not know', () => {
    const session = (at: number): readonly TraceCall[] => [
      callOf(['read_file', { path: `/data/in/${String(at)}.csv` }, `s${String(at)}`]),
      callOf(['refund', { invoice: `INV-${String(100 + at)}` }, `s${String(at)}`]),
    ]
    const calls = Array.from({ length: 10 }, (_, at) => session(at)).flat()
    expect(heldOut(calls, { unseen: 'ask' })).toEqual({
      parts: 5,
      sessions: 10,
      calls: { allow: 10, require_approval: 10, deny: 0 },
    })
  })

  test('is not said of too few sessions', () => {
    expect(heldOut([callOf(['refund', { invoice: 'INV-1' }])], { unseen: 'ask' })).toBeUndefined()
  })
})
