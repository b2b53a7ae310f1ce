import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RuntimeOptions, Verdict } from '../../src/index.ts'
import * as library from '../../src/index.ts'
import {
  ActionEvent,
  ActionRuntime,
  CapabilitySystem,
  Decimal,
  SQLiteEngine,
  defaultStoragePath,
  parseJson,
} from '../../src/index.ts'
import { root } from '../support/root.ts'

const ops = join(root, 'policies/ops.yaml')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'capfence-library-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const open: ActionRuntime[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((runtime) => runtime.close()))
})
let opened = 0
function runtimeOf(options: RuntimeOptions = {}): ActionRuntime {
  opened += 1
  const storage = join(folder, `${opened}`, 'log.db')
  const runtime = new ActionRuntime({ storage, durability: 'process', ...options })
  open.push(runtime)
  return runtime
}

const deletion = ActionEvent.create({
  actor: 'ops-agent',
  action: 'delete',
  resource: 'filesystem.workspace',
  environment: 'production',
  risk: 'high',
  arguments: { command: 'rm -rf /var/lib/postgresql' },
})

function payment(amount: unknown): ActionEvent {
  return ActionEvent.create({
    actor: 'ops-agent',
    action: 'execute',
    resource: 'payment.high_value',
    environment: 'production',
    arguments: { amount },
  })
}

describe('the five-minute example', () => {
  it('the deletion is refused by its rule, and not by default', async () => {
    const verdict = await runtimeOf({ policy: ops }).execute(deletion)
    expect(verdict).toMatchObject({ decision: 'deny', authorized: false, reasonCode: 'rule' })
    expect(verdict.rules.map(({ id, effect }) => [id, effect])).toEqual([['no-rm-rf', 'deny']])
    expect(verdict.message).toMatch(/delete/)
  })

  it.each<[string, unknown, Verdict['decision']]>([
    ['1000', 1000, 'allow'],
    ['"1000"', '1000', 'allow'],
    ['999.99', 999.99, 'allow'],
    ['1000.01', 1000.01, 'require_approval'],
    ['1000.00000000000000001 as text', '1000.00000000000000001', 'require_approval'],
    ['the same as an exact decimal', new Decimal('1000.00000000000000001'), 'require_approval'],
    ['2^53+1 as bigint', 2n ** 53n + 1n, 'require_approval'],
    ['no number', 'a lot', 'require_approval'],
    ['nothing', undefined, 'require_approval'],
  ])('an amount of %s: the answer is exact', async (_, amount, decision) => {
    const verdict = await runtimeOf({ policy: ops }).execute(payment(amount))
    expect(verdict.decision).toBe(decision)
    if (verdict.decision === 'require_approval') expect(verdict.approvalId).toMatch(/^apr_/)
  })

  it('a negative amount is told which amounts are allowed', async () => {
    const verdict = await runtimeOf({ policy: ops }).execute(payment(-1))
    expect(verdict).toMatchObject({ decision: 'deny', reasonCode: 'default' })
    expect(verdict.suggestion).toMatch(
      /^rule `small-payment` \(.*\) allows an amount of at least 0$/,
    )
  })

  it('an amount read from a message keeps its last digit', async () => {
    const runtime = runtimeOf({ policy: ops })
    const sent = parseJson('{"amount": 1000.00000000000000001}')
    const read = ActionEvent.create({
      actor: 'ops-agent',
      action: 'execute',
      resource: 'payment.high_value',
      environment: 'production',
      arguments: sent as { [name: string]: unknown },
    })
    expect((await runtime.execute(read)).decision).toBe('require_approval')
    const rounded: unknown = JSON.parse('{"amount": 1000.00000000000000001}')
    expect(rounded).toEqual({ amount: 1000 })
  })

  it('a read passes, a write that no rule names does not', async () => {
    const runtime = runtimeOf({ policy: ops })
    const on = (action: string): ActionEvent =>
      ActionEvent.create({
        actor: 'ops-agent',
        action,
        resource: 'filesystem.workspace',
        environment: 'production',
      })
    expect((await runtime.execute(on('read'))).authorized).toBe(true)
    expect(await runtime.execute(on('write'))).toMatchObject({
      decision: 'deny',
      reasonCode: 'default',
    })
  })
})

describe('the names of the library', () => {
  it('are those that programs were promised', () => {
    expect(Object.keys(library).toSorted()).toEqual([
      'ActionEvent',
      'ActionRuntime',
      'ApprovalEngine',
      'AuditTrail',
      'BaseDBEngine',
      'Bindings',
      'BlockedCallError',
      'CapFenceError',
      'CapabilitySystem',
      'Decimal',
      'ImmutableAuditTrail',
      'SQLiteEngine',
      'defaultStoragePath',
      'escapeName',
      'gate',
      'gateClient',
      'gateTool',
      'gateTools',
      'inputOf',
      'parseJson',
      'unescapeName',
    ])
    expect(library.ImmutableAuditTrail).toBe(library.AuditTrail)
  })
})

describe('a runtime without a policy', () => {
  it('denies everything, and records that it did', async () => {
    const runtime = runtimeOf()
    expect(await runtime.execute(payment(1))).toMatchObject({
      decision: 'deny',
      reasonCode: 'default',
      decisionSeq: 3,
    })
  })

  it('keeps its log where the environment says, for this user alone', async () => {
    const storage = join(folder, 'default', 'log.db')
    process.env['CAPFENCE_STORAGE'] = storage
    try {
      const runtime = new ActionRuntime()
      open.push(runtime)
      await runtime.execute(payment(1))
    } finally {
      delete process.env['CAPFENCE_STORAGE']
    }
    expect(existsSync(storage)).toBe(true)
    if (process.platform !== 'win32') expect(statSync(storage).mode & 0o077).toBe(0)
  })
})

describe.skipIf(process.platform === 'win32')('where the log is by default', () => {
  it.each([
    ['what is said', { CAPFENCE_STORAGE: '/srv/log.db', XDG_STATE_HOME: '/x' }, /^\/srv\/log\.db$/],
    ['the state folder', { XDG_STATE_HOME: '/x' }, /^\/x\/capfence\/capfence\.db$/],
    [
      'home, for a relative one',
      { XDG_STATE_HOME: 'x' },
      /\.local\/state\/capfence\/capfence\.db$/,
    ],
    ['home, for an empty one', { CAPFENCE_STORAGE: '' }, /^\/.*\.local\/state\/capfence\//],
    ['home, otherwise', {}, /^\/.*\.local\/state\/capfence\/capfence\.db$/],
  ])('%s', (_, env, path) => {
    expect(defaultStoragePath(env)).toMatch(path)
  })
})

describe('a capability system', () => {
  it('loads files as one policy, and keeps it when the next cannot be used', () => {
    const system = new CapabilitySystem()
    expect(system.decide(payment(1)).reason).toBe('default')
    expect(system.loadPolicy(ops).decide(payment(1)).decision).toBe('allow')
    const broken = join(folder, 'broken.yaml')
    writeFileSync(broken, 'allow:\n  - capabilty: a.b.c\n')
    expect(() => system.loadPolicy(broken)).toThrow(/capabilty/)
    writeFileSync(broken, 'allow: [a]\ninvariants: [{id: i, never: allow, capability: a.b}]\n')
    expect(() => system.loadPolicy(broken)).toThrow(/the invariant `i` is broken/)
    expect(() => runtimeOf({ policy: broken })).toThrow(/the invariant `i` is broken/)
    expect(() => system.loadPolicy(join(folder, 'absent.yaml'))).toThrow(/cannot read/)
    expect(system.decide(payment(1)).decision).toBe('allow')
  })

  it('governs a runtime as it was when that was made; a later load needs a reload', async () => {
    const system = new CapabilitySystem()
    const runtime = runtimeOf({ policy: system })
    system.loadPolicy(ops)
    expect((await runtime.execute(payment(1))).authorized).toBe(false)
    await runtime.reload(system.policy)
    expect((await runtime.execute(payment(1))).authorized).toBe(true)
    const loads = await runtime.audit.find({ order: 'oldest', count: 10, types: ['policy.load'] })
    expect(loads.records.map(({ data }) => data['policy_hash'])).toEqual([
      new CapabilitySystem().policy.hash,
      system.policy.hash,
    ])
  })
})

describe('the terms of an approval', () => {
  it.each([
    ['what the rule says', 'approval: {timeout_seconds: 60}', 60],
    ['more than usual, if it says so', 'approval: {timeout_seconds: 3600}', 3600],
    ['as usual, if it says nothing', 'message: ask', 900],
  ])('a request waits %s', async (_, term, seconds) => {
    const file = join(folder, 'terms.yaml')
    writeFileSync(file, `require_approval:\n  - {capability: payment.execute, ${term}}\n`)
    const runtime = runtimeOf({ policy: file })
    await runtime.execute(payment(1))
    const [request] = await runtime.approvals.pending()
    expect((request?.expiresAtMs ?? 0) - (request?.requestedAtMs ?? 0)).toBe(seconds * 1000)
  })

  it('of several rules the least patient counts', async () => {
    const [one, other] = [join(folder, 'one.yaml'), join(folder, 'other.yaml')]
    writeFileSync(
      one,
      'require_approval:\n  - {capability: payment, approval: {timeout_seconds: 50}}\n',
    )
    writeFileSync(
      other,
      'require_approval:\n  - {capability: payment, approval: {timeout_seconds: 40}}\n',
    )
    const runtime = runtimeOf({ policy: [one, other] })
    const verdict = await runtime.execute(payment(1))
    const [request] = await runtime.approvals.pending()
    expect((request?.expiresAtMs ?? 0) - (request?.requestedAtMs ?? 0)).toBe(40_000)
    expect(verdict.rules.map(({ id }) => id)).toEqual([
      'require_approval[0]',
      'require_approval[0]',
    ])
  })
})

describe('the parts of a runtime', () => {
  it('show what waits and what was decided', async () => {
    const runtime = runtimeOf({ policy: ops })
    const verdict = await runtime.execute(payment(5000))
    const [waiting] = await runtime.approvals.pending()
    expect(waiting?.id).toBe(verdict.decision === 'require_approval' ? verdict.approvalId : '')
    expect((await runtime.audit.call(verdict.callId)).map(({ type }) => type)).toEqual(['decision'])
    expect((await runtime.audit.verify()).bad).toBeNull()
  })

  it('two on one database share the queue: identical calls wait behind one request', async () => {
    const storage = join(folder, 'shared', 'log.db')
    const [one, other] = [runtimeOf({ policy: ops, storage }), runtimeOf({ policy: ops, storage })]
    const verdicts = await Promise.all([one.execute(payment(5000)), other.execute(payment('5000'))])
    const third = await other.execute(payment(5000))
    expect(await one.approvals.pending()).toHaveLength(2)
    expect(third).toMatchObject({
      approvalId: verdicts[0].decision === 'require_approval' ? verdicts[0].approvalId : '',
    })
  })

  it('a store that was handed in stays open', async () => {
    const store = SQLiteEngine.open({ path: ':memory:', software: 'test/1' })
    const runtime = new ActionRuntime({ policy: ops, store })
    const verdict = await runtime.execute(payment(1))
    if (verdict.decision === 'allow') runtime.settle(verdict, { status: 'ok' })
    await runtime.close()
    // What the runtime owed is there all the same.
    expect(await store.size()).toBe(5)
    await store.close()
  })

  it('after its end nothing is allowed', async () => {
    const failures: unknown[] = []
    const runtime = runtimeOf({ policy: ops, onFailure: (error) => failures.push(error) })
    expect((await runtime.execute(payment(1))).authorized).toBe(true)
    await runtime.close()
    expect(await runtime.execute(payment(1))).toMatchObject({ reasonCode: 'audit_unavailable' })
    expect(failures).toHaveLength(1)
  })
})

describe('JSON text', () => {
  it.each(['{"a":1,"a":2}', '{"a":1,"A\u0000":2', '[1,]', '', '"\ud800"'])(
    '%j is refused',
    (text) => {
      expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }))
    },
  )
})
