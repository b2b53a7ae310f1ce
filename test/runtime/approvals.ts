import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signAnswer } from '../../src/approval/answer.ts'
import type { Answer } from '../../src/approval/answer.ts'
import type { Approver } from '../../src/approval/approver-list.ts'
import type { Authority } from '../../src/approval/authority.ts'
import { keyId } from '../../src/approval/envelope.ts'
import type { AcceptedAnswer } from '../../src/approval/give-answer.ts'
import { answerRecord } from '../../src/audit/approval-drafts.ts'
import { signingKey, verifyingKey } from '../../src/crypto/ed25519.ts'
import type { SigningKey } from '../../src/crypto/ed25519.ts'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { EventFields } from '../../src/event/create.ts'
import type { ApprovalTerms as RuleTerms } from '../../src/policy/rule.ts'
import type { ActionRuntime } from '../../src/runtime/action-runtime.ts'
import { recordAnswer } from '../../src/runtime/answers.ts'
import type { GoverningPolicy } from '../../src/runtime/policy.ts'
import type { CallOptions } from '../../src/runtime/prepare.ts'
import type { Store } from '../../src/runtime/store.ts'
import type { Verdict } from '../../src/runtime/verdict.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { gate, policy, position, rule } from './fixtures.ts'

export const keyOf = (seed: number): SigningKey => signingKey(new Uint8Array(32).fill(seed))

export function approver(name: string, key: SigningKey): Approver {
  return { name, key: verifyingKey(key.publicKey), keyId: keyId(key.publicKey), passkeys: [] }
}

export const [alice, bob, mallory, beside] = [keyOf(1), keyOf(2), keyOf(8), keyOf(9)]

/** A policy that asks a person about every payment, with what it asks of the answer. */
export function asking(terms: RuleTerms = {}, letter = 'a'): GoverningPolicy {
  const pay = { id: 'pay', effect: 'require_approval', position } as const
  const answer = {
    decision: 'require_approval',
    reason: 'rule',
    rules: [rule({ id: 'pay', effect: 'require_approval' })],
  } as const
  const compiled = { ...pay, capability: 'payment.execute.*', predicates: [], approval: terms }
  return { ...policy(() => answer, letter), rules: [compiled] }
}

export const pay: EventFields = {
  actor: 'ops-agent',
  resource: 'payment',
  action: 'execute',
  scope: 'eu',
  environment: 'production',
  server: 'bank',
  tool: 'pay',
  session: 's1',
  arguments: { amount: 1500, recipient: 'ACME' },
}

/** A database of its own, a clock that can be set, and whose answers count. */
export class ApprovalPlace {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'capfence-approvals-'))
  readonly path: string = join(this.folder, 'log.db')
  nowMs = 1_800_000_000_000
  authority: Authority = {
    approvers: [approver('alice', alice), approver('bob', bob)],
    answerKey: verifyingKey(beside.publicKey),
  }
  readonly failures: unknown[] = []
  store: Store
  runtime: ActionRuntime
  #policy: GoverningPolicy

  constructor(terms: RuleTerms = {}) {
    this.#policy = asking(terms)
    this.store = this.#open()
    this.runtime = this.#run()
  }

  async reopen(change: () => void = () => {}): Promise<void> {
    await this.store.close()
    change()
    this.store = this.#open()
    this.runtime = this.#run()
  }

  async reload(changed: GoverningPolicy): Promise<void> {
    this.#policy = changed
    await this.runtime.reload(changed)
  }

  async call(changes: Partial<EventFields> = {}, options: CallOptions = {}): Promise<Verdict> {
    this.nowMs += 1000
    return this.runtime.execute(ActionEvent.create({ ...pay, ...changes }), options)
  }

  /** Asks and returns the id. */
  async ask(changes: Partial<EventFields> = {}, options: CallOptions = {}): Promise<string> {
    const verdict = await this.call(changes, options)
    if (verdict.decision !== 'require_approval') throw new Error(`was ${verdict.decision}`)
    return verdict.approvalId
  }

  async envelope(id: string, key: SigningKey, changes: Partial<Answer> = {}): Promise<string> {
    return signAnswer(await this.said(id, key === beside ? 'any' : 'key', changes), key)
  }

  /** What an approver says who approves a request once. */
  async said(
    id: string,
    presence: Answer['presence'],
    changes: Partial<Answer> = {},
  ): Promise<Omit<Answer, 'key'>> {
    const known = await this.store.approval(id)
    if (known === undefined) throw new Error('nobody asked')
    const { request, log } = known
    const said = {
      log,
      approval: id,
      binding: request.bindingDigest,
      nonce: request.nonce,
      verdict: 'approve' as const,
      presence,
      expiresAtMs: request.expiresAtMs,
      uses: 1,
      session: null,
    }
    return { ...said, ...changes }
  }

  async answer(
    id: string,
    key: SigningKey,
    changes: Partial<Answer> = {},
  ): Promise<AcceptedAnswer> {
    const envelope = await this.envelope(id, key, changes)
    this.nowMs += 1000
    return recordAnswer(this.store, { approval: id, envelope }, this.authority)
  }

  /** Stores an approval as somebody would who writes to the log without asking whether it may be given. */
  async force(id: string, envelope: string, by = 'alice'): Promise<void> {
    const expiresAtMs = this.nowMs + 900_000
    const facts = { approval: id, approver: by, envelope, expiresAtMs, isReached: true }
    const record = answerRecord('approve', facts)
    await this.store.commit(() => ({ records: [record], result: undefined }), 'process')
  }

  /** Changes rows behind the back of the gate. */
  tamper(sql: string, ...values: readonly unknown[]): void {
    const db = new Database(this.path)
    try {
      db.prepare(sql).run(...values)
    } finally {
      db.close()
    }
  }

  async remove(): Promise<void> {
    await this.store.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #open(): Store {
    const clock = { nowMs: () => this.nowMs, elapsedMs: () => performance.now() }
    return SQLiteEngine.open({ path: this.path, software: 'capfence/test', clock })
  }

  #run(): ActionRuntime {
    return gate({
      policy: this.#policy,
      store: this.store,
      clock: () => this.nowMs,
      durability: 'process',
      authority: () => this.authority,
      onFailure: (error) => this.failures.push(error),
    }).runtime
  }
}
