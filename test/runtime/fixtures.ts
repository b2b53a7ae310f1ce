import { systemRandom } from '../../src/crypto/random.ts'
import { ulid, uuidV7 } from '../../src/crypto/ids.ts'
import { sha256Hex } from '../../src/crypto/sha256.ts'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { EventFields } from '../../src/event/create.ts'
import { Decimal } from '../../src/json/decimal.ts'
import type { DeterminingRule, PolicyAnswer } from '../../src/policy/answer.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import { ActionRuntime } from '../../src/runtime/action-runtime.ts'
import type { Draws, RuntimeParts } from '../../src/runtime/parts.ts'
import type { GoverningPolicy } from '../../src/runtime/policy.ts'
import { MemoryStore } from './memory-store.ts'

const draws: Draws = {
  bytes: systemRandom,
  uuid: (nowMs) => uuidV7(nowMs, systemRandom),
  ulid: (nowMs) => ulid(nowMs, systemRandom),
}

export const position = { file: 'policies/ops.yaml', line: 3, column: 5 }

export function rule(changes: Partial<DeterminingRule> = {}): DeterminingRule {
  return { id: 'big', effect: 'deny', position, value: 'true', predicates: [], ...changes }
}

/** A policy that gives the answer of a function, named by a letter; its rules say nothing more. */
export function policy(
  decide: (event: ActionEvent) => PolicyAnswer,
  letter = 'a',
): GoverningPolicy {
  const bytes = new TextEncoder().encode(`# ${letter}\n`)
  const files = [{ path: 'policies/ops.yaml', bytes, sha256: letter.repeat(64) }]
  return {
    hash: letter.repeat(64),
    ruleCount: 1,
    rules: [],
    limits: [],
    files,
    asksState: () => false,
    decide,
    explain: () => [],
  }
}

export const allowAnswer: PolicyAnswer = {
  decision: 'allow',
  reason: 'rule',
  rules: [rule({ id: 'small', effect: 'allow' })],
}
export const holdAnswer: PolicyAnswer = {
  decision: 'require_approval',
  reason: 'rule',
  rules: [
    rule({
      effect: 'require_approval',
      predicates: [{ predicate: 'amount_gt: 1000', value: 'true' }],
      message: 'large payments are seen by a person',
    }),
  ],
}
export const denyAnswer: PolicyAnswer = {
  decision: 'deny',
  reason: 'rule',
  rules: [rule({ predicates: [{ predicate: 'contains: "rm -rf"', value: 'true' }] })],
}
export const defaultAnswer: PolicyAnswer = { decision: 'deny', reason: 'default', rules: [] }

/** Holds amounts over 1000, allows those up to it, denies what has none. */
export const paymentPolicy: GoverningPolicy = policy((event) => {
  const amount = event.arguments['amount']
  if (!(amount instanceof Decimal)) return defaultAnswer
  return amount.compare(new Decimal('1000')) > 0 ? holdAnswer : allowAnswer
})

export function payment(amount: unknown, changes: Partial<EventFields> = {}): ActionEvent {
  return ActionEvent.create({
    actor: 'ops-agent',
    action: 'execute',
    resource: 'payment.high_value',
    environment: 'production',
    risk: 'high',
    arguments: { amount },
    ...changes,
  })
}

/** A runtime on a store in memory, with the failures it reported. */
export function gate(parts: Partial<RuntimeParts> = {}): {
  runtime: ActionRuntime
  store: MemoryStore
  failures: unknown[]
} {
  const store = new MemoryStore()
  const failures: unknown[] = []
  const runtime = new ActionRuntime({
    policy: paymentPolicy,
    store,
    draws,
    clock: () => store.nowMs,
    onFailure: (error) => failures.push(error),
    ...parts,
  })
  return { runtime, store, failures }
}

/** A policy of a text, as the command loads it of a file. */
export function written(text: string): GoverningPolicy {
  const bytes = new TextEncoder().encode(text)
  const hash = sha256Hex(bytes)
  const loaded = loadPolicy([{ path: 'p.yaml', text }])
  return {
    hash,
    ruleCount: loaded.ruleCount,
    rules: loaded.rules,
    limits: loaded.limits,
    files: [{ path: 'p.yaml', bytes, sha256: hash }],
    asksState: (event) => loaded.asksState(event),
    decide: (event, state) => loaded.decide(event, state),
    explain: (event, state) => loaded.explain(event, state),
  }
}
